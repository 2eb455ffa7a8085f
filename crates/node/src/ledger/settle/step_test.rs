//! The settler without a ledger: leases and answers in, commands out.

use super::super::view::testing::{lease, stack};
use super::*;
use crate::ledger::testing;

fn settler() -> Settler {
    let rules = SettlementConfig {
        nearly_used_permille: 950,
        rest_ms: 60,
        worth: MicroUsdc(500),
        idle_ms: 8_000,
        release_idle_after_ms: 9_000,
        ..SettlementConfig::default()
    };
    Settler::new(rules, testing::NODE, MicroUsdc(50))
}

fn next(lease: &LeaseView, now: u64) -> Option<Step> {
    settler().next_step(lease, times(now, Instant::now()))
}

fn times(ledger: u64, at: Instant) -> Times {
    Times {
        ledger: TimestampMs(ledger),
        ours: TimestampMs(ledger),
        at,
    }
}

fn submit(step: Step, ids: &[u8]) -> Command {
    Command::Submit {
        step,
        stacks: ids.iter().map(|&id| stack(id)).collect(),
    }
}

/// What is next for a lease that had used so much when it was first looked at.
fn next_of_used(lease: &LeaseView, used: u64, now: u64) -> Option<Step> {
    let mut settler = settler();
    let mut before = lease.clone();
    before.sums.committed = ComputeUnits(used);
    before.sums.reserved = ComputeUnits::ZERO;
    for (lease, now) in [(&before, 0), (lease, now)] {
        let leases = std::slice::from_ref(lease);
        let now = times(now, Instant::now());
        settler.step(&Event::Ready { leases, now });
    }
    settler.next_step(lease, times(now, Instant::now()))
}

#[test]
fn units_that_an_open_lease_has_no_use_for_are_given_back() {
    let open = |sums, tickets: &[u64]| lease(1, Phase::Open, sums, tickets);
    assert_eq!(next_of_used(&open((0, 0), &[]), 0, 8_999), None);
    let back = Some(Step::GiveBack);
    assert_eq!(next_of_used(&open((0, 0), &[]), 0, 9_000), back);
    // one token doesn't keep the rest, nor does a request that runs
    let mut barely = open((1, 7), &[10_000]);
    barely.sums.last_activity = TimestampMs(8_999);
    assert_eq!(next_of_used(&barely, 0, 9_000), back);
    // what was served is claimed first; a ticket that waits holds nothing up
    let served = open((100, 0), &[]);
    assert_eq!(next_of_used(&served, 100, 9_000), Some(Step::Settle));
    let waiting = open((100, 0), &[10_000]);
    assert_eq!(next_of_used(&waiting, 100, 9_000), back);
    // it uses what it has, or there is nothing to give
    let used = open((200, 0), &[10_000]);
    assert_eq!(next_of_used(&used, 0, 9_000), None);
    let full = open((1_000, 0), &[10_000]);
    assert_eq!(next_of_used(&full, 1_000, 9_000), None);
    // whose answer isn't known is asked for again
    let mut unknown = open((100, 0), &[10_000]);
    unknown.sums.giving_back = true;
    assert_eq!(next_of_used(&unknown, 100, 1), back);
    // one that ends gives back what it doesn't claim in its own time
    assert_eq!(
        next(&lease(1, Phase::Settling, (0, 0), &[]), 9_000),
        Some(Step::Release)
    );
}

#[test]
fn a_lease_takes_no_more_when_it_closes_or_expires() {
    let at = Instant::now();
    let due = |lease: LeaseView, now: u64| {
        let leases = [lease];
        let now = times(now, at);
        let commands = settler().step(&Event::Due {
            leases: &leases,
            now,
        });
        commands == [Command::StopAdmission(vec![stack(1)])]
    };
    assert!(
        !due(lease(1, Phase::Open, (1_000, 0), &[]), 9_999),
        "it goes on"
    );
    assert!(
        due(lease(1, Phase::Open, (0, 1), &[]), 10_000),
        "it has expired"
    );
    let mut closing = lease(1, Phase::Open, (0, 1), &[]);
    closing.sums.terms.closing = true;
    assert!(due(closing, 1));
    assert!(!due(lease(1, Phase::Settling, (950, 0), &[]), 10_000));
}

#[test]
fn an_open_lease_is_settled_as_value_builds_up_and_one_ticket_is_kept_for_the_end() {
    let open = |committed, reserved, tickets: &[u64], now| {
        next(&lease(1, Phase::Open, (committed, reserved), tickets), now)
    };
    assert_eq!(open(499, 0, &[], 100), None, "it isn't worth a transaction");
    assert_eq!(open(500, 7, &[], 1), Some(Step::Settle), "requests run on");
    assert_eq!(open(501, 0, &[900], 100), None, "a ticket waits");
    assert_eq!(open(1, 0, &[], 7_999), None);
    assert_eq!(
        open(1, 0, &[], 8_000),
        Some(Step::Settle),
        "it has rested long"
    );
    assert_eq!(open(0, 0, &[], 8_000), None, "nothing was served");
    let mut small = lease(1, Phase::Open, (10, 0), &[]);
    small.sums.terms.units = ComputeUnits(10);
    assert_eq!(next(&small, 59), None, "a top-up may come");
    assert_eq!(
        next(&small, 60),
        Some(Step::Settle),
        "it is nearly used, and rests"
    );
}

