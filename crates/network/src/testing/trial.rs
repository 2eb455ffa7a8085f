//! A node that has served a user and may be disputed with, on a localnet whose clock can be moved.

use super::{Accounts, Parties, World, event};
use crate::COLLATERAL;
use atoma_keys::SigningKey;
use atoma_ledger::{ExecuteError, Executed};
use atoma_localnet::ClockMode;
use atoma_types::{
    Address, ComputeUnits, EngineClass, NodeId, Numerics, ObjectId, RequestId, Rule, StackId,
    TaskId, TimestampMs, Usage,
    chain::{Call, Clock, Event, NodeStatus, Stack, calls, events},
    hash::Hash32,
    history::{History, ReceiptTree},
    merkle::Proof,
    message::{
        CommitmentKind, Domain, Endpoint, EvidenceLeaf, Origin, Receipt, RequestHeader,
        RequestTimes, Signed,
    },
};
use atoma_walrus::{
    coding::{Params, encode},
    committee::{BlsSecretKey, Committee, Confirmation, Member, Persistence},
};

/// What the stack holds.
pub const UNITS: u64 = 5_000;
/// The units of the three requests.
pub const PARTS: [u64; 3] = [1_000, 500, 2_000];

/// A node that has served a user three requests.
#[derive(Debug)]
pub struct Trial {
    /// The ledger, and parties with money on it.
    pub world: World,
    /// The node's owner; its key signs receipts, too.
    pub operator: SigningKey,
    /// The stack's owner.
    pub user: SigningKey,
    /// What signs the stack's requests: the user's own key, unless the test wants another.
    pub request_key: SigningKey,
    /// Id of the node's object.
    pub node: NodeId,
    /// Id of the task that it is of.
    pub task: TaskId,
    /// The stack, all leased to the node.
    pub stack: StackId,
    /// What was served, in order of `seq`.
    pub records: Vec<(Signed<RequestHeader>, Signed<Receipt>)>,
    /// What the operator, the user and the treasury had when everything was served.
    pub before: [u64; 3],
}

impl Trial {
    /// Serves three requests and settles nothing yet.
    pub async fn start() -> Self {
        let world = World::start_with(|config| config.clock = ClockMode::Adjustable).await;
        let (operator, user) = (world.party().await, world.party().await);
        let task = world.task(&operator, "model").await;
        let request_key = SigningKey::from_seed(&user.to_seed());
        Self::between(world, (operator, user, request_key), task, 1).await
    }

    /// The same between these, the node's owner, the user and what signs the user's requests, on a task that is
    /// there; everything is so many times as large.
    pub async fn between(
        world: World,
        (operator, user, request_key): (SigningKey, SigningKey, SigningKey),
        task: TaskId,
        times: u64,
    ) -> Self {
        let node = world.node(&operator).await;
        let subscribe = world.subscribe(task, node);
        world
            .ledger
            .execute(&operator, vec![subscribe])
            .await
            .unwrap();
        let units = UNITS * times;
        let acquire = world.acquire(task, units, &request_key);
        let bought = world.ledger.execute(&user, vec![acquire]).await.unwrap();
        let stack = event(&bought, |event| match event {
            Event::StackAcquired(e) => Some(e.stack),
            _ => None,
        });
        let lease = world.lease((task, stack), node, units, &request_key);
        world.ledger.execute(&operator, vec![lease]).await.unwrap();
        let mut trial = Self {
            world,
            operator,
            user,
            request_key,
            node,
            task,
            stack,
            records: Vec::new(),
            before: [0; 3],
        };
        let (mut sum, mut previous) = (0, Hash32::ZERO);
        for (seq, units) in (1..).zip(PARTS.map(|part| part * times)) {
            sum += units;
            let record = trial.record(seq, units, sum, previous);
            previous = record.1.hash();
            trial.records.push(record);
        }
        trial.before = trial.money().await;
        trial
    }

