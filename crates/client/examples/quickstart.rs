//! Buys a stack, asks a question, checks the receipt, and closes the stack.
//!
//! ```text
//! cargo run --release -- devnet                                 # a network of your own
//! cargo run -p atoma-client --example quickstart                # in another terminal
//! cargo run -p atoma-client --example quickstart -- http://127.0.0.1:9000
//! ```

use atoma_client::{BuyRequest, Client, ClientConfig};
use atoma_keys::SigningKey;
use atoma_runtime::SystemRandom;
use atoma_types::{ComputeUnits, DurationMs, MicroUsdc};
use std::{env, error::Error};

/// Where `atoma devnet` has its ledger.
const LEDGER: &str = "http://127.0.0.1:9000";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let ledger = env::args().nth(1).unwrap_or_else(|| LEDGER.to_owned());

    // a wallet with test money; keep the key in a file and name a `data_dir` where it is real
    let wallet = SigningKey::generate(&SystemRandom);
    let client = Client::connect(ledger, wallet, ClientConfig::default()).await?;
    client.ledger().faucet(client.address()).await?;
    let dollars = MicroUsdc(10_000_000);
    client.ledger().mint_usdc(client.address(), dollars).await?;

    // what is on sale, and by whom
    let tasks = client.ledger().all_tasks().await?;
    let task = tasks.first().ok_or("no model is on sale")?;
    let offers = client.offers(task.id).await?;
    let offer = offers.first().ok_or("nobody sells the model")?;
    println!("{} at {}", task.model_name, offer.price);

    // 20,000 units, prepaid, and granted to the cheapest node
    let stack = client
        .buy(BuyRequest {
            task: task.id,
            units: ComputeUnits(20_000),
            max_price: Some(offer.price),
            nodes: 0,
            lifetime: DurationMs(3_600_000),
        })
        .await?;
    let node = stack.engage().await?.node;

    // the body goes out as it is; a refusal comes back as an answer with its status
    let body = serde_json::json!({
        "model": task.model_name,
        "messages": [{ "role": "user", "content": "Say hello." }],
        "max_tokens": 32,
    });
    let answer = stack.chat(node, body.to_string()).await?.whole().await?;
    println!(
        "{} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );

    // the receipt was checked against request, answer and prices before the answer was complete
    let receipt = answer.receipt.ok_or("the node refused")?;
    println!("receipt {} charges {}", receipt.seq, receipt.units);

    // ends the stack: the node is paid for what it served, the rest comes back
    let closed = stack.close().await?;
    println!("paid {}, came back {}", closed.paid, closed.withdrawn);
    Ok(())
}
