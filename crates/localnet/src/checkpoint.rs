//! Checkpoints: the ledger's transactions in their order, each checkpoint bound to the one before.

use crate::record::{Executed, Sealed};
use atoma_types::TimestampMs;
use std::sync::Arc;
use sui_sdk_types::{
    CheckpointContents, CheckpointSummary, CheckpointTransactionInfo, GasCostSummary,
};

/// Seals a checkpoint after `previous`. `gas` is the sum over the whole epoch, this one included.
pub(crate) fn seal(
    previous: Option<&CheckpointSummary>,
    transactions: Vec<Arc<Executed>>,
    now: TimestampMs,
    gas: GasCostSummary,
) -> Sealed {
    let infos = transactions
        .iter()
        .map(|executed| {
            CheckpointTransactionInfo::new(
                executed.digest,
                executed.effects.digest(),
                executed.signatures.clone(),
            )
        })
        .collect();
    let contents = CheckpointContents::new_v1(infos);
    let total = previous.map_or(0, |summary| summary.network_total_transactions);
    let summary = CheckpointSummary {
        epoch: 0,
        sequence_number: previous.map_or(0, |summary| summary.sequence_number + 1),
        network_total_transactions: total + transactions.len() as u64,
        content_digest: contents.digest(),
        previous_digest: previous.map(CheckpointSummary::digest),
        epoch_rolling_gas_cost_summary: gas,
        timestamp_ms: previous.map_or(0, |s| s.timestamp_ms).max(now.0),
        checkpoint_commitments: Vec::new(),
        end_of_epoch_data: None,
        version_specific_data: Vec::new(),
    };
    Sealed {
        digest: summary.digest(),
        summary,
        contents,
        transactions,
    }
}
