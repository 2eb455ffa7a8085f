/// Examinations of answers by attesters, juries over them, and challenges.
///
/// ```text
/// settle -- draw (32 bytes) --> miss --> payable
///                          `--> hit -- examine --> disclose -- verdict --> ok --> payable
///                                        ^            | late      | bad
///                                        `- silent    v           v
///                                         conviction <-- guilty -- jury --> payable
/// challenge (owner or watcher, bond) -----------------------------^
/// ```
///
/// Whoever is drawn acts through the stack alone; ends load the task, where attesters' deposits lie.
///
/// `draw`, `examine` and `jury` are private, so that no module can look at the draw and abort, and cost the same gas
/// for every seed, so that no budget can: `xtask/move/gas.mjs` measures it.
module atoma::audit;

use atoma::bytes32::Bytes32;
use atoma::dispute;
use atoma::draw;
use atoma::duties;
use atoma::evidence;
use atoma::exam::{Self, Auditor};
use atoma::jury::{Self, Outcome, Verdict};
use atoma::lease;
use atoma::money;
use atoma::node::Node;
use atoma::stack::{Self, Stack};
use atoma::task::Task;
use sui::balance::Balance;
use sui::clock::Clock;
use sui::coin::Coin;
use sui::event;
use sui::random::Random;
use usdc::usdc::USDC;

/// The ticket's draw was made already.
const ENotUndrawn: u64 = 750;
/// The ticket was not drawn, or its examiner was.
const ENotDrawn: u64 = 751;
/// The draw did not hit the ticket.
const EMissed: u64 = 752;
/// Nothing is to be disclosed now.
const ENotDisclosing: u64 = 753;
/// The examiner does not work now.
const ENotExamining: u64 = 754;
/// The time for the verdict is over.
const EVerdictTooLate: u64 = 756;
/// The attesters may still act.
const EVerdictTimeNotOver: u64 = 757;
/// Nobody has called for a jury.
const EJuryNotCalled: u64 = 758;
/// The jury is drawn already.
const EJurySits: u64 = 759;
/// The record is not disclosed, or this juror has committed, or the time is over.
const ENotCommitting: u64 = 761;
/// Commitments are still taken, or this juror has none or has revealed it, or the time is over.
const ENotRevealing: u64 = 762;
/// Verdict and salt do not make the commitment.
const EWrongReveal: u64 = 763;
/// The bond must be exactly what the stack's terms ask for this ticket.
const EWrongBond: u64 = 765;
/// There must be one wrapped key for each attester, and at most 256 bytes each.
const EWrapsInvalid: u64 = 767;

/// Bytes of a wrapped key: an ephemeral key, the keys of two bodies, and a tag need 112.
const MAX_WRAP: u64 = 256;

/// It is known whether a ticket is examined.
public struct TicketDrawn has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    seed: Bytes32,
    hit: bool,
}

/// The node must disclose to the examiner.
public struct ExaminerDrawn has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    unit: u64,
    examiner: ID,
    deadline_ms: u64,
}

/// Nobody was there to examine; the due goes to the owner.
public struct Unexamined has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
}

/// The examiner can work.
public struct Disclosed has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    examiner: ID,
    seq: u64,
    record: vector<u8>,
    wrap: vector<u8>,
    deadline_ms: u64,
}

/// The examiner has looked.
public struct VerdictGiven has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    examiner: ID,
    bad: bool,
}

/// The owner accuses the node.
public struct Challenged has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    bond: u64,
    unit: Option<u64>,
}

/// The node must disclose to a jury.
public struct JuryDrawn has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    challenge: bool,
    unit: u64,
    nodes: vector<ID>,
    deadline_ms: u64,
}

/// The jury can work.
public struct DisclosedToJury has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    challenge: bool,
    seq: u64,
    record: vector<u8>,
    wraps: vector<vector<u8>>,
    deadline_ms: u64,
}

/// A juror has committed to a verdict.
public struct Committed has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    challenge: bool,
    juror: ID,
}

