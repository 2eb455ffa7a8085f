/// Disputes about a ticket. What makes a node owe an answer is its own settlement: it claims money for each unit
/// under one root, so it must be able to show the record of each. Nothing that a user signs alone can make it owe
/// anything.
///
/// ```text
/// demand (owner or watcher, F) --> answer --> F to the node
///                                    `- silence (late) --.
/// two receipts for one request -- equivocation ----------+--> conviction
/// examined, and not disclosed, or found guilty ----------'
/// ```
module atoma::dispute;

use atoma::duties;
use atoma::evidence;
use atoma::money;
use atoma::node::Node;
use atoma::settlement;
use atoma::stack::Stack;
use atoma::task::Task;
use sui::balance;
use sui::clock::Clock;
use sui::coin::Coin;
use sui::event;

/// The dispute window is over.
const EWindowOver: u64 = 702;
/// The time to answer or disclose is over.
const EAnswerTooLate: u64 = 709;
/// The node may still answer or disclose.
const EAnswerTimeNotOver: u64 = 710;
/// The payment must be exactly the stack's demand_fee.
const EWrongFee: u64 = 720;
/// The two receipts are not two for one request.
const EReceiptsAgree: u64 = 721;
/// The answer must name the blob where the bodies are, or carry them sealed.
const EEvidenceMissing: u64 = 722;
/// The bodies are too long to be carried.
const EEvidenceTooLong: u64 = 723;

/// What fits one plain value of a transaction.
const MAX_BODIES: u64 = 16_000;

/// What a node was convicted of.
public enum Charge has copy, drop {
    /// A demanded record was not shown in time.
    Silence,
    /// Two receipts for one request.
    Equivocation,
    /// An examined record was not disclosed in time.
    Undisclosed,
    /// The jury of an examination found it guilty.
    Examined,
    /// The jury of a challenge found it guilty.
    Challenged,
}

/// Jurors whom a conviction pays, and what each gets.
public struct Verdicts has drop {
    /// The jurors on the winning side.
    winners: vector<ID>,
    fee: u64,
    /// The ticket whose examiner they contradict.
    contradict: Option<u64>,
    /// What the owner gets back of what was claimed, at most.
    refund: u64,
}

/// A record must be shown.
public struct RecordDemanded has copy, drop {
    stack: ID,
    node: ID,
    unit: u64,
    deadline_ms: u64,
}

/// It was.
public struct DemandAnswered has copy, drop {
    stack: ID,
    node: ID,
    unit: u64,
    /// The record's `seq`.
    seq: u64,
    /// The record itself: a call's arguments can be made within its transaction, out of the sight of who reads that.
    record: vector<u8>,
    /// Where the bodies are stored.
    blob: Option<u256>,
    /// The sealed bodies.
    bodies: vector<u8>,
}

/// A node was convicted; its fine can be pardoned until then.
public struct NodeConvicted has copy, drop {
    stack: ID,
    node: ID,
    charge: Charge,
    /// All that the lease claimed.
    value: u64,
    /// What left the collateral.
    fine: u64,
    /// What of the fine went to jurors.
    jurors: u64,
    /// What became the owner's credit.
    freed: u64,
    /// What of the claim became the treasury's, for no bond stood for it.
    kept: u64,
    /// What it stands to lose, afterwards.
    collateral: u64,
    until_ms: u64,
}

/// The stack's owner, or its watcher, demands to see the record of a unit. The fee is what an answer costs, and the
/// node's: nobody can make it work for nothing, and nobody earns by asking.
public fun demand(
    self: &mut Stack,
    holder: ID,
    unit: u64,
    fee: Coin<usdc::usdc::USDC>,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    self.assert_eyes(ctx);
    let now = clock.timestamp_ms();
    let deadline_ms = money::saturating_add(now, self.terms().answer_window_ms());
    assert!(fee.value() == self.terms().demand_fee(), EWrongFee);
    let lease = self.lease_of_mut(holder);
    let to_seq = lease.claimed_by(unit);
    let ticket = lease.ticket_mut(to_seq);
    assert!(now <= ticket.deadline_ms(), EWindowOver);
    ticket.demand(unit, fee.into_balance(), deadline_ms);
    event::emit(RecordDemanded { stack: object::id(self), node: holder, unit, deadline_ms });
}

/// Shows the record, and says where the bodies are. The ledger can't look into a blob, so it asks for no proof of
/// storage, which would prove that something is stored; who reads it sees, and a jury. Anyone may, for the node.
public fun answer(
    self: &mut Stack,
    holder: ID,
    unit: u64,
    record: vector<u8>,
    proof: vector<u8>,
    blob: vector<u8>,
    bodies: vector<u8>,
    clock: &Clock,
) {
    self.assert_current();
    let blob = settlement::read_blob_id(blob);
    let lease = self.lease_of(holder);
    let to_seq = lease.claimed_by(unit);
    let until = lease.ticket(to_seq).answerable_until(unit);
    assert_in_time(clock.timestamp_ms(), until);
    assert!(blob.is_some() || !bodies.is_empty(), EEvidenceMissing);
    assert!(bodies.length() <= MAX_BODIES, EEvidenceTooLong);
    let seq = evidence::show(self, holder, to_seq, unit, &record, &proof);
    let lease = self.lease_of_mut(holder);
    let fee = lease.ticket_mut(to_seq).answered(unit);
    lease.add_fee(fee);
    event::emit(DemandAnswered { stack: object::id(self), node: holder, unit, seq, record, blob, bodies });
}

