//! What one node serves on one lease: a chain of signed records, and what it settles and shows of it.

use super::{NETWORK, World, key};
use atoma_types::{
    ComputeUnits, NodeId, RequestId, StackId, TimestampMs, Usage,
    chain::{Clock, calls},
    hash::Hash32,
    history::{History, ReceiptTree},
    message::{
        Domain, Draft, Endpoint, EvidenceLeaf, MAX_BATCH, Message, Origin, Receipt, RequestHeader,
        RequestTimes, Signed,
    },
};

#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) stack: StackId,
    pub(crate) node: NodeId,
    pub(crate) user: u8,
    pub(crate) operator: u8,
    /// Records that are not paid, with the units that each charges and its sum.
    pub(crate) records: Vec<(Vec<u8>, u64, u64)>,
    pub(crate) last: Option<(Signed<RequestHeader>, Signed<Receipt>)>,
    pub(crate) seq: u64,
    pub(crate) sum: u64,
    pub(crate) paid_seq: u64,
    previous: Hash32,
    /// The receipts after the base up to the last.
    base: u64,
    hashes: Vec<Hash32>,
    requests: u64,
}

impl Chain {
    pub(crate) fn new(stack: StackId, node: NodeId, user: u8, operator: u8) -> Self {
        Self {
            stack,
            node,
            user,
            operator,
            records: Vec::new(),
            last: None,
            seq: 0,
            sum: 0,
            paid_seq: 0,
            previous: Hash32::ZERO,
            base: 0,
            hashes: Vec::new(),
            requests: 0,
        }
    }

    /// A node without its journal: it goes on from what the ledger says, with fresh requests.
    pub(crate) fn resumed(w: &World, stack: StackId, node: NodeId, user: u8, operator: u8) -> Self {
        let lease = w.lease_of(stack, node);
        Self {
            seq: lease.paid_seq,
            sum: lease.paid_units.0,
            paid_seq: lease.paid_seq,
            previous: lease.last,
            base: lease.paid_seq,
            requests: 1 << 32,
            ..Self::new(stack, node, user, operator)
        }
    }

    /// Serves a request of so many units honestly.
    pub(crate) fn serve(&mut self, w: &World, units: u64) {
        self.serve_with(w, units, |_, _| {});
    }

