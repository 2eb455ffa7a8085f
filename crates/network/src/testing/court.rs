//! A settlement on an examined task, and attesters who say what the test has them say: what they would have found
//! by computing the answer again.

use super::{DAY, PRICE, Trial, World, event};
use crate::create_task;
use atoma_keys::SigningKey;
use atoma_ledger::due;
use atoma_localnet::ClockMode;
use atoma_types::{
    Address, ComputeUnits, EngineClass, MicroUsdc, NodeId, Numerics, Rule, SecurityLevel, TaskId,
    chain::{
        Clock, Event, Exam, Hit, Jury, NewTask, Payment, Ticket, Verdict, calls, events::Outcome,
    },
    hash::Hash32,
    message::EvidenceLeaf,
};

/// Attesters that must be there when a stack is sold: an examiner, a jury of seven, and one to spare.
const ATTESTERS: usize = 9;
/// What the task's owner puts into the pool at first: attesters' fees of twenty.
const POOL: MicroUsdc = MicroUsdc(2_000_000);
/// A request costs so many times what it does elsewhere: a ticket must be worth an examination.
const TIMES: u64 = 1_000;
/// What everyone finds who looks at a wrong answer.
pub const BAD: Verdict = Verdict {
    kind: 1,
    digest: Hash32([5; 32]),
};
/// Jurors' salts: nobody guesses verdicts here.
const SALT: Hash32 = Hash32([8; 32]);

/// Who examines others' answers.
#[derive(Debug)]
pub struct Attester {
    /// The node's owner.
    pub key: SigningKey,
    /// Id of the node's object.
    pub node: NodeId,
}

/// A node that has served a user on an examined task, and those who may be drawn to judge it.
#[derive(Debug)]
pub struct Court {
    /// The node, its user, and what the node has claimed.
    pub trial: Trial,
    /// The attesters; none is of the parties.
    pub attesters: Vec<Attester>,
    /// Who does what anyone may do.
    pub stranger: SigningKey,
}

impl Court {
    /// Serves three requests and settles nothing yet. Of a thousand tickets so many are examined; `request_key`
    /// makes of the user's wallet what signs the user's requests.
    pub async fn start(
        sample_permille: u64,
        request_key: impl FnOnce(&SigningKey) -> SigningKey,
    ) -> Self {
        let world = World::start_with(|config| {
            config.clock = ClockMode::Adjustable;
            config.params.sample_permille = sample_permille;
        })
        .await;
        let (operator, user, stranger) = (
            world.party().await,
            world.party().await,
            world.party().await,
        );
        let engine = EngineClass {
            model: Hash32([1; 32]),
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        };
        let task = NewTask::chat("model", engine, PRICE);
        let task = examined_task(&world, &stranger, task).await;
        let attesters = attesters(&world, &stranger, task).await;
        let request_key = request_key(&user);
        let parties = (operator, user, request_key);
        Self {
            trial: Trial::between(world, parties, task, TIMES).await,
            attesters,
            stranger,
        }
    }

    /// Does what anyone may do now, but for convictions: draws, counts, pays.
    pub async fn anyone(&self) {
        loop {
            let now = self.trial.world.ledger.clock().await.unwrap();
            let stack = self.trial.stack().await;
            let mut due = due(&stack, now).into_iter();
            let Some(step) = due.find(|due| !due.convicts) else {
                return;
            };
            self.trial.run(&self.stranger, step.call).await.unwrap();
        }
    }

    /// The one ticket.
    pub async fn ticket(&self) -> Ticket {
        let stack = self.trial.stack().await;
        stack.lease(self.trial.node).unwrap().tickets[0].clone()
    }

    /// The ticket's examination, once an examiner is drawn.
    pub async fn hit(&self) -> Hit {
        match self.ticket().await.exam {
            Exam::Hit(hit) => hit,
            other => panic!("no examiner is drawn: {other:?}"),
        }
    }

    /// The jury that sits: the challenge's or the examination's.
    pub async fn jury(&self, challenge: bool) -> Jury {
        let ticket = self.ticket().await;
        let jury = if challenge {
            ticket.challenge.and_then(|challenge| challenge.jury)
        } else {
            ticket.exam_jury
        };
        jury.unwrap()
    }

    /// The node shows its examiner the record.
    pub async fn disclose(&self) {
        let trial = &self.trial;
        let (record, proof) = self.record_of(self.hit().await.unit);
        let call = calls::Disclose {
            stack: trial.stack.into(),
            holder: trial.node,
            ticket: self.seq(),
            record,
            proof,
            wrap: vec![1; 80],
            clock: Clock,
        };
        trial.run(&trial.operator, call).await.unwrap();
    }

    /// The node shows a jury the record.
    pub async fn disclose_to_jury(&self, challenge: bool) {
        let (trial, jury) = (&self.trial, self.jury(challenge).await);
        let (record, proof) = self.record_of(jury.unit);
        let call = calls::DiscloseToJury {
            stack: trial.stack.into(),
            holder: trial.node,
            ticket: self.seq(),
            challenge,
            record,
            proof,
            wraps: vec![vec![1; 80]; jury.jurors.len()],
            clock: Clock,
        };
        trial.run(&trial.operator, call).await.unwrap();
    }