/// What it found.
public struct Revealed has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    challenge: bool,
    juror: ID,
    verdict: Verdict,
}

/// A jury is done.
public struct JuryDecided has copy, drop {
    stack: ID,
    node: ID,
    ticket: u64,
    challenge: bool,
    outcome: Outcome,
}

// === the examination ===

/// Stores the beacon's bytes, and does nothing else: whoever calls can't tell from its outcome whether to let it
/// count. Anyone may.
entry fun draw(stack: &mut Stack, holder: ID, ticket: u64, random: &Random, ctx: &mut TxContext) {
    let seed = stack::seed(random, ctx);
    draw_by_seed(stack, holder, ticket, seed);
}

fun draw_by_seed(self: &mut Stack, holder: ID, ticket: u64, seed: Bytes32) {
    self.assert_current();
    let permille = self.terms().sampling().sample_permille();
    let open = self.ticket_mut(holder, ticket);
    assert!(open.exam().is_undrawn(), ENotUndrawn);
    open.set_exam(exam::drawn(seed));
    let hit = draw::is_hit(&seed, permille);
    event::emit(TicketDrawn { stack: object::id(self), node: holder, ticket, seed, hit });
}

/// Draws the examiner of a ticket that was hit, or the next one after a silent one. Anyone may.
entry fun examine(
    stack: &mut Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let seed = stack::seed(random, ctx);
    examine_by_seed(stack, task, holder, ticket, seed, clock);
}

fun examine_by_seed(
    self: &mut Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    seed: Bytes32,
    clock: &Clock,
) {
    self.assert_current();
    task.assert_current();
    self.assert_task(task);
    let now = clock.timestamp_ms();
    let (unit, silent, seq, again) = due(self, task, holder, ticket, now);
    let stack = object::id(self);
    let examiner = if (again) option::none()
    else draw_examiner(self, task, holder, &silent, &seed);
    let deadline_ms = money::saturating_add(now, self.terms().answer_window_ms());
    let open = self.ticket_mut(holder, ticket);
    if (examiner.is_some()) {
        let examiner = examiner.destroy_some();
        open.set_exam(exam::examined_by(unit, examiner, silent, seq, deadline_ms));
        event::emit(ExaminerDrawn {
            stack,
            node: holder,
            ticket,
            unit,
            examiner: examiner.node(),
            deadline_ms,
        });
    } else {
        open.set_exam(exam::unexamined());
        event::emit(Unexamined { stack, node: holder, ticket });
    }
}

/// The unit to be examined, who was silent about it, the `seq` that they were shown, and whether they weren't the first.
/// Nobody is struck off yet: what no one can read proves nothing about who was shown it.
fun due(
    self: &Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    now: u64,
): (u64, Option<Auditor>, u64, bool) {
    let permille = self.terms().sampling().sample_permille();
    let open = self.ticket(holder, ticket);
    let seed = open.exam().seed();
    if (seed.is_some()) {
        let seed = seed.destroy_some();
        assert!(draw::is_hit(&seed, permille), EMissed);
        return (draw::unit(&seed, open.from_units(), open.to_units()), option::none(), 0, false)
    };
    let hit = open.hit();
    assert!(hit.is_some(), ENotDrawn);
    let hit = hit.destroy_some();
    assert!(hit.is_examining(), ENotDrawn);
    assert!(now > hit.deadline_ms(), EVerdictTimeNotOver);
    task.end_duty(hit.examiner().node());
    (hit.unit(), option::some(hit.examiner()), hit.seq(), hit.silent().is_some())
}

fun draw_examiner(
    self: &Stack,
    task: &mut Task,
    holder: ID,
    silent: &Option<Auditor>,
    seed: &Bytes32,
): Option<Auditor> {
    let sampling = self.terms().sampling();
    let mut but = vector[self.lease_of(holder).owner(), self.owner()];
    silent.do_ref!(|silent| but.push_back(silent.owner()));
    let weights = task.examining_weights(self.created_at_ms(), sampling.examiner_fine(), &but);
    if (!draw::suffice(&weights, 1)) return option::none();
    option::some(task.pick(seed, weights, 1)[0])
}

