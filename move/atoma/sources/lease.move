/// Units of a stack that belong to one node. It stays on the stack when it is closed: a node that began anew
/// could be paid twice for the same vouchers.
module atoma::lease;

use atoma::bytes32::{Self, Bytes32};
use atoma::money;
use atoma::node::Node;
use atoma::ticket::Ticket;
use sui::balance::{Self, Balance};
use usdc::usdc::USDC;

/// The lease is closed and is never reopened.
const ELeaseClosed: u64 = 424;
/// Only the owner of the lease's node may do this.
const ENotLeaseOwner: u64 = 501;
/// The lease has no such ticket that waits to be paid.
const ENoTicket: u64 = 523;
/// As many tickets as may be wait to be paid.
const ETicketOpen: u64 = 526;
/// The ticket does not claim this unit.
const EUnitNotSettled: u64 = 703;

/// One that may be examined for days, and another so that what was served since is settled in time when the
/// stack ends.
const MAX_TICKETS: u64 = 2;

public struct Lease has store {
    node: ID,
    /// The node's owner, who never changes.
    owner: address,
    /// The node's response key when the lease began: its receipts are checked by it.
    key: Bytes32,
    /// The node's own price when the lease began.
    price: u64,
    /// The units that it may serve.
    units: u64,
    /// Units of them that are paid.
    paid_units: u64,
    /// The `seq` of the last paid receipt. A node without its journal goes on from here.
    paid_seq: u64,
    /// Hash of the last paid receipt; zero if there is none.
    last: Bytes32,
    /// Fees of answered demands, the node's with the next payment or the end.
    fees: Balance<USDC>,
    /// Claims that wait to be paid, the earlier one first.
    tickets: vector<Ticket>,
    /// Nothing more comes of it.
    closed: bool,
}

/// A lease without units, at the node's present key.
public(package) fun open(node: &Node, price: u64): Lease {
    Lease {
        node: object::id(node),
        owner: node.owner(),
        key: node.response_key(),
        price,
        units: 0,
        paid_units: 0,
        paid_seq: 0,
        last: bytes32::zero(),
        fees: balance::zero(),
        tickets: vector[],
        closed: false,
    }
}

public(package) fun node(self: &Lease): ID { self.node }

public(package) fun owner(self: &Lease): address { self.owner }

public(package) fun key(self: &Lease): Bytes32 { self.key }

public(package) fun price(self: &Lease): u64 { self.price }

public(package) fun units(self: &Lease): u64 { self.units }

public(package) fun paid_units(self: &Lease): u64 { self.paid_units }

public(package) fun is_closed(self: &Lease): bool { self.closed }

public(package) fun assert_open(self: &Lease) {
    assert!(!self.closed, ELeaseClosed);
}

public(package) fun assert_owner(self: &Lease, ctx: &TxContext) {
    assert!(self.owner == ctx.sender(), ENotLeaseOwner);
}

public(package) fun set_units(self: &mut Lease, units: u64) { self.units = units; }

/// What its units cost that are not paid.
public(package) fun unpaid(self: &Lease): u64 { self.value(self.paid_units, self.units) }

/// What the paid ones cost.
public(package) fun paid_cost(self: &Lease): u64 { money::cost(self.paid_units, self.price) }

/// What all that is claimed is worth.
public(package) fun claim(self: &Lease): u64 { self.value(self.paid_units, self.claimed_units()) }

/// What the units between cost.
public(package) fun value(self: &Lease, from: u64, to: u64): u64 {
    money::value(from, to, self.price)
}

/// Units that are paid or claimed.
public(package) fun claimed_units(self: &Lease): u64 {
    let count = self.tickets.length();
    if (count == 0) self.paid_units else self.tickets[count - 1].to_units()
}

/// The `seq` of the last receipt that is paid or claimed.
public(package) fun claimed_seq(self: &Lease): u64 {
    let count = self.tickets.length();
    if (count == 0) self.paid_seq else self.tickets[count - 1].to_seq()
}

// === tickets ===

public(package) fun has_tickets(self: &Lease): bool { !self.tickets.is_empty() }

public(package) fun assert_has_tickets(self: &Lease) {
    assert!(self.has_tickets(), ENoTicket);
}

public(package) fun assert_no_tickets(self: &Lease) {
    assert!(!self.has_tickets(), ETicketOpen);
}

public(package) fun assert_room(self: &Lease) {
    assert!(self.tickets.length() < MAX_TICKETS, ETicketOpen);
}

public(package) fun add_ticket(self: &mut Lease, ticket: Ticket) { self.tickets.push_back(ticket); }

public(package) fun tickets(self: &Lease): &vector<Ticket> { &self.tickets }

/// The first ticket.
public(package) fun first_ticket(self: &Lease): &Ticket {
    self.assert_has_tickets();
    &self.tickets[0]
}

/// The ticket with this last `seq`.
public(package) fun ticket(self: &Lease, to_seq: u64): &Ticket {
    &self.tickets[self.place(to_seq)]
}

public(package) fun ticket_mut(self: &mut Lease, to_seq: u64): &mut Ticket {
    let place = self.place(to_seq);
    &mut self.tickets[place]
}

/// The `to_seq` of the ticket that claims a unit.
public(package) fun claimed_by(self: &Lease, unit: u64): u64 {
    self.assert_has_tickets();
    let place = self.tickets.find_index!(|ticket| ticket.claims(unit));
    assert!(place.is_some(), EUnitNotSettled);
    self.tickets[place.destroy_some()].to_seq()
}

/// The unit must be one of the ticket's.
public(package) fun assert_claims(ticket: &Ticket, unit: u64) {
    assert!(ticket.claims(unit), EUnitNotSettled);
}

/// Takes the first ticket out: its units are paid.
public(package) fun pay_first(self: &mut Lease): Ticket {
    let ticket = self.tickets.remove(0);
    self.paid_units = ticket.to_units();
    self.paid_seq = ticket.to_seq();
    self.last = ticket.last();
    ticket
}

public(package) fun add_fee(self: &mut Lease, fee: Balance<USDC>) { money::put(&mut self.fees, fee); }

public(package) fun take_fees(self: &mut Lease): Balance<USDC> { self.fees.withdraw_all() }

/// Nothing more comes of it; the tickets that are void with it.
public(package) fun close(self: &mut Lease): vector<Ticket> {
    self.closed = true;
    let mut tickets = vector[];
    while (self.has_tickets()) tickets.push_back(self.tickets.remove(0));
    tickets
}

fun place(self: &Lease, to_seq: u64): u64 {
    let place = self.tickets.find_index!(|ticket| ticket.to_seq() == to_seq);
    assert!(place.is_some(), ENoTicket);
    place.destroy_some()
}
