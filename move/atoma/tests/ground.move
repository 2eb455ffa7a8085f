/// A ticket on a sampling task with 256 attesters, each of an owner of its own: where draws are tried and measured.
#[test_only]
module atoma::ground;

use atoma::bytes32;
use atoma::db::{AdminCap, AtomaDb};
use atoma::exam::{Self, Exam};
use atoma::lease;
use atoma::node::Node;
use atoma::stack::Stack;
use atoma::task::Task;
use atoma::ticket;
use atoma::world;
use std::unit_test::destroy;
use sui::clock::Clock;
use sui::test_scenario::Scenario;

/// The ticket's `to_seq`.
const TICKET: u64 = 10;

public struct Ground {
    s: Scenario,
    db: AtomaDb,
    cap: AdminCap,
    clock: Clock,
    task: Task,
    node: Node,
    stack: Stack,
}

/// Attesters' weights differ by `step`, so that draws take places everywhere.
public fun new(matured: u64, step: u64): Ground {
    let (mut s, mut db, cap, clock) = world::begin();
    let node = world::node(&mut s, &mut db, &clock);
    let mut task = world::sampling_task(&mut s, &mut db);
    task.fill_for_testing(100_000_000 + matured, step, 8_000_000);
    let mut stack = world::stack(&mut s, &db, &task, &clock);
    let root = bytes32::zero();
    let mut lease = lease::open(&node, 1_000_000);
    lease.set_units(1_000);
    lease.add_ticket(ticket::open(0, 900, 0, TICKET, root, 0, root, option::none(), 0, 1, true));
    stack.add_lease_for_testing(lease);
    Ground { s, db, cap, clock, task, node, stack }
}

public fun scenario(self: &mut Ground): &mut Scenario { &mut self.s }

public fun parts(self: &mut Ground): (&mut Scenario, &mut Stack, &mut Task, ID, u64, &Clock) {
    let id = object::id(&self.node);
    (&mut self.s, &mut self.stack, &mut self.task, id, TICKET, &self.clock)
}

/// A draw that hit.
public fun hit(): Exam {
    let mut byte = 0u8;
    loop {
        let seed = bytes32::read(vector::tabulate!(32, |_| byte)).destroy_some();
        if (atoma::draw::is_hit(&seed, 200)) return exam::drawn(seed);
        byte = byte + 1;
    }
}

public fun seed(number: u64): vector<u8> {
    sui::hash::blake2b256(&std::bcs::to_bytes(&number))
}

public fun end(self: Ground) {
    let Ground { s, db, cap, clock, task, node, stack } = self;
    destroy(s);
    destroy(db);
    destroy(cap);
    destroy(clock);
    destroy(task);
    destroy(node);
    destroy(stack);
}
