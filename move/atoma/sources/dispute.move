/// Disputes about a lease. Each ends by a deadline or at once, and silence loses.
///
/// By settling, a node claims money for `count` records under one root, so it must be able to show each
/// of them. Nothing that a user signs alone can make it owe anything.
module atoma::dispute;

use atoma::bytes32::{Self, Bytes32};
use atoma::db::AtomaDb;
use atoma::header::Header;
use atoma::merkle;
use atoma::money;
use atoma::node::Node;
use atoma::verified;
use atoma::receipt::Receipt;
use atoma::stack::Stack;
use atoma::task::Task;
use sui::balance;
use sui::clock::Clock;
use sui::coin::Coin;
use sui::event;
use usdc::usdc::USDC;
use walrus::blob::Blob;

/// The node was convicted on this lease before.
const EAlreadyConvicted: u64 = 700;
/// The node has left with its collateral.
const ENodeLeft: u64 = 701;
/// The dispute window is over.
const EWindowOver: u64 = 702;
/// The settlement has no receipt of this seq.
const ESeqNotSettled: u64 = 703;
/// The bond must be exactly the stack's.
const EWrongBond: u64 = 706;
/// The time to answer is over.
const EAnswerTooLate: u64 = 709;
/// The node may still answer.
const EAnswerTimeNotOver: u64 = 710;
/// The record holds another receipt than the one that was disputed.
const EReceiptDiffers: u64 = 714;
/// The blob can be deleted.
const EBlobDeletable: u64 = 717;
/// The blob's storage has ended.
const EBlobExpired: u64 = 718;
/// The blob isn't certified.
const EBlobInvalid: u64 = 719;
/// Nothing is wrong with the record.
const ERecordGenuine: u64 = 720;
/// The two receipts do not contradict each other.
const EReceiptsAgree: u64 = 721;
/// The receipt charges no more than tariff, request and settlement allow.
const EChargeAllowed: u64 = 722;

/// At most this much of a slash goes to the stack's owner. A node that convicts itself on a stack of
/// its own loses the other half for good: otherwise a slash would be a way to take collateral out before
/// the unbonding time is over.
const MAX_OWNER_PERMILLE: u64 = 500;

/// What a node was convicted of.
public enum Charge has copy, drop {
    /// It didn't show a record that it had settled.
    Silence,
    /// It signed receipts that contradict each other.
    Equivocation,
    /// It charged more than tariff, request or its own receipts allow.
    OverClaim,
    /// It settled a record that isn't what it should be.
    ForgedRequest,
}

/// An owner demands to see a record of a settlement.
public struct DisputeOpened has copy, drop {
    stack: ID,
    node: ID,
    seq: u64,
    /// Hash of the receipt that the owner showed, if any.
    receipt: Option<Bytes32>,
    bond: u64,
    deadline_ms: u64,
}

/// A node showed the record; the stake is its.
public struct DisputeAnswered has copy, drop {
    stack: ID,
    node: ID,
    seq: u64,
    /// Where the node says the record is stored.
    blob_id: u256,
    bond: u64,
}

/// A node was found guilty on a lease, which is closed unpaid if it was not paid before.
public struct NodeConvicted has copy, drop {
    stack: ID,
    node: ID,
    charge: Charge,
    /// What went back to the stack's owner out of the escrow.
    refunded: u64,
    /// Stakes of open disputes that went back to the owner.
    bonds: u64,
    /// What the owner got of the node's collateral.
    to_owner: u64,
    /// What the communal treasury got of it.
    to_treasury: u64,
    /// What the node has left.
    collateral: u64,
}

// === the dispute with an answer ===

/// The stack's owner demands, against a stake, to see one record of a settlement. With a receipt that
/// they hold, the record must have just this one.
public fun missing_response(
    stack: &mut Stack,
    node: &Node,
    bond: Coin<USDC>,
    seq: u64,
    receipt: vector<u8>,
    receipt_signature: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    stack.assert_current();
    node.assert_current();
    stack.assert_owner(ctx);
    let now = clock.timestamp_ms();
    let deadline_ms = money::saturating_add(now, stack.answer_window_ms());
    let amount = bond.value();
    assert!(amount == stack.dispute_bond(), EWrongBond);
    let receipt = if (receipt.is_empty() && receipt_signature.is_empty()) {
        option::none()
    } else {
        let shown = stack.parties(node).receipt(&receipt, &receipt_signature);
        verified::assert_seq(&shown, seq);
        option::some(bytes32::hash(&receipt))
    };
    let id = object::id(node);
    let ticket = stack.lease_of_mut(id).ticket_mut();
    assert!(now < ticket.payable_from(), EWindowOver);
    assert!(seq >= 1 && seq <= ticket.count(), ESeqNotSettled);
    ticket.add_dispute(seq, receipt, bond.into_balance(), now, deadline_ms);
    event::emit(DisputeOpened {
        stack: object::id(stack),
        node: id,
        seq,
        receipt,
        bond: amount,
        deadline_ms,
    });
}

