//! Each kind of dispute as signed transactions, to money in the right accounts.

use crate::world::{COLLATERAL, World, event};
use atoma_ledger::{Executed, LedgerError};
use atoma_localnet::ClockMode;
use atoma_types::{
    BlobId, ComputeUnits, EngineClass, MicroUsdc, NodeId, Numerics, ObjectId, RequestId, Rule,
    SigningKey, StackId, TaskId, TimestampMs, Usage,
    chain::{AbortCode, Call, Clock, Event, LeaseState, NodeStatus, Stack, calls, events},
    hash::Hash32,
    merkle::{MerkleTree, Proof},
    message::{Domain, Endpoint, EvidenceLeaf, Receipt, RequestHeader, RequestTimes, Signed},
};
use std::io::{Read, Write};

const HOUR: u64 = 3_600_000;
const UNITS: u64 = 5_000;
const PARTS: [u64; 3] = [1_000, 500, 2_000];

/// A node that has served a user three requests.
struct Trial {
    world: World,
    operator: SigningKey,
    user: SigningKey,
    node: NodeId,
    task: TaskId,
    stack: StackId,
    records: Vec<(Signed<RequestHeader>, Signed<Receipt>)>,
    /// What the operator, the user and the treasury had when everything was served.
    before: [u64; 3],
}

impl Trial {
    async fn start() -> Self {
        let world = World::start_with(|config| config.clock = ClockMode::Adjustable).await;
        let (operator, user) = (world.party().await, world.party().await);
        let node = world.node(&operator).await;
        let task = world.task(&operator, "model").await;
        let subscribe = world.subscribe(task, node);
        world
            .ledger
            .execute(&operator, vec![subscribe])
            .await
            .unwrap();
        let acquire = world.acquire(task, UNITS, &user);
        let bought = world.ledger.execute(&user, vec![acquire]).await.unwrap();
        let stack = event(&bought, |event| match event {
            Event::StackAcquired(e) => Some(e.stack),
            _ => None,
        });
        let mut trial = Self {
            world,
            operator,
            user,
            node,
            task,
            stack,
            records: Vec::new(),
            before: [0; 3],
        };
        let (mut sum, mut previous) = (0, Hash32::ZERO);
        for (seq, units) in (1..).zip(PARTS) {
            sum += units;
            let record = trial.record(seq, units, sum, previous);
            previous = record.1.hash();
            trial.records.push(record);
        }
        trial.before = trial.money().await;
        trial
    }

    fn record(
        &self,
        seq: u64,
        units: u64,
        sum: u64,
        previous: Hash32,
    ) -> (Signed<RequestHeader>, Signed<Receipt>) {
        let (network, now) = (self.world.ledger.deployment().network, TimestampMs(7));
        let header = RequestHeader {
            domain: Domain::default(),
            network,
            stack: self.stack,
            node: self.node,
            task: self.task,
            request_id: RequestId([seq as u8; 16]),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::of(b"body"),
            lane: 0,
            ceiling: ComputeUnits(sum),
            max_units: ComputeUnits(units),
            issued_at_ms: now,
            expires_at_ms: now,
            evidence: None,
        };
        let header = Signed::new(header, &self.user);
        let receipt = Receipt {
            domain: Domain::default(),
            network,
            stack: self.stack,
            node: self.node,
            seq,
            request_id: header.message().request_id,
            request_hash: header.hash(),
            response_hash: Hash32::of(b"answer"),
            usage: Usage {
                output: units,
                ..Usage::default()
            },
            units: ComputeUnits(units),
            cumulative_units: ComputeUnits(sum),
            times: RequestTimes {
                started_ms: now,
                first_token_ms: now,
                finished_ms: now,
            },
            engine: EngineClass {
                model: Hash32([1; 32]),
                numerics: Numerics::DetF32V1,
                rule: Rule::Exact,
            },
            output_fingerprint: None,
            previous,
        };
        let receipt = Signed::new(receipt, &self.operator);
        (header, receipt)
    }

    fn tree(&self) -> MerkleTree {
        let records = self.records.iter();
        let leaves = records.map(|(header, receipt)| EvidenceLeaf::hash_of(header, receipt));
        MerkleTree::from_leaves(leaves.collect())
    }

    /// A record and the proof of its place.
    fn prove(&self, seq: u64) -> (EvidenceLeaf, Proof) {
        let place = seq as usize - 1;
        let (header, receipt) = &self.records[place];
        let proof = self.tree().prove(place).unwrap();
        (EvidenceLeaf::new(header, receipt), proof)
    }

    fn db(&self) -> ObjectId {
        self.world.ledger.deployment().db
    }

    async fn run(&self, key: &SigningKey, call: impl Into<Call>) -> Result<Executed, LedgerError> {
        self.world.ledger.execute(key, vec![call.into()]).await
    }