/// The node shows the examined record to its examiner, with its bodies' keys wrapped. What a wrap holds the ledger can't
/// see; whoever opens one makes the others again, so that garbage for one and good keys for others convict.
public fun disclose(
    self: &mut Stack,
    holder: ID,
    ticket: u64,
    record: vector<u8>,
    proof: vector<u8>,
    wrap: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    let window = self.terms().sampling().verdict_window_ms();
    let now = clock.timestamp_ms();
    let hit = self.ticket(holder, ticket).hit();
    assert!(hit.is_some(), ENotDisclosing);
    let hit = hit.destroy_some();
    assert!(hit.is_disclosing(), ENotDisclosing);
    dispute::assert_in_time(now, hit.deadline_ms());
    assert!(is_wrap(&wrap), EWrapsInvalid);
    let seq = shown(self, holder, ticket, hit.unit(), &record, &proof, ctx);
    if (hit.seq() != 0) evidence::assert_same(hit.seq(), seq);
    let deadline_ms = money::saturating_add(now, window);
    self.ticket_mut(holder, ticket).set_exam(hit.disclosed(seq, deadline_ms));
    event::emit(Disclosed {
        stack: object::id(self),
        node: holder,
        ticket,
        examiner: hit.examiner().node(),
        seq,
        record,
        wrap,
        deadline_ms,
    });
}

/// The examiner says whether something is wrong. If so a jury is called, which the examiner pays in advance in case it
/// finds nothing: a troll forces nobody to work for free, however often it accuses at once. What is wrong it doesn't say,
/// or jurors could echo it and not look.
public fun verdict(
    self: &mut Stack,
    holder: ID,
    ticket: u64,
    bad: bool,
    bond: Coin<USDC>,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    let fine = self.terms().sampling().examiner_fine();
    let stack = object::id(self);
    let open = self.ticket_mut(holder, ticket);
    let hit = open.hit();
    assert!(hit.is_some(), ENotExamining);
    let hit = hit.destroy_some();
    assert!(hit.is_examining(), ENotExamining);
    let examiner = hit.examiner();
    jury::assert_acts_for(&examiner, ctx.sender());
    assert!(clock.timestamp_ms() <= hit.deadline_ms(), EVerdictTooLate);
    let staked = bond.value();
    assert!(if (bad) staked >= fine else staked == 0, EWrongBond);
    open.stake_on_exam(bond.into_balance());
    open.set_exam(hit.judged(bad));
    event::emit(VerdictGiven { stack, node: holder, ticket, examiner: examiner.node(), bad });
}

// === challenges and juries ===

/// Challenges a ticket, once, straight before a jury; who accuses pays the jury if it is wrong itself. Where one
/// differing bit is proof, the owner names the unit; where honest answers differ a little, the unit is drawn with
/// the jury, for the worst of many honest ones would be found guilty.
public fun challenge(
    self: &mut Stack,
    holder: ID,
    ticket: u64,
    bond: Coin<USDC>,
    unit: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    self.assert_eyes(ctx);
    let open = self.ticket(holder, ticket);
    let value = self.lease_of(holder).value(open.from_units(), open.to_units());
    let amount = bond.value();
    assert!(amount >= self.terms().sampling().bond(value), EWrongBond);
    dispute::assert_window(clock.timestamp_ms(), open.deadline_ms());
    open.assert_unchallenged();
    let unit = if (self.engine().is_tolerant()) {
        option::none()
    } else {
        lease::assert_claims(open, unit);
        option::some(unit)
    };
    let stack = object::id(self);
    self.ticket_mut(holder, ticket).set_challenge(jury::challenge(bond.into_balance(), unit));
    event::emit(Challenged { stack, node: holder, ticket, bond: amount, unit });
}

