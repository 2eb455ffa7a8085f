/// Signed messages that are taken to the ledger: each is read and held against whom it must be of.
module atoma::verified;

use atoma::bytes32::{Self, Bytes32};
use atoma::grant::{Self, Grant};
use atoma::header::{Self, Header};
use atoma::network;
use atoma::receipt::{Self, Receipt};
use atoma::record;
use atoma::signature;

/// The bytes are not a grant.
const EGrantInvalid: u64 = 417;
/// The grant was signed for another network.
const EGrantWrongNetwork: u64 = 418;
/// The grant was signed for another stack.
const EGrantWrongStack: u64 = 419;
/// The grant was signed for another node.
const EGrantWrongNode: u64 = 420;
/// The grant is not signed by the stack's request key.
const EGrantBadSignature: u64 = 421;
/// The grant has expired.
const EGrantExpired: u64 = 422;
/// The bytes are not a receipt.
const EReceiptInvalid: u64 = 507;
/// The receipt was signed for another network.
const EReceiptWrongNetwork: u64 = 508;
/// The receipt is of another stack.
const EReceiptWrongStack: u64 = 509;
/// The receipt is of another node.
const EReceiptWrongNode: u64 = 510;
/// The receipt is not signed by the node's response key.
const EReceiptBadSignature: u64 = 511;
/// The bytes are not a request header.
const EHeaderInvalid: u64 = 513;
/// A header was signed for another network.
const EHeaderWrongNetwork: u64 = 514;
/// A header is of another stack.
const EHeaderWrongStack: u64 = 515;
/// A header is of another node.
const EHeaderWrongNode: u64 = 516;
/// A header is of another task.
const EHeaderWrongTask: u64 = 517;
/// A header is not signed by the stack's request key.
const EHeaderBadSignature: u64 = 518;
/// The bytes are not a record.
const ERecordInvalid: u64 = 711;
/// The receipt's seq is not its place in the settlement.
const EReceiptWrongSeq: u64 = 712;
/// The receipt is for another request than the header beside it.
const EReceiptWrongRequest: u64 = 713;

/// Nothing is wrong.
const FINE: u64 = 0;

/// Whose messages they must be.
public struct Parties has copy, drop {
    stack: ID,
    node: ID,
    task: ID,
    request_key: Bytes32,
    response_key: Bytes32,
}

public(package) fun parties(
    stack: ID,
    node: ID,
    task: ID,
    request_key: Bytes32,
    response_key: Bytes32,
): Parties {
    Parties { stack, node, task, request_key, response_key }
}

/// A receipt of this stack by this node.
public(package) fun receipt(
    self: &Parties,
    bytes: &vector<u8>,
    signature: &vector<u8>,
): Receipt {
    let receipt = receipt::decode(*bytes);
    let fault = self.receipt_fault(&receipt, bytes, signature);
    assert!(fault == FINE, fault);
    receipt.destroy_some()
}

/// A request header to this node on this stack. Its expiry isn't looked at: it ends the request, not the
/// voucher.
public(package) fun header(self: &Parties, bytes: &vector<u8>, signature: &vector<u8>): Header {
    let header = header::decode(*bytes);
    let fault = self.header_fault(&header, bytes, signature);
    assert!(fault == FINE, fault);
    header.destroy_some()
}

/// The cumulative units of a grant, once it is found to be the stack's own word to this node.
public(package) fun granted_units(
    self: &Parties,
    bytes: &vector<u8>,
    signature: &vector<u8>,
    now: u64,
): u64 {
    assert!(signature::is_signature(signature), EGrantBadSignature);
    let grant = grant::decode(*bytes);
    assert!(grant.is_some(), EGrantInvalid);
    let grant: Grant = grant.destroy_some();
    assert!(grant.network() == network::id(), EGrantWrongNetwork);
    assert!(grant.stack() == self.stack, EGrantWrongStack);
    assert!(grant.node() == self.node, EGrantWrongNode);
    assert!(signature::verify(bytes, signature, &self.request_key), EGrantBadSignature);
    assert!(now <= grant.expires_at_ms(), EGrantExpired);
    grant.cumulative_units()
}

/// The hash of the receipt of a genuine record: a request signed by the stack's request key and, at its place,
/// the node's receipt for it.
public(package) fun record(self: &Parties, bytes: &vector<u8>, seq: u64): Bytes32 {
    let (fault, receipt) = self.examine_record(bytes, seq);
    assert!(fault == FINE, fault);
    receipt
}

/// Whether a record is what it should be at its place.
public(package) fun is_genuine(self: &Parties, bytes: &vector<u8>, seq: u64): bool {
    let (fault, _) = self.examine_record(bytes, seq);
    fault == FINE
}

public(package) fun assert_seq(receipt: &Receipt, seq: u64) {
    assert!(receipt.seq() == seq, EReceiptWrongSeq);
}

/// Whether a receipt is for this request header.
public(package) fun assert_answers(receipt: &Receipt, header: &vector<u8>) {
    assert!(receipt.request_hash() == bytes32::hash(header), EReceiptWrongRequest);
}

/// What is wrong with a record, and the hash of its receipt if nothing is.
fun examine_record(self: &Parties, bytes: &vector<u8>, seq: u64): (u64, Bytes32) {
    let nothing = bytes32::zero();
    let record = record::decode(bytes);
    if (record.is_none()) return (ERecordInvalid, nothing);
    let (header_bytes, header_signature, receipt_bytes, receipt_signature) =
        record.destroy_some().into_parts();
    let header = header::decode(header_bytes);
    let fault = self.header_fault(&header, &header_bytes, &header_signature);
    if (fault != FINE) return (fault, nothing);
    let receipt = receipt::decode(receipt_bytes);
    let fault = self.receipt_fault(&receipt, &receipt_bytes, &receipt_signature);
    if (fault != FINE) return (fault, nothing);
    let receipt = receipt.destroy_some();
    if (receipt.seq() != seq) return (EReceiptWrongSeq, nothing);
    if (receipt.request_hash() != bytes32::hash(&header_bytes)) {
        return (EReceiptWrongRequest, nothing)
    };
    (FINE, bytes32::hash(&receipt_bytes))
}

fun receipt_fault(
    self: &Parties,
    receipt: &Option<Receipt>,
    bytes: &vector<u8>,
    signature: &vector<u8>,
): u64 {
    if (!signature::is_signature(signature)) return EReceiptBadSignature;
    if (receipt.is_none()) return EReceiptInvalid;
    let receipt = receipt.borrow();
    if (receipt.network() != network::id()) return EReceiptWrongNetwork;
    if (receipt.stack() != self.stack) return EReceiptWrongStack;
    if (receipt.node() != self.node) return EReceiptWrongNode;
    if (!signature::verify(bytes, signature, &self.response_key)) return EReceiptBadSignature;
    FINE
}

fun header_fault(
    self: &Parties,
    header: &Option<Header>,
    bytes: &vector<u8>,
    signature: &vector<u8>,
): u64 {
    if (!signature::is_signature(signature)) return EHeaderBadSignature;
    if (header.is_none()) return EHeaderInvalid;
    let header = header.borrow();
    if (header.network() != network::id()) return EHeaderWrongNetwork;
    if (header.stack() != self.stack) return EHeaderWrongStack;
    if (header.node() != self.node) return EHeaderWrongNode;
    if (header.task() != self.task) return EHeaderWrongTask;
    if (!signature::verify(bytes, signature, &self.request_key)) return EHeaderBadSignature;
    FINE
}
