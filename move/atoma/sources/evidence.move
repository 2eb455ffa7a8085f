/// Records of a ticket: where one stands, and whether it backs a unit.
module atoma::evidence;

use atoma::bytes32;
use atoma::header::Header;
use atoma::merkle;
use atoma::verified;
use atoma::receipt::Receipt;
use atoma::record;
use atoma::stack::Stack;
use atoma::ticket::Ticket;

/// The bytes are not a record.
const ERecordInvalid: u64 = 711;
/// The receipt's seq is not its place in the settlement.
const EReceiptWrongSeq: u64 = 712;
/// The receipt names another model, numerics or rule than the task.
const EReceiptWrongEngine: u64 = 714;
/// The receipt charges more than the task's weights make of its usage.
const ERecordOverTariff: u64 = 717;
/// The receipt charges more than its order allows.
const ERecordOverOrder: u64 = 718;
/// The record is not that of this unit.
const ERecordWrongUnit: u64 = 719;

/// The `seq` of the record that is shown for a unit of a ticket, once it is found proper: one that the node
/// settled, of an order of the owner's, at the tariff and within the order, for this unit.
public(package) fun show(
    stack: &Stack,
    holder: ID,
    to_seq: u64,
    unit: u64,
    record: &vector<u8>,
    proof: &vector<u8>,
): u64 {
    let record = record::decode(record);
    assert!(record.is_some(), ERecordInvalid);
    let (header_bytes, header_signature, receipt_bytes, receipt_signature) =
        record.destroy_some().into_parts();
    let place = place(stack.ticket(holder, to_seq), &receipt_bytes, proof);
    let parties = stack.parties(holder);
    let header = parties.header(&header_bytes, &header_signature);
    let receipt = parties.receipt(&receipt_bytes, &receipt_signature);
    verified::assert_answers(&receipt, &header_bytes);
    assert!(receipt.seq() == place, EReceiptWrongSeq);
    assert_charge(stack, &header, &receipt);
    let end = receipt.cumulative_units();
    let covers = receipt.units() <= end && end - receipt.units() <= unit && unit < end;
    assert!(covers, ERecordWrongUnit);
    place
}

/// The number at which the ticket's last receipt binds this one: one of the ticket's own, for its history may begin
/// before them.
fun place(ticket: &Ticket, receipt: &vector<u8>, proof: &vector<u8>): u64 {
    let receipt = bytes32::hash(receipt);
    let base = ticket.base();
    let (own, before) = (ticket.from_seq() - base, ticket.to_seq() - base - 1);
    let index = merkle::prove(&receipt, proof, own, before, &ticket.history(), &ticket.last());
    base + index + 1
}

/// Every examiner of a ticket, and its jury, look at the same record.
public(package) fun assert_same(seq: u64, shown: u64) {
    assert!(seq == shown, EReceiptWrongSeq);
}

/// Whether what was charged is what the task's model costs, and no more than was ordered.
fun assert_charge(stack: &Stack, order: &Header, receipt: &Receipt) {
    assert!(receipt.engine() == *stack.engine(), EReceiptWrongEngine);
    // usage too large to be counted costs more than any receipt can say
    let tariff = stack.weights().tariff(&receipt.usage());
    assert!(tariff.is_none() || receipt.units() <= *tariff.borrow(), ERecordOverTariff);
    assert!(receipt.units() <= order.max_units(), ERecordOverOrder);
}