/// Draws the jury that a bad verdict or a challenge called for: others than the examiner, of other owners than the
/// parties. Where fewer are there, all of them sit; if they are no quorum, the accusation is dropped and costs nobody
/// anything. Anyone may.
entry fun jury(
    stack: &mut Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    challenge: bool,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let seed = stack::seed(random, ctx);
    jury_by_seed(stack, task, holder, ticket, challenge, seed, clock);
}

fun jury_by_seed(
    self: &mut Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    challenge: bool,
    seed: Bytes32,
    clock: &Clock,
) {
    self.assert_current();
    task.assert_current();
    self.assert_task(task);
    let unit = called(self, holder, ticket, challenge, &seed);
    let mut but = vector[self.lease_of(holder).owner(), self.owner()];
    self.ticket(holder, ticket).hit().do!(|hit| but.push_back(hit.examiner().owner()));
    let terms = *self.terms();
    let weights = task.examining_weights(self.created_at_ms(), terms.sampling().juror_fine(), &but);
    // one that resigns in time makes a jury smaller, and saves nobody from it
    let count = terms.sampling().jury_size().min(draw::able(&weights));
    let stack = object::id(self);
    if (count >= terms.sampling().jury_quorum()) {
        let deadline_ms = money::saturating_add(clock.timestamp_ms(), terms.answer_window_ms());
        let seated = jury::seat(unit, task.pick(&seed, weights, count), deadline_ms);
        self.ticket_mut(holder, ticket).set_jury(challenge, seated);
        event::emit(JuryDrawn {
            stack,
            node: holder,
            ticket,
            challenge,
            unit,
            nodes: seated.nodes(),
            deadline_ms,
        });
    } else {
        // nobody is there to judge: nobody was wrong, and who accused has its bond back
        let back = drop_accusation(self, holder, ticket, challenge);
        if (challenge) self.put_free(back) else task.credit(examiner_of(self, holder, ticket), back);
        let outcome = jury::dissolved();
        event::emit(JuryDecided { stack, node: holder, ticket, challenge, outcome });
    }
}

/// The unit that a jury was called to look at.
fun called(self: &Stack, holder: ID, ticket: u64, challenge: bool, seed: &Bytes32): u64 {
    let open = self.ticket(holder, ticket);
    if (challenge) {
        assert!(open.is_challenged(), EJuryNotCalled);
        assert!(open.jury(true).is_none(), EJurySits);
        let drawn = draw::unit(seed, open.from_units(), open.to_units());
        return open.challenge().borrow().challenged_unit().destroy_or!(drawn)
    };
    let hit = open.hit();
    assert!(hit.is_some(), EJuryNotCalled);
    let hit = hit.destroy_some();
    assert!(hit.is_accused(), EJuryNotCalled);
    assert!(open.jury(false).is_none(), EJurySits);
    hit.unit()
}

/// Ends a challenge, or an examination's jury, without a conviction; the accuser's bond.
fun drop_accusation(self: &mut Stack, holder: ID, ticket: u64, challenge: bool): Balance<USDC> {
    let open = self.ticket_mut(holder, ticket);
    if (challenge) open.end_challenge() else open.clear_exam()
}

fun examiner_of(self: &Stack, holder: ID, ticket: u64): ID {
    self.ticket(holder, ticket).hit().destroy_some().examiner().node()
}