    /// A signed request and its receipt, as a good user and node sign them.
    pub fn record(
        &self,
        seq: u64,
        units: u64,
        sum: u64,
        previous: Hash32,
    ) -> (Signed<RequestHeader>, Signed<Receipt>) {
        let (network, now) = (self.world.ledger.deployment().network, TimestampMs(7));
        let request_id = RequestId([seq as u8; 16]);
        let salt = self.request_key.salt_of(request_id);
        let header = RequestHeader {
            domain: Domain::default(),
            network,
            stack: self.stack,
            node: self.node,
            task: self.task,
            request_id,
            endpoint: Endpoint::ChatCompletions,
            body_hash: salt.commit(CommitmentKind::Request, b"body"),
            lane: 0,
            ceiling: ComputeUnits(sum),
            max_units: ComputeUnits(units),
            issued_at_ms: now,
            expires_at_ms: now,
            origin: Origin::Own,
        };
        let header = Signed::new(header, &self.request_key);
        let receipt = Receipt {
            domain: Domain::default(),
            network,
            stack: self.stack,
            node: self.node,
            seq,
            request_id: header.message().request_id,
            request_hash: header.hash(),
            response_hash: salt.commit(CommitmentKind::Answer, b"answer"),
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
            base: 0,
            history: self.history_of(seq),
        };
        let receipt = Signed::new(receipt, &self.operator);
        (header, receipt)
    }

    /// The root over the receipts before one, which it names.
    fn history_of(&self, seq: u64) -> Hash32 {
        let mut history = History::default();
        let before = self.records.iter().take(seq as usize - 1);
        before.for_each(|(_, receipt)| history.push(receipt.hash()));
        history.root()
    }

    /// A record and the proof of its place.
    pub fn prove(&self, seq: u64) -> (EvidenceLeaf, Proof) {
        let place = seq as usize - 1;
        let (header, receipt) = &self.records[place];
        let tree = ReceiptTree::new(0, self.records.iter().map(|(_, receipt)| receipt.hash()));
        let proof = tree.unwrap().prove(seq).unwrap();
        (EvidenceLeaf::new(header, receipt), proof)
    }

    /// Runs one call as this party.
    ///
    /// # Errors
    /// If the ledger refuses it or isn't reached.
    pub async fn run(
        &self,
        key: &SigningKey,
        call: impl Into<Call>,
    ) -> Result<Executed, ExecuteError> {
        self.world.ledger.execute(key, vec![call.into()]).await
    }

    /// The node claims all that it served.
    pub async fn settle(&self) {
        let (header, receipt) = self.records.last().unwrap();
        let call = calls::Settle {
            stack: self.stack.into(),
            holder: self.node,
            from_seq: 0,
            to_units: receipt.message().cumulative_units,
            to_seq: self.records.len() as u64,
            headers: vec![header.bytes().to_vec()],
            header_signatures: vec![header.signature().to_bytes()],
            last_receipt: receipt.bytes().to_vec(),
            receipt_signature: receipt.signature().to_bytes(),
            manifest_blob: None,
            clock: Clock,
        };
        self.run(&self.operator, call).await.unwrap();
    }

    /// A unit of the record of a `seq`: its last one.
    pub fn unit(&self, seq: u64) -> ComputeUnits {
        let (_, receipt) = &self.records[seq as usize - 1];
        ComputeUnits(receipt.message().cumulative_units.0 - 1)
    }

    /// The user demands a record.
    pub async fn demand(&self, seq: u64) {
        let stack = self.stack().await;
        let (unit, ledger) = (self.unit(seq), &self.world.ledger);
        let call = ledger.demand_record(&stack, self.node, unit);
        let demanded = self.run(&self.user, call).await.unwrap();
        let deadline = event(&demanded, |event| match event {
            Event::RecordDemanded(e) => Some(e.deadline_ms),
            _ => None,
        });
        let stack = self.stack().await;
        let ticket = &stack.lease(self.node).unwrap().tickets[0];
        assert_eq!(ticket.demand(unit).unwrap().deadline_ms, deadline);
    }

    /// The stack as it is now.
    pub async fn stack(&self) -> Stack {
        self.world.ledger.stack(self.stack).await.unwrap()
    }

    /// Asks for the payment.
    ///
    /// # Errors
    /// If the ledger refuses it, as before the dispute window is over.
    pub async fn claim(&self) -> Result<Executed, ExecuteError> {
        let call = calls::Claim {
            stack: self.stack.into(),
            task: self.task.into(),
            node: self.node.into(),
            clock: Clock,
        };
        self.run(&self.operator, call).await
    }

