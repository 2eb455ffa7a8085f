/// From a lease to its payment: settle, wait for disputes, claim; or expire.
module atoma::settlement;

use atoma::bytes32::{Self, Bytes32};
use atoma::db::AtomaDb;
use atoma::lease;
use atoma::money;
use atoma::node::Node;
use atoma::verified::Parties;
use atoma::stack::Stack;
use atoma::task::Task;
use sui::bcs;
use sui::clock::Clock;
use sui::event;

/// The lease is already settled.
const ELeaseNotOpen: u64 = 501;
/// The time to settle is over.
const EDeadlinePassed: u64 = 502;
/// The claim is more than the lease's units.
const EClaimAboveLease: u64 = 503;
/// A settlement of nothing carries no headers, receipt or root.
const ENotAllEmpty: u64 = 504;
/// The count must be the last receipt's seq.
const ECountMismatch: u64 = 505;
/// The claim must be the last receipt's cumulative units.
const EClaimMismatch: u64 = 506;
/// There must be 1 to 64 headers, each with its signature.
const EHeaderCountInvalid: u64 = 512;
/// There must be one header a lane, lanes rising.
const ELanesNotRising: u64 = 519;
/// The claim is more than the ceilings the owner signed.
const EClaimAboveCeilings: u64 = 520;
/// The root over the receipts must have 32 bytes.
const ERootInvalid: u64 = 521;
/// The manifest's blob id must have 32 bytes or be empty.
const EManifestInvalid: u64 = 522;
/// The dispute window is still open.
const EWindowNotOver: u64 = 524;
/// The node may still settle.
const EDeadlineNotPassed: u64 = 525;
/// A dispute about the settlement is open.
const EDisputeOpen: u64 = 708;

/// Lanes of one lease, so headers of one settlement: about 330 bytes each with the signature.
const MAX_LANES: u64 = 64;
const BLOB_ID_BYTES: u64 = 32;

/// A node claims units; the dispute window runs.
public struct SettlementOpened has copy, drop {
    stack: ID,
    node: ID,
    claimed_units: u64,
    receipts_root: Bytes32,
    count: u64,
    manifest_blob: Option<u256>,
    deadline_ms: u64,
}

/// A claim was paid.
public struct Claimed has copy, drop {
    stack: ID,
    node: ID,
    units: u64,
    /// What the node got.
    paid: u64,
    /// The protocol's share.
    fee: u64,
    /// What went back to the stack's owner.
    refunded: u64,
}

/// A node let a lease expire unsettled.
public struct LeaseExpired has copy, drop {
    stack: ID,
    node: ID,
    units: u64,
    refunded: u64,
}

/// A node claims what its last receipt says, within what the owner signed. Opens a ticket. A lease
/// never used is settled with empty lists and zero units.
public fun settle(
    db: &AtomaDb,
    stack: &mut Stack,
    node: &Node,
    claimed_units: u64,
    headers: vector<vector<u8>>,
    header_signatures: vector<vector<u8>>,
    last_receipt: vector<u8>,
    receipt_signature: vector<u8>,
    receipts_root: vector<u8>,
    count: u64,
    manifest_blob: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    stack.assert_current();
    node.assert_current();
    node.assert_owner(ctx);
    let now = clock.timestamp_ms();
    let id = object::id(node);
    let lease = stack.lease_of(id);
    assert!(lease.is_open(), ELeaseNotOpen);
    assert!(now <= stack.settle_deadline(), EDeadlinePassed);
    assert!(claimed_units <= lease.units(), EClaimAboveLease);
    let root = bytes32::read(receipts_root);
    assert!(root.is_some(), ERootInvalid);
    let receipts_root = root.destroy_some();
    let manifest_blob = read_manifest(manifest_blob);
    if (claimed_units == 0 && count == 0) {
        let empty = headers.is_empty()
            && header_signatures.is_empty()
            && last_receipt.is_empty()
            && receipt_signature.is_empty()
            && receipts_root == bytes32::zero();
        assert!(empty, ENotAllEmpty);
    } else {
        let parties = stack.parties(node);
        let receipt = parties.receipt(&last_receipt, &receipt_signature);
        assert!(receipt.seq() == count && count > 0, ECountMismatch);
        assert!(receipt.cumulative_units() == claimed_units, EClaimMismatch);
        let allowed = sum_of_ceilings(&parties, &headers, &header_signatures);
        assert!((claimed_units as u128) <= allowed, EClaimAboveCeilings);
    };

    let deadline_ms = money::saturating_add(now, stack.dispute_window_ms());
    stack.settle_lease(
        id,
        lease::new_ticket(claimed_units, now, deadline_ms, receipts_root, count, manifest_blob),
    );
    event::emit(SettlementOpened {
        stack: object::id(stack),
        node: id,
        claimed_units,
        receipts_root,
        count,
        manifest_blob,
        deadline_ms,
    });
}

/// Pays a settled lease after its window: node, fee and owner's refund in one step. Anyone may.
public fun claim(
    db: &AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    assert_all_current(db, stack, task, node);
    stack.assert_task(task);
    let now = clock.timestamp_ms();
    let id = object::id(node);
    let lease = stack.lease_of(id);
    let ticket = lease.ticket();
    assert!(ticket.payable_from() <= now, EWindowNotOver);
    assert!(!ticket.is_disputed(), EDisputeOpen);
    let units = ticket.claimed_units();
    let cost = money::cost(units, lease.price());
    let fee = money::permille(cost, stack.fee_permille());
    let paid = cost - fee;

    let mut earned = stack.take_escrow(cost);
    task.put_fee(earned.split(fee));
    money::pay(earned, node.owner(), ctx);
    if (units > 0) {
        node.reward(db.params());
        let (epoch, _) = db.epoch_at(now);
        node.count_units(epoch, units, cost);
    };
    stack.close_lease(task, node, units, paid, now).destroy_zero();
    let refunded = stack.refund(ctx);
    event::emit(Claimed { stack: object::id(stack), node: id, units, paid, fee, refunded });
    stack.close_if_done();
}

/// Closes a lease that its node let expire unsettled: the owner has it back. Anyone may.
public fun expire_lease(
    db: &AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    assert_all_current(db, stack, task, node);
    stack.assert_task(task);
    let now = clock.timestamp_ms();
    let id = object::id(node);
    let lease = stack.lease_of(id);
    assert!(lease.is_open(), ELeaseNotOpen);
    assert!(now > stack.settle_deadline(), EDeadlineNotPassed);
    let units = lease.units();

    node.blame(db.params());
    stack.close_lease(task, node, 0, 0, now).destroy_zero();
    let refunded = stack.refund(ctx);
    event::emit(LeaseExpired { stack: object::id(stack), node: id, units, refunded });
    stack.close_if_done();
}

fun assert_all_current(db: &AtomaDb, stack: &Stack, task: &Task, node: &Node) {
    db.assert_current();
    stack.assert_current();
    task.assert_current();
    node.assert_current();
}

/// The ceilings of all lanes together: 64 of them can't overflow `u128`.
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

fun read_manifest(bytes: vector<u8>): Option<u256> {
    if (bytes.is_empty()) return option::none();
    assert!(bytes.length() == BLOB_ID_BYTES, EManifestInvalid);
    option::some(bcs::new(bytes).peel_u256())
}