    /// Serves it with something changed in header or receipt before they are signed.
    pub(crate) fn serve_with(
        &mut self,
        w: &World,
        units: u64,
        change: impl FnOnce(&mut RequestHeader, &mut Receipt),
    ) {
        self.requests += 1;
        self.seq += 1;
        self.sum += units;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.requests.to_le_bytes());
        let mut header = RequestHeader {
            domain: Domain::default(),
            network: NETWORK,
            stack: self.stack,
            node: self.node,
            task: w.stack(self.stack).task,
            request_id: RequestId(id),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::ZERO,
            lane: 0,
            ceiling: ComputeUnits(self.sum),
            max_units: ComputeUnits(units),
            issued_at_ms: TimestampMs(w.now),
            expires_at_ms: TimestampMs(w.now),
            origin: Origin::Own,
        };
        let mut receipt = Receipt {
            domain: Domain::default(),
            network: NETWORK,
            stack: self.stack,
            node: self.node,
            seq: self.seq,
            request_id: header.request_id,
            request_hash: Hash32::ZERO,
            response_hash: Hash32::ZERO,
            usage: Usage {
                output: units,
                ..Usage::default()
            },
            units: ComputeUnits(units),
            cumulative_units: ComputeUnits(self.sum),
            times: RequestTimes {
                started_ms: TimestampMs(w.now),
                first_token_ms: TimestampMs(w.now),
                finished_ms: TimestampMs(w.now),
            },
            engine: w.stack(self.stack).engine,
            output_fingerprint: None,
            previous: self.previous,
            base: self.base,
            history: self.history(),
        };
        let marker = receipt.request_hash;
        change(&mut header, &mut receipt);
        let header = signed(header, self.user);
        if receipt.request_hash == marker {
            receipt.request_hash = header.hash();
        }
        let receipt = signed(receipt, self.operator);
        self.previous = receipt.hash();
        self.hashes.push(self.previous);
        let record = EvidenceLeaf::new(&header, &receipt).to_bytes();
        self.records.push((record, units, self.sum));
        self.last = Some((header, receipt));
    }

    /// Claims all that was served and is not paid.
    pub(crate) fn settle_call(&self) -> calls::Settle {
        let (header, receipt) = self.last.as_ref().unwrap();
        calls::Settle {
            stack: self.stack.into(),
            holder: self.node,
            from_seq: self.paid_seq,
            to_units: receipt.message().cumulative_units,
            to_seq: self.seq,
            headers: vec![header.bytes().to_vec()],
            header_signatures: vec![header.signature().to_bytes()],
            last_receipt: receipt.bytes().to_vec(),
            receipt_signature: receipt.signature().to_bytes(),
            manifest_blob: None,
            clock: Clock,
        }
    }

    /// The root that the next receipt names.
    fn history(&self) -> Hash32 {
        let mut history = History::after(self.base);
        self.hashes.iter().for_each(|hash| history.push(*hash));
        history.root()
    }

    /// The record at a place among those not paid, and its path.
    pub(crate) fn prove(&self, place: usize) -> (Vec<u8>, Vec<u8>) {
        let proof = self.path(self.paid_seq + 1 + place as u64);
        (self.records[place].0.clone(), proof)
    }

    /// The path of the receipt of a number.
    pub(crate) fn path(&self, seq: u64) -> Vec<u8> {
        let tree = ReceiptTree::new(self.base, self.hashes.iter().copied()).unwrap();
        tree.prove(seq).unwrap().to_bytes()
    }

    /// The place of the record that covers a unit.
    pub(crate) fn place_of(&self, unit: u64) -> usize {
        let mut records = self.records.iter();
        records
            .position(|(_, units, sum)| sum.saturating_sub(*units) <= unit && unit < *sum)
            .unwrap()
    }

    /// What shows a unit's record.
    pub(crate) fn show(&self, unit: u64) -> (Vec<u8>, Vec<u8>) {
        self.prove(self.place_of(unit))
    }

    /// What was settled is paid. Of what comes next the history begins there, or where it began: every rule sees both.
    pub(crate) fn paid(&mut self) {
        self.claimed();
        if self.previous.0[0].is_multiple_of(2) {
            self.goes_on();
        }
    }

    /// What was settled is claimed. The history goes on from where it began.
    pub(crate) fn claimed(&mut self) {
        self.records.clear();
        self.paid_seq = self.seq;
    }

    /// The next history begins after the last receipt.
    fn goes_on(&mut self) {
        self.base = self.seq;
        self.hashes.clear();
    }

    /// The first unit of the records that aren't paid.
    pub(crate) fn begin(&self) -> u64 {
        self.records
            .first()
            .map_or(self.sum, |(_, units, sum)| sum - units)
    }

    /// The `seq` of the record that covers a unit.
    pub(crate) fn seq_of(&self, unit: u64) -> Option<u64> {
        let mut records = self.records.iter();
        let place = records.position(|(_, units, sum)| sum - units <= unit && unit < *sum)?;
        Some(self.paid_seq + 1 + place as u64)
    }

    /// The first unit of the record of a `seq`, if it is here.
    pub(crate) fn begin_of(&self, seq: u64) -> Option<u64> {
        let place = seq.checked_sub(self.paid_seq + 1)?;
        let (_, units, sum) = self.records.get(place as usize)?;
        Some(sum - units)
    }

    /// The hash of the last receipt.
    pub(crate) fn last_hash(&self) -> Hash32 {
        self.previous
    }

    /// The last receipt, as the ledger takes it.
    pub(crate) fn last_receipt(&self) -> (Vec<u8>, Vec<u8>) {
        let (_, receipt) = self.last.as_ref().unwrap();
        (receipt.bytes().to_vec(), receipt.signature().to_bytes())
    }
}

/// Signs a message: alone, or, as its hash decides, with others, so that every rule sees both.
pub(crate) fn signed<T: Message + Clone>(message: T, signer: u8) -> Signed<T> {
    let draft = Draft::new(message);
    let (place, count) = match draft.hash().0[0] % 8 {
        0 => (0, 2),
        1 => (4, 5),
        2 => (21, MAX_BATCH),
        _ => return draft.sign(&key(signer)),
    };
    Draft::sign_all(vec![draft; count], &key(signer)).swap_remove(place)
}