    /// The examiner says what it found.
    pub async fn examiner_says(&self, bad: bool) {
        let (trial, examiner) = (&self.trial, self.hit().await.examiner);
        let fine = trial.stack().await.terms.sampling.unwrap().examiner_fine;
        let call = calls::GiveVerdict {
            stack: trial.stack.into(),
            holder: trial.node,
            ticket: self.seq(),
            bad,
            bond: Payment(if bad { fine } else { MicroUsdc::ZERO }),
            clock: Clock,
        };
        let key = self.key_of(examiner.owner);
        trial.run(key, call).await.unwrap();
    }

    /// A jury is drawn, sees the record, and its members vote in their order, `None` not at all; then anyone counts.
    pub async fn judge(&self, challenge: bool, verdicts: [Option<Verdict>; 7]) -> Outcome {
        self.anyone().await;
        self.disclose_to_jury(challenge).await;
        let jury = self.jury(challenge).await;
        let voters = || jury.jurors.iter().zip(verdicts);
        let votes = || voters().filter_map(|(juror, verdict)| Some((juror.auditor, verdict?)));
        let (trial, ticket) = (&self.trial, self.seq());
        for (juror, verdict) in votes() {
            let ballot = (trial.stack, trial.node, ticket, challenge);
            let call = calls::CommitVerdict {
                stack: trial.stack.into(),
                holder: trial.node,
                ticket,
                challenge,
                juror: juror.node,
                commitment: verdict.commitment(ballot, juror.node, &SALT),
                clock: Clock,
            };
            trial.run(self.key_of(juror.owner), call).await.unwrap();
        }
        let window = trial.stack().await.terms.sampling.unwrap();
        let wait = window.verdict_window_ms.0 + 1;
        let some_are_silent = verdicts.contains(&None);
        if some_are_silent {
            trial.advance(wait).await;
        }
        for (juror, verdict) in votes() {
            let call = calls::RevealVerdict {
                stack: trial.stack.into(),
                holder: trial.node,
                ticket,
                challenge,
                juror: juror.node,
                verdict: verdict.kind,
                digest: verdict.digest,
                salt: SALT,
                clock: Clock,
            };
            trial.run(self.key_of(juror.owner), call).await.unwrap();
        }
        if some_are_silent {
            trial.advance(wait).await;
        }
        let call = calls::DecideJury {
            stack: trial.stack.into(),
            task: trial.task.into(),
            node: trial.node.into(),
            ticket,
            challenge,
            clock: Clock,
        };
        let decided = trial.run(&self.stranger, call).await.unwrap();
        event(&decided, |event| match event {
            Event::JuryDecided(e) => Some(e.outcome),
            _ => None,
        })
    }

    /// Attesters that are drawn no more, for they were silent.
    pub async fn struck_off(&self) -> usize {
        let task = self.trial.world.ledger.task(self.trial.task).await.unwrap();
        let promises = task.subscriptions.iter().filter_map(|s| s.attester);
        promises.filter(|attester| !attester.active).count()
    }

    /// The ticket's number: that of its last receipt.
    fn seq(&self) -> u64 {
        self.trial.records.len() as u64
    }

    /// The record that charges a unit, and its path.
    fn record_of(&self, unit: ComputeUnits) -> (Vec<u8>, Vec<u8>) {
        let mut records = self.trial.records.iter();
        let place = records.position(|(_, receipt)| receipt.message().cumulative_units > unit);
        let (leaf, proof): (EvidenceLeaf, _) = self.trial.prove(place.unwrap() as u64 + 1);
        (leaf.to_bytes(), proof.to_bytes())
    }

    fn key_of(&self, owner: Address) -> &SigningKey {
        let mut keys = self.attesters.iter().map(|attester| &attester.key);
        keys.find(|key| key.public_key().address() == owner)
            .unwrap()
    }
}

/// A task that is examined, whose owner pays into its pool.
pub async fn examined_task(world: &World, owner: &SigningKey, task: NewTask) -> TaskId {
    let task = NewTask {
        security: SecurityLevel::SamplingConsensus,
        ..task
    };
    let task = create_task(&world.ledger, owner, task).await.unwrap();
    let fund = calls::FundTask {
        task: task.into(),
        payment: Payment(POOL),
    };
    let funded = world.ledger.execute(owner, vec![fund.into()]).await;
    funded.unwrap();
    task
}

/// As many attesters of a task as must be there when a stack is sold. A day passes, for what was deposited today
/// weighs nothing until tomorrow.
pub async fn attesters(world: &World, anyone: &SigningKey, task: TaskId) -> Vec<Attester> {
    let mut attesters = Vec::new();
    for _ in 0..ATTESTERS {
        attesters.push(attester(world, task).await);
    }
    world.advance(DAY).await;
    let sync = attesters.iter().map(|attester| {
        calls::SyncSubscription {
            task: task.into(),
            node: attester.node.into(),
            clock: Clock,
        }
        .into()
    });
    let synced = world.ledger.execute(anyone, sync.collect()).await;
    synced.unwrap();
    attesters
}

/// A node of its own that promises to examine others.
async fn attester(world: &World, task: TaskId) -> Attester {
    let key = world.party().await;
    let node = world.node(&key).await;
    let deposit = world.ledger.db().await.unwrap().params.attest_deposit;
    let attest = calls::EnrollAttester {
        db: world.ledger.deployment().db.into(),
        task: task.into(),
        node: node.into(),
        deposit: Payment(MicroUsdc(deposit)),
        clock: Clock,
    };
    let promise = vec![world.subscribe(task, node), attest.into()];
    world.ledger.execute(&key, promise).await.unwrap();
    Attester { key, node }
}
