//! The calls of disputes, from what people hold: receipts, records, paths. Each is executed with
//! [`Ledger::execute`].

use crate::Ledger;
use atoma_types::{
    BlobId, ComputeUnits, MicroUsdc, NodeId, StackId,
    chain::{Call, Clock, Payment, Stack, calls},
    merkle::Proof,
    message::{EvidenceLeaf, Message, Receipt, Signed},
};

impl Ledger {
    /// The owner, or the watcher, demands to see the record of a unit that the node has settled.
    #[must_use]
    pub fn demand_record(&self, stack: &Stack, node: NodeId, unit: ComputeUnits) -> Call {
        calls::DemandRecord {
            stack: stack.id.into(),
            holder: node,
            unit,
            fee: Payment(stack.terms.demand_fee),
            clock: Clock,
        }
        .into()
    }

    /// Shows a record that is demanded, and where its bodies are: in a blob, or sealed here.
    #[must_use]
    pub fn answer_demand(
        &self,
        (stack, node): (StackId, NodeId),
        unit: ComputeUnits,
        (record, proof): (&EvidenceLeaf, &Proof),
        (blob, bodies): (Option<BlobId>, Vec<u8>),
    ) -> Call {
        calls::AnswerDemand {
            stack: stack.into(),
            holder: node,
            unit,
            record: record.to_bytes(),
            proof: proof.to_bytes(),
            blob,
            bodies,
            clock: Clock,
        }
        .into()
    }

    /// Convicts a node that has not answered a demand in time.
    #[must_use]
    pub fn prove_silence(&self, stack: &Stack, node: NodeId, unit: ComputeUnits) -> Call {
        calls::ProveSilence {
            stack: stack.id.into(),
            task: stack.task.into(),
            node: node.into(),
            unit,
            clock: Clock,
        }
        .into()
    }

    /// Convicts the node of two different receipts for one request.
    #[must_use]
    pub fn prove_equivocation(
        &self,
        stack: &Stack,
        first: &Signed<Receipt>,
        second: &Signed<Receipt>,
    ) -> Call {
        let node = first.message().node;
        let (first, first_signature) = parts(first);
        let (second, second_signature) = parts(second);
        calls::ProveEquivocation {
            stack: stack.id.into(),
            task: stack.task.into(),
            node: node.into(),
            first,
            first_signature,
            second,
            second_signature,
            clock: Clock,
        }
        .into()
    }

    /// The owner, or the watcher, accuses the node of a wrong answer in a ticket of this value. The bond must be
    /// exactly what the terms say; `None` where the stack's task is not examined.
    #[must_use]
    pub fn challenge_ticket(
        &self,
        stack: &Stack,
        node: NodeId,
        (ticket, value): (u64, MicroUsdc),
        unit: ComputeUnits,
    ) -> Option<Call> {
        let sampling = stack.terms.sampling.as_ref()?;
        let call = calls::ChallengeTicket {
            stack: stack.id.into(),
            holder: node,
            ticket,
            bond: Payment(sampling.bond(value)),
            unit,
            clock: Clock,
        };
        Some(call.into())
    }
}

/// Bytes and signature.
fn parts<T: Message>(signed: &Signed<T>) -> (Vec<u8>, Vec<u8>) {
    (signed.bytes().to_vec(), signed.signature().to_bytes())
}