    async fn settle(&self) {
        let (header, receipt) = self.records.last().unwrap();
        let call = calls::Settle {
            db: self.db().into(),
            stack: self.stack.into(),
            node: self.node.into(),
            claimed_units: receipt.message().cumulative_units,
            headers: vec![header.bytes().to_vec()],
            header_signatures: vec![header.signature().0.to_vec()],
            last_receipt: receipt.bytes().to_vec(),
            receipt_signature: receipt.signature().0.to_vec(),
            receipts_root: self.tree().root().0.to_vec(),
            count: self.records.len() as u64,
            manifest_blob: Vec::new(),
            clock: Clock,
        };
        self.run(&self.operator, call).await.unwrap();
    }

    async fn open(&self, seq: u64) {
        let (_, receipt) = &self.records[seq as usize - 1];
        let stack = self.stack().await;
        let ledger = &self.world.ledger;
        let call = ledger.open_dispute(&stack, self.node, seq, Some(receipt));
        let opened = self.run(&self.user, call).await.unwrap();
        let deadline = event(&opened, |event| match event {
            Event::DisputeOpened(e) => Some(e.deadline_ms),
            _ => None,
        });
        let stack = self.stack().await;
        let LeaseState::Settling(ticket) = &stack.lease(self.node).unwrap().state else {
            panic!("not settling");
        };
        assert_eq!(ticket.dispute(seq).unwrap().deadline_ms, deadline);
    }

    async fn stack(&self) -> Stack {
        self.world.ledger.stack(self.stack).await.unwrap()
    }

    async fn claim(&self) -> Result<Executed, LedgerError> {
        let call = calls::Claim {
            db: self.db().into(),
            stack: self.stack.into(),
            task: self.task.into(),
            node: self.node.into(),
            clock: Clock,
        };
        self.run(&self.operator, call).await
    }

    /// What the operator, the user and the treasury have.
    async fn money(&self) -> [u64; 3] {
        let ledger = &self.world.ledger;
        let of = async |key: &SigningKey| ledger.usdc(key.public_key().address()).await.unwrap().0;
        let treasury = ledger.db().await.unwrap().communal_treasury.0;
        [of(&self.operator).await, of(&self.user).await, treasury]
    }

    /// How much more each has than before, and that the node has this much collateral left. All
    /// money of the ledger is there.
    async fn assert_gained(&self, gained: [u64; 3], collateral: u64) {
        let now = self.money().await;
        let difference: Vec<_> = now
            .iter()
            .zip(self.before)
            .map(|(now, old)| now - old)
            .collect();
        assert_eq!(difference, gained);
        let node = self.world.ledger.node(self.node).await.unwrap();
        assert_eq!(node.collateral, MicroUsdc(collateral));
        assert!(self.world.ledger.stack(self.stack).await.unwrap().closed);
        self.world.localnet.audit().unwrap();
    }

    /// The user has his escrow and a quarter of the collateral, the treasury another quarter.
    async fn assert_fraud(&self, executed: &Executed, charge: events::Charge) {
        let convicted = event(executed, |event| match event {
            Event::NodeConvicted(e) => Some(e.clone()),
            _ => None,
        });
        assert_eq!((convicted.node, convicted.charge), (self.node, charge));
        let quarter = COLLATERAL.0 / 4;
        self.assert_gained([0, UNITS + quarter, quarter], COLLATERAL.0 / 2)
            .await;
        let node = self.world.ledger.node(self.node).await.unwrap();
        assert!(matches!(node.status, NodeStatus::Jailed { .. }));
        assert_eq!(node.reputation, 0);
    }

