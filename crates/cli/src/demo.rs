//! `atoma demo`: the protocol once, live, step by step, in a temporary folder that is removed.

mod cheat;
mod confidential;
mod events;
mod evidence;
mod forward;
mod plain_answer;
mod steps;
mod sums;
mod words;

use self::{
    forward::Stock,
    plain_answer::PlainAnswer,
    steps::{WINDOW_MS, buy, request_body, settle, summary},
    sums::{Sums, tell_settlement, wait_closed},
    words::{RECEIPT_CHECKS, receipt_facts},
};
use crate::{
    chat,
    devnet::{PRICES, quick_params},
    local_network::{self, Plan, Ports, Served},
    model::ModelChoice,
    output::{Output, millis, money},
    scratch::Scratch,
};
use anyhow::{Context, Result, ensure};
use atoma_client::{Client, ClientConfig, RequestOptions, StackHandle, request_key};
use atoma_keys::SigningKey;
use atoma_network::{
    ApiKeys, GatewayPlan, POCKET_MONEY, any_port, fund, start_gateway, stored_key,
};
use atoma_runtime::SystemRandom;
use atoma_types::{RequestId, StackId};
use clap::Args;
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::time::Instant;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// What to ask the model.
    #[arg(default_value = "What is the sun?")]
    prompt: String,
    #[command(flatten)]
    model: ModelChoice,
    /// How many nodes compete for the stack.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    nodes: u8,
    /// Let the node that the user chooses be full: it passes the request on to another one, and both are paid.
    #[arg(long)]
    forward: bool,
    /// Let a node cheat in this way, on a task whose answers are examined, and see it caught by nine that attest.
    #[arg(long, value_name = "KIND", value_parser = cheat::parser(), conflicts_with_all = ["forward", "nodes"])]
    cheat: Option<cheat::Way>,
    /// Let nodes run as software that acts as hardware (a software TEE), and see that nobody on the way reads anything.
    #[arg(long, conflicts_with_all = ["forward", "cheat"])]
    confidential: bool,
}

/// One request is all that the demo sends through the gateway.
const MAX_CONCURRENT: usize = 16;

pub(crate) async fn run(args: Demo, scratch: &Scratch, output: &Output) -> Result<()> {
    let folder = scratch.folder("demo")?;
    let story = tell(&args, folder, output);
    tokio::select! {
        biased;
        told = story => told,
        stopped = crate::run::told_to_stop() => {
            stopped?;
            anyhow::bail!("stopped before the end; nothing is left behind")
        }
    }
}

async fn tell(args: &Demo, folder: &Path, output: &Output) -> Result<()> {
    if let Some(way) = args.cheat {
        return cheat::tell(way, (&args.prompt, &args.model), folder, output).await;
    }
    if args.confidential {
        let asked = (&*args.prompt, args.nodes, &args.model);
        return confidential::tell(asked, folder, output).await;
    }
    ensure!(
        !args.forward || args.nodes > 1,
        "a node passes requests on to another one: --forward needs two --nodes"
    );
    let mut served = local_network::start(&plan(args, folder), output).await?;
    let network = &served.network;
    let stock = match args.forward {
        true => Some(Stock::wait(network, output).await?),
        false => None,
    };
    let user = SigningKey::generate(&*network.ledger.runtime().random);
    let user_address = user.public_key().address();
    fund(&network.ledger, "user", user_address, POCKET_MONEY, output).await?;
    let mut sums = Sums::default();

    let gateway_key = folder.join("gateway").join("wallet.key");
    let gateway_wallet = stored_key(&gateway_key, &*network.ledger.runtime().random)?;
    let gateway = gateway_wallet.public_key().address();
    fund(&network.ledger, "gateway", gateway, POCKET_MONEY, output).await?;
    let wallets = [user_address, gateway];
    let stocked: Vec<StackId> = stock.iter().map(|stock| stock.stack).collect();
    let before = network.all_money(&wallets, &stocked).await?.0;

    let config = ClientConfig {
        data_dir: Some(folder.join("user")),
        ..ClientConfig::default()
    };
    let keys = vec![request_key(&user)];
    let client = Client::with_ledger(network.ledger.clone(), user, config)?;
    let chosen = stock.as_ref().map(|stock| stock.node(network));
    let stack = buy(&client, &served, chosen, &mut sums, output).await?;
    let request = ask(
        &stack,
        &served.model,
        &args.prompt,
        args.forward,
        &mut sums,
        output,
    )
    .await?;
    evidence::stored(network, (stack.id(), request), output).await?;
    let prompt = &args.prompt;
    through_gateway(&served, folder, gateway_wallet, prompt, &mut sums, output).await?;
    settle(&stack, network, &mut sums, output).await?;
    let receipts = client.receipts();
    receipts.flush().await?;
    evidence::verified(network, receipts, keys, request, output).await?;
    if let Some(stock) = stock {
        stock
            .settle(&mut served.network, folder, &mut sums, output)
            .await?;
    }
    let network = &served.network;
    let after = network.all_money(&wallets, &sums.stacks).await?.0;
    summary(&sums, before, after, output)?;
    served.network.stop().await;
    Ok(())
}

