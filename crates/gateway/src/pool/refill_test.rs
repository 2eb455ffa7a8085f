use super::*;
use atoma_types::Address;

const WANTED: u64 = 100;
const STACK: u64 = 1_000;

fn node(n: u8) -> NodeId {
    NodeId(Address::new([n; 32]))
}

fn stack(n: u8) -> StackId {
    StackId(Address::new([n; 32]))
}

fn units(n: u64) -> ComputeUnits {
    ComputeUnits(n)
}

fn refill(stacks: &[u8]) -> Refill {
    refill_of(stacks, false)
}

fn refill_of(stacks: &[u8], thrifty: bool) -> Refill {
    let policy = StackPolicy {
        stack_units: units(STACK),
        grant_units: units(WANTED),
        ..StackPolicy::default()
    };
    let stacks: Vec<_> = stacks.iter().map(|n| stack(*n)).collect();
    Refill::new(node(1), units(7), &policy, thrifty, stacks.into_iter())
}

/// A stack of `STACK` units on which the node has nothing yet.
fn reading(n: u8) -> Reading {
    Reading {
        stack: stack(n),
        ended: false,
        total_units: units(STACK),
        lease: NodesLease::None,
        room: ComputeUnits::ZERO,
    }
}

fn grant(n: u8, more: u64, total: u64) -> PlannedGrant {
    PlannedGrant {
        stack: stack(n),
        more: units(more),
        total: units(total),
    }
}

#[test]
fn without_a_stack_one_is_bought_once_the_node_has_answered() {
    let (mut refill, mut promises) = (refill(&[]), Promises::default());
    let payment = Payment::Stack(units(STACK));
    assert_eq!(refill.begin(), Command::Knock(payment));
    let pay = refill.step(Event::Answered(payment), &mut promises);
    assert_eq!(pay, Command::Pay(payment));
    let end = refill.step(Event::Bought(reading(1)), &mut promises);
    assert_eq!(end, Command::Grant(grant(1, WANTED, WANTED)));
    assert_eq!(promises.to(stack(1), node(1)), units(WANTED));
}

#[test]
fn a_request_larger_than_a_stack_gets_a_larger_stack() {
    let policy = StackPolicy {
        stack_units: units(STACK),
        grant_units: units(WANTED),
        ..StackPolicy::default()
    };
    let mut refill = Refill::new(node(1), units(5_000), &policy, false, std::iter::empty());
    let payment = Payment::Stack(units(5_000));
    assert_eq!(refill.begin(), Command::Knock(payment));
}

#[test]
fn the_newest_stack_on_which_the_node_may_have_units_is_used() {
    let (mut refill, mut promises) = (refill(&[1, 2, 3]), Promises::default());
    assert_eq!(refill.begin(), Command::Read(stack(3)));
    let ended = Reading {
        ended: true,
        ..reading(3)
    };
    let next = refill.step(Event::Read(ended), &mut promises);
    assert_eq!(next, Command::Retire(stack(3)));
    let next = refill.step(Event::Retired, &mut promises);
    assert_eq!(next, Command::Read(stack(2)));
    let settled = Reading {
        lease: NodesLease::Final,
        ..reading(2)
    };
    let next = refill.step(Event::Read(settled), &mut promises);
    assert_eq!(next, Command::Read(stack(1)));
    let open = Reading {
        lease: NodesLease::Open(units(200)),
        room: units(30),
        ..reading(1)
    };
    let end = refill.step(Event::Read(open), &mut promises);
    assert_eq!(
        end,
        Command::Grant(grant(1, WANTED, 200 + WANTED)),
        "no crumbs"
    );
}

/// A stack of so many units, of which the node has 8,000 and has used all but 3.
fn large(n: u8, total: u64) -> Reading {
    Reading {
        lease: NodesLease::Open(units(8_000)),
        room: units(3),
        total_units: units(total),
        ..reading(n)
    }
}

