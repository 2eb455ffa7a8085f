//! A grant's way without a ledger.

use super::*;
use crate::account::{Position, Terms};
use atoma_keys::SigningKey;
use atoma_types::{
    Address, DurationMs, MicroUsdc, NetworkId, NodeId, PublicKey, TaskId, message::Domain,
};

const NOW: TimestampMs = TimestampMs(1_000);
const STACK: StackId = StackId(Address::new([2; 32]));

fn us() -> Identity {
    Identity {
        network: NetworkId([1; 32]),
        node: NodeId(Address::new([3; 32])),
        started_at: TimestampMs(0),
        started: tokio::time::Instant::now(),
        hold: DurationMs(0),
    }
}

/// What 500 units cost.
const LEAST: MicroUsdc = MicroUsdc(1_000);
const PRICE: Price = Price(2_000_000);

/// A node with more collateral than any grant here needs.
const PLENTY: Fits = Fits {
    free: MicroUsdc(1 << 40),
    step: MicroUsdc(1 << 40),
};

fn key() -> SigningKey {
    SigningKey::from_seed(&[8; 32])
}

/// A grant of 500 units.
fn grant(change: impl FnOnce(&mut Grant)) -> Granting {
    let mut grant = Grant {
        domain: Domain::default(),
        network: us().network,
        stack: STACK,
        node: us().node,
        cumulative_units: ComputeUnits(500),
        max_price: PRICE,
        nonce: 0,
        expires_at_ms: TimestampMs(2_000),
    };
    change(&mut grant);
    Granting::new(us(), Signed::new(grant, &key()), LEAST)
}

fn held(units: u64) -> Option<Held> {
    Some(Held {
        price: Price(7),
        sums: Summary {
            terms: Terms {
                units: ComputeUnits(units),
                expires_at: TimestampMs(9_000),
                closing: false,
            },
            phase: Phase::Open,
            committed: ComputeUnits(0),
            reserved: ComputeUnits(0),
            seq: 0,
            claimed: Position::default(),
            last_activity: NOW,
            giving_back: false,
            returned: 0,
            lanes: Vec::new(),
            running: Vec::new(),
        },
    })
}

fn stack(request_key: PublicKey) -> Stack {
    Stack {
        id: STACK,
        task: TaskId(Address::new([4; 32])),
        request_key,
        ..crate::ledger::testing::stack()
    }
}

fn begun(held: Option<Held>) -> Event<'static> {
    Event::Begun { now: NOW, held }
}