fn plan(args: &Demo, folder: &Path) -> Plan {
    Plan {
        folder: folder.to_owned(),
        ports: Ports::any(args.nodes.into()),
        params: quick_params(WINDOW_MS),
        forward: args.forward.then(|| forward::full(WINDOW_MS)),
        examined: None,
        confidential: false,
        prices: (0..args.nodes)
            .map(|i| PRICES[usize::from(i) % PRICES.len()])
            .collect(),
        model: args.model.clone(),
    }
}

async fn ask(
    stack: &StackHandle,
    model: &str,
    prompt: &str,
    passed_on: bool,
    sums: &mut Sums,
    output: &Output,
) -> Result<RequestId> {
    let node = *stack.nodes().first().context("the node has no lease")?;
    output.say(format!(
        "\nThe user signs a request; the node checks it and streams\n\n> {prompt}\n"
    ));
    let (body, options) = (request_body(model, prompt), RequestOptions::default());
    let told = chat::ask(stack, node, &body, options, |piece| {
        output.piece(piece);
    })
    .await?;
    output.say("");
    output.step(
        "answer",
        "The answer is complete",
        told.total,
        vec![
            ("node", json!(node)),
            ("prompt", json!(prompt)),
            ("text", json!(told.text)),
            ("first_token_ms", millis(told.first_token)),
            ("output_tokens", json!(told.receipt.usage.output)),
        ],
    );
    sums.receipts_verified += 1;
    let mut facts = receipt_facts(told.receipt.signed(), output);
    facts.insert(0, ("verified", json!(RECEIPT_CHECKS)));
    output.step(
        "receipt",
        "The node's signed receipt arrives and is checked",
        Duration::ZERO,
        facts,
    );
    if passed_on {
        forward::tell(told.receipt.second(), output)?;
    }
    Ok(told.receipt.request_id)
}

/// The same question where the whole answer is awaited.
fn plain_body(model: &str, prompt: &str) -> Value {
    let mut body = request_body(model, prompt);
    body["stream"] = json!(false);
    if let Some(fields) = body.as_object_mut() {
        fields.remove("stream_options");
    }
    body
}

/// A second answer, as people with an API key get theirs: one plain OpenAI request.
async fn through_gateway(
    served: &Served,
    folder: &Path,
    wallet: SigningKey,
    prompt: &str,
    sums: &mut Sums,
    output: &Output,
) -> Result<()> {
    let started = Instant::now();
    let network = &served.network;
    let folder = folder.join("gateway");
    let keys = ApiKeys::open(&folder, &SystemRandom)?;
    let gateway = GatewayPlan {
        folder,
        listen: any_port(),
        admin_listen: any_port(),
        max_concurrent: MAX_CONCURRENT,
        keys: &keys,
        close_stacks_on_stop: true,
    };
    let gateway = start_gateway(&network.ledger, gateway, output).await?;
    let body = plain_body(&served.model, prompt);
    let answer = PlainAnswer::ask(&gateway.url(), keys.normal.reveal(), &body).await?;
    let node = answer.check(&network.ledger).await?;
    sums.receipts_verified += 1;
    let stack = network.ledger.stack(answer.receipt.message().stack).await?;
    sums.deposited += stack.escrow.0;
    output.step(
        "gateway",
        "A plain OpenAI request goes through a gateway, which buys its own stack",
        started.elapsed(),
        vec![
            ("endpoint", json!(format!("{}/v1", gateway.url()))),
            ("node", json!(node)),
            ("text", answer.text()?),
            ("stack", json!(stack.id)),
            ("escrow_micro_usdc", money(stack.escrow)),
            ("units", json!(answer.receipt.message().units.0)),
            ("receipt_verified", json!(true)),
        ],
    );
    let started = Instant::now();
    let progress = output.progress("the gateway stops: its stack is settled");
    gateway.shutdown().await;
    // the gateway waits until its nodes have settled, and no longer; its wallet takes the rest
    let wallet = Client::with_ledger(network.ledger.clone(), wallet, ClientConfig::default())?;
    wallet.open(stack.id).await?.close().await?;
    let closed = wait_closed(network, stack.id).await?;
    progress.finish_and_clear();
    tell_settlement(
        "gateway_settled",
        "The gateway stops and closes its stack; the node settles and is paid",
        started.elapsed(),
        stack.id,
        &closed,
        sums,
        output,
    );
    Ok(())
}
