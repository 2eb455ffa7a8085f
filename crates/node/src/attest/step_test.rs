use super::*;
use crate::attest::watched::{HEAD_START, OLD_READ, patience};
use crate::ledger::testing::{NODE, lease, stack};
use atoma_ledger::Digest;
use atoma_types::{
    Address, ComputeUnits, MicroUsdc,
    chain::{Auditor, Challenge, Exam, Hit, HitStage, Juror, Jury, SamplingTerms, calls, events},
};

const US: NodeId = NodeId(Address::new([7; 32]));
const OTHER: NodeId = NodeId(Address::new([8; 32]));
const SALT: Hash32 = Hash32([6; 32]);
const SPREAD: DurationMs = DurationMs(80);
const BAD: Verdict = Verdict {
    kind: 21,
    digest: Hash32([5; 32]),
};

/// The end of what is waited for.
const UNTIL: TimestampMs = TimestampMs(1_400);

fn auditor(node: NodeId) -> Auditor {
    let owner = Address::new([1; 32]);
    Auditor { node, owner }
}

/// A stack on an examined task with one ticket.
fn examined(change: impl FnOnce(&mut atoma_types::chain::Ticket)) -> Stack {
    let mut stack = stack();
    stack.terms.sampling = Some(SamplingTerms {
        sample_permille: 1_000,
        due: MicroUsdc(1),
        attest_fee: MicroUsdc(1),
        verdict_window_ms: DurationMs(400),
        jury_size: 2,
        jury_quorum: 2,
        examiner_fine: MicroUsdc(1),
        juror_fine: MicroUsdc(1),
        challenge_bond: MicroUsdc(1),
        challenge_bond_permille: 1,
    });
    let mut lease = lease(1_000, &[9_000]);
    change(&mut lease.tickets[0]);
    stack.leases = vec![lease];
    stack
}

fn hit(stage: HitStage, examiner: NodeId) -> Exam {
    Exam::Hit(Hit {
        unit: ComputeUnits(0),
        examiner: auditor(examiner),
        silent: None,
        seq: 1,
        deadline_ms: UNTIL,
        stage,
    })
}

fn jury(seq: u64, seats: &[(NodeId, Option<Hash32>)]) -> Jury {
    let juror = |(node, commitment): &(NodeId, Option<Hash32>)| Juror {
        auditor: auditor(*node),
        commitment: *commitment,
        verdict: None,
    };
    Jury {
        unit: ComputeUnits(0),
        seq,
        jurors: seats.iter().map(juror).collect(),
        deadline_ms: UNTIL,
        reveal_ms: UNTIL.saturating_add(DurationMs(400)),
    }
}

fn duty(seat: Seat) -> Duty {
    let ticket = ticket_id(stack().id, NODE, 1);
    Duty { ticket, seat }
}

fn heard(event: impl Into<Happened>) -> LedgerEvent {
    LedgerEvent {
        cursor: "00".parse().unwrap(),
        transaction: Digest::new([4; 32]),
        checkpoint: 1,
        index: 0,
        event: event.into(),
    }
}

fn settled() -> LedgerEvent {
    heard(events::SettlementOpened {
        stack: stack().id,
        node: NODE,
        to_units: ComputeUnits(1),
        to_seq: 1,
        last: Hash32::ZERO,
        base: 0,
        history: Hash32::ZERO,
        last_receipt: Vec::new(),
        receipt_signature: Vec::new(),
        manifest_blob: None,
        value: MicroUsdc(1),
        deadline_ms: TimestampMs(9_000),
    })
}

fn shown_to_examiner() -> LedgerEvent {
    heard(events::Disclosed {
        stack: stack().id,
        node: NODE,
        ticket: 1,
        examiner: US,
        seq: 1,
        record: vec![7],
        wrap: vec![1, 2],
        deadline_ms: UNTIL,
    })
}

fn shown_to_jury(challenge: bool) -> LedgerEvent {
    heard(events::DisclosedToJury {
        stack: stack().id,
        node: NODE,
        ticket: 1,
        challenge,
        seq: 1,
        record: vec![7],
        wraps: vec![vec![3], vec![4]],
        deadline_ms: UNTIL,
    })
}

/// An attester with a clock.
struct Played {
    attester: Attester,
    at: Instant,
}

impl Played {
    fn new(kept: Kept) -> Self {
        let attester = Attester::new(US, SPREAD, kept);
        let at = Instant::now();
        Self { attester, at }
    }

    /// One that has heard of the ticket.
    fn watching() -> Self {
        let mut played = Self::new(Kept::default());
        let watched = keep(Note::Watched(stack().id));
        assert_eq!(played.hear(&settled()), [watched]);
        played
    }

