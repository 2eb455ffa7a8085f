//! The settler without a ledger: leases and answers in, commands out.

use super::*;
use crate::account::Terms;
use atoma_types::{Address, ComputeUnits};

fn stack(id: u8) -> StackId {
    StackId(Address::new([id; 32]))
}

/// A lease of 1,000 units that ends at 10,000 and has `committed` and `reserved` units.
fn lease(id: u8, phase: Phase, committed: u64, reserved: u64) -> LeaseView {
    LeaseView {
        stack: stack(id),
        settle_grace: DurationMs(1_000),
        sums: Summary {
            terms: Terms {
                units: ComputeUnits(1_000),
                expires_at: TimestampMs(10_000),
                closing: false,
            },
            phase,
            committed: ComputeUnits(committed),
            reserved: ComputeUnits(reserved),
            seq: 1,
            last_activity: TimestampMs(0),
            lanes: Vec::new(),
        },
    }
}

fn settler() -> Settler {
    Settler::new(SettlementConfig {
        nearly_used_permille: 950,
        rest_ms: 60,
        ..SettlementConfig::default()
    })
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

#[test]
fn a_lease_is_due_when_it_closes_expires_or_is_nearly_used_and_at_rest() {
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
    assert!(!due(lease(1, Phase::Open, 949, 0), 100), "units are left");
    assert!(due(lease(1, Phase::Open, 950, 0), 100));
    assert!(!due(lease(1, Phase::Open, 950, 0), 59), "not at rest yet");
    assert!(!due(lease(1, Phase::Open, 950, 1), 100), "a request runs");
    assert!(due(lease(1, Phase::Open, 0, 1), 10_000), "it has expired");
    let mut closing = lease(1, Phase::Open, 0, 1);
    closing.sums.terms.closing = true;
    assert!(due(closing, 1));
    assert!(!due(lease(1, Phase::Settling, 950, 0), 10_000));
}

#[test]
fn running_requests_are_waited_for_until_short_before_the_deadline() {
    let ready = |now| next_step(&lease(1, Phase::Settling, 5, 3), TimestampMs(now));
    assert_eq!(ready(10_749), None);
    assert_eq!(
        ready(10_750),
        Some(Step::Settle),
        "a quarter of the grace is left"
    );
    let idle = lease(1, Phase::Settling, 5, 0);
    assert_eq!(next_step(&idle, TimestampMs(1)), Some(Step::Settle));
    let claimable_at = TimestampMs(20);
    let settled = lease(1, Phase::Settled { claimable_at }, 5, 0);
    assert_eq!(next_step(&settled, TimestampMs(19)), None);
    assert_eq!(next_step(&settled, TimestampMs(20)), Some(Step::Claim));
}

#[test]
fn four_go_in_one_transaction_and_settlements_before_claims() {
    let claimable_at = TimestampMs(0);
    let mut leases = vec![lease(9, Phase::Settled { claimable_at }, 5, 0)];
    leases.extend((1..=5).map(|id| lease(id, Phase::Settling, 5, 0)));
    leases.push(lease(8, Phase::Open, 5, 0));
    let now = times(100, Instant::now());
    let leases = &leases[..];
    assert_eq!(
        settler().step(&Event::Ready { leases, now }),
        [
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
    settler.step(&Event::Taken {
        stacks: &[stack(1)],
    });
    let leases = [lease(2, Phase::Settling, 5, 0)];
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
    let claimable_at = TimestampMs(0);
    let leases = [lease(1, Phase::Settled { claimable_at }, 5, 0)];
    let now = times(1, at);
    assert_eq!(
        settler.step(&Event::Ready {
            leases: &leases,
            now
        }),
        []
    );
}
