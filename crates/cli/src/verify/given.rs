//! What an argument names: a request, a blob, a receipt, or a file with one of several things in it.

use crate::{named::Named, output::ELLIPSIS};
use anyhow::{Context, Result, bail, ensure};
use atoma_client::{Receipts, evidence::Given};
use atoma_evidence::{
    pack::{MAX_PACK, ReceiptProof},
    second::{SecondRecord, split_text},
};
use atoma_types::{
    RequestId,
    message::{Receipt, RequestHeader, Signed},
};
use atoma_walrus::BlobId;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// How a pack begins.
const PACK: &[u8] = b"ATOMAPCK";

/// A receipt beside its signed request, as a file; as nodes and `atoma receipt show --json` give it.
#[derive(Deserialize)]
struct ReceiptFile {
    receipt: String,
    header: Option<String>,
    second_record: Option<String>,
}

/// Takes what an argument names; the beginning of a request's id is looked for among the receipts.
pub(super) fn take(given: &mut Given, what: &str, receipts: &Path) -> Result<()> {
    let path = Path::new(what);
    if path.is_file() {
        return take_file(given, path).with_context(|| format!("file {}", path.display()));
    }
    if let Ok(request) = what.parse::<RequestId>() {
        given.request = Some(request);
    } else if let Ok(blob) = what.parse::<BlobId>() {
        given.blob = Some(blob);
    } else if let Ok(receipt) = Signed::<Receipt>::from_text(split_text(what).0) {
        given.receipt = Some(receipt);
        given.second = second(split_text(what).1)?;
    } else if is_beginning(what) {
        let named: Named = what.parse()?;
        given.request = Some(named.request(&Receipts::open(receipts)?)?);
    } else {
        bail!("no file, and neither a request's id nor a blob's nor a receipt: {what}");
    }
    Ok(())
}

/// Whether it may be the beginning of a request's id.
fn is_beginning(what: &str) -> bool {
    what.trim_end_matches(ELLIPSIS)
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
}

fn take_file(given: &mut Given, path: &Path) -> Result<()> {
    let bytes = read(path)?;
    if bytes.starts_with(PACK) {
        given.pack = Some(bytes);
        return Ok(());
    }
    let text = std::str::from_utf8(&bytes).context("neither a pack nor text")?;
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        let (receipt, behind) = split_text(text);
        given.receipt = Some(Signed::from_text(receipt)?);
        given.second = second(behind)?;
        return Ok(());
    };
    // only proofs name their request so
    if json.get("request_id").is_some() {
        let proof = serde_json::from_str::<ReceiptProof>(text);
        given.proof = Some(proof.context("the node's proof")?);
    } else {
        let file: ReceiptFile = serde_json::from_value(json).context("no receipt")?;
        let (receipt, behind) = split_text(&file.receipt);
        given.receipt = Some(Signed::from_text(receipt)?);
        given.second = second(behind.or(file.second_record.as_deref()))?;
        let header = file
            .header
            .as_deref()
            .map(Signed::<RequestHeader>::from_text);
        given.header = header.transpose()?;
    }
    Ok(())
}

/// The record of the node to which the request was passed on.
fn second(text: Option<&str>) -> Result<Option<SecondRecord>> {
    let record = text.map(SecondRecord::from_text).transpose();
    record.context("the second record")
}

/// A file of no more than a pack's size.
pub(super) fn read(path: &Path) -> Result<Bytes> {
    let cannot = || format!("cannot read {}", path.display());
    let length = std::fs::metadata(path).with_context(cannot)?.len();
    ensure!(length <= MAX_PACK, "{} is too long", path.display());
    Ok(std::fs::read(path).with_context(cannot)?.into())
}