    async fn advance(&self, by_ms: u64) {
        let to = self.world.localnet.address();
        let body = format!(r#"{{"advance_ms":{by_ms}}}"#);
        let request = format!(
            "POST /localnet/clock HTTP/1.1\r\nhost: localnet\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(to).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        });
        assert!(answer.await.unwrap().starts_with("HTTP/1.1 200"));
    }

    /// A blob that the administrator says is stored.
    async fn blob(&self) -> ObjectId {
        let (ledger, admin) = (&self.world.ledger, self.world.localnet.admin_key());
        let address = admin.public_key().address();
        ledger.faucet(address).await.unwrap();
        let cap = ledger.admin_cap(address).await.unwrap().unwrap();
        let call = calls::CertifyBlob {
            db: self.db().into(),
            cap: cap.id.into(),
            blob_id: vec![4; 32],
            size: 1_000,
            certified_epoch: 1,
            end_epoch: 5,
            deletable: false,
        };
        let object = event(&self.run(admin, call).await.unwrap(), |event| match event {
            Event::BlobCertified(e) => Some(e.object),
            _ => None,
        });
        let blob = ledger.certified_blob(object).await.unwrap();
        assert_eq!((blob.blob_id, blob.end_epoch), (BlobId([4; 32]), 5));
        object
    }
}

#[tokio::test]
async fn who_shows_nothing_loses() {
    let trial = Trial::start().await;
    trial.settle().await;
    trial.open(2).await;
    trial.advance(HOUR).await;
    let early = trial.claim().await.unwrap_err();
    assert_eq!(early.abort_code(), Some(AbortCode::DisputeOpen.code()));
    trial.advance(1).await;
    // anyone may end it: here the node's own operator
    let operator = &trial.operator;
    let stack = trial.stack().await;
    let call = trial.world.ledger.resolve_dispute(&stack, trial.node, 2);
    trial.run(operator, call).await.unwrap();
    let part = COLLATERAL.0 / 20;
    trial
        .assert_gained([0, UNITS + part, part], COLLATERAL.0 - 2 * part)
        .await;
}

#[tokio::test]
async fn who_shows_the_record_keeps_all_and_has_the_bond() {
    let trial = Trial::start().await;
    trial.settle().await;
    trial.open(2).await;
    let blob = trial.blob().await;
    let answer = |seq| {
        let (record, proof) = trial.prove(seq);
        let ledger = &trial.world.ledger;
        ledger.answer_dispute(trial.stack, trial.node, blob, &record, &proof)
    };
    // another record is no answer
    let wrong = trial.run(&trial.operator, answer(3)).await.unwrap_err();
    assert_eq!(wrong.abort_code(), Some(AbortCode::NoSuchDispute.code()));
    trial.run(&trial.operator, answer(2)).await.unwrap();
    trial.advance(HOUR).await;
    trial.claim().await.unwrap();
    let bond = trial.stack().await.dispute_bond.0;
    let (sum, fee) = (PARTS.iter().sum::<u64>(), 35);
    let [operator, user, treasury] = trial.money().await;
    assert_eq!(operator, trial.before[0] + bond + sum - fee);
    assert_eq!(user, trial.before[1] + UNITS - sum - bond);
    assert_eq!(treasury, 0);
    let node = trial.world.ledger.node(trial.node).await.unwrap();
    assert_eq!(
        (node.collateral, node.status),
        (COLLATERAL, NodeStatus::Active)
    );
    trial.world.localnet.audit().unwrap();
}

#[tokio::test]
async fn two_receipts_with_one_seq_convict() {
    let trial = Trial::start().await;
    trial.settle().await;
    let honest = &trial.records[1].1;
    let (_, other) = trial.record(2, 501, 1_501, trial.records[0].1.hash());
    let stranger = trial.world.party().await;
    let (stack, ledger) = (trial.stack().await, &trial.world.ledger);
    let proof = |second| ledger.prove_equivocation(&stack, honest, second);
    let innocent = trial.run(&stranger, proof(&trial.records[2].1)).await;
    let innocent = innocent.unwrap_err();
    assert_eq!(innocent.abort_code(), Some(AbortCode::ReceiptsAgree.code()));
    let convicted = trial.run(&stranger, proof(&other)).await.unwrap();
    trial
        .assert_fraud(&convicted, events::Charge::Equivocation)
        .await;
}

#[tokio::test]
async fn a_charge_above_the_order_convicts() {
    let trial = Trial::start().await;
    let (header, honest) = &trial.records[1];
    let mut receipt = honest.message().clone();
    receipt.usage.output = 502;
    receipt.units = ComputeUnits(502);
    let dear = Signed::new(receipt, &trial.operator);
    let (stack, ledger) = (trial.stack().await, &trial.world.ledger);
    let proof = |receipt| ledger.prove_over_claim(&stack, receipt, Some(header));
    let innocent = trial.run(&trial.user, proof(honest)).await.unwrap_err();
    assert_eq!(innocent.abort_code(), Some(AbortCode::ChargeAllowed.code()));
    let convicted = trial.run(&trial.user, proof(&dear)).await.unwrap();
    trial
        .assert_fraud(&convicted, events::Charge::OverClaim)
        .await;
}

#[tokio::test]
async fn a_forged_order_among_the_records_convicts() {
    let mut trial = Trial::start().await;
    // the node made up an order: nobody but itself signed it
    let mut order = trial.records[1].0.message().clone();
    order.max_units = ComputeUnits(500);
    let order = Signed::new(order, &trial.operator);
    let mut receipt = trial.records[1].1.message().clone();
    receipt.request_hash = order.hash();
    trial.records[1] = (order, Signed::new(receipt, &trial.operator));
    trial.settle().await;
    let (stack, ledger) = (trial.stack().await, &trial.world.ledger);
    let proof = |seq| {
        let (record, proof) = trial.prove(seq);
        ledger.prove_forged_request(&stack, trial.node, record.to_bytes(), &proof)
    };
    let innocent = trial.run(&trial.user, proof(1)).await.unwrap_err();
    assert_eq!(innocent.abort_code(), Some(AbortCode::RecordGenuine.code()));
    let convicted = trial.run(&trial.user, proof(2)).await.unwrap();
    trial
        .assert_fraud(&convicted, events::Charge::ForgedRequest)
        .await;
}