#[test]
fn of_a_users_own_stack_the_last_units_are_granted_before_anything_is_paid() {
    for (total, more) in [(20_000, 1_000), (8_090, 90), (8_070, 70), (8_004, 4)] {
        let mut refill = refill_of(&[1], true);
        let end = refill.step(Event::Read(large(1, total)), &mut Promises::default());
        assert_eq!(end, Command::Grant(grant(1, more, 8_000 + more)));
    }
    // a stack that has room is used as it is
    let room = Reading {
        room: units(7),
        ..large(1, 8_000)
    };
    let end = refill_of(&[1], true).step(Event::Read(room), &mut Promises::default());
    assert_eq!(end, Command::Use(stack(1)));
}

#[test]
fn a_users_own_stack_is_topped_up_only_where_no_other_one_has_enough() {
    let mut promises = Promises::default();
    let mut older_has_enough = refill_of(&[1, 2], true);
    assert_eq!(older_has_enough.begin(), Command::Read(stack(2)));
    let next = older_has_enough.step(Event::Read(large(2, 8_000)), &mut promises);
    assert_eq!(next, Command::Read(stack(1)));
    let end = older_has_enough.step(Event::Read(large(1, 8_500)), &mut promises);
    assert_eq!(end, Command::Grant(grant(1, 500, 8_500)));

    // the newest one is, by a whole stack, or by the least that will do, or another stack is bought
    let mut none_has = refill_of(&[1, 2], true);
    none_has.begin();
    none_has.step(Event::Read(large(2, 8_000)), &mut promises);
    let whole = Payment::TopUp(units(STACK), grant(2, 1_000, 9_000));
    let next = none_has.step(Event::Read(large(1, 8_000)), &mut Promises::default());
    assert_eq!(next, Command::Knock(whole));
    let least = Payment::TopUp(units(4), grant(2, 4, 8_004));
    assert_eq!(none_has.instead_of(whole), Some(least));
    let another = Payment::Stack(units(STACK));
    assert_eq!(none_has.instead_of(least), Some(another));
    assert_eq!(none_has.instead_of(another), None);
    let end = none_has.step(Event::Bought(reading(3)), &mut promises);
    assert_eq!(end, Command::Grant(grant(3, WANTED, WANTED)));
}

#[test]
fn what_is_promised_to_others_is_topped_up_for() {
    let (mut refill, mut promises) = (refill(&[1]), Promises::default());
    promises.adopt(stack(1), [(node(2), units(600)), (node(3), units(350))]);
    let planned = grant(1, WANTED, WANTED);
    // 50 are lacking, and a top-up has the size of a stack at least
    let payment = Payment::TopUp(units(STACK), planned);
    let next = refill.step(Event::Read(reading(1)), &mut promises);
    assert_eq!(next, Command::Knock(payment));
    assert_eq!(
        promises.to(stack(1), node(1)),
        units(0),
        "nothing is promised before it is paid"
    );
    let next = refill.step(Event::Answered(payment), &mut promises);
    assert_eq!(next, Command::Pay(payment));
    let end = refill.step(Event::ToppedUp(planned), &mut promises);
    assert_eq!(end, Command::Grant(planned));
}

#[test]
fn a_grant_that_seemed_to_fail_is_never_promised_again() {
    let mut promises = Promises::default();
    let first = refill(&[1]).step(Event::Read(reading(1)), &mut promises);
    assert_eq!(first, Command::Grant(grant(1, WANTED, WANTED)));
    // the node may have it or not: the next grant comes to the same sum
    let again = refill(&[1]).step(Event::Read(reading(1)), &mut promises);
    assert_eq!(again, first);
    let late = Reading {
        lease: NodesLease::Open(units(WANTED)),
        room: units(WANTED),
        ..reading(1)
    };
    let end = refill(&[1]).step(Event::Read(late), &mut promises);
    assert_eq!(end, Command::Use(stack(1)), "it has arrived after all");
}

#[test]
fn a_lease_is_refilled_at_half_a_grant() {
    assert!(runs_low(units(49), units(WANTED)));
    assert!(!runs_low(units(50), units(WANTED)));
}
