//! Three requests with good evidence, the second of which can be spoilt in one place.

use crate::check::{
    CertifiedObject, Gathered, Neighbour, PackBytes, PackPlace, Second, Settlement,
};
use crate::pack::{
    Body, Header, PackWriter, ReceiptProof, Record, SaltedBody, SealContext, Sealer,
    SettlementProof, StorageProof,
};
use crate::second::SecondRecord;
use atoma_keys::SigningKey;
use atoma_types::{
    Address, ComputeUnits, DurationMs, EngineClass, MicroUsdc, NetworkId, NodeId, Numerics, Price,
    RequestId, Role, Rule, SecurityLevel, StackId, TaskId, TimestampMs, UnitWeights, Usage,
    chain::{FeesInEpoch, Lease, Node, NodeStatus, Pending, Stack, Standing, Task, Terms, VERSION},
    hash::Hash32,
    history::{History, ReceiptTree},
    message::{
        CommitmentKind, Domain, Endpoint, Origin, Receipt, RequestHeader, RequestTimes, Salt,
        Signed,
    },
};
use atoma_walrus::coding::{Params, blob_id};
use bytes::Bytes;
use std::sync::Arc;

pub(super) const NETWORK: NetworkId = NetworkId([1; 32]);
pub(super) const STACK: StackId = StackId(Address::new([2; 32]));
pub(super) const NODE: NodeId = NodeId(Address::new([3; 32]));
pub(super) const TASK: TaskId = TaskId(Address::new([4; 32]));
pub(super) const SHARDS: u16 = 10;
pub(super) const BODY: &[u8] = b"what is the sun?";
pub(super) const ANSWER: &[u8] = b"a star";
const UNITS: [u64; 3] = [1_000, 500, 2_000];
const NOW: TimestampMs = TimestampMs(7);
const ENGINE: EngineClass = EngineClass {
    model: Hash32([5; 32]),
    numerics: Numerics::DetF32V1,
    rule: Rule::Exact,
};

pub(super) fn user() -> SigningKey {
    SigningKey::from_seed(&[42; 32])
}

pub(super) fn operator() -> SigningKey {
    SigningKey::from_seed(&[43; 32])
}

/// The second request's, and for simplicity the others' as well.
pub(super) fn salt() -> Salt {
    user().salt_of(RequestId([2; 16]))
}

/// How the second request differs from a good one, before it is signed and stored.
pub(super) struct Plan {
    pub(super) user: SigningKey,
    pub(super) operator: SigningKey,
    pub(super) header: fn(&mut RequestHeader),
    pub(super) receipt: fn(&mut Receipt),
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            user: user(),
            operator: operator(),
            header: |_| {},
            receipt: |_| {},
        }
    }
}

/// Evidence as it lies about.
pub(super) struct Sample {
    pub(super) exchanges: Vec<(Signed<RequestHeader>, Signed<Receipt>)>,
    pub(super) records: Vec<Bytes>,
    pub(super) places: Vec<PackPlace>,
    pub(super) pack: Bytes,
    pub(super) bytes: PackBytes,
}