    fn hear(&mut self, event: &LedgerEvent) -> Vec<Command> {
        self.attester.step(Event::Heard(event))
    }

    fn now(&self, ledger: u64) -> Now {
        let (ledger, at) = (TimestampMs(ledger), self.at);
        Now { ledger, at }
    }

    fn round(&mut self, ledger: u64) -> Vec<Command> {
        let now = self.now(ledger);
        self.attester.step(Event::Round(now))
    }

    fn look(&mut self, stack: &Stack, ledger: u64) -> Vec<Command> {
        let now = self.now(ledger);
        self.attester.step(Event::Looked(stack, now))
    }

    fn judged(&mut self, seat: Seat, judged: Judged, ledger: u64) -> Vec<Command> {
        let now = self.now(ledger);
        self.attester.step(Event::Judged {
            duty: duty(seat),
            judged,
            salt: SALT,
            now,
        })
    }

    fn acted(&mut self, taken: bool) {
        let (stack, now) = (stack().id, self.now(0));
        self.attester.step(Event::Acted { stack, taken, now });
    }
}

fn is_judge(commands: &[Command]) -> bool {
    matches!(commands, [Command::Judge(_)])
}

#[test]
fn an_examiner_looks_once_it_is_shown_the_record_and_keeps_its_finding_before_it_speaks() {
    for (verdict, bad) in [(Verdict::OK, false), (BAD, true)] {
        let mut played = Played::watching();
        assert_eq!(played.round(0), [Command::Look(stack().id)]);
        let drawn = examined(|t| t.exam = hit(HitStage::Disclosing, US));
        assert_eq!(played.look(&drawn, 0), [], "the node must show it first");
        assert_eq!(played.attester.seats(), 1);
        let disclosed = examined(|t| t.exam = hit(HitStage::Examining, US));
        assert_eq!(played.look(&disclosed, 0), [], "its event comes");
        played.hear(&shown_to_examiner());
        assert_eq!(played.round(0), [Command::Look(stack().id)]);
        let [Command::Judge(summons)] = &played.look(&disclosed, 0)[..] else {
            panic!("it must look");
        };
        assert_eq!(summons.disclosure.shown, [vec![1, 2]]);
        assert_eq!((summons.urgent_from.0, summons.last_call.0), (1_200, 1_300));
        assert_eq!(summons.left.0, 1_400);
        assert_eq!(played.look(&disclosed, 0), [], "once");
        let sealed = Sealed {
            verdict,
            salt: SALT,
        };
        let found = Note::Found(duty(Seat::Examiner), sealed);
        let ticket = duty(Seat::Examiner).ticket;
        let say = Command::Act(Act::Say { ticket, bad });
        let said = played.judged(Seat::Examiner, Judged::Found(verdict), 0);
        assert_eq!(said, [keep(found), say.clone()]);
        // the ledger couldn't be reached: the same again, and nothing is computed anew
        played.acted(false);
        assert_eq!(played.round(0), [], "it rests");
        played.at += FIRST_PAUSE;
        assert_eq!(played.round(0), [Command::Look(stack().id)]);
        assert_eq!(played.look(&disclosed, 0), [say]);
        played.acted(true);
        let passed = examined(|t| t.exam = hit(HitStage::Passed, US));
        assert_eq!(played.look(&passed, 0), []);
    }
}

#[test]
fn a_juror_commits_and_reveals_what_it_kept_once_all_have_committed_or_the_time_is_over() {
    for (seat, challenge) in [(Seat::Juror, false), (Seat::ChallengeJuror, true)] {
        let sits = |jury: Jury| {
            examined(|t| {
                // what else is due would be done, too
                let stage = match challenge {
                    true => HitStage::Passed,
                    false => HitStage::Accused,
                };
                t.exam = hit(stage, OTHER);
                if challenge {
                    t.challenge = Some(Challenge {
                        bond: MicroUsdc(1),
                        unit: None,
                        jury: Some(jury),
                        over: false,
                    });
                } else {
                    t.exam_jury = Some(jury);
                }
            })
        };
        let mut played = Played::watching();
        let before = sits(jury(0, &[(OTHER, None), (US, None)]));
        assert_eq!(played.look(&before, 0), []);
        played.hear(&shown_to_examiner());
        played.hear(&shown_to_jury(challenge));
        let shown = sits(jury(1, &[(OTHER, None), (US, None)]));
        let [Command::Judge(summons)] = &played.look(&shown, 0)[..] else {
            panic!("it must look");
        };
        assert_eq!(summons.claimed.drawn, [OTHER, US]);
        // what the examiner was shown concerns its own jury
        assert_eq!(summons.claimed.examiner, (!challenge).then_some(OTHER));
        assert_eq!(summons.examined.is_some(), !challenge);
        let sealed = Sealed {
            verdict: BAD,
            salt: SALT,
        };
        let commit = Command::Act(Act::Commit {
            duty: duty(seat),
            sealed,
        });
        let found = keep(Note::Found(duty(seat), sealed));
        let said = played.judged(seat, Judged::Found(BAD), 0);
        assert_eq!(said, [found, commit]);
        played.acted(true);
        let ours = [(OTHER, None), (US, Some(Hash32::ZERO))];
        let one = sits(jury(1, &ours));
        assert_eq!(played.look(&one, 0), [], "others may still commit");
        let reveal = Command::Act(Act::Reveal {
            duty: duty(seat),
            sealed,
        });
        let all = [(OTHER, Some(Hash32::ZERO)), (US, Some(Hash32::ZERO))];
        assert_eq!(
            played.look(&sits(jury(1, &all)), 0),
            std::slice::from_ref(&reveal)
        );
        assert_eq!(played.look(&one, UNTIL.0 + 1), [reveal]);
        assert_eq!(played.look(&one, UNTIL.0 + 401), [], "too late");
    }
}

