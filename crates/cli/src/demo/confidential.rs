//! The demo with confidential compute (`--confidential`), by a software TEE: software that acts as hardware. It shows who
//! could read what, and says in each line that this hardware is none.

use super::{
    steps::{UNITS, WINDOW_MS, buy, request_body, settle, summary},
    sums::Sums,
    words::{RECEIPT_CHECKS, receipt_facts},
};
use crate::{
    chat, confidential as told,
    devnet::{PRICES, quick_params},
    local_network::{self, MEASUREMENT, Plan, Ports, RELEASE, Served},
    model::ModelChoice,
    output::{Output, millis},
};
use anyhow::{Context, Result, bail, ensure};
use atoma_client::{
    Client, ClientConfig, ClientError, Confidential, Padding, RequestOptions, StackHandle,
};
use atoma_keys::SigningKey;
use atoma_network::{POCKET_MONEY, fund, software_policy};
use atoma_tee::Policy;
use atoma_types::NodeId;
use serde_json::json;
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use tokio::time::Instant;

/// What each step says.
const MARK: &str = "software TEE";
/// Bytes of a piece of text that are of nothing else.
const WINDOW: usize = 12;

pub(super) async fn tell(
    (prompt, nodes, model): (&str, u8, &ModelChoice),
    folder: &Path,
    output: &Output,
) -> Result<()> {
    let output = &output.marked(MARK);
    output.say(
        "Software acts as hardware here (a software TEE). It shows how all works, and protects against nobody.",
    );
    let plan = Plan {
        folder: folder.to_owned(),
        ports: Ports::any(nodes.into()),
        params: quick_params(WINDOW_MS),
        forward: None,
        examined: None,
        confidential: true,
        prices: (0..nodes)
            .map(|i| PRICES[usize::from(i) % PRICES.len()])
            .collect(),
        model: model.clone(),
    };
    let served = local_network::start(&plan, output).await?;
    let network = &served.network;
    let user = Arc::new(SigningKey::generate(&*network.ledger.runtime().random));
    let address = user.public_key().address();
    fund(&network.ledger, "user", address, POCKET_MONEY, output).await?;
    let before = network.all_money(&[address], &[]).await?.0;
    let mut sums = Sums::default();
    let client = client(&served, &user, policy(&served, true)?)?;
    let stack = buy(&client, &served, None, &mut sums, output).await?;
    let node = *stack.nodes().first().context("the node has no lease")?;
    refused(&served, &user, &stack, node, output).await?;
    verified(&client, &served, node, output).await?;
    let said = ask(&stack, &served.model, prompt, node, &mut sums, output).await?;
    settle(&stack, network, &mut sums, output).await?;
    client.receipts().flush().await?;
    let after = network.all_money(&[address], &sums.stacks).await?.0;
    summary(&sums, before, after, output)?;
    served.network.stop().await;
    searched(folder, &[prompt.to_owned(), said], output)
}

/// A policy for this network, with the software TEE or without.
fn policy(served: &Served, software: bool) -> Result<Policy> {
    let network = served.network.ledger.network();
    let mut policy = Policy::from_toml(&software_policy(network, RELEASE, MEASUREMENT))?;
    if !software {
        policy.software = None;
    }
    Ok(policy)
}

fn client(served: &Served, user: &Arc<SigningKey>, policy: Policy) -> Result<Client> {
    let config = ClientConfig {
        confidential: Some(Confidential {
            policy: Arc::new(policy),
            padding: Padding::Blocks,
        }),
        ..ClientConfig::default()
    };
    let ledger = served.network.ledger.clone();
    Ok(Client::with_ledger(ledger, Arc::clone(user), config)?)
}

/// A policy that doesn't name software sends nothing.
async fn refused(
    served: &Served,
    user: &Arc<SigningKey>,
    stack: &StackHandle,
    node: NodeId,
    output: &Output,
) -> Result<()> {
    let started = Instant::now();
    let strict = client(served, user, policy(served, false)?)?;
    let error = strict.attested(node, stack.task().id).await.err();
    let Some(ClientError::Attestation { reason, .. }) = error else {
        bail!("a policy without software accepted the software TEE");
    };
    output.step(
        "refused",
        "A policy that does not name software refuses the software TEE: nothing is sent",
        started.elapsed(),
        vec![("node", json!(node)), ("reason", json!(reason.to_string()))],
    );
    Ok(())
}

/// What the user believes, and why.
async fn verified(client: &Client, served: &Served, node: NodeId, output: &Output) -> Result<()> {
    let started = Instant::now();
    let attested = client.attested(node, served.task).await?;
    let mut facts = vec![("line", json!(told::line(&attested)))];
    if output.is_json() {
        facts.push(("attested", told::facts(&attested)));
    }
    output.step(
        "attested",
        "The user's own policy allows the software TEE: the node's keys are checked before a byte is sent",
        started.elapsed(),
        facts,
    );
    Ok(())
}

async fn ask(
    stack: &StackHandle,
    model: &str,
    prompt: &str,
    node: NodeId,
    sums: &mut Sums,
    output: &Output,
) -> Result<String> {
    output.say(format!(
        "\nThe user seals a request to the software TEE, which opens it and streams a sealed answer\n\n> {prompt}\n"
    ));
    let (body, options) = (request_body(model, prompt), RequestOptions::default());
    let answer = chat::ask(stack, node, &body, options, |piece| {
        output.piece(piece);
    })
    .await?;
    output.say("");
    output.step(
        "answer",
        "The sealed answer is complete: only the user and the software TEE have read it",
        answer.total,
        vec![
            ("node", json!(node)),
            ("prompt", json!(prompt)),
            ("text", json!(answer.text)),
            ("first_token_ms", millis(answer.first_token)),
            ("output_tokens", json!(answer.receipt.usage.output)),
        ],
    );
    sums.receipts_verified += 1;
    let mut facts = receipt_facts(answer.receipt.signed(), output);
    facts.insert(0, ("verified", json!(RECEIPT_CHECKS)));
    output.step(
        "receipt",
        "The receipt of the software TEE commits to the sealed bytes, and is checked",
        Duration::ZERO,
        facts,
    );
    ensure!(
        answer.receipt.units <= UNITS,
        "the node charged more than was bought"
    );
    Ok(answer.text)
}

/// Looks for question and answer in everything that nodes, Walrus and ledger have written.
fn searched(folder: &Path, texts: &[String], output: &Output) -> Result<()> {
    let started = Instant::now();
    let windows: BTreeSet<&[u8]> = texts
        .iter()
        .flat_map(|text| text.as_bytes().windows(WINDOW))
        .collect();
    let (files, bytes) = search(folder, &windows)?;
    output.step(
        "searched",
        "Everything that nodes, Walrus and ledger wrote is searched for question and answer: the software TEE left none",
        started.elapsed(),
        vec![
            ("files", json!(files)),
            ("bytes", json!(bytes)),
            ("pieces_looked_for", json!(windows.len())),
            ("found", json!(0)),
        ],
    );
    Ok(())
}

/// How many files and bytes there are; a piece that is found is an error.
fn search(folder: &Path, windows: &BTreeSet<&[u8]>) -> Result<(usize, usize)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            let (more, further) = search(&path, windows)?;
            files += more;
            bytes += further;
            continue;
        }
        let content = std::fs::read(&path)?;
        let mut pieces = content.windows(WINDOW);
        ensure!(
            !pieces.any(|piece| windows.contains(piece)),
            "{} has a piece of question or answer",
            path.display()
        );
        files += 1;
        bytes += content.len();
    }
    Ok((files, bytes))
}