    /// What the operator, the user and the treasury have.
    pub async fn money(&self) -> [u64; 3] {
        let ledger = &self.world.ledger;
        let of = async |key: &SigningKey| ledger.usdc(key.public_key().address()).await.unwrap().0;
        let treasury = ledger.db().await.unwrap().communal_treasury.0;
        [of(&self.operator).await, of(&self.user).await, treasury]
    }

    /// What everybody has, in wallets and in the stack.
    pub async fn accounts(&self) -> Accounts {
        self.accounts_and(None).await
    }

    /// The same with what is sent to an address.
    pub async fn accounts_and(&self, elsewhere: Option<Address>) -> Accounts {
        let parties = Parties {
            world: &self.world,
            user: &self.user,
            operator: &self.operator,
            attesters: &[],
            node: self.node,
            task: self.task,
            stacks: &[self.stack],
            elsewhere,
        };
        Accounts::of(&parties).await
    }

    /// The user has the whole escrow as credit again, and the node's fine waits: ten times what it claimed.
    pub async fn assert_convicted(&self, executed: &Executed, charge: events::Charge) {
        let convicted = event(executed, |event| match event {
            Event::NodeConvicted(e) => Some(e.clone()),
            _ => None,
        });
        assert_eq!((convicted.node, convicted.charge), (self.node, charge));
        let claimed: u64 = PARTS.iter().sum();
        assert_eq!(
            (convicted.value.0, convicted.fine.0),
            (claimed, 10 * claimed)
        );
        let node = self.world.ledger.node(self.node).await.unwrap();
        assert_eq!(node.collateral.0, COLLATERAL.0 - 10 * claimed);
        assert_eq!(node.pending.fines.0, 10 * claimed);
        assert!(matches!(node.status, NodeStatus::Jailed { .. }));
        assert_eq!(node.standing.reputation, 0);
        let stack = self.stack().await;
        assert_eq!(stack.lease(self.node).map(|lease| lease.closed), Some(true));
        self.world.audit();
    }

    /// Moves the ledger's clock.
    pub async fn advance(&self, by_ms: u64) {
        self.world.advance(by_ms).await;
    }

    /// A blob of the operator's that storage nodes have certified.
    pub async fn blob(&self) -> ObjectId {
        let (ledger, admin) = (&self.world.ledger, self.world.localnet().admin_key());
        let keys: Vec<_> = (0..10)
            .map(|seed| BlsSecretKey::from_seed(&[seed; 32]).unwrap())
            .collect();
        let members: Vec<_> = keys
            .iter()
            .map(|key| (key.public_key().to_bytes().to_vec(), 1))
            .collect();
        let cap = ledger.walrus_cap(admin.public_key().address()).await;
        let call = ledger.set_committee(&cap.unwrap().unwrap(), &members);
        self.run(admin, call).await.unwrap();

        let params = Params::new(10).unwrap();
        let metadata = encode(params, b"records").unwrap().metadata;
        let (blob_id, size) = (metadata.blob_id(), metadata.size());
        let encoded = params.encoded_length(size).unwrap();
        let root = Hash32(*metadata.root());
        let call = ledger.register_blob(blob_id, root, size, encoded, 5, false);
        let object = event(
            &self.run(&self.operator, call).await.unwrap(),
            |event| match event {
                Event::BlobRegistered(e) => Some(e.object_id),
                _ => None,
            },
        );
        let message = Confirmation {
            epoch: 1,
            blob_id,
            persistence: Persistence::Permanent,
        };
        let signed = |(place, key): (usize, &BlsSecretKey)| (place, key.sign(&message.to_bytes()));
        let confirmations: Vec<_> = keys.iter().enumerate().skip(2).map(signed).collect();
        let members = keys.iter().map(|key| Member {
            key: key.public_key(),
            weight: 1,
        });
        let committee = Committee::new(params, members.collect()).unwrap();
        let certificate = committee.certify(message, &confirmations).unwrap();
        let call = ledger.certify_blob(
            object,
            certificate.signature.to_bytes().to_vec(),
            certificate.signers,
            message.to_bytes(),
        );
        self.run(&self.operator, call).await.unwrap();
        let blob = ledger.blob(object).await.unwrap();
        assert_eq!((blob.blob_id, blob.certified_epoch), (blob_id, Some(1)));
        assert_eq!((blob.storage.end_epoch, blob.deletable), (6, false));
        object
    }
}
