//! `atoma verify`: everything about a request, checked without trusting whoever served it.

use crate::{
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Context, Result, bail, ensure};
use atoma_client::{
    Receipts,
    evidence::{
        AskNodes, Check, CheckKind, Gathered, Given, KeptReceipts, NodeProofs, Report, Sources,
        Verdict, check, gather,
    },
    request_key,
};
use atoma_evidence::pack::{MAX_PACK, ReceiptProof};
use atoma_keys::SigningKey;
use atoma_runtime::Threads;
use atoma_types::{
    RequestId,
    message::{Receipt, RequestHeader, Signed},
};
use atoma_walrus::{
    BlobId, ObjectId,
    client::{ClientConfig, WalrusClient},
};
use bytes::Bytes;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use url::Url;

/// How a pack begins.
const PACK: &[u8] = b"ATOMAPCK";
/// An aggregator that can't be reached is asked so often; a check without it is skipped.
const ATTEMPTS: u32 = 2;

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The id of a request whose receipt this machine keeps; a receipt (base64); the id of a pack's
    /// blob; or a file: a receipt, a node's proof (JSON), a pack. Several add up.
    #[arg(required = true, value_name = "RECEIPT|FILE|BLOB_ID")]
    what: Vec<String>,
    /// Use files and this machine only: no ledger, no Walrus, no node.
    #[arg(long)]
    offline: bool,
    /// Of a pack: the records of this request.
    #[arg(long, value_name = "ID")]
    request: Option<RequestId>,
    /// Of a pack: the records whose receipts have this number in their lease.
    #[arg(long, value_name = "N")]
    seq: Option<u64>,
    /// The blob's object on the ledger (default: the one that the node names).
    #[arg(long)]
    object: Option<ObjectId>,
    /// The request's body as it was sent, where the record's can't be read.
    #[arg(long, value_name = "FILE")]
    request_body: Option<PathBuf>,
    /// The answer's body as it came; of a stream, all before the receipt's line.
    #[arg(long, value_name = "FILE")]
    answer_body: Option<PathBuf>,
    /// Print request and answer.
    #[arg(long)]
    show: bool,
    /// The aggregator's URL.
    #[arg(
        long,
        env = "ATOMA_WALRUS_AGGREGATOR",
        default_value = "http://127.0.0.1:31415"
    )]
    aggregator: Url,
    /// Shards of the Walrus network: 1000 on Mainnet and Testnet. Ids depend on it.
    #[arg(
        long,
        env = "ATOMA_WALRUS_SHARDS",
        default_value_t = 10,
        value_name = "N"
    )]
    shards: u16,
}

pub(crate) async fn run(verify: Verify, settings: Settings, output: &Output) -> Result<()> {
    let given = verify.given()?;
    let sources = verify.sources(&settings).await?;
    let progress = output.progress("gathering the evidence");
    let gathered = gather(&given, &sources).await;
    progress.finish_and_clear();
    let gathered = gathered?;
    let reports: Vec<Report> = gathered.iter().map(check).collect();
    match &reports[..] {
        [report] => tell(report, output),
        many => tell_many(many, output),
    }
    if verify.show {
        for (gathered, report) in gathered.iter().zip(&reports) {
            output.object(bodies(gathered, report));
        }
    }
    let failed: usize = reports.iter().map(|report| report.failed().count()).sum();
    ensure!(failed == 0, "{failed} checks fail");
    Ok(())
}

/// One request: a row for each check, and what they come to.
pub(crate) fn tell(report: &Report, output: &Output) {
    output.table(rows(report), "nothing was checked");
    output.say("");
    output.object(verdict(report));
}

/// A row for each check.
pub(crate) fn rows(report: &Report) -> Vec<Facts> {
    let row = |check: &Check| {
        vec![
            ("check", json!(check.kind.name())),
            ("result", json!(check.outcome.name())),
            ("rests_on", json!(check.kind.rests_on())),
            ("found", json!(check.outcome.detail())),
        ]
    };
    report.checks.iter().map(row).collect()
}

