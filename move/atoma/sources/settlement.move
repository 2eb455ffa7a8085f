/// From what was served to its payment: settle, wait, claim; ticket after ticket, until the lease ends.
module atoma::settlement;

use atoma::bytes32::{Self, Bytes32};
use atoma::duties;
use atoma::money;
use atoma::node::Node;
use atoma::verified::Parties;
use atoma::stack::Stack;
use atoma::task::Task;
use atoma::ticket;
use sui::bcs;
use sui::clock::Clock;
use sui::event;

/// The time to settle is over.
const EDeadlinePassed: u64 = 502;
/// The claim is more than the lease's units.
const EClaimAboveLease: u64 = 503;
/// The claim must go beyond what is paid or claimed, in units and in seq.
const ENothingClaimed: u64 = 504;
/// The count must be the last receipt's seq.
const ECountMismatch: u64 = 505;
/// The claim must be the last receipt's cumulative units.
const EClaimMismatch: u64 = 506;
/// There must be 1 to 60 headers, each with its signature.
const EHeaderCountInvalid: u64 = 512;
/// There must be one header a lane, lanes rising.
const ELanesNotRising: u64 = 519;
/// The claim is more than the ceilings the owner signed.
const EClaimAboveCeilings: u64 = 520;
/// The blob id must have 32 bytes or be empty.
const EManifestInvalid: u64 = 522;
/// The dispute window is still open.
const EWindowNotOver: u64 = 524;
/// The node may still settle.
const EDeadlineNotPassed: u64 = 525;
/// The claim is worth less than the smallest ticket.
const ETicketTooSmall: u64 = 527;
/// The ticket's examination is not over.
const EExamOpen: u64 = 528;
/// The ticket's challenge is not over.
const EChallengeOpen: u64 = 529;
/// The claim does not go on from the last receipt that is paid or claimed.
const EFromMismatch: u64 = 530;
/// The last receipt's history begins after the receipt that the claim goes on from.
const EHistoryTooShort: u64 = 531;
/// A demand is open.
const EDemandOpen: u64 = 708;

/// Lanes of one lease, so headers of one settlement: 60 of 260 bytes and a length each are the 16 KiB that Sui
/// lets one plain value have.
const MAX_LANES: u64 = 60;
const BLOB_ID_BYTES: u64 = 32;

/// A node claims; a ticket is open. Who holds receipts of the lease compares the last one, which no argument of a call shows
/// for sure.
public struct SettlementOpened has copy, drop {
    stack: ID,
    node: ID,
    to_units: u64,
    to_seq: u64,
    last: Bytes32,
    base: u64,
    history: Bytes32,
    last_receipt: vector<u8>,
    receipt_signature: vector<u8>,
    manifest_blob: Option<u256>,
    value: u64,
    deadline_ms: u64,
}

/// A ticket was paid.
public struct Claimed has copy, drop {
    stack: ID,
    node: ID,
    paid_units: u64,
    paid_seq: u64,
    paid: u64,
    /// The protocol's share.
    fee: u64,
    /// What the task's pool got.
    due: u64,
    /// The node's, afterwards.
    reputation: u64,
}

/// A node claims the units up to what its last receipt says, within what the owner signed; the lease goes on.
/// Touches the stack alone, so nobody can hold it up by crowding a task or the database.
public fun settle(
    self: &mut Stack,
    holder: ID,
    from_seq: u64,
    to_units: u64,
    to_seq: u64,
    headers: vector<vector<u8>>,
    header_signatures: vector<vector<u8>>,
    last_receipt: vector<u8>,
    receipt_signature: vector<u8>,
    manifest_blob: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    let manifest_blob = read_blob_id(manifest_blob);
    let now = clock.timestamp_ms();
    let lease = self.lease_of(holder);
    lease.assert_owner(ctx);
    lease.assert_open();
    lease.assert_room();
    assert!(now <= self.settle_deadline(), EDeadlinePassed);
    let from_units = lease.claimed_units();
    assert!(to_units > from_units && to_seq > lease.claimed_seq(), ENothingClaimed);
    // whoever doesn't know of an earlier claim would claim units by records that this one has claimed
    assert!(from_seq == lease.claimed_seq(), EFromMismatch);
    assert!(to_units <= lease.units(), EClaimAboveLease);
    let value = lease.value(from_units, to_units);
    assert!(value >= self.terms().smallest_ticket(), ETicketTooSmall);
    let parties = self.parties(holder);
    let receipt = parties.receipt(&last_receipt, &receipt_signature);
    assert!(receipt.seq() == to_seq, ECountMismatch);
    assert!(receipt.cumulative_units() == to_units, EClaimMismatch);
    // so its history has all records of the claim
    let (base, history) = (receipt.base(), receipt.history());
    assert!(base <= from_seq, EHistoryTooShort);
    let allowed = sum_of_ceilings(&parties, &headers, &header_signatures);
    assert!((to_units as u128) <= allowed, EClaimAboveCeilings);

    let last = bytes32::hash(&last_receipt);
    let deadline_ms = money::saturating_add(now, self.terms().dispute_window_ms());
    let samples = self.terms().samples();
    self
        .lease_of_mut(holder)
        .add_ticket(ticket::open(
            from_units,
            to_units,
            from_seq,
            to_seq,
            last,
            base,
            history,
            manifest_blob,
            now,
            deadline_ms,
            samples,
        ));
    event::emit(SettlementOpened {
        stack: object::id(self),
        node: holder,
        to_units,
        to_seq,
        last,
        base,
        history,
        last_receipt,
        receipt_signature,
        manifest_blob,
        value,
        deadline_ms,
    });
}

