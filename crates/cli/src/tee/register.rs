//! `atoma tee register`: what the ledger is told of a node's hardware.

use super::moment::Moment;
use crate::{call::call_and_tell, named::Named, output::Output, settings::Settings};
use anyhow::Result;
use atoma_types::{BlobId, chain::calls, hash::Hash32};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct TeeRegister {
    /// The node's id or a beginning of it, or its URL.
    node: Named,
    /// Digest of the release that it runs, which the task has announced (64 hex digits).
    #[arg(long, value_name = "HEX")]
    release: Hash32,
    /// The blob in which the bundle is stored.
    #[arg(long, value_name = "BLOB")]
    evidence: BlobId,
    /// The last moment at which the node opens a lease by it: 2026-11-18T12:00:00Z, or milliseconds since 1970.
    #[arg(long, value_name = "TIME")]
    until: Moment,
    /// What kind of platform it is, a number.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    kind: u8,
}

pub(super) async fn register(
    args: &TeeRegister,
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let ledger = settings.ledger().await?;
    let call = calls::AttestNode {
        node: args.node.node(&ledger).await?.into(),
        kind: args.kind,
        release: args.release,
        evidence: args.evidence,
        expires_at_ms: args.until.0,
    };
    call_and_tell(&ledger, settings, call, output).await
}