/// What the checks of a request come to, and what they don't tell.
pub(crate) fn verdict(report: &Report) -> Facts {
    let mut facts = subject(report);
    facts.extend([
        ("verdict", json!(report.verdict().name())),
        ("passed", json!(report.passed().count())),
        ("failed", json!(report.failed().count())),
        ("skipped", json!(report.skipped().count())),
    ]);
    let rerun = report.rerun.as_ref().map(|rerun| {
        let (class, print) = (rerun.engine, rerun.fingerprint);
        let endpoint = rerun.endpoint.map_or("", |endpoint| endpoint.as_str());
        let scores = match print {
            Some(print) => format!("; its scores must give {print}"),
            None => String::new(),
        };
        format!(
            "the computation: repeat it with model {} in {} by rule {} {endpoint}{scores}",
            class.model,
            class.numerics.as_str(),
            class.rule.as_str(),
        )
    });
    facts.push(("not_checked", json!(rerun)));
    facts
}

fn subject(report: &Report) -> Facts {
    let subject = report.subject;
    vec![
        ("request", json!(subject.map(|s| s.request))),
        ("stack", json!(subject.map(|s| s.stack))),
        ("node", json!(subject.map(|s| s.node))),
        ("seq", json!(subject.and_then(|s| s.seq))),
    ]
}

/// Many requests: a row for each, then what fails, then what they come to.
fn tell_many(reports: &[Report], output: &Output) {
    let names =
        |kinds: Vec<CheckKind>| -> Vec<&str> { kinds.into_iter().map(CheckKind::name).collect() };
    let row = |report: &Report| {
        let mut facts = subject(report);
        facts.retain(|(name, _)| matches!(*name, "request" | "seq"));
        let failed = report.failed().map(|check| check.kind).collect();
        let skipped = report.skipped().map(|check| check.kind).collect();
        facts.extend([
            ("verdict", json!(report.verdict().name())),
            ("passed", json!(report.passed().count())),
            ("failed", json!(names(failed))),
            ("skipped", json!(names(skipped))),
        ]);
        facts
    };
    output.table(reports.iter().map(row).collect(), "the pack is empty");
    let failures: Vec<Facts> = reports
        .iter()
        .flat_map(|report| {
            report.failed().map(|check| {
                vec![
                    ("request", json!(report.subject.map(|s| s.request))),
                    ("check", json!(check.kind.name())),
                    ("result", json!(check.outcome.name())),
                    ("found", json!(check.outcome.detail())),
                ]
            })
        })
        .collect();
    if !failures.is_empty() {
        output.say("");
        output.table(failures, "");
    }
    let of = |wanted: Verdict| {
        let same = reports.iter().filter(|report| report.verdict() == wanted);
        json!(same.count())
    };
    output.say("");
    output.object(vec![
        ("records", json!(reports.len())),
        ("hold", of(Verdict::Holds)),
        ("incomplete", of(Verdict::Incomplete)),
        ("fail", of(Verdict::Fails)),
    ]);
}