/// Shows the record, and where it is stored. The stake goes to the node, whoever calls.
public fun answer(
    db: &AtomaDb,
    stack: &mut Stack,
    node: &Node,
    blob: &Blob,
    record: vector<u8>,
    proof: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    db.assert_current();
    stack.assert_current();
    node.assert_current();
    let id = object::id(node);
    let ticket = stack.lease_of(id).ticket();
    let seq = merkle::prove(record, &proof, ticket.count(), &ticket.receipts_root());
    let dispute = ticket.dispute(seq);
    assert!(clock.timestamp_ms() <= dispute.answerable_until(), EAnswerTooLate);
    let receipt = stack.parties(node).record(&record, seq);
    let shown = dispute.shown_receipt();
    assert!(shown.is_none() || shown.contains(&receipt), EReceiptDiffers);
    assert_stored(db, blob);

    let bond = stack.lease_of_mut(id).ticket_mut().end_dispute(seq);
    let amount = bond.value();
    money::pay(bond, node.owner(), ctx);
    event::emit(DisputeAnswered {
        stack: object::id(stack),
        node: id,
        seq,
        blob_id: blob.blob_id(),
        bond: amount,
    });
}

/// Ends a dispute that nobody answered in time: silence loses. Anyone may.
public fun resolve(
    db: &mut AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    seq: u64,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    assert_triable(db, stack, task, node);
    let dispute = stack.lease_of(object::id(node)).ticket().dispute(seq);
    let now = clock.timestamp_ms();
    assert!(now > dispute.answerable_until(), EAnswerTimeNotOver);
    convict(db, stack, task, node, Charge::Silence, now, ctx);
}

// === the disputes without an answer ===

/// Two receipts of one lease that can't both be honest. Anyone may.
public fun equivocation(
    db: &mut AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    first: vector<u8>,
    first_signature: vector<u8>,
    second: vector<u8>,
    second_signature: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    assert_triable(db, stack, task, node);
    let parties = stack.parties(node);
    let one = parties.receipt(&first, &first_signature);
    let other = parties.receipt(&second, &second_signature);
    let guilty = first != second
        && if (one.seq() <= other.seq()) contradict(&one, bytes32::hash(&first), &other)
        else contradict(&other, bytes32::hash(&second), &one);
    assert!(guilty, EReceiptsAgree);
    convict(db, stack, task, node, Charge::Equivocation, clock.timestamp_ms(), ctx);
}

/// A receipt that charges too much: above the task's tariff, above what its request allows, or above what
/// the settlement leaves it. The request may be left empty. Anyone may.
public fun over_claim(
    db: &mut AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    receipt: vector<u8>,
    receipt_signature: vector<u8>,
    header: vector<u8>,
    header_signature: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    assert_triable(db, stack, task, node);
    let parties = stack.parties(node);
    let receipt = parties.receipt(&receipt, &receipt_signature);
    let request = if (header.is_empty() && header_signature.is_empty()) {
        option::none()
    } else {
        let request = parties.header(&header, &header_signature);
        verified::assert_answers(&receipt, &header);
        option::some(request)
    };
    assert!(overcharges(&receipt, &request, stack, task, node), EChargeAllowed);
    convict(db, stack, task, node, Charge::OverClaim, clock.timestamp_ms(), ctx);
}

/// A record that the node settled, and that isn't an order of the owner's with its receipt. Anyone may.
public fun forged_request(
    db: &mut AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    record: vector<u8>,
    proof: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    assert_triable(db, stack, task, node);
    let ticket = stack.lease_of(object::id(node)).ticket();
    let seq = merkle::prove(record, &proof, ticket.count(), &ticket.receipts_root());
    assert!(!stack.parties(node).is_genuine(&record, seq), ERecordGenuine);
    convict(db, stack, task, node, Charge::ForgedRequest, clock.timestamp_ms(), ctx);
}

