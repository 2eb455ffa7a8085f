//! What is served and claimed: signed messages, records, settlements and disputes about them.

use super::*;

impl World {
    pub(crate) fn header(
        &self,
        stack: StackId,
        node: NodeId,
        lane: u16,
        ceiling: u64,
    ) -> RequestHeader {
        RequestHeader {
            domain: Domain::default(),
            network: NETWORK,
            stack,
            node,
            task: self.stack(stack).task,
            request_id: RequestId([1; 16]),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::ZERO,
            lane,
            ceiling: ComputeUnits(ceiling),
            max_units: ComputeUnits(ceiling),
            issued_at_ms: TimestampMs(self.now),
            expires_at_ms: TimestampMs(self.now),
            evidence: None,
        }
    }

    pub(crate) fn receipt(
        &self,
        stack: StackId,
        node: NodeId,
        seq: u64,
        cumulative: u64,
    ) -> Receipt {
        Receipt {
            domain: Domain::default(),
            network: NETWORK,
            stack,
            node,
            seq,
            request_id: RequestId([1; 16]),
            request_hash: Hash32::ZERO,
            response_hash: Hash32::ZERO,
            usage: Usage::default(),
            units: ComputeUnits(cumulative),
            cumulative_units: ComputeUnits(cumulative),
            times: RequestTimes {
                started_ms: TimestampMs(self.now),
                first_token_ms: TimestampMs(self.now),
                finished_ms: TimestampMs(self.now),
            },
            engine: EngineClass {
                model: Hash32::ZERO,
                numerics: Numerics::DetF32V1,
                rule: Rule::Exact,
            },
            output_fingerprint: None,
            previous: Hash32::ZERO,
        }
    }

    /// A claim of `units` with one header whose ceiling is just that; the receipt is signed by the
    /// `operator`, the header by `USER`.
    pub(crate) fn settle_call(
        &self,
        operator: u8,
        stack: StackId,
        node: NodeId,
        units: u64,
    ) -> calls::Settle {
        let mut call = nothing_call(stack, node);
        if units > 0 {
            call.claimed_units = ComputeUnits(units);
            call.count = 7;
            set_receipt(&mut call, self.receipt(stack, node, 7, units), operator);
            add_header(&mut call, self.header(stack, node, 0, units), USER);
        }
        call
    }

    pub(crate) fn claim_call(&self, stack: StackId, node: NodeId) -> calls::Claim {
        calls::Claim {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            clock: Clock,
        }
    }

    pub(crate) fn expire_call(&self, stack: StackId, node: NodeId) -> calls::ExpireLease {
        calls::ExpireLease {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            clock: Clock,
        }
    }

    /// The records of honestly served requests that cost so many units each: ordered by `user`,
    /// receipts by `operator`.
    pub(crate) fn records(
        &self,
        (user, operator): (u8, u8),
        stack: StackId,
        node: NodeId,
        parts: &[u64],
    ) -> Vec<EvidenceLeaf> {
        let (mut sum, mut previous) = (0, Hash32::ZERO);
        let mut records = Vec::new();
        for (seq, &units) in (1u64..).zip(parts) {
            sum += units;
            let mut header = self.header(stack, node, 0, sum);
            header.request_id = RequestId([seq as u8; 16]);
            header.max_units = ComputeUnits(units);
            let header = signed(header, user);
            let mut receipt = self.receipt(stack, node, seq, sum);
            receipt.request_id = header.message().request_id;
            receipt.request_hash = header.hash();
            receipt.usage.output = units;
            receipt.units = ComputeUnits(units);
            receipt.previous = previous;
            let receipt = signed(receipt, operator);
            previous = receipt.hash();
            records.push(EvidenceLeaf::new(&header, &receipt));
        }
        records
    }

    /// A demand with the right bond and no receipt.
    pub(crate) fn open_call(&self, stack: StackId, node: NodeId, seq: u64) -> calls::OpenDispute {
        calls::OpenDispute {
            stack: stack.into(),
            node: node.into(),
            bond: Payment(self.stack(stack).dispute_bond),
            seq,
            receipt: Vec::new(),
            receipt_signature: Vec::new(),
            clock: Clock,
        }
    }

    pub(crate) fn resolve_call(
        &self,
        stack: StackId,
        node: NodeId,
        seq: u64,
    ) -> calls::ResolveDispute {
        calls::ResolveDispute {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            seq,
            clock: Clock,
        }
    }

    /// The proof by two signed receipts.
    pub(crate) fn equivocation_call(
        &self,
        stack: StackId,
        node: NodeId,
        first: (Vec<u8>, Vec<u8>),
        second: (Vec<u8>, Vec<u8>),
    ) -> calls::ProveEquivocation {
        calls::ProveEquivocation {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            first: first.0,
            first_signature: first.1,
            second: second.0,
            second_signature: second.1,
            clock: Clock,
        }
    }