/// Request and answer as text, without what a terminal might obey.
fn bodies(gathered: &Gathered, report: &Report) -> Facts {
    let text = |bytes: &Bytes| -> String {
        let harmless = |c: char| match c {
            '\n' | '\t' => c,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        String::from_utf8_lossy(bytes)
            .chars()
            .map(harmless)
            .collect()
    };
    let request: Value = json!(gathered.request_body.as_ref().ok().map(text));
    let answer: Value = json!(gathered.answer_body.as_ref().ok().map(text));
    vec![
        ("request", json!(report.subject.map(|s| s.request))),
        ("request_body", request),
        ("answer_body", answer),
    ]
}

impl Verify {
    fn given(&self) -> Result<Given> {
        let mut given = Given {
            request: self.request,
            seq: self.seq,
            object: self.object,
            ..Given::default()
        };
        for what in &self.what {
            take(&mut given, what)?;
        }
        let body = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
        given.request_body = body(&self.request_body)?;
        given.answer_body = body(&self.answer_body)?;
        Ok(given)
    }

    async fn sources(&self, settings: &Settings) -> Result<Sources> {
        let mut keys = Vec::new();
        for key in settings.open_keystore()?.keys() {
            keys.push(request_key(key));
            keys.push(SigningKey::from_seed(&key.to_seed()));
        }
        let folder = settings.home.join("client");
        // opening them would make the folder
        let receipts = if folder.join("client.db").is_file() {
            let receipts = Receipts::open(&folder).map_err(|error| error.to_string());
            receipts.map(|receipts| Box::new(receipts) as Box<dyn KeptReceipts>)
        } else {
            Err("no receipts are kept here".to_owned())
        };
        let offline = || "offline".to_owned();
        let (ledger, walrus, nodes) = if self.offline {
            (Err(offline()), Err(offline()), Err(offline()))
        } else {
            let ledger = settings.ledger().await;
            let nodes = AskNodes::new().map(|nodes| Box::new(nodes) as Box<dyn NodeProofs>);
            (
                ledger.map_err(|error| format!("{error:#}")),
                self.walrus().map_err(|error| format!("{error:#}")),
                nodes.map_err(|error| error.to_string()),
            )
        };
        Ok(Sources {
            ledger,
            walrus,
            nodes,
            receipts,
            keys,
            shards: self.shards,
            threads: Threads::Real,
        })
    }

    fn walrus(&self) -> Result<WalrusClient> {
        Ok(WalrusClient::new(ClientConfig {
            attempts: ATTEMPTS,
            max_blob: MAX_PACK,
            ..ClientConfig::new(None, self.aggregator.clone(), self.shards)
        })?)
    }
}

/// A receipt beside its order, as a file; as nodes and `atoma receipt show --json` give it.
#[derive(Deserialize)]
struct ReceiptFile {
    receipt: String,
    header: Option<String>,
}

/// Takes what an argument names.
fn take(given: &mut Given, what: &str) -> Result<()> {
    let path = Path::new(what);
    if path.is_file() {
        return take_file(given, path).with_context(|| format!("file {}", path.display()));
    }
    if let Ok(request) = what.parse::<RequestId>() {
        given.request = Some(request);
    } else if let Ok(blob) = what.parse::<BlobId>() {
        given.blob = Some(blob);
    } else if let Ok(receipt) = Signed::<Receipt>::from_text(what) {
        given.receipt = Some(receipt);
    } else {
        bail!("no file, and neither a request's id nor a blob's nor a receipt: {what}");
    }
    Ok(())
}

fn take_file(given: &mut Given, path: &Path) -> Result<()> {
    let bytes = read(path)?;
    if bytes.starts_with(PACK) {
        given.pack = Some(bytes);
        return Ok(());
    }
    let text = std::str::from_utf8(&bytes).context("neither a pack nor text")?;
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        given.receipt = Some(Signed::from_text(text)?);
        return Ok(());
    };
    // only proofs name their request so
    if json.get("request_id").is_some() {
        let proof = serde_json::from_str::<ReceiptProof>(text);
        given.proof = Some(proof.context("the node's proof")?);
    } else {
        let file: ReceiptFile = serde_json::from_value(json).context("no receipt")?;
        given.receipt = Some(Signed::from_text(&file.receipt)?);
        let header = file
            .header
            .as_deref()
            .map(Signed::<RequestHeader>::from_text);
        given.header = header.transpose()?;
    }
    Ok(())
}

/// A file of no more than a pack's size.
fn read(path: &Path) -> Result<Bytes> {
    let cannot = || format!("cannot read {}", path.display());
    let length = std::fs::metadata(path).with_context(cannot)?.len();
    ensure!(length <= MAX_PACK, "{} is too long", path.display());
    Ok(std::fs::read(path).with_context(cannot)?.into())
}
