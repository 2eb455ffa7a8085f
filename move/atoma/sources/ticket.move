/// A claim that waits to be paid, and demands for its records.
module atoma::ticket;

use atoma::bytes32::Bytes32;
use atoma::exam::{Self, Exam, Hit};
use atoma::jury::{Challenge, Jury};
use atoma::money;
use sui::balance::{Self, Balance};
use usdc::usdc::USDC;

/// A demand for this unit is open.
const EAlreadyDemanded: u64 = 704;
/// The ticket has as many open demands as it can hold.
const EDemandsFull: u64 = 705;
/// No demand for this unit is open.
const ENoSuchDemand: u64 = 707;
/// No jury sits.
const ENoJury: u64 = 760;
/// A ticket is challenged once.
const EAlreadyChallenged: u64 = 764;

/// Bounds what a conviction pays back, and what a node must answer at once.
const MAX_DEMANDS: u64 = 8;

/// A claim for the units `[from_units, to_units)` of a lease.
public struct Ticket has store {
    /// Units of the lease that are paid or claimed before.
    from_units: u64,
    /// Units of the lease that would then be paid, earlier ones counted in.
    to_units: u64,
    /// The `seq` of the last receipt before.
    from_seq: u64,
    /// The `seq` of the last receipt; it names the ticket.
    to_seq: u64,
    /// Hash of the last receipt: the next ticket's chain goes on from it.
    last: Bytes32,
    /// The number before the first receipt of its history, at most `from_seq`.
    base: u64,
    /// The root over the receipts before the last one, which it names: records are proved against it.
    history: Bytes32,
    /// Where the manifest of the evidence is stored, if it is.
    manifest_blob: Option<u256>,
    opened_at_ms: u64,
    /// The last moment to demand or challenge; it is paid after it.
    deadline_ms: u64,
    /// Open demands; nothing is paid before the last is answered.
    demands: vector<Demand>,
    exam: Exam,
    /// The jury that a bad verdict of the examiner called.
    exam_jury: Option<Jury>,
    /// What the examiner staked on its accusation; nothing without one, and once the jury is done.
    exam_bond: Balance<USDC>,
    /// The one challenge that a ticket may get.
    challenge: Option<Challenge>,
}

/// A demand to show the record of one unit; it waits for an answer.
public struct Demand has store {
    /// Of all units of the lease.
    unit: u64,
    /// What was paid for it: the node's if it answers, else returned.
    fee: Balance<USDC>,
    /// The last moment to answer.
    deadline_ms: u64,
}

public(package) fun open(
    from_units: u64,
    to_units: u64,
    from_seq: u64,
    to_seq: u64,
    last: Bytes32,
    base: u64,
    history: Bytes32,
    manifest_blob: Option<u256>,
    opened_at_ms: u64,
    deadline_ms: u64,
    samples: bool,
): Ticket {
    Ticket {
        from_units,
        to_units,
        from_seq,
        to_seq,
        last,
        base,
        history,
        manifest_blob,
        opened_at_ms,
        deadline_ms,
        demands: vector[],
        exam: exam::begin(samples),
        exam_jury: option::none(),
        exam_bond: balance::zero(),
        challenge: option::none(),
    }
}

public(package) fun from_units(self: &Ticket): u64 { self.from_units }

public(package) fun to_units(self: &Ticket): u64 { self.to_units }

public(package) fun from_seq(self: &Ticket): u64 { self.from_seq }

public(package) fun to_seq(self: &Ticket): u64 { self.to_seq }

public(package) fun last(self: &Ticket): Bytes32 { self.last }

public(package) fun base(self: &Ticket): u64 { self.base }

public(package) fun history(self: &Ticket): Bytes32 { self.history }

public(package) fun deadline_ms(self: &Ticket): u64 { self.deadline_ms }

/// Whether it claims a unit.
public(package) fun claims(self: &Ticket, unit: u64): bool {
    self.from_units <= unit && unit < self.to_units
}

/// Ends a ticket: fees of its demands and the bond of its challenge go into this balance. The examiner has its own back.
public(package) fun close(self: Ticket, into: &mut Balance<USDC>) {
    let Ticket { demands, challenge, exam_bond, .. } = self;
    exam_bond.destroy_zero();
    demands.do!(|demand| {
        let Demand { fee, .. } = demand;
        money::put(into, fee);
    });
    challenge.do!(|challenge| challenge.void_challenge(into));
}