impl Sample {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut exchanges = Vec::new();
        let (mut sum, mut previous, mut history) = (0, Hash32::ZERO, History::default());
        for (seq, units) in (1..).zip(UNITS) {
            sum += units;
            let (mut header, mut receipt) = messages(seq, units, sum, previous);
            receipt.history = history.root();
            let good = Plan::default();
            let plan = if seq == 2 { plan } else { &good };
            (plan.header)(&mut header);
            let header = Signed::new(header, &plan.user);
            receipt.request_hash = header.hash();
            (plan.receipt)(&mut receipt);
            let receipt = Signed::new(receipt, &plan.operator);
            previous = receipt.hash();
            history.push(previous);
            exchanges.push((header, receipt));
        }
        let folder = tempfile::tempdir().unwrap();
        let header = Header {
            network: NETWORK,
            node: NODE,
            first_seq: 1,
            created: NOW,
        };
        let mut writer = PackWriter::create(&folder.path().join("pack"), header).unwrap();
        for (place, (header, receipt)) in exchanges.iter().enumerate() {
            let (request, answer) = bodies(header, place != 0);
            let record = Record::exchange(header, receipt, request, answer);
            writer.append(&record).unwrap();
        }
        let pack = writer.close().unwrap();
        let catalog = pack.catalog();
        let place = |place| PackPlace {
            root: catalog.root(),
            path: catalog.prove(place).unwrap(),
            range: catalog.entry(place).unwrap().range(),
        };
        let blob = pack.to_blob().unwrap();
        Self {
            exchanges,
            records: (0..3).map(|i| pack.record_bytes(i).unwrap()).collect(),
            places: (0..3).map(place).collect(),
            bytes: PackBytes {
                id: blob_id(Params::new(SHARDS.into()).unwrap(), &blob).unwrap(),
                shards: SHARDS,
                catalog: catalog.clone(),
            },
            pack: blob,
        }
    }

    fn tree(&self) -> ReceiptTree {
        ReceiptTree::new(0, self.exchanges.iter().map(|(_, r)| r.hash())).unwrap()
    }

    /// What the node shows for the second request.
    pub(super) fn proof(&self) -> ReceiptProof {
        let (header, receipt) = self.exchanges[1].clone();
        let place = &self.places[1];
        ReceiptProof {
            request_id: header.message().request_id,
            header,
            receipt,
            storage: Some(StorageProof {
                blob_id: self.bytes.id,
                object: None,
                end_epoch: 5,
                offset: place.range.start,
                length: u32::try_from(place.range.end - place.range.start).unwrap(),
                root: place.root,
                path: place.path.clone(),
            }),
            settlement: SettlementProof::new(&self.tree(), 2),
        }
    }

    /// Everything there can be about the second request.
    pub(super) fn gathered(&self) -> Gathered {
        let (header, receipt) = self.exchanges[1].clone();
        let neighbour = |place: usize| Neighbour {
            receipt: self.exchanges[place].1.clone(),
            kept: true,
        };
        Gathered {
            network: Ok(NETWORK),
            stack: Ok(stack()),
            node: Ok(node()),
            task: Ok(task()),
            header: Ok(header),
            receipt: Ok(receipt),
            request_body: Ok(SaltedBody::new(&salt(), BODY)),
            answer_body: Ok(SaltedBody::new(&salt(), ANSWER)),
            neighbours: vec![neighbour(0), neighbour(2)],
            record: Ok(self.records[1].clone()),
            place: Ok(self.places[1].clone()),
            pack: Ok(Arc::new(self.bytes.clone())),
            blob_id: Ok(self.bytes.id),
            certified: Ok(CertifiedObject {
                blob_id: self.bytes.id,
                size: self.bytes.catalog.length(),
                certified_epoch: Some(1),
                end_epoch: 5,
                deletable: false,
                now: 2,
            }),
            settlement: Ok(Settlement {
                from_seq: 0,
                last: self.tree().last(),
                units: ComputeUnits(UNITS.iter().sum()),
            }),
            path: Ok(self.tree().prove(2).unwrap()),
            second: None,
            recomputed: None,
        }
    }
}

impl Sample {
    /// The record of another node, which computed the second answer for this one.
    pub(super) fn second(&self) -> Second {
        let (asked, answered) = &self.exchanges[1];
        let (id, other) = (
            StackId(Address::new([20; 32])),
            NodeId(Address::new([30; 32])),
        );
        let header = RequestHeader {
            stack: id,
            node: other,
            request_id: RequestId([40; 16]),
            origin: Origin::Forwarded(asked.hash()),
            ..asked.message().clone()
        };
        let header = Signed::new(header, &operator());
        let receipt = Receipt {
            stack: id,
            node: other,
            request_id: header.message().request_id,
            request_hash: header.hash(),
            ..answered.message().clone()
        };
        let key = SigningKey::from_seed(&[44; 32]);
        let mut stack = stack();
        stack.request_key = operator().public_key();
        stack.leases[0].node = other;
        stack.leases[0].key = key.public_key();
        Second {
            record: SecondRecord::new(header, Signed::new(receipt, &key)),
            stack: Ok(stack),
        }
    }
}

/// Open, or sealed for user and node.
fn bodies(header: &Signed<RequestHeader>, sealed: bool) -> (Body, Body) {
    let [request, answer] =
        [BODY, ANSWER].map(|body| SaltedBody::new(&salt(), body).as_bytes().clone());
    if !sealed {
        return (Body::open(request).unwrap(), Body::open(answer).unwrap());
    }
    let context = SealContext {
        network: NETWORK,
        stack: header.message().stack,
        node: header.message().node,
    };
    let parties = [user().public_key(), operator().public_key()];
    let sealer = Sealer::new(&context, &parties, &atoma_runtime::SystemRandom).unwrap();
    let seal = |kind, body| sealer.seal(header.hash(), kind, body).unwrap();
    (
        seal(CommitmentKind::Request, request),
        seal(CommitmentKind::Answer, answer),
    )
}

