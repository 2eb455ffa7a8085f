//! Attesters of the tests: a program like `atoma node run` with `[attest]`, but that it doesn't look at what it is shown.
//! It says what it was started with, whoever is drawn, so that stories have the verdicts that no honest program gives. It
//! follows the ledger by itself, as the real one does.

use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::testing::Attester;
use atoma_types::{
    Address, MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{
        Auditor, Call, Clock, Exam, HitStage, Jury, Lease, Payment, Stack, Ticket, Verdict, calls,
    },
    hash::Hash32,
};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long until the ledger is looked at again.
const PAUSE: Duration = Duration::from_millis(50);
/// Jurors' salts: nobody guesses verdicts here.
const SALT: Hash32 = Hash32([8; 32]);
/// What whoever finds something wrong finds.
const BAD: Verdict = Verdict {
    kind: 1,
    digest: Hash32([5; 32]),
};

/// Nothing is wrong, so a juror says.
pub(crate) const OK: Option<Verdict> = Some(Verdict::OK);
/// Something is, and all who say so say the same.
pub(crate) const GUILTY: Option<Verdict> = Some(BAD);
/// Nobody is heard.
pub(crate) const SILENCE: Option<Verdict> = None;

/// What whoever is drawn says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Says {
    /// Whether an examiner accuses the node; none if it says nothing.
    pub(crate) examiner: Option<bool>,
    /// What jurors say, in the order in which they were drawn.
    pub(crate) jury: [Option<Verdict>; 7],
}

impl Says {
    /// An examiner alone is heard.
    pub(crate) fn examiner(accuses: bool) -> Self {
        Self {
            examiner: Some(accuses),
            jury: [SILENCE; 7],
        }
    }

    /// A jury alone is heard.
    pub(crate) fn jury(jury: [Option<Verdict>; 7]) -> Self {
        Self {
            examiner: None,
            jury,
        }
    }
}

/// The program, which ends when this is dropped.
pub(crate) struct TestAttesters(JoinHandle<()>);

impl Drop for TestAttesters {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TestAttesters {
    /// Looks after one stack.
    pub(crate) fn start(
        ledger: &Ledger,
        attesters: &[Attester],
        stack: StackId,
        says: Says,
    ) -> Self {
        let key = |attester: &Attester| {
            let key = SigningKey::from_seed(&attester.key.to_seed());
            (key.public_key().address(), key)
        };
        let program = Program {
            ledger: ledger.clone(),
            keys: attesters.iter().map(key).collect(),
            stack,
            says,
        };
        Self(tokio::spawn(program.run()))
    }
}

struct Program {
    ledger: Ledger,
    keys: Vec<(Address, SigningKey)>,
    stack: StackId,
    says: Says,
}

impl Program {
    async fn run(self) {
        loop {
            let stack = self.ledger.stack(self.stack).await.unwrap();
            let now = self.ledger.clock().await.unwrap();
            for lease in stack.leases.iter().filter(|lease| !lease.closed) {
                for (who, call) in said(&stack, lease, self.says, now) {
                    let mut keys = self.keys.iter();
                    let key = keys.find(|(address, _)| *address == who);
                    let (_, key) = key.expect("whoever is drawn is one of them");
                    self.ledger.execute(key, vec![call]).await.unwrap();
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What is to be said about a lease now, and by whom.
fn said(stack: &Stack, lease: &Lease, says: Says, now: TimestampMs) -> Vec<(Address, Call)> {
    let mut calls = Vec::new();
    for ticket in &lease.tickets {
        calls.extend(verdict(stack, (lease.node, ticket), says.examiner, now));
        let challenge = ticket.challenge.iter();
        let challenge = challenge.filter_map(|challenge| challenge.jury.as_ref());
        let juries = ticket.exam_jury.iter().map(|jury| (false, jury));
        for (challenge, jury) in juries.chain(challenge.map(|jury| (true, jury))) {
            let ballot = (stack.id, lease.node, ticket.to_seq, challenge);
            calls.extend(ballots(ballot, jury, says.jury, now));
        }
    }
    calls
}

/// The examiner's word.
fn verdict(
    stack: &Stack,
    (holder, ticket): (NodeId, &Ticket),
    accuses: Option<bool>,
    now: TimestampMs,
) -> Option<(Address, Call)> {
    let Exam::Hit(hit) = &ticket.exam else {
        return None;
    };
    let waits = hit.stage == HitStage::Examining && now <= hit.deadline_ms;
    let bad = accuses.filter(|_| waits)?;
    let fine = stack.terms.sampling.as_ref()?.examiner_fine;
    let call = calls::GiveVerdict {
        stack: stack.id.into(),
        holder,
        ticket: ticket.to_seq,
        bad,
        bond: Payment(if bad { fine } else { MicroUsdc::ZERO }),
        clock: Clock,
    };
    Some((hit.examiner.owner, call.into()))
}

/// The jurors' commitments, and what they committed to once it can be shown.
fn ballots(
    ballot: (StackId, NodeId, u64, bool),
    jury: &Jury,
    says: [Option<Verdict>; 7],
    now: TimestampMs,
) -> Vec<(Address, Call)> {
    let commits = jury.seq > 0 && now <= jury.deadline_ms;
    let all = jury.jurors.iter().all(|juror| juror.commitment.is_some());
    let reveals = jury.seq > 0 && now <= jury.reveal_ms && (all || now > jury.deadline_ms);
    let mut calls = Vec::new();
    for (juror, verdict) in jury.jurors.iter().zip(says) {
        let Some(verdict) = verdict else {
            continue;
        };
        match (juror.commitment, juror.verdict) {
            (None, _) if commits => calls.push(commitment(ballot, juror.auditor, verdict)),
            (Some(_), None) if reveals => calls.push(reveal(ballot, juror.auditor, verdict)),
            _ => {}
        }
    }
    calls
}

fn commitment(
    ballot: (StackId, NodeId, u64, bool),
    juror: Auditor,
    verdict: Verdict,
) -> (Address, Call) {
    let (stack, holder, ticket, challenge) = ballot;
    let call = calls::CommitVerdict {
        stack: stack.into(),
        holder,
        ticket,
        challenge,
        juror: juror.node,
        commitment: verdict.commitment(ballot, juror.node, &SALT),
        clock: Clock,
    };
    (juror.owner, call.into())
}

fn reveal(
    (stack, holder, ticket, challenge): (StackId, NodeId, u64, bool),
    juror: Auditor,
    verdict: Verdict,
) -> (Address, Call) {
    let call = calls::RevealVerdict {
        stack: stack.into(),
        holder,
        ticket,
        challenge,
        juror: juror.node,
        verdict: verdict.kind,
        digest: verdict.digest,
        salt: SALT,
        clock: Clock,
    };
    (juror.owner, call.into())
}