#[test]
fn after_a_crash_it_says_what_it_had_found_and_looks_again_at_what_it_had_not() {
    let sealed = Sealed {
        verdict: BAD,
        salt: SALT,
    };
    let disclosure = Disclosure {
        transaction: Digest::new([4; 32]),
        record: vec![7],
        shown: vec![vec![1]],
        drawn: Vec::new(),
    };
    let kept = |found: bool| Kept {
        watched: vec![stack().id],
        shown: vec![(duty(Seat::Examiner), disclosure.clone())],
        found: found
            .then_some((duty(Seat::Examiner), sealed))
            .into_iter()
            .collect(),
        ..Kept::default()
    };
    let disclosed = examined(|t| t.exam = hit(HitStage::Examining, US));
    let mut before = Played::new(kept(false));
    assert_eq!(before.round(0), [Command::Look(stack().id)]);
    assert!(is_judge(&before.look(&disclosed, 0)));
    let mut after = Played::new(kept(true));
    let ticket = duty(Seat::Examiner).ticket;
    let say = Command::Act(Act::Say { ticket, bad: true });
    assert_eq!(after.look(&disclosed, 0), [say]);
    // a commitment whose salt is lost can't be revealed
    let committed = examined(|t| {
        t.exam = hit(HitStage::Accused, OTHER);
        t.exam_jury = Some(jury(1, &[(US, Some(Hash32::ZERO))]));
    });
    assert_eq!(after.look(&committed, 0), []);
}

#[test]
fn without_a_finding_nothing_is_said_and_a_transaction_that_is_unheard_of_to_the_last_is_none() {
    let disclosed = examined(|t| t.exam = hit(HitStage::Examining, US));
    let mut played = Played::watching();
    played.hear(&shown_to_examiner());
    let missing = Judged::Unheard {
        last_call: TimestampMs(1_300),
    };
    for judged in [Judged::Unknown, missing, Judged::Unknown, missing] {
        assert!(is_judge(&played.look(&disclosed, 0)));
        assert_eq!(played.judged(Seat::Examiner, judged, 1_299), []);
        assert_eq!(played.look(&disclosed, 0), [], "it rests");
        played.at += FIRST_PAUSE;
        assert_eq!(played.round(0), [Command::Look(stack().id)]);
    }
    assert!(is_judge(&played.look(&disclosed, 1_300)));
    assert_eq!(played.judged(Seat::Examiner, Judged::Unknown, 1_399), []);
    played.at += FIRST_PAUSE;
    assert!(is_judge(&played.look(&disclosed, 1_399)));
    let said = played.judged(Seat::Examiner, missing, 1_399);
    let ticket = duty(Seat::Examiner).ticket;
    let say = Command::Act(Act::Say { ticket, bad: true });
    assert_eq!(said.last(), Some(&say));
    assert_eq!(played.look(&disclosed, 1_401), [], "too late for anything");
}

