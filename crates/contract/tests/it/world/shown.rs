//! The calls in which a node shows a record: to whoever demands it, to an examiner, to a jury.

use super::Chain;
use atoma_types::{
    BlobId, ComputeUnits,
    chain::{Clock, calls},
};

/// The answer to a demand.
pub(crate) fn answer_call(chain: &Chain, unit: u64) -> calls::AnswerDemand {
    let (record, proof) = chain.show(unit);
    calls::AnswerDemand {
        stack: chain.stack.into(),
        holder: chain.node,
        unit: ComputeUnits(unit),
        record,
        proof,
        blob: Some(BlobId([3; 32])),
        bodies: Vec::new(),
        clock: Clock,
    }
}

pub(crate) fn disclose_call(chain: &Chain, unit: u64) -> calls::Disclose {
    let (record, proof) = chain.show(unit);
    calls::Disclose {
        stack: chain.stack.into(),
        holder: chain.node,
        ticket: chain.seq,
        record,
        proof,
        wrap: vec![1; 80],
        clock: Clock,
    }
}

pub(crate) fn disclose_jury_call(
    chain: &Chain,
    unit: u64,
    jurors: usize,
    challenge: bool,
) -> calls::DiscloseToJury {
    let (record, proof) = chain.show(unit);
    calls::DiscloseToJury {
        stack: chain.stack.into(),
        holder: chain.node,
        ticket: chain.seq,
        challenge,
        record,
        proof,
        wraps: vec![vec![1; 80]; jurors],
        clock: Clock,
    }
}
