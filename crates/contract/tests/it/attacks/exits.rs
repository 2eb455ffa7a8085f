//! Ways out that were closed.

use super::Tale;
use crate::world::*;
use atoma_contract::Object;
use atoma_types::chain::{AbortCode, Event, LOCALNET_DB, Verdict};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "b11_a_node_is_paid_day_by_day_and_goes_on",
        b11_a_node_is_paid_day_by_day_and_goes_on,
    ),
    (
        "b12_exits_of_this_version_work_beside_a_newer_database",
        b12_exits_of_this_version_work_beside_a_newer_database,
    ),
    (
        "an_object_of_another_version_is_closed_to_this_one",
        an_object_of_another_version_is_closed_to_this_one,
    ),
    (
        "c1_what_a_node_must_do_in_time_touches_its_stack_alone",
        c1_what_a_node_must_do_in_time_touches_its_stack_alone,
    ),
    (
        "a_ticket_that_is_examined_holds_up_no_settlement",
        a_ticket_that_is_examined_holds_up_no_settlement,
    ),
    (
        "a_small_ticket_is_no_plea_for_a_large_one",
        a_small_ticket_is_no_plea_for_a_large_one,
    ),
    (
        "a_stack_that_is_closed_early_leaves_its_nodes_a_day",
        a_stack_that_is_closed_early_leaves_its_nodes_a_day,
    ),
];

/// B11. Edition 1: a settlement closed the lease, so nobody settled early: 20 hours served, one hour away, everything forfeit.
#[test]
fn b11_a_node_is_paid_day_by_day_and_goes_on() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut call = w.acquire_call(task, 50 * USDC, PRICE, 0);
    call.lifetime_ms.0 = 10 * DAY;
    let stack = bought(&w.ok(USER, call));
    w.grant(OPERATOR, stack, node, 50 * USDC);
    let mut chain = Chain::new(stack, node, USER, OPERATOR);
    for day in 1..=5 {
        chain.serve(&w, USDC);
        w.settle(&chain);
        w.now += DAY + 1;
        let call = w.claim_call(stack, node);
        w.ok(STRANGER, call);
        chain.paid();
        assert_eq!(w.lease_of(stack, node).paid_units.0, day * USDC);
    }
    chain.serve(&w, 7 * USDC);
    w.now += 30 * DAY;
    w.refused(OPERATOR, chain.settle_call(), AbortCode::DeadlinePassed);
    w.ok(STRANGER, expire_call(stack, node));
    // what it had not settled in a month is the owner's, and nothing else is lost
    assert_eq!(w.free(stack), 45 * USDC);
    assert_eq!(w.collateral(node), 1_000 * USDC);
}

/// B12. Edition 1: after an upgrade, exits of the old version aborted on the migrated database: every node had an hour to upgrade.
#[test]
fn b12_exits_of_this_version_work_beside_a_newer_database() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, USDC);
    let mut guilty = w.leased(OPERATOR, task, node, USDC);
    chain.serve(&w, 1_000);
    guilty.serve(&w, 1_000);
    w.settle(&guilty);
    w.edit(LOCALNET_DB, |object| match object {
        Object::Db(db) => db.version = 2,
        _ => panic!("not the database"),
    });
    let stack = chain.stack;
    w.settle(&chain);
    let call = w.demand_call(stack, node, 1);
    w.ok(USER, call);
    w.ok(OPERATOR, answer_call(&chain, 1));
    w.silence(&guilty, 0);
    let call = w.claim_call(stack, node);
    w.ok(STRANGER, call);
    w.ok(OPERATOR, release_call(stack, node, 2_000));
    w.ok(USER, begin_close_call(stack));
    w.now += DAY + 1;
    w.ok(STRANGER, expire_call(stack, node));
    w.ok(USER, withdraw_stack_call(stack, USER));
    w.ok(OPERATOR, withdraw_node_call(node, OPERATOR));
    // new business asks the database
    let call = w.acquire_call(task, 1_000, PRICE, 0);
    w.refused(USER, call, AbortCode::WrongVersion);
}

/// An earlier design: the old version's `claim` was called on an object that the new one had taken over.
#[test]
fn an_object_of_another_version_is_closed_to_this_one() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, USDC);
    chain.serve(&w, 1_000);
    w.settle(&chain);
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, node);
    for id in [chain.stack.0, task.0, node.0] {
        let mut w = w.clone();
        w.edit(id, |object| match object {
            Object::Stack(stack) => stack.version = 2,
            Object::Task(task) => task.version = 2,
            Object::Node(node) => node.version = 2,
            _ => panic!("none of them"),
        });
        w.refused(STRANGER, call.clone(), AbortCode::WrongVersion);
    }
    w.ok(STRANGER, call);
}