/// Pays the first ticket after its window, once nothing about it is open. Anyone may.
public fun claim(self: &mut Stack, task: &mut Task, node: &mut Node, clock: &Clock) {
    self.assert_parties(task, node);
    let now = clock.timestamp_ms();
    let id = object::id(node);
    let lease = self.lease_of(id);
    let ticket = lease.first_ticket();
    assert!(ticket.deadline_ms() < now, EWindowNotOver);
    assert!(!ticket.is_demanded(), EDemandOpen);
    let terms = *self.terms();
    let permille = if (terms.samples()) terms.sampling().sample_permille() else 0;
    assert!(ticket.exam().is_over(permille), EExamOpen);
    assert!(!ticket.is_challenged(), EChallengeOpen);
    let value = lease.value(ticket.from_units(), ticket.to_units());
    let fee = money::permille(value, terms.fee_permille());
    let due = terms.due();
    let before = self.stake(id);

    let mut paid = self.take_escrow(value);
    task.put_fee(money::take(&mut paid, fee));
    let pool = money::take(&mut paid, due);
    let amount = paid.value();
    let mut ticket = self.lease_of_mut(id).pay_first();
    // what was sold as examined and wasn't is the owner's
    if (ticket.exam().is_unexamined()) self.put_free(pool) else task.put_due(pool);
    node.earn(paid);
    node.earn(self.lease_of_mut(id).take_fees());
    node.restake(before, self.stake(id));
    if (terms.samples()) duties::end(task, terms.sampling(), &mut ticket, false);
    node.paid(fee, now);
    task.refresh(node, now);
    event::emit(Claimed {
        stack: object::id(self),
        node: id,
        paid_units: ticket.to_units(),
        paid_seq: ticket.to_seq(),
        paid: amount,
        fee,
        due,
        reputation: node.reputation(),
    });
    ticket.close_empty();
    self.close_if_done(node, now);
}

/// Closes a lease of which nothing more comes: the time to settle is over, or all is paid. Anyone may. An absent
/// node harms itself alone, so it loses nothing else.
public fun expire(self: &mut Stack, node: &mut Node, clock: &Clock) {
    self.assert_current();
    node.assert_current();
    let now = clock.timestamp_ms();
    let id = object::id(node);
    let lease = self.lease_of(id);
    lease.assert_open();
    lease.assert_no_tickets();
    assert!(self.is_done(id, now), EDeadlineNotPassed);
    self.close_if_done(node, now);
}

/// A blob's id; nothing if there are no bytes.
public(package) fun read_blob_id(bytes: vector<u8>): Option<u256> {
    if (bytes.is_empty()) return option::none();
    assert!(bytes.length() == BLOB_ID_BYTES, EManifestInvalid);
    option::some(bcs::new(bytes).peel_u256())
}

/// The ceilings of all lanes together: 60 of them can't overflow `u128`.
fun sum_of_ceilings(
    parties: &Parties,
    headers: &vector<vector<u8>>,
    signatures: &vector<vector<u8>>,
): u128 {
    let count = headers.length();
    let counted = count >= 1 && count <= MAX_LANES && signatures.length() == count;
    assert!(counted, EHeaderCountInvalid);
    let mut last_lane = option::none();
    let mut sum = 0;
    headers.zip_do_ref!(signatures, |bytes, signature| {
        let header = parties.header(bytes, signature);
        let lane = header.lane();
        assert!(last_lane.is_none() || *last_lane.borrow() < lane, ELanesNotRising);
        last_lane = option::some(lane);
        sum = sum + (header.ceiling() as u128);
    });
    sum
}
