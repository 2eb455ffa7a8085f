/// Units of a stack that belong to one node: open, then settling under a ticket, then closed.
module atoma::lease;

use atoma::bytes32::Bytes32;
use sui::balance::{Self, Balance};
use usdc::usdc::USDC;

/// The lease is not waiting to be paid.
const ENotSettling: u64 = 523;
/// A dispute about this receipt is open.
const EAlreadyDisputed: u64 = 704;
/// The settlement has as many open disputes as it can hold.
const EDisputesFull: u64 = 705;
/// No dispute about this receipt is open.
const ENoSuchDispute: u64 = 707;

/// Bounds what a conviction pays back, and what a node must answer at once.
const MAX_DISPUTES: u64 = 8;

public struct Lease has store {
    node: ID,
    units: u64,
    /// The node's own price when the lease began; at most the stack's.
    price: u64,
    state: LeaseState,
    /// The node was found guilty on this lease, and punished; once is all.
    convicted: bool,
}

/// Where a lease stands.
public enum LeaseState has store {
    /// The node may serve.
    Open,
    /// Settled, not yet paid.
    Settling(Ticket),
    /// Final: its units are used up or refunded.
    Closed {
        /// None if it expired or ended with a conviction.
        paid_units: u64,
        /// What the node got, the protocol's fee not counted.
        paid: u64,
    },
}

/// A claim waiting for its dispute window.
public struct Ticket has store {
    claimed_units: u64,
    opened_at_ms: u64,
    /// From when on it can be paid.
    deadline_ms: u64,
    /// Merkle root over the lease's records, in order of `seq`.
    receipts_root: Bytes32,
    /// How many receipts.
    count: u64,
    /// Where the manifest of the evidence is stored, if it is.
    manifest_blob: Option<u256>,
    /// Open disputes; nothing is paid before the last has ended.
    disputes: vector<Dispute>,
}

/// A demand to show one record of a settlement; it waits for an answer.
public struct Dispute has store {
    /// Which receipt's record.
    seq: u64,
    /// Hash of the receipt that the owner holds, if they showed it: the record must have just that one.
    receipt: Option<Bytes32>,
    /// The owner's stake: the node's if it answers, else returned.
    bond: Balance<USDC>,
    opened_at_ms: u64,
    /// The last moment to answer.
    deadline_ms: u64,
}

// === leases ===

public(package) fun open(node: ID, units: u64, price: u64): Lease {
    Lease { node, units, price, state: LeaseState::Open, convicted: false }
}

public(package) fun node(self: &Lease): ID { self.node }

public(package) fun units(self: &Lease): u64 { self.units }

public(package) fun price(self: &Lease): u64 { self.price }

public(package) fun is_convicted(self: &Lease): bool { self.convicted }

public(package) fun set_units(self: &mut Lease, units: u64) {
    self.units = units;
}

public(package) fun set_convicted(self: &mut Lease) {
    self.convicted = true;
}

public(package) fun is_open(self: &Lease): bool {
    match (&self.state) {
        LeaseState::Open => true,
        _ => false,
    }
}

public(package) fun is_settling(self: &Lease): bool {
    match (&self.state) {
        LeaseState::Settling(_) => true,
        _ => false,
    }
}

public(package) fun is_closed(self: &Lease): bool {
    match (&self.state) {
        LeaseState::Closed { .. } => true,
        _ => false,
    }
}

/// The ticket of a lease that waits to be paid.
public(package) fun ticket(self: &Lease): &Ticket {
    match (&self.state) {
        LeaseState::Settling(ticket) => ticket,
        _ => abort ENotSettling,
    }
}

public(package) fun ticket_mut(self: &mut Lease): &mut Ticket {
    match (&mut self.state) {
        LeaseState::Settling(ticket) => ticket,
        _ => abort ENotSettling,
    }
}

/// An open lease, settled.
public(package) fun settle(self: Lease, ticket: Ticket): Lease {
    let (lease, bonds) = self.into(LeaseState::Settling(ticket));
    bonds.destroy_zero();
    lease
}

/// The lease, closed, and the stakes of its open disputes.
public(package) fun close(self: Lease, paid_units: u64, paid: u64): (Lease, Balance<USDC>) {
    self.into(LeaseState::Closed { paid_units, paid })
}

/// The lease in another state, and the stakes of the disputes that end with the old one.
fun into(self: Lease, next: LeaseState): (Lease, Balance<USDC>) {
    let Lease { node, units, price, state, convicted } = self;
    let mut bonds = balance::zero();
    match (state) {
        LeaseState::Open => {},
        LeaseState::Closed { .. } => {},
        LeaseState::Settling(Ticket { disputes, .. }) => {
            disputes.do!(|dispute| {
                let Dispute { bond, .. } = dispute;
                bonds.join(bond);
            })
        },
    };
    (Lease { node, units, price, state: next, convicted }, bonds)
}

// === tickets ===

public(package) fun new_ticket(
    claimed_units: u64,
    opened_at_ms: u64,
    deadline_ms: u64,
    receipts_root: Bytes32,
    count: u64,
    manifest_blob: Option<u256>,
): Ticket {
    Ticket {
        claimed_units,
        opened_at_ms,
        deadline_ms,
        receipts_root,
        count,
        manifest_blob,
        disputes: vector[],
    }
}

public(package) fun claimed_units(self: &Ticket): u64 { self.claimed_units }

public(package) fun payable_from(self: &Ticket): u64 { self.deadline_ms }

public(package) fun receipts_root(self: &Ticket): Bytes32 { self.receipts_root }

public(package) fun count(self: &Ticket): u64 { self.count }

public(package) fun is_disputed(self: &Ticket): bool { !self.disputes.is_empty() }

/// The open dispute about a receipt.
public(package) fun dispute(self: &Ticket, seq: u64): &Dispute {
    let place = self.place(seq);
    assert!(place.is_some(), ENoSuchDispute);
    &self.disputes[place.destroy_some()]
}

public(package) fun add_dispute(
    self: &mut Ticket,
    seq: u64,
    receipt: Option<Bytes32>,
    bond: Balance<USDC>,
    opened_at_ms: u64,
    deadline_ms: u64,
) {
    assert!(self.place(seq).is_none(), EAlreadyDisputed);
    assert!(self.disputes.length() < MAX_DISPUTES, EDisputesFull);
    self.disputes.push_back(Dispute { seq, receipt, bond, opened_at_ms, deadline_ms });
}

/// Ends the dispute about a receipt; returns the stake.
public(package) fun end_dispute(self: &mut Ticket, seq: u64): Balance<USDC> {
    let place = self.place(seq);
    assert!(place.is_some(), ENoSuchDispute);
    let Dispute { bond, .. } = self.disputes.remove(place.destroy_some());
    bond
}

fun place(self: &Ticket, seq: u64): Option<u64> {
    self.disputes.find_index!(|dispute| dispute.seq == seq)
}

// === disputes ===

public(package) fun shown_receipt(self: &Dispute): Option<Bytes32> { self.receipt }

/// The last moment to answer.
public(package) fun answerable_until(self: &Dispute): u64 { self.deadline_ms }
