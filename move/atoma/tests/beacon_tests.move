/// The entry functions themselves, with the ledger's beacon: the scenarios give the seed.
#[test_only]
module atoma::beacon_tests;

use atoma::audit;
use atoma::stack::{Self, Stack};
use atoma::vectors;
use atoma::world;
use std::unit_test::destroy;

#[test]
fun a_purchase_asks_the_beacon() {
    let (mut s, db, cap, mut clock, mut task, node, other, old) = world::all();
    let beacon = world::beacon(&mut s);
    clock.increment_for_testing(86_400_000);
    task.sync(&node, &clock);
    let payment = world::coin(&mut s, 1_000);
    let (day, key) = (86_400_000, vectors::request_key());
    stack::acquire_by_beacon_for_testing(
        &db,
        &task,
        payment,
        1_000,
        1_000_000,
        1,
        key,
        day,
        &beacon,
        &clock,
        s.ctx(),
    );
    s.next_tx(world::party());
    let stack: Stack = s.take_shared();
    assert!(stack.candidates_for_testing() == vector[object::id(&node)]);
    destroy(s);
    destroy(db);
    destroy(cap);
    destroy(clock);
    destroy(task);
    destroy(node);
    destroy(other);
    destroy(old);
    destroy(stack);
    destroy(beacon);
}

#[test]
fun examiner_and_jury_are_drawn_by_the_beacon() {
    let mut g = atoma::ground::new(0, 0);
    let beacon = world::beacon(g.scenario());
    let (s, stack, task, holder, ticket, clock) = g.parts();
    audit::draw_by_beacon_for_testing(stack, holder, ticket, &beacon, s.ctx());
    assert!(stack.ticket(holder, ticket).exam().seed().is_some());
    stack.ticket_mut(holder, ticket).set_exam(atoma::ground::hit());
    audit::examine_by_beacon_for_testing(stack, task, holder, ticket, &beacon, clock, s.ctx());
    let hit = stack.ticket(holder, ticket).hit().destroy_some();
    stack.ticket_mut(holder, ticket).set_exam(hit.judged(true));
    audit::jury_by_beacon_for_testing(stack, task, holder, ticket, false, &beacon, clock, s.ctx());
    let jury = stack.ticket(holder, ticket).sitting(false);
    assert!(jury.size() == 7 && !jury.nodes().contains(&hit.examiner().node()));
    destroy(beacon);
    g.end();
}
