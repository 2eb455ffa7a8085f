//! The demo's evidence: stored on Walrus by the node, and verified by the user, who trusts nobody but
//! the ledger.

use crate::{output::Output, verify};
use anyhow::{Context, Result, ensure};
use atoma_client::{
    Receipts,
    evidence::{AskNodes, Given, Sources, Verdict, check, gather},
};
use atoma_evidence::{
    pack::{Pack, ReceiptProof, StorageProof},
    receipt::proof_path,
};
use atoma_http::client::{AnswerLimits, Pool, PoolOptions, get};
use atoma_keys::SigningKey;
use atoma_network::{Network, NetworkNode};
use atoma_types::{RequestId, StackId};
use atoma_walrus::client::{ClientConfig, WalrusClient};
use atoma_walrus_localnet::LocalWalrus;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// The node is asked for its proof so often,
const ASK_EVERY: Duration = Duration::from_millis(50);
/// and for so long: it closes its pack a moment after the answer.
const STORE_TIMEOUT: Duration = Duration::from_secs(20);
/// A proof is a few KiB, and comes at once or not at all.
const PROOF: AnswerLimits = AnswerLimits::within(Duration::from_secs(10), 1 << 20);

/// Waits until the node has stored the request's record, and looks at it as everyone can.
pub(super) async fn stored(
    network: &Network,
    of: (StackId, RequestId),
    output: &Output,
) -> Result<()> {
    let started = Instant::now();
    let progress = output.progress("the node seals request and answer and stores them on Walrus");
    let storage = proof(network, of).await?;
    let pack = Pack::from_bytes(walrus(network)?.read(storage.blob_id).await?)?;
    progress.finish_and_clear();
    let place = usize::try_from(storage.path.index)?;
    let record = pack.record(place)?;
    let sealed_for = record.request_body().parties()?;
    output.step(
        "evidence",
        "The node has sealed request and answer, packed them, and stored the pack on Walrus",
        started.elapsed(),
        vec![
            ("blob_id", json!(storage.blob_id.to_string())),
            ("object", json!(storage.object.map(|id| id.to_string()))),
            ("end_epoch", json!(storage.end_epoch)),
            ("pack_bytes", json!(pack.catalog().length())),
            ("record_bytes", json!(storage.length)),
            ("root", json!(storage.root)),
            ("sealed_for", json!(sealed_for)),
        ],
    );
    Ok(())
}

/// Verifies everything about the request, as `atoma verify` does.
pub(super) async fn verified(
    network: &Network,
    receipts: Receipts,
    keys: Vec<SigningKey>,
    request: RequestId,
    output: &Output,
) -> Result<()> {
    let started = Instant::now();
    let given = Given {
        request: Some(request),
        ..Given::default()
    };
    let sources = Sources {
        ledger: Ok(network.ledger.clone()),
        walrus: Ok(walrus(network)?),
        nodes: Ok(Box::new(AskNodes::new(
            network.ledger.runtime().sockets.clone(),
        )?)),
        receipts: Ok(Box::new(receipts)),
        keys,
        shards: local_walrus(network)?.shards(),
        threads: network.ledger.runtime().threads,
    };
    let gathered = gather(&given, &sources).await?;
    let report = check(gathered.first().context("there is nothing to verify")?);
    let checks = verify::rows(&report)
        .into_iter()
        .map(|row| Value::Object(row.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
    let mut facts = vec![
        ("request", json!(request)),
        ("verdict", json!(report.verdict().name())),
        ("passed", json!(report.passed().count())),
        ("failed", json!(report.failed().count())),
        ("skipped", json!(report.skipped().count())),
    ];
    if output.is_json() {
        facts.push(("checks", checks.collect()));
    }
    output.step(
        "verify",
        "The user verifies all of it, trusting nobody but the ledger (`atoma verify`)",
        started.elapsed(),
        facts,
    );
    if !output.is_json() {
        output.say("");
        let rows = verify::rows(&report);
        output.narrow_table(rows, &verify::ONLY_WIDE, "nothing was checked");
    }
    ensure!(
        report.verdict() != Verdict::Fails,
        "the evidence does not hold"
    );
    Ok(())
}

fn walrus(network: &Network) -> Result<WalrusClient> {
    let walrus = local_walrus(network)?;
    let config = ClientConfig::new(None, walrus.url().parse()?, walrus.shards());
    Ok(WalrusClient::new(config)?)
}

fn local_walrus(network: &Network) -> Result<&LocalWalrus> {
    let walrus = network.walrus.as_ref();
    walrus.context("the demo's network has a Walrus")
}

/// The proof of whichever node has served the request, once its record is stored.
async fn proof(network: &Network, (stack, request): (StackId, RequestId)) -> Result<StorageProof> {
    let pool = Pool::new(PoolOptions::ONE_REQUEST)?;
    let ask = async |node: &NetworkNode| -> Result<Option<StorageProof>> {
        let url = format!("{}{}", node.running.url(), proof_path(stack, request));
        let answer = pool.ask(get(&url), PROOF).await?;
        if !answer.status().is_success() {
            return Ok(None);
        }
        Ok(serde_json::from_slice::<ReceiptProof>(answer.body())?.storage)
    };
    let started = Instant::now();
    while started.elapsed() < STORE_TIMEOUT {
        for node in &network.nodes {
            if let Some(storage) = ask(node).await? {
                return Ok(storage);
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    anyhow::bail!("the node has not stored the request's evidence")
}