#[test]
fn what_walrus_doesnt_give_is_asked_for_after_longer_pauses_and_to_the_last_moment() {
    const END: u64 = 100_000;
    let disclosed = examined(|t| {
        let mut hit = hit(HitStage::Examining, US);
        if let Exam::Hit(hit) = &mut hit {
            hit.deadline_ms = TimestampMs(END);
        }
        t.exam = hit;
    });
    let mut played = Played::watching();
    played.hear(&shown_to_examiner());
    let (mut now, mut pauses) = (0, Vec::new());
    while now <= END {
        assert!(is_judge(&played.look(&disclosed, now)), "{now}");
        let said = played.judged(Seat::Examiner, Judged::Unknown, now);
        assert_eq!(said, [], "that Walrus doesn't give it is no finding");
        let pause = (1..).find(|ms| {
            let mut later = played.now(now);
            later.at += Duration::from_millis(*ms);
            !played.attester.step(Event::Round(later)).is_empty()
        });
        pauses.push(pause.unwrap());
        played.at += Duration::from_millis(pause.unwrap());
        now += pause.unwrap();
    }
    assert_eq!(pauses[..5], [500, 1_000, 2_000, 4_000, 8_000]);
    assert!(END + 500 >= now, "its last try was in the last moment");
    assert_eq!(pauses.last(), Some(&500));
}

#[test]
fn what_anyone_may_do_is_left_to_others_for_a_while_and_done_then() {
    let undrawn = examined(|t| t.exam = Exam::Undrawn);
    let patience = patience(US, SPREAD, undrawn.id, &draw());
    assert!((SPREAD.0 / HEAD_START..SPREAD.0).contains(&patience.0));
    let mut played = Played::watching();
    assert_eq!(played.look(&undrawn, 100), []);
    assert_eq!(played.round(100 + patience.0 - 1), []);
    let look = [Command::Look(undrawn.id)];
    assert_eq!(played.round(100 + patience.0), look);
    let act = Act::Anyone {
        stack: undrawn.id,
        call: draw(),
    };
    let done = played.look(&undrawn, 100 + patience.0);
    assert_eq!(done, [Command::Act(act)]);
    // of its own lease the node looks after by itself
    let mut own = undrawn.clone();
    own.leases[0].node = US;
    assert_eq!(played.look(&own, 9_000), []);
}

fn draw() -> Call {
    calls::DrawTicket {
        stack: stack().id.into(),
        holder: NODE,
        ticket: 1,
        random: atoma_types::chain::Random,
    }
    .into()
}

#[test]
fn deadlines_of_others_are_looked_at_when_they_are_over_and_what_is_over_is_forgotten() {
    let hidden = examined(|t| t.exam = hit(HitStage::Disclosing, OTHER));
    let mut played = Played::watching();
    assert_eq!(played.look(&hidden, 0), []);
    assert_eq!(played.round(UNTIL.0), []);
    assert_eq!(played.round(UNTIL.0 + 1), [Command::Look(hidden.id)]);
    assert_eq!(played.look(&hidden, UNTIL.0 + 1), []);
    let convict = played.look(&hidden, UNTIL.0 + 1 + SPREAD.0);
    let [Command::Act(Act::Anyone { call, .. })] = &convict[..] else {
        panic!("nobody convicts it: {convict:?}");
    };
    assert_eq!(call.function().name, "undisclosed");

    let mut over = hidden.clone();
    over.leases[0].closed = true;
    let forgotten = [keep(Note::Forgotten(over.id))];
    assert_eq!(played.look(&over, 0), forgotten);
    assert_eq!(played.round(UNTIL.0 + 1), []);
    assert_eq!(played.look(&over, 0), [], "it isn't watched");
}

#[test]
fn keys_are_remembered_and_tickets_of_our_own_leases_are_nothing_to_watch() {
    let mut played = Played::new(Kept::default());
    let changed = heard(events::NodeKeysChanged {
        node: OTHER,
        response_key: PublicKey([3; 32]),
        sealing_key: None,
    });
    let key = Note::Key(OTHER, PublicKey([3; 32]));
    assert_eq!(played.hear(&changed), [keep(key)]);
    let mut shown = shown_to_examiner();
    if let Happened::Disclosed(e) = &mut shown.event {
        e.node = US;
    }
    assert_eq!(played.hear(&shown), []);
    let mut ours = settled();
    if let Happened::SettlementOpened(e) = &mut ours.event {
        e.node = US;
    }
    assert_eq!(played.hear(&ours), []);
    assert_eq!(played.round(0), []);
}

#[test]
fn what_took_until_its_deadline_is_not_begun_again() {
    let disclosed = examined(|t| t.exam = hit(HitStage::Examining, US));
    let mut played = Played::watching();
    played.hear(&shown_to_examiner());
    assert!(is_judge(&played.look(&disclosed, 0)));
    assert_eq!(played.judged(Seat::Examiner, Judged::TooLong, 1_000), []);
    played.at += 2 * LONGEST_PAUSE;
    assert_eq!(played.look(&disclosed, 1_000), []);
}

#[path = "heard_test.rs"]
mod heard_test;