fn code(command: &Command) -> RefusalCode {
    match command {
        Command::Finish(Err(refusal)) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_grant_goes_by_the_stack_to_the_ledger_and_becomes_a_lease() {
    let mut granting = grant(|_| {});
    assert_eq!(granting.step(begun(held(499))), Command::Read);
    let stack = stack(key().public_key());
    let read = Event::Read {
        stack: Some(&stack),
        fits: PLENTY,
        price: Some(PRICE),
        grants: Grants::default(),
    };
    assert_eq!(granting.step(read), Command::Adopt);
    let adopted = Event::Adopted { held: held(499) };
    assert_eq!(granting.step(adopted), Command::Submit);
    let lease = LeaseView {
        stack: STACK,
        units: ComputeUnits(500),
        price: Price(7),
        expires_at_ms: TimestampMs(9_000),
    };
    let submitted = Event::Submitted { held: held(500) };
    assert_eq!(granting.step(submitted), Command::Finish(Ok(lease.clone())));
    let again = grant(|_| {}).step(begun(held(500)));
    assert_eq!(again, Command::Finish(Ok(lease)), "at once");
}

#[test]
fn nothing_is_read_for_a_grant_that_is_not_ours_or_has_expired() {
    let refused = |change: fn(&mut Grant)| code(&grant(change).step(begun(None)));
    let other = |g: &mut Grant| g.network = NetworkId([9; 32]);
    assert_eq!(refused(other), RefusalCode::WrongNetwork);
    let other = |g: &mut Grant| g.node = NodeId(Address::new([9; 32]));
    assert_eq!(refused(other), RefusalCode::WrongNode);
    assert_eq!(refused(|g| g.expires_at_ms = NOW), RefusalCode::Expired);
}

#[test]
fn nothing_is_taken_over_for_a_strangers_grant() {
    let refused = |stack: Option<Stack>, price| {
        let mut granting = grant(|_| {});
        assert_eq!(granting.step(begun(None)), Command::Read);
        let stack = stack.as_ref();
        code(&granting.step(Event::Read {
            stack,
            fits: PLENTY,
            price,
            grants: Grants::default(),
        }))
    };
    assert_eq!(refused(None, None), RefusalCode::UnknownStack);
    let stranger = SigningKey::from_seed(&[9; 32]).public_key();
    assert_eq!(
        refused(Some(stack(stranger)), Some(PRICE)),
        RefusalCode::BadSignature
    );
    assert_eq!(
        refused(Some(stack(key().public_key())), None),
        RefusalCode::WrongTask
    );
}

#[test]
fn who_is_overtaken_reads_once_more_and_is_answered_from_what_is_there() {
    let overtaken = || Failure::Abort(AbortCode::GrantNotHigher, "not higher".to_owned());
    let stack = stack(key().public_key());
    let read = Event::Read {
        stack: Some(&stack),
        fits: PLENTY,
        price: Some(PRICE),
        grants: Grants::default(),
    };
    let mut granting = grant(|_| {});
    assert_eq!(granting.step(Event::Refused(overtaken())), Command::Read);
    assert_eq!(granting.step(read), Command::Adopt);
    let adopted = granting.step(Event::Adopted { held: held(400) });
    assert_eq!(code(&adopted), RefusalCode::Unavailable, "not a second try");
    let again = granting.step(Event::Refused(overtaken()));
    assert_eq!(code(&again), RefusalCode::InvalidBody);
}

#[test]
fn only_what_is_wrong_with_a_grant_is_said_to_be() {
    let refused = |abort: AbortCode| {
        let mut granting = grant(|_| {});
        let refused = Event::Refused(Failure::Abort(abort, abort.name().to_owned()));
        code(&granting.step(refused))
    };
    // what `stack::lease` checks of the node, of its task and of the package
    for abort in [
        AbortCode::Paused,
        AbortCode::NotNodeOwner,
        AbortCode::NotSubscribed,
        AbortCode::NodeNotActive,
        AbortCode::NodeNotAllowed,
        AbortCode::NotAttested,
        AbortCode::TaskDeprecated,
        AbortCode::CollateralBelowTask,
        AbortCode::ReputationBelowTask,
        AbortCode::WrongVersion,
    ] {
        assert_eq!(refused(abort), RefusalCode::Unavailable, "{abort:?}");
    }
    for abort in [
        AbortCode::GrantBadSignature,
        AbortCode::GrantRevoked,
        AbortCode::NotCandidate,
        AbortCode::PriceAboveMax,
        AbortCode::LeasesFull,
    ] {
        assert_eq!(refused(abort), RefusalCode::InvalidBody, "{abort:?}");
    }
}

#[test]
fn a_grant_that_adds_less_than_its_transaction_costs_is_refused() {
    let stack = stack(key().public_key());
    let read = |units| {
        let mut granting = grant(|grant| grant.cumulative_units = ComputeUnits(units));
        assert_eq!(granting.step(begun(None)), Command::Read);
        granting.step(Event::Read {
            stack: Some(&stack),
            fits: PLENTY,
            price: Some(PRICE),
            grants: Grants::default(),
        })
    };
    assert_eq!(read(500), Command::Adopt);
    let Command::Finish(Err(refusal)) = read(499) else {
        panic!("one unit less")
    };
    let refused = (refusal.code, refusal.needed);
    assert_eq!(refused, (RefusalCode::InvalidBody, Some(500)));
    let mut granting = grant(|_| {});
    let low = granting.step(Event::Refused(Failure::GasLow));
    assert_eq!(code(&low), RefusalCode::Unavailable);
}

/// Eight small ones a day over all of an owner's stacks, or one for each cent that it uses: then half of the lease.
#[test]
fn who_does_not_pay_for_small_grants_by_use_must_grant_a_part_of_the_lease() {
    let mut stack = stack(key().public_key());
    let lease = atoma_types::chain::Lease {
        price: PRICE,
        ..crate::ledger::testing::lease(10_000, &[])
    };
    let read = |stack: &Stack, [today, ever]: [u32; 2], used, step, more: u64| {
        let mut granting = grant(|grant| grant.cumulative_units = ComputeUnits(10_000 + more));
        assert_eq!(granting.step(begun(None)), Command::Read);
        let read = granting.step(Event::Read {
            stack: Some(stack),
            fits: Fits {
                step: MicroUsdc(step),
                ..PLENTY
            },
            price: Some(PRICE),
            grants: Grants {
                today,
                ever,
                used: MicroUsdc(used),
            },
        });
        match read {
            Command::Finish(Err(refusal)) => Err((refusal.code, refusal.needed)),
            _ => Ok(()),
        }
    };
    let plenty = PLENTY.step.0;
    // the first on this stack, whatever its owner had elsewhere
    assert_eq!(read(&stack, [1_000; 2], 0, plenty, 500), Ok(()));
    stack.leases = vec![lease];
    assert_eq!(read(&stack, [7, 900], 0, plenty, 500), Ok(()));
    let half = Err((RefusalCode::InvalidBody, Some(5_000)));
    assert_eq!(read(&stack, [8; 2], 89_999, plenty, 4_999), half);
    assert_eq!(read(&stack, [8; 2], 89_999, plenty, 5_000), Ok(()));
    assert_eq!(read(&stack, [8; 2], 90_000, plenty, 500), Ok(()));
    // what was used once pays once
    assert_eq!(read(&stack, [8, 9], 90_000, plenty, 4_999), half);
    // what may be granted at once is enough
    assert_eq!(read(&stack, [8; 2], 0, 2_000, 1_000), Ok(()));
}

#[test]
fn a_grant_beyond_the_free_collateral_is_refused_with_what_would_fit() {
    let stack = stack(key().public_key());
    let read = |free, step| {
        let mut granting = grant(|_| {});
        assert_eq!(granting.step(begun(None)), Command::Read);
        granting.step(Event::Read {
            stack: Some(&stack),
            fits: Fits {
                free: MicroUsdc(free),
                step: MicroUsdc(step),
            },
            price: Some(PRICE),
            grants: Grants::default(),
        })
    };
    // 500 units cost 1,000 micro-USDC
    assert_eq!(read(1_000, 1_000), Command::Adopt);
    for (free, step) in [(800, 1_000), (1_000, 800)] {
        let Command::Finish(Err(refusal)) = read(free, step) else {
            panic!("it is more than fits")
        };
        let refused = (refusal.code, refusal.needed);
        assert_eq!(refused, (RefusalCode::GrantTooLarge, Some(400)));
    }
}

#[test]
fn a_lease_that_gave_units_back_gets_a_small_grant_or_as_its_use_is() {
    let fits = Fits {
        free: MicroUsdc(4_000),
        step: MicroUsdc(1_000),
    };
    let step = |returned, committed, units| {
        let mut held = held(units).unwrap();
        held.price = Price(1_000_000);
        held.sums.returned = returned;
        held.sums.committed = ComputeUnits(committed);
        fits.for_lease(Some(&held)).step.0
    };
    assert_eq!(fits.for_lease(None).step.0, 1_000);
    assert_eq!(step(0, 0, 500), 1_000, "it never gave any back");
    assert_eq!(step(1, 0, 0), 125);
    assert_eq!(step(1, 1, 1), 125, "one token changes nothing");
    assert_eq!(step(3, 1, 101), 25, "not once more with each grant");
    assert_eq!(step(1, 100, 100), 400);
    assert_eq!(step(1, 100, 300), 200);
    assert_eq!(step(1, 100, 900), 0);
    assert_eq!(step(1, 5_000, 5_000), 1_000, "never more than others");
}
