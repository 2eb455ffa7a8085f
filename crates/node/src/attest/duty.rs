//! What the ledger wants of an attester, as a stack's object says. Pure.

use atoma_audit::Signers;
use atoma_ledger::Digest;
use atoma_types::{
    EngineClass, NodeId, PublicKey, StackId, TaskId, TimestampMs, UnitWeights,
    chain::{Auditor, Exam, HitStage, Jury, Lease, Stack, Ticket},
};

/// A ticket of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TicketId {
    pub stack: StackId,
    /// The node whose lease it is.
    pub holder: NodeId,
    /// `to_seq` of the ticket.
    pub to_seq: u64,
}

impl Duty {
    /// The jury: stack, the node whose lease it is, ticket, and whether it is a challenge's.
    pub(crate) fn ballot(&self) -> (StackId, NodeId, u64, bool) {
        let TicketId {
            stack,
            holder,
            to_seq,
        } = self.ticket;
        (stack, holder, to_seq, self.seat.is_of_challenge())
    }
}

/// As what somebody was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seat {
    /// To examine it.
    Examiner,
    /// To the jury that a bad verdict of the examiner called.
    Juror,
    /// To the jury that a challenge called.
    ChallengeJuror,
}

/// A record that somebody must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Duty {
    pub ticket: TicketId,
    pub seat: Seat,
}

/// More keys than this from the draw to the disclosure, and all of a node's wraps are good: whoever operates it changes a
/// key once, or twice. An hour's transactions could name a million, each of which would be kept and held against a wrap.
pub(crate) const MOST_KEYS: usize = 8;

/// Those who were drawn, and the keys that may be wrapped for: each one that was its own at some moment from the draw
/// on, the oldest first, and one beyond [`MOST_KEYS`] at most. By the order of the ledger's events, so that all who look
/// know the same.
pub(crate) type Drawn = Vec<(NodeId, Vec<PublicKey>)>;

/// What a node showed to those who were drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disclosure {
    /// The transaction that shows it.
    pub transaction: Digest,
    /// The record, as the ledger took it.
    pub record: Vec<u8>,
    /// For each of them, in their order.
    pub shown: Vec<Vec<u8>>,
    /// Whose keys were good when it was shown; nobody's, where the draw wasn't heard.
    pub drawn: Drawn,
}

impl Disclosure {
    /// The keys that what was shown to a node may be wrapped for, if events have told.
    pub(crate) fn keys_of(&self, node: NodeId) -> Option<&[PublicKey]> {
        let keys = self.drawn.iter().find(|(drawn, _)| *drawn == node);
        keys.map(|(_, keys)| &keys[..])
            .filter(|keys| !keys.is_empty())
    }

    /// Whether a node had so many keys that whoever showed it something can't be held to one of them.
    pub(crate) fn had_too_many_keys(&self, node: NodeId) -> bool {
        let keys = self.keys_of(node);
        keys.is_some_and(|keys| keys.len() > MOST_KEYS)
    }
}

/// It is our turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub duty: Duty,
    pub what: What,
    /// The last moment, by the ledger's clock.
    pub until: TimestampMs,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Look at the record, and say or commit to what was found.
    Judge(Box<Claimed>),
    /// Show what was committed to.
    Reveal,
}

/// The record that is to be looked at, as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub task: TaskId,
    /// What was promised at the purchase: what computes, and what things cost.
    pub engine: EngineClass,
    pub weights: UnitWeights,
    /// Who signs what is shown.
    pub signers: Signers,
    /// When the stack was bought: nothing of it is older.
    pub bought: TimestampMs,
    /// The record's number in its lease.
    pub seq: u64,
    /// Whom the node showed it to this time, in their order.
    pub drawn: Vec<NodeId>,
    /// The examiner who saw it before, where its jury sits.
    pub examiner: Option<NodeId>,
}

impl Seat {
    pub(crate) const ALL: [Self; 3] = [Self::Examiner, Self::Juror, Self::ChallengeJuror];

    /// A juror's of a challenge, not of an examination.
    pub(crate) fn is_of_challenge(self) -> bool {
        self == Self::ChallengeJuror
    }

    pub(crate) fn of_jury(challenge: bool) -> Self {
        match challenge {
            true => Self::ChallengeJuror,
            false => Self::Juror,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Examiner => "examiner",
            Self::Juror => "juror",
            Self::ChallengeJuror => "challenge_juror",
        }
    }
}