#[test]
fn at_the_end_what_runs_is_waited_for_then_all_is_claimed_and_the_rest_given_back() {
    let ready = |now| next(&lease(1, Phase::Settling, (5, 3), &[]), now);
    assert_eq!(ready(10_749), None);
    assert_eq!(
        ready(10_750),
        Some(Step::Settle),
        "a quarter of the grace is left"
    );
    let idle = |committed, tickets: &[u64], now| {
        next(&lease(1, Phase::Settling, (committed, 0), tickets), now)
    };
    assert_eq!(idle(5, &[], 1), Some(Step::Settle));
    assert_eq!(idle(5, &[900], 1), Some(Step::Settle), "the second ticket");
    assert_eq!(idle(5, &[900, 901], 1), None, "two wait");
    assert_eq!(idle(1, &[900], 1), Some(Step::Release), "all is claimed");
    assert_eq!(idle(0, &[], 1), Some(Step::Release), "nothing was served");
    assert_eq!(
        idle(5, &[], 11_001),
        Some(Step::Claim),
        "it is too late: it ends"
    );
    assert_eq!(idle(1, &[20], 20), Some(Step::Release));
    assert_eq!(idle(1, &[20], 21), Some(Step::Claim), "the window is over");
}

#[test]
fn a_lease_that_was_not_read_is_read_and_settlements_go_four_at_once_before_claims() {
    let mut leases = vec![lease(9, Phase::Settling, (1, 0), &[20])];
    leases.extend((1..=5).map(|id| lease(id, Phase::Settling, (5, 0), &[])));
    leases.push(lease(8, Phase::Open, (5, 0), &[]));
    let mut unread = lease(7, Phase::Settling, (5, 0), &[]);
    unread.on_ledger = None;
    leases.push(unread);
    let now = times(100, Instant::now());
    let leases = &leases[..];
    assert_eq!(
        settler().step(&Event::Ready { leases, now }),
        [
            Command::Reread(stack(7)),
            submit(Step::Settle, &[1, 2, 3, 4]),
            submit(Step::Settle, &[5]),
            submit(Step::Claim, &[9]),
        ]
    );
}

#[test]
fn a_refused_batch_goes_one_by_one_and_who_fails_alone_rests_and_is_read() {
    let at = Instant::now();
    let mut settler = settler();
    let failed = |stacks: &[StackId], settler: &mut Settler, at| {
        settler.step(&Event::Failed {
            step: Step::Settle,
            stacks,
            why: Failure::Refused,
            at,
        })
    };
    let both = [stack(1), stack(2)];
    assert_eq!(
        failed(&both, &mut settler, at),
        [submit(Step::Settle, &[1]), submit(Step::Settle, &[2])]
    );
    let taken = settler.step(&Event::Taken {
        stacks: &[stack(1)],
    });
    assert_eq!(taken, [Command::Reread(stack(1))]);
    let leases = [lease(2, Phase::Settling, (5, 0), &[])];
    let mut at = at;
    for pause in [500, 1_000, 2_000] {
        assert_eq!(
            failed(&[stack(2)], &mut settler, at),
            [Command::Reread(stack(2))]
        );
        let mut ready = |at| {
            settler.step(&Event::Ready {
                leases: &leases,
                now: times(1, at),
            })
        };
        at += Duration::from_millis(pause - 1);
        assert_eq!(ready(at), [], "it rests");
        at += Duration::from_millis(1);
        assert_eq!(ready(at), [submit(Step::Settle, &[2])]);
    }
}

#[test]
fn an_unreachable_ledger_is_asked_again_and_nothing_is_read_from_it() {
    let at = Instant::now();
    let mut settler = settler();
    assert!(settler.needs_time(false, at));
    settler.step(&Event::AskedTime { answered: true, at });
    let soon = at + PING_EVERY / 2;
    assert!(!settler.needs_time(false, soon));
    assert!(settler.needs_time(true, soon), "there are leases");
    let both = [stack(1), stack(2)];
    let commands = settler.step(&Event::Failed {
        step: Step::Claim,
        stacks: &both,
        why: Failure::Unreachable,
        at,
    });
    assert_eq!(commands, [], "not one by one");
    assert!(settler.needs_time(false, soon));
}

#[test]
fn a_claim_that_comes_too_early_only_waits() {
    let at = Instant::now();
    let mut settler = settler();
    let commands = settler.step(&Event::Failed {
        step: Step::Claim,
        stacks: &[stack(1)],
        why: Failure::TooEarly,
        at,
    });
    assert_eq!(commands, []);
    let leases = [lease(1, Phase::Settling, (1, 0), &[0])];
    let now = times(1, at);
    assert_eq!(
        settler.step(&Event::Ready {
            leases: &leases,
            now
        }),
        []
    );
}