    /// The proof by a signed receipt and, unless it is empty, its signed header.
    pub(crate) fn over_claim_call(
        &self,
        stack: StackId,
        node: NodeId,
        receipt: (Vec<u8>, Vec<u8>),
        header: (Vec<u8>, Vec<u8>),
    ) -> calls::ProveOverClaim {
        calls::ProveOverClaim {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            receipt: receipt.0,
            receipt_signature: receipt.1,
            header: header.0,
            header_signature: header.1,
            clock: Clock,
        }
    }

    /// The proof by the record of a `seq`, or by what was settled in its place.
    pub(crate) fn forged_call(
        &self,
        stack: StackId,
        node: NodeId,
        records: &[Vec<u8>],
        seq: u64,
    ) -> calls::ProveForgedRequest {
        let (record, proof) = prove(records, seq);
        calls::ProveForgedRequest {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            record,
            proof,
            clock: Clock,
        }
    }

    /// Settles, waits and claims.
    pub(crate) fn earn(
        &mut self,
        operator: u8,
        stack: StackId,
        node: NodeId,
        units: u64,
    ) -> Changes {
        let call = self.settle_call(operator, stack, node, units);
        self.ok(operator, call);
        self.now += self.stack(stack).dispute_window_ms.0;
        let call = self.claim_call(stack, node);
        self.ok(STRANGER, call)
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

pub(crate) fn sign<T: Message + Clone>(message: T, signer: u8) -> (Vec<u8>, Vec<u8>) {
    let signed = signed(message, signer);
    (signed.bytes().to_vec(), signed.signature().to_bytes())
}

pub(crate) fn set_receipt(call: &mut calls::Settle, receipt: Receipt, signer: u8) {
    (call.last_receipt, call.receipt_signature) = sign(receipt, signer);
}

pub(crate) fn add_header(call: &mut calls::Settle, header: RequestHeader, signer: u8) {
    let (header, signature) = sign(header, signer);
    call.headers.push(header);
    call.header_signatures.push(signature);
}

/// The honest settlement of records.
pub(crate) fn settle_records(
    stack: StackId,
    node: NodeId,
    records: &[EvidenceLeaf],
) -> calls::Settle {
    let bytes: Vec<_> = records.iter().map(EvidenceLeaf::to_bytes).collect();
    let last = records.last().unwrap();
    let receipt: Receipt = bcs::from_bytes(&last.receipt).unwrap();
    calls::Settle {
        claimed_units: receipt.cumulative_units,
        headers: vec![last.header.clone()],
        header_signatures: vec![last.header_signature.clone()],
        last_receipt: last.receipt.clone(),
        receipt_signature: last.receipt_signature.clone(),
        receipts_root: root_of(&bytes),
        count: records.len() as u64,
        ..nothing_call(stack, node)
    }
}

fn tree_of(records: &[Vec<u8>]) -> MerkleTree {
    let leaves = records.iter().map(|record| merkle::leaf_hash(record));
    MerkleTree::from_leaves(leaves.collect())
}

pub(crate) fn root_of(records: &[Vec<u8>]) -> Hash32 {
    tree_of(records).root()
}

/// The record of a `seq` and the proof of its place.
pub(crate) fn prove(records: &[Vec<u8>], seq: u64) -> (Vec<u8>, Vec<u8>) {
    let place = seq as usize - 1;
    let proof = tree_of(records).prove(place).unwrap();
    (records[place].clone(), bcs::to_bytes(&proof).unwrap())
}

/// The answer with the record of a `seq`.
pub(crate) fn answer_call(
    stack: StackId,
    node: NodeId,
    blob: ObjectId,
    records: &[Vec<u8>],
    seq: u64,
) -> calls::AnswerDispute {
    let (record, proof) = prove(records, seq);
    calls::AnswerDispute {
        db: LOCALNET_DB.into(),
        stack: stack.into(),
        node: node.into(),
        blob: blob.into(),
        record,
        proof,
        clock: Clock,
    }
}

/// The settlement of a lease that was never used.
pub(crate) fn nothing_call(stack: StackId, node: NodeId) -> calls::Settle {
    calls::Settle {
        db: LOCALNET_DB.into(),
        stack: stack.into(),
        node: node.into(),
        claimed_units: ComputeUnits::ZERO,
        headers: Vec::new(),
        header_signatures: Vec::new(),
        last_receipt: Vec::new(),
        receipt_signature: Vec::new(),
        receipts_root: Hash32::ZERO,
        count: 0,
        manifest_blob: None,
        clock: Clock,
    }
}