/// Ends a ticket that is paid: nothing about it is open, so there is no money in it.
public(package) fun close_empty(self: Ticket) {
    let mut nothing = balance::zero();
    self.close(&mut nothing);
    nothing.destroy_zero();
}

// === demands ===

public(package) fun is_demanded(self: &Ticket): bool { !self.demands.is_empty() }

public(package) fun demand(self: &mut Ticket, unit: u64, fee: Balance<USDC>, deadline_ms: u64) {
    assert!(self.place(unit).is_none(), EAlreadyDemanded);
    assert!(self.demands.length() < MAX_DEMANDS, EDemandsFull);
    self.demands.push_back(Demand { unit, fee, deadline_ms });
}

/// The last moment to answer the demand for a unit.
public(package) fun answerable_until(self: &Ticket, unit: u64): u64 {
    let place = self.place(unit);
    assert!(place.is_some(), ENoSuchDemand);
    self.demands[place.destroy_some()].deadline_ms
}

/// Ends the demand for a unit; its fee.
public(package) fun answered(self: &mut Ticket, unit: u64): Balance<USDC> {
    let place = self.place(unit);
    assert!(place.is_some(), ENoSuchDemand);
    let Demand { fee, .. } = self.demands.remove(place.destroy_some());
    fee
}

fun place(self: &Ticket, unit: u64): Option<u64> {
    self.demands.find_index!(|demand| demand.unit == unit)
}

// === examination, juries, challenge ===

public(package) fun exam(self: &Ticket): &Exam { &self.exam }

public(package) fun set_exam(self: &mut Ticket, exam: Exam) { self.exam = exam; }

public(package) fun hit(self: &Ticket): Option<Hit> { self.exam.hit() }

public(package) fun challenge(self: &Ticket): &Option<Challenge> { &self.challenge }

public(package) fun set_challenge(self: &mut Ticket, challenge: Challenge) {
    self.challenge.fill(challenge);
}

public(package) fun assert_unchallenged(self: &Ticket) {
    assert!(self.challenge.is_none(), EAlreadyChallenged);
}

/// Whether a challenge is under way.
public(package) fun is_challenged(self: &Ticket): bool {
    self.challenge.is_some() && !self.challenge.borrow().is_challenge_over()
}

/// The jury that sits, of the challenge or of the examination, if one does.
public(package) fun jury(self: &Ticket, challenge: bool): Option<Jury> {
    if (!challenge) self.exam_jury
    else if (self.challenge.is_some()) *self.challenge.borrow().challenge_jury()
    else option::none()
}

/// The same, which there must be.
public(package) fun sitting(self: &Ticket, challenge: bool): Jury {
    let jury = self.jury(challenge);
    assert!(jury.is_some(), ENoJury);
    jury.destroy_some()
}

public(package) fun set_jury(self: &mut Ticket, challenge: bool, jury: Jury) {
    if (challenge) *self.challenge.borrow_mut().challenge_jury_mut() = option::some(jury)
    else self.exam_jury = option::some(jury);
}

/// Ends a challenge without a conviction; its bond.
public(package) fun end_challenge(self: &mut Ticket): Balance<USDC> {
    self.challenge.borrow_mut().end_challenge()
}

/// The examiner accuses, with a bond.
public(package) fun stake_on_exam(self: &mut Ticket, bond: Balance<USDC>) {
    money::put(&mut self.exam_bond, bond);
}

/// What stands for an accusation, and is lost if its jury acquits. No other's bond counts: of two accusations each would
/// risk its own, and win what both stand for.
public(package) fun staked(self: &Ticket, challenge: bool): u64 {
    if (challenge) self.challenge.borrow().challenge_bond() else self.exam_bond.value()
}

/// What the examiner staked, if it is not yet back.
public(package) fun take_exam_bond(self: &mut Ticket): Balance<USDC> { self.exam_bond.withdraw_all() }

/// Ends an examination's jury without a conviction; the examiner's bond.
public(package) fun clear_exam(self: &mut Ticket): Balance<USDC> {
    self.exam_jury = option::none();
    let hit = self.hit();
    if (hit.is_some()) self.exam = hit.destroy_some().cleared();
    self.take_exam_bond()
}