/// The node shows the record to the jury, with its bodies' keys wrapped for each juror in their order.
public fun disclose_jury(
    self: &mut Stack,
    holder: ID,
    ticket: u64,
    challenge: bool,
    record: vector<u8>,
    proof: vector<u8>,
    wraps: vector<vector<u8>>,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    let window = self.terms().sampling().verdict_window_ms();
    let now = clock.timestamp_ms();
    let mut sitting = self.ticket(holder, ticket).sitting(challenge);
    assert!(!sitting.is_disclosed(), ENotDisclosing);
    dispute::assert_in_time(now, sitting.deadline_ms());
    let wrapped = wraps.length() == sitting.size()
        && wraps.all!(|wrap| is_wrap(wrap));
    assert!(wrapped, EWrapsInvalid);
    let seq = shown(self, holder, ticket, sitting.unit(), &record, &proof, ctx);
    let hit = self.ticket(holder, ticket).hit();
    // the jury judges what the examiner saw, not another record that covers the unit, too
    if (!challenge && hit.is_some()) evidence::assert_same(hit.destroy_some().seq(), seq);
    let deadline_ms = money::saturating_add(now, window);
    sitting.disclosed(seq, deadline_ms, money::saturating_add(deadline_ms, window));
    self.ticket_mut(holder, ticket).set_jury(challenge, sitting);
    event::emit(DisclosedToJury {
        stack: object::id(self),
        node: holder,
        ticket,
        challenge,
        seq,
        record,
        wraps,
        deadline_ms,
    });
}

/// A juror fixes its verdict: nobody sees another's before their own is fixed.
public fun commit(
    self: &mut Stack,
    holder: ID,
    ticket: u64,
    challenge: bool,
    juror: ID,
    commitment: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    let commitment = jury::read_digest(commitment);
    let stack = object::id(self);
    let open = self.ticket_mut(holder, ticket);
    let mut sitting = open.sitting(challenge);
    assert!(sitting.is_committing(clock.timestamp_ms()), ENotCommitting);
    let seat = sitting.own_seat(juror, ctx.sender());
    assert!(seat.committed().is_none(), ENotCommitting);
    seat.commit(commitment);
    open.set_jury(challenge, sitting);
    event::emit(Committed { stack, node: holder, ticket, challenge, juror });
}

/// A juror shows it, once all have committed or the time for it is over.
public fun reveal(
    self: &mut Stack,
    holder: ID,
    ticket: u64,
    challenge: bool,
    juror: ID,
    verdict: u8,
    digest: vector<u8>,
    salt: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    let verdict = jury::verdict(verdict, digest);
    let salt = jury::read_digest(salt);
    let stack = object::id(self);
    let open = self.ticket_mut(holder, ticket);
    let mut sitting = open.sitting(challenge);
    assert!(sitting.is_revealing(clock.timestamp_ms()), ENotRevealing);
    let seat = sitting.own_seat(juror, ctx.sender());
    assert!(seat.committed().is_some() && !seat.has_revealed(), ENotRevealing);
    let expected = jury::commitment(stack, holder, ticket, challenge, juror, &verdict, salt);
    assert!(seat.committed().contains(&expected), EWrongReveal);
    seat.reveal(verdict);
    open.set_jury(challenge, sitting);
    event::emit(Revealed { stack, node: holder, ticket, challenge, juror, verdict });
}

/// Ends a jury, once all have revealed or the time for it is over. Anyone may.
public fun decide(
    self: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    ticket: u64,
    challenge: bool,
    clock: &Clock,
) {
    self.assert_parties(task, node);
    let holder = object::id(node);
    let sampling = *self.terms().sampling();
    let open = self.ticket(holder, ticket);
    let sitting = open.sitting(challenge);
    let now = clock.timestamp_ms();
    assert!(sitting.is_over(now), EVerdictTimeNotOver);
    let (outcome, winning) = sitting.count(sampling.jury_quorum());
    let (winners, losers) = sitting.sides(winning);
    event::emit(JuryDecided { stack: object::id(self), node: holder, ticket, challenge, outcome });
    // where nobody said anything, the record may be what nobody can read
    if (!sitting.voters().is_empty()) sitting.silent().do!(|silent| task.strike(silent));
    let hung = outcome.is_hung();
    if (!hung) {
        losers.do!(|loser| {
            let fine = task.charge(loser, sampling.juror_fine());
            task.put_fee(fine);
        });
    };
    let hit = open.hit();
    if (outcome.is_guilty()) {
        // it found bad the very record that the examiner passed
        let contradicts = challenge
            && hit.is_some_and!(|hit| hit.has_passed() && hit.seq() == sitting.seq());
        let contradict = if (contradicts) option::some(ticket) else option::none();
        let fee = sampling.attest_fee();
        let refund = sampling.refund(open.staked(challenge));
        dispute::convict_by_jury(self, task, node, challenge, winners, fee, contradict, refund, now);
        return
    };

    // who accused it pays the jurors
    let mut pot = drop_accusation(self, holder, ticket, challenge);
    if (!challenge && hung) task.credit(examiner_of(self, holder, ticket), pot.withdraw_all());
    // of a hung jury both sides did their work
    let paid = if (hung) sitting.voters() else winners;
    paid.do!(|juror| {
        let fee = money::take_up_to(&mut pot, sampling.attest_fee());
        task.credit(juror, fee)
    });
    if (challenge && hung) self.put_free(pot) else task.put_fee(pot);
    duties::free(task, &sitting);
}

