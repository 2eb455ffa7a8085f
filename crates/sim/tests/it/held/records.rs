//! What one node serves on one stack: signed records, and what it settles and shows of them.

use super::both::{NETWORK, key};
use atoma_types::{
    ComputeUnits, EngineClass, NodeId, RequestId, StackId, TaskId, TimestampMs, Usage,
    chain::{Clock, Ticket, calls},
    hash::Hash32,
    history::{History, ReceiptTree},
    message::{
        Domain, Draft, Endpoint, EvidenceLeaf, Origin, Receipt, RequestHeader, RequestTimes, Signed,
    },
};

struct Record {
    bytes: Vec<u8>,
    header: Signed<RequestHeader>,
    receipt: Signed<Receipt>,
}

pub(super) struct Chain {
    pub(super) stack: StackId,
    pub(super) node: NodeId,
    task: TaskId,
    engine: EngineClass,
    user: u32,
    operator: u32,
    records: Vec<Record>,
    pub(super) sum: u64,
}

impl Chain {
    pub(super) fn new(
        (stack, node, task): (StackId, NodeId, TaskId),
        engine: EngineClass,
        (user, operator): (u32, u32),
    ) -> Self {
        Self {
            stack,
            node,
            task,
            engine,
            user,
            operator,
            records: Vec::new(),
            sum: 0,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.records.len()
    }

    pub(super) fn serve(&mut self, now: u64, units: u64) {
        self.sum += units;
        let seq = self.records.len() as u64 + 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&seq.to_le_bytes());
        let now = TimestampMs(now);
        let header = Draft::new(RequestHeader {
            domain: Domain::default(),
            network: NETWORK,
            stack: self.stack,
            node: self.node,
            task: self.task,
            request_id: RequestId(id),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::ZERO,
            lane: 0,
            ceiling: ComputeUnits(self.sum),
            max_units: ComputeUnits(units),
            issued_at_ms: now,
            expires_at_ms: now,
            origin: Origin::Own,
        })
        .sign(&key(self.user));
        let previous = self.records.last().map(|record| record.receipt.hash());
        let mut history = History::default();
        let before = self.records.iter();
        before.for_each(|record| history.push(record.receipt.hash()));
        let receipt = Draft::new(Receipt {
            domain: Domain::default(),
            network: NETWORK,
            stack: self.stack,
            node: self.node,
            seq,
            request_id: RequestId(id),
            request_hash: header.hash(),
            response_hash: Hash32::ZERO,
            usage: Usage {
                output: units,
                ..Usage::default()
            },
            units: ComputeUnits(units),
            cumulative_units: ComputeUnits(self.sum),
            times: RequestTimes {
                started_ms: now,
                first_token_ms: now,
                finished_ms: now,
            },
            engine: self.engine,
            output_fingerprint: None,
            previous: previous.unwrap_or(Hash32::ZERO),
            base: 0,
            history: history.root(),
        })
        .sign(&key(self.operator));
        self.records.push(Record {
            bytes: EvidenceLeaf::new(&header, &receipt).to_bytes(),
            header,
            receipt,
        });
    }

    /// Claims the first so many records, of which the first `from` are claimed already.
    pub(super) fn settle_call(&self, from: u64, count: usize) -> calls::Settle {
        let Record {
            header, receipt, ..
        } = &self.records[count - 1];
        calls::Settle {
            stack: self.stack.into(),
            holder: self.node,
            from_seq: from,
            to_units: receipt.message().cumulative_units,
            to_seq: count as u64,
            headers: vec![header.bytes().to_vec()],
            header_signatures: vec![header.signature().to_bytes()],
            last_receipt: receipt.bytes().to_vec(),
            receipt_signature: receipt.signature().to_bytes(),
            manifest_blob: None,
            clock: Clock,
        }
    }

    /// Units of the first so many records.
    pub(super) fn units(&self, count: usize) -> u64 {
        self.records[count - 1].receipt.message().cumulative_units.0
    }

    /// The `seq` of the record of a unit, from 1.
    pub(super) fn seq_of(&self, unit: u64) -> usize {
        let ends = self.records.iter();
        1 + ends
            .take_while(|record| record.receipt.message().cumulative_units.0 <= unit)
            .count()
    }

    /// The record of a unit with its path to a ticket's last receipt.
    pub(super) fn show(&self, ticket: &Ticket, unit: u64) -> (Vec<u8>, Vec<u8>) {
        let seq = self.seq_of(unit);
        let bound = self.records[..ticket.to_seq as usize].iter();
        let tree = ReceiptTree::new(0, bound.map(|record| record.receipt.hash()));
        let proof = tree.unwrap().prove(seq as u64).unwrap();
        (self.records[seq - 1].bytes.clone(), proof.to_bytes())
    }
}