/// What `us` must do now on a stack.
pub(crate) fn turns_in(us: NodeId, stack: &Stack, now: TimestampMs) -> Vec<Turn> {
    let open = stack.leases.iter().filter(|lease| !lease.closed);
    let tickets = open.flat_map(|lease| lease.tickets.iter().map(move |ticket| (lease, ticket)));
    tickets
        .flat_map(|(lease, ticket)| turns_of(us, stack, (lease, ticket), now))
        .filter(|turn| now <= turn.until)
        .collect()
}

fn turns_of(
    us: NodeId,
    stack: &Stack,
    (lease, ticket): (&Lease, &Ticket),
    now: TimestampMs,
) -> Vec<Turn> {
    let id = TicketId {
        stack: stack.id,
        holder: lease.node,
        to_seq: ticket.to_seq,
    };
    let claimed = |seq, drawn, examiner| Claimed {
        task: stack.task,
        engine: stack.engine,
        weights: stack.weights,
        signers: Signers {
            request: stack.request_key,
            receipt: lease.key,
        },
        bought: stack.created_at_ms,
        seq,
        drawn,
        examiner,
    };
    let mut turns = Vec::new();
    let mut examiner = None;
    if let Exam::Hit(hit) = &ticket.exam {
        examiner = Some(hit.examiner.node);
        if hit.stage == HitStage::Examining && hit.examiner.node == us {
            turns.push(Turn {
                duty: Duty {
                    ticket: id,
                    seat: Seat::Examiner,
                },
                what: What::Judge(Box::new(claimed(hit.seq, vec![us], None))),
                until: hit.deadline_ms,
            });
        }
    }
    for (seat, jury) in juries(ticket) {
        let examiner = examiner.filter(|_| seat == Seat::Juror);
        let Some((what, until)) = turn_of_juror(us, jury, now) else {
            continue;
        };
        let drawn = jury.jurors.iter().map(|juror| juror.auditor.node).collect();
        turns.push(Turn {
            duty: Duty { ticket: id, seat },
            what: what.unwrap_or_else(|| What::Judge(Box::new(claimed(jury.seq, drawn, examiner)))),
            until,
        });
    }
    turns
}

/// Until when it is a juror's turn, and what to do if that isn't to judge.
fn turn_of_juror(us: NodeId, jury: &Jury, now: TimestampMs) -> Option<(Option<What>, TimestampMs)> {
    let mut jurors = jury.jurors.iter();
    let juror = jurors.find(|juror| is(juror.auditor, us))?;
    if jury.seq == 0 || juror.verdict.is_some() {
        return None;
    }
    if juror.commitment.is_none() {
        return Some((None, jury.deadline_ms));
    }
    let all = jury.jurors.iter().all(|juror| juror.commitment.is_some());
    (all || now > jury.deadline_ms).then_some((Some(What::Reveal), jury.reveal_ms))
}

fn is(auditor: Auditor, us: NodeId) -> bool {
    auditor.node == us
}

fn juries(ticket: &Ticket) -> impl Iterator<Item = (Seat, &Jury)> {
    let challenge = ticket.challenge.as_ref();
    let challenge = challenge.and_then(|challenge| challenge.jury.as_ref());
    let exam = ticket.exam_jury.iter().map(|jury| (Seat::Juror, jury));
    exam.chain(challenge.map(|jury| (Seat::ChallengeJuror, jury)))
}

/// How many seats `us` has on a stack, its turn or not.
pub(crate) fn seats_in(us: NodeId, stack: &Stack) -> usize {
    let tickets = stack.leases.iter().flat_map(|lease| &lease.tickets);
    tickets
        .map(|ticket| {
            let examines = |hit: &atoma_types::chain::Hit| hit.examiner.node == us;
            let exam = matches!(&ticket.exam, Exam::Hit(hit) if examines(hit));
            let juries = juries(ticket).flat_map(|(_, jury)| &jury.jurors);
            usize::from(exam) + juries.filter(|juror| is(juror.auditor, us)).count()
        })
        .sum()
}

/// The next moment at which something on a stack may be due by its deadline.
pub(crate) fn next_deadline(stack: &Stack, now: TimestampMs) -> Option<TimestampMs> {
    let tickets = stack.leases.iter().flat_map(|lease| &lease.tickets);
    let deadlines = tickets.flat_map(|ticket| {
        let mut all = vec![ticket.deadline_ms];
        all.extend(ticket.demands.iter().map(|demand| demand.deadline_ms));
        if let Exam::Hit(hit) = &ticket.exam {
            all.push(hit.deadline_ms);
        }
        all.extend(juries(ticket).flat_map(|(_, jury)| [jury.deadline_ms, jury.reveal_ms]));
        all
    });
    // in force up to and including their last millisecond
    let after = deadlines.map(|deadline| deadline.saturating_add(atoma_types::DurationMs(1)));
    after.filter(|after| *after > now).min()
}