fn messages(seq: u8, units: u64, sum: u64, previous: Hash32) -> (RequestHeader, Receipt) {
    let header = RequestHeader {
        domain: Domain::default(),
        network: NETWORK,
        stack: STACK,
        node: NODE,
        task: TASK,
        request_id: RequestId([seq; 16]),
        endpoint: Endpoint::ChatCompletions,
        body_hash: salt().commit(CommitmentKind::Request, BODY),
        lane: 0,
        ceiling: ComputeUnits(sum),
        max_units: ComputeUnits(units),
        issued_at_ms: NOW,
        expires_at_ms: NOW,
        origin: Origin::Own,
    };
    let receipt = Receipt {
        domain: Domain::default(),
        network: NETWORK,
        stack: STACK,
        node: NODE,
        seq: seq.into(),
        request_id: header.request_id,
        request_hash: Hash32::ZERO,
        response_hash: salt().commit(CommitmentKind::Answer, ANSWER),
        usage: Usage {
            output: units,
            ..Usage::default()
        },
        units: ComputeUnits(units),
        cumulative_units: ComputeUnits(sum),
        times: RequestTimes {
            started_ms: NOW,
            first_token_ms: NOW,
            finished_ms: NOW,
        },
        engine: ENGINE,
        output_fingerprint: None,
        previous,
        base: 0,
        history: Hash32::ZERO,
    };
    (header, receipt)
}

fn stack() -> Stack {
    Stack {
        id: STACK,
        version: VERSION,
        owner: user().public_key().address(),
        watcher: None,
        task: TASK,
        weights: UnitWeights::TEXT,
        engine: ENGINE,
        request_key: user().public_key(),
        max_price: Price(1_000_000),
        terms: Terms {
            fine_multiple: 10,
            fee_permille: 10,
            dispute_window_ms: DurationMs(1),
            answer_window_ms: DurationMs(1),
            settle_grace_ms: DurationMs(1),
            demand_fee: MicroUsdc(1),
            jail_ms: DurationMs(1),
            slash_delay_ms: DurationMs(1),
            sampling: None,
        },
        ungranted: ComputeUnits::ZERO,
        nonce: 0,
        candidates: vec![NODE],
        leases: vec![Lease {
            node: NODE,
            owner: operator().public_key().address(),
            key: operator().public_key(),
            price: Price(1_000_000),
            units: ComputeUnits(5_000),
            paid_units: ComputeUnits::ZERO,
            paid_seq: 0,
            last: Hash32::ZERO,
            fees: MicroUsdc::ZERO,
            tickets: Vec::new(),
            closed: false,
        }],
        escrow: MicroUsdc(5_000),
        free: MicroUsdc::ZERO,
        created_at_ms: NOW,
        expires_at_ms: NOW,
    }
}

pub(super) fn node() -> Node {
    Node {
        id: NODE,
        version: VERSION,
        number: 0,
        owner: operator().public_key().address(),
        collateral: MicroUsdc(1),
        fresh: MicroUsdc::ZERO,
        matures_at_ms: NOW,
        at_stake: MicroUsdc::ZERO,
        unbonding_ms: DurationMs(1),
        earnings: MicroUsdc::ZERO,
        pending: Pending::default(),
        status: NodeStatus::Active,
        url: "http://127.0.0.1:1".to_owned(),
        response_key: operator().public_key(),
        sealing_key: None,
        attestation: None,
        standing: Standing::default(),
        subscriptions: 1,
        current: FeesInEpoch::default(),
        previous: FeesInEpoch::default(),
        reported: FeesInEpoch::default(),
    }
}

fn task() -> Task {
    Task {
        id: TASK,
        version: VERSION,
        number: 0,
        owner: operator().public_key().address(),
        role: Role::ChatCompletion,
        model_name: "model".to_owned(),
        security_level: SecurityLevel::None,
        price_ceiling: Price(1_000_000),
        weights: UnitWeights::TEXT,
        engine: ENGINE,
        min_reputation: 0,
        min_collateral: MicroUsdc::ZERO,
        allow_list: None,
        deprecated_at_ms: None,
        fees: MicroUsdc::ZERO,
        dues: MicroUsdc::ZERO,
        releases: Vec::new(),
        subscriptions: Vec::new(),
    }
}