/// Convicts a node that left an examiner or a jury without the record. Anyone may.
public fun undisclosed(self: &mut Stack, task: &mut Task, node: &mut Node, clock: &Clock) {
    self.assert_parties(task, node);
    let now = clock.timestamp_ms();
    let lease = self.lease_of(object::id(node));
    lease.assert_has_tickets();
    let overdue = lease.tickets().any!(|ticket| {
        ticket.hit().is_some_and!(|hit| hit.is_overdue(now))
            || ticket.jury(false).is_some_and!(|jury| jury.is_overdue(now))
            || ticket.jury(true).is_some_and!(|jury| jury.is_overdue(now))
    });
    dispute::assert_time_over(overdue);
    dispute::convict_undisclosed(self, task, node, now);
}

// === inside ===

fun is_wrap(wrap: &vector<u8>): bool { !wrap.is_empty() && wrap.length() <= MAX_WRAP }

/// Who discloses must be the node's owner: a wrap is its word.
fun shown(
    self: &Stack,
    holder: ID,
    ticket: u64,
    unit: u64,
    record: &vector<u8>,
    proof: &vector<u8>,
    ctx: &TxContext,
): u64 {
    self.lease_of(holder).assert_owner(ctx);
    evidence::show(self, holder, ticket, unit, record, proof)
}

#[test_only]
public(package) fun draw_for_testing(
    stack: &mut Stack,
    holder: ID,
    ticket: u64,
    seed: vector<u8>,
) {
    draw_by_seed(stack, holder, ticket, atoma::bytes32::read(seed).destroy_some());
}

#[test_only]
public(package) fun examine_for_testing(
    stack: &mut Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    seed: vector<u8>,
    clock: &Clock,
) {
    examine_by_seed(
        stack,
        task,
        holder,
        ticket,
        atoma::bytes32::read(seed).destroy_some(),
        clock,
    );
}

#[test_only]
public(package) fun jury_for_testing(
    stack: &mut Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    challenge: bool,
    seed: vector<u8>,
    clock: &Clock,
) {
    jury_by_seed(
        stack,
        task,
        holder,
        ticket,
        challenge,
        atoma::bytes32::read(seed).destroy_some(),
        clock,
    );
}

#[test_only]
/// The entry functions themselves, with the beacon.
public(package) fun draw_by_beacon_for_testing(
    stack: &mut Stack,
    holder: ID,
    ticket: u64,
    random: &Random,
    ctx: &mut TxContext,
) {
    draw(stack, holder, ticket, random, ctx);
}

#[test_only]
public(package) fun examine_by_beacon_for_testing(
    stack: &mut Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    examine(stack, task, holder, ticket, random, clock, ctx);
}

#[test_only]
public(package) fun jury_by_beacon_for_testing(
    stack: &mut Stack,
    task: &mut Task,
    holder: ID,
    ticket: u64,
    challenge: bool,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    jury(stack, task, holder, ticket, challenge, random, clock, ctx);
}