/// C. Edition 1: `settle` and `answer` took the database for its version alone, so that floods of registrations held them up. Now what has a
/// deadline for a node touches the stack alone.
#[test]
fn c1_what_a_node_must_do_in_time_touches_its_stack_alone() {
    use atoma_types::chain::{ArgKind, Call, ObjectKind};
    for (module, name) in [
        ("settlement", "settle"),
        ("dispute", "answer"),
        ("audit", "disclose"),
        ("audit", "disclose_jury"),
        ("audit", "verdict"),
        ("audit", "commit"),
        ("audit", "reveal"),
    ] {
        let function = Call::spec(atoma_types::chain::Package::Atoma, module, name).unwrap();
        let objects: Vec<_> = function
            .args
            .iter()
            .filter_map(|(_, kind)| match kind {
                ArgKind::Mutable(kind) | ArgKind::Read(kind) => Some(*kind),
                _ => None,
            })
            .collect();
        assert_eq!(objects, [ObjectKind::Stack], "{module}::{name}");
    }
    // and no exit reads the database
    for (module, name) in [
        ("settlement", "claim"),
        ("settlement", "expire"),
        ("dispute", "silence"),
        ("audit", "decide"),
        ("stack", "release"),
        ("stack", "revoke"),
        ("stack", "withdraw"),
        ("node", "begin_unbonding"),
        ("node", "leave"),
        ("node", "withdraw"),
        ("task", "resign"),
    ] {
        let function = Call::spec(atoma_types::chain::Package::Atoma, module, name).unwrap();
        let reads = |(_, kind): &(&str, ArgKind)| {
            matches!(
                kind,
                ArgKind::Mutable(ObjectKind::Db) | ArgKind::Read(ObjectKind::Db)
            )
        };
        assert!(!function.args.iter().any(reads), "{module}::{name}");
    }
    // nor does a call change anything else, whatever else is stopped
    let (mut w, _, chain) = super::examiners::sampled(10);
    let pause = w.set_param_call("paused", 1);
    w.ok(ADMIN, pause);
    let (stack, node, seq) = (chain.stack, chain.node, chain.seq);
    let alone = |changes: atoma_contract::Changes| {
        let written: Vec<_> = changes.written.keys().copied().collect();
        assert_eq!(written, [stack.0]);
    };
    alone(w.ok(OPERATOR, chain.settle_call()));
    let demand = w.demand_call(stack, node, 5);
    w.ok(USER, demand);
    alone(w.ok(OPERATOR, answer_call(&chain, 5)));
    w.draw(&chain, true);
    let (unit, examiner) = w.examine(&chain);
    alone(w.ok(OPERATOR, disclose_call(&chain, unit)));
    alone(w.ok(examiner, verdict_call(stack, node, seq, true)));
    let jury = w.jury_call(stack, node, seq, false);
    w.ok(STRANGER, jury);
    let jurors: Vec<_> = w.sitting(&chain, false).jurors.clone();
    let (unit, seats) = (w.sitting(&chain, false).unit.0, jurors.len());
    let disclose = disclose_jury_call(&chain, unit, seats, false);
    alone(w.ok(OPERATOR, disclose));
    let (juror, party) = (jurors[0].auditor.node, w.party(jurors[0].auditor.owner));
    let commit = w.commit_call(&chain, false, juror, &BAD);
    alone(w.ok(party, commit));
    w.now = w.sitting(&chain, false).deadline_ms.0 + 1;
    alone(w.ok(party, reveal_call(&chain, false, juror, &BAD)));
}

/// A rule of these that fell: with one ticket at a time, an owner waited until its node had settled, used the lease on, challenged the
/// ticket and closed the stack: the jury took longer than the grace, and what was served since was lost.
#[test]
fn a_ticket_that_is_examined_holds_up_no_settlement() {
    let (mut w, _, mut chain) = super::examiners::sampled(10);
    w.settle(&chain);
    let first = chain.clone();
    chain.paid();
    chain.serve(&w, 2 * USDC);
    let call = w.challenge_call(first.stack, first.node, 3);
    w.ok(USER, call);
    w.ok(USER, begin_close_call(first.stack));
    w.settle(&chain);
    let mut third = chain.clone();
    third.paid();
    third.serve(&w, 200_000);
    w.refused(OPERATOR, third.settle_call(), AbortCode::TicketOpen);

    let members = w.seated(&first, true);
    w.vote(&first, true, &members, &[Some(Verdict::OK); 7]);
    for chain in [&first, &chain] {
        w.draw(chain, false);
        let call = w.claim_call(chain.stack, chain.node);
        w.ok(STRANGER, call);
    }
    assert_eq!(w.lease_of(chain.stack, chain.node).paid_units.0, 3 * USDC);
}

/// With two tickets open, a conviction on the small one would be a plea for the large one: the fine is for all that is claimed.
#[test]
fn a_small_ticket_is_no_plea_for_a_large_one() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 50 * USDC);
    chain.serve(&w, 40 * USDC);
    w.settle(&chain);
    chain.paid();
    chain.serve(&w, 1);
    w.settle(&chain);
    let (first, second) = super::convictions::twice_for_one_request(&w, &chain);
    let call = w.equivocation_call(chain.stack, node, first, second);
    let changes = w.ok(OPERATOR, call);
    assert_eq!(convictions(&changes)[0].2, 10 * (40 * USDC + 1));
}

/// An owner that closes its stack under a node's hands takes nothing that was served.
#[test]
fn a_stack_that_is_closed_early_leaves_its_nodes_a_day() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, USDC);
    chain.serve(&w, 400_000);
    w.ok(USER, begin_close_call(chain.stack));
    w.now += DAY;
    w.settle(&chain);
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, node);
    let changes = w.ok(STRANGER, call);
    // the grace is over, so that claim ends the lease, too
    let closed = changes.events.iter();
    assert!(
        closed
            .filter(|event| matches!(event, Event::LeaseClosed(_)))
            .count()
            == 1
    );
    assert_eq!(w.earnings(node), 396_000);
    assert_eq!(w.free(chain.stack), 600_000);
}