/// Ends a demand that nobody answered in time. Anyone may.
public fun silence(
    self: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    unit: u64,
    clock: &Clock,
) {
    self.assert_parties(task, node);
    let lease = self.lease_of(object::id(node));
    let until = lease.ticket(lease.claimed_by(unit)).answerable_until(unit);
    let now = clock.timestamp_ms();
    assert_time_over(now > until);
    convict(self, task, node, Charge::Silence, now);
}

/// Convicts a node by two different receipts for one request, while a ticket of the lease is open. Anyone may.
///
/// Two receipts for one `seq` convict nobody: a node that lost its journal goes on from what the ledger says it was
/// paid for, and so makes a second chain without charging anyone twice.
public fun equivocation(
    self: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    first: vector<u8>,
    first_signature: vector<u8>,
    second: vector<u8>,
    second_signature: vector<u8>,
    clock: &Clock,
) {
    self.assert_parties(task, node);
    let id = object::id(node);
    self.lease_of(id).assert_has_tickets();
    let parties = self.parties(id);
    let one = parties.receipt(&first, &first_signature);
    let other = parties.receipt(&second, &second_signature);
    assert!(one.request_hash() == other.request_hash() && first != second, EReceiptsAgree);
    convict(self, task, node, Charge::Equivocation, clock.timestamp_ms());
}

// === guilt ===

public(package) fun assert_in_time(now: u64, until: u64) {
    assert!(now <= until, EAnswerTooLate);
}

public(package) fun assert_time_over(over: bool) {
    assert!(over, EAnswerTimeNotOver);
}

public(package) fun assert_window(now: u64, until: u64) {
    assert!(now <= until, EWindowOver);
}

/// An examined record was not disclosed in time.
public(package) fun convict_undisclosed(
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    now: u64,
) {
    convict(stack, task, node, Charge::Undisclosed, now);
}

/// A jury found the node guilty; the fine pays it. A jury may be wrong: what was claimed comes back to the owner, who has the
/// answers, only as far as a bond stood for the accusation. The rest is the treasury's.
public(package) fun convict_by_jury(
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    challenge: bool,
    winners: vector<ID>,
    fee: u64,
    contradict: Option<u64>,
    refund: u64,
    now: u64,
) {
    let charge = if (challenge) Charge::Challenged else Charge::Examined;
    let verdicts = Verdicts { winners, fee, contradict, refund };
    convict_by(stack, task, node, charge, verdicts, now);
}

/// Finds the node guilty, where no jury is to be paid.
fun convict(stack: &mut Stack, task: &mut Task, node: &mut Node, charge: Charge, now: u64) {
    let refund = std::u64::max_value!();
    let nobody = Verdicts { winners: vector[], fee: 0, contradict: option::none(), refund };
    convict_by(stack, task, node, charge, nobody, now);
}

/// Finds the node guilty: its tickets are void, the lease is closed with nothing more, and all that was paid for
/// what isn't to come is the owner's credit. The fine leaves the collateral and waits.
fun convict_by(
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    charge: Charge,
    verdicts: Verdicts,
    now: u64,
) {
    let id = object::id(node);
    let terms = *stack.terms();
    // all that is claimed: a cheap ticket is no plea for a dear one
    let value = stack.lease_of(id).claim();
    let amount = terms.fine(value);
    let mut fine = node.take_fine(amount);
    let (tickets, freed) = stack.close_lease(node);
    // closing frees all that was claimed, at least
    let kept = value - value.min(verdicts.refund);
    task.put_fee(stack.take_free(kept));
    let mut bonds = balance::zero();
    tickets.do!(|ticket| {
        let mut ticket = ticket;
        if (terms.samples()) {
            let contradicted = verdicts.contradict.contains(&ticket.to_seq());
            duties::end(task, terms.sampling(), &mut ticket, contradicted);
        };
        ticket.close(&mut bonds);
    });
    // the smallest ticket's fine is enough for a jury
    verdicts.winners.do_ref!(|juror| {
        task.credit(*juror, money::take_up_to(&mut fine, verdicts.fee))
    });
    let jurors = amount - fine.value();
    node.hold_fine(fine, money::saturating_add(now, terms.slash_delay_ms()));
    let returned = bonds.value();
    stack.put_free(bonds);
    node.jail(money::saturating_add(now, terms.jail_ms()));
    task.refresh(node, now);
    event::emit(NodeConvicted {
        stack: object::id(stack),
        node: id,
        charge,
        value,
        fine: amount,
        jurors,
        freed: money::add(freed - kept, returned),
        kept,
        collateral: node.collateral(),
        until_ms: node.pardon_until(),
    });
}