// === guilt ===

/// Whether no honest node signs both. The receipts of a lease are one chain: each `seq` once, each
/// request once, each sum the one before and the receipt's own units. They are two, the earlier first.
fun contradict(before: &Receipt, hash: Bytes32, after: &Receipt): bool {
    let same_place = before.seq() == after.seq();
    let charged_twice = before.request_hash() == after.request_hash();
    let sum = (before.cumulative_units() as u128) + (after.units() as u128);
    let grew = after.cumulative_units() as u128;
    let adjacent = (before.seq() as u128) + 1 == (after.seq() as u128);
    let broken = adjacent && (after.previous() != hash || grew != sum);
    same_place || charged_twice || grew < sum || broken
}

fun overcharges(
    receipt: &Receipt,
    request: &Option<Header>,
    stack: &Stack,
    task: &Task,
    node: &Node,
): bool {
    // usage too large to be counted costs more than any receipt can say
    let tariff = task.tariff(&receipt.usage());
    let above_tariff = tariff.is_some_and!(|tariff| receipt.units() > *tariff);
    let above_request = request.is_some_and!(|request| receipt.units() > request.max_units());
    let sum_from_nowhere = receipt.seq() == 1 && receipt.cumulative_units() > receipt.units();
    // sums never fall, so from the last settled receipt on none is below the claim
    let lease = stack.lease_of(object::id(node));
    let below_the_claim = lease.is_settling() && {
        let ticket = lease.ticket();
        receipt.seq() >= ticket.count() && receipt.cumulative_units() < ticket.claimed_units()
    };
    above_tariff || above_request || sum_from_nowhere || below_the_claim
}

/// The objects belong together, and the node can still be punished on this lease.
fun assert_triable(db: &AtomaDb, stack: &Stack, task: &Task, node: &Node) {
    db.assert_current();
    stack.assert_current();
    task.assert_current();
    node.assert_current();
    stack.assert_task(task);
    assert!(!stack.lease_of(object::id(node)).is_convicted(), EAlreadyConvicted);
    assert!(!node.has_left(), ENodeLeft);
}

/// Finds the node guilty. The lease, unless it was paid before, is closed with nothing: all its escrow
/// goes back, and so do the stakes of open disputes. A part of the collateral goes to the owner and the
/// treasury, and the node gets no new business for a while.
fun convict(
    db: &mut AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    charge: Charge,
    now: u64,
    ctx: &mut TxContext,
) {
    let silent = charge == Charge::Silence;
    let params = db.params();
    let permille = if (silent) params.silence_slash_permille() else params.fraud_slash_permille();
    let slashed = money::permille_up(node.collateral(), permille);
    let part = params.slash_owner_permille().min(MAX_OWNER_PERMILLE);
    let to_owner = money::permille(slashed, part);
    let to_treasury = slashed - to_owner;
    let mut slash = node.slash(slashed);
    if (silent) node.blame(params) else node.disgrace();
    node.jail(money::saturating_add(now, params.jail_ms()));
    db.put_treasury(slash.split(to_treasury));

    let id = object::id(node);
    let lease = stack.lease_of_mut(id);
    lease.set_convicted();
    let (refunded, bonds) = if (lease.is_closed()) {
        task.refresh(node, now);
        (0, balance::zero())
    } else {
        let bonds = stack.close_lease(task, node, 0, 0, now);
        (stack.refund(ctx), bonds)
    };
    let staked = bonds.value();
    money::pay(bonds, stack.owner(), ctx);
    money::pay(slash, stack.owner(), ctx);
    event::emit(NodeConvicted {
        stack: object::id(stack),
        node: id,
        charge,
        refunded,
        bonds: staked,
        to_owner,
        to_treasury,
        collateral: node.collateral(),
    });
    stack.close_if_done();
}

/// Whether the blob is stored, and nobody can take it away before its time.
fun assert_stored(db: &AtomaDb, blob: &Blob) {
    assert!(blob.certified_epoch().is_some(), EBlobInvalid);
    assert!(!blob.is_deletable(), EBlobDeletable);
    assert!((blob.end_epoch() as u64) > db.params().walrus_epoch(), EBlobExpired);
}
