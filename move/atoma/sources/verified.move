/// Signed messages that are taken to the ledger: each is read and held against whom it must be of.
module atoma::verified;

use atoma::bytes32::{Self, Bytes32};
use atoma::grant::{Self, Grant};
use atoma::header::{Self, Header};
use atoma::network;
use atoma::receipt::{Self, Receipt};
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
/// The owner has revoked what was granted before.
const EGrantRevoked: u64 = 434;
/// The receipt is for another request than the header beside it.
const EReceiptWrongRequest: u64 = 713;

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

/// A receipt of this stack by this node, by the key that the lease began with.
public(package) fun receipt(
    self: &Parties,
    bytes: &vector<u8>,
    signature: &vector<u8>,
): Receipt {
    assert!(signature::is_signature(signature), EReceiptBadSignature);
    let receipt = receipt::decode(*bytes);
    assert!(receipt.is_some(), EReceiptInvalid);
    let receipt = receipt.destroy_some();
    assert!(receipt.network() == network::id(), EReceiptWrongNetwork);
    assert!(receipt.stack() == self.stack, EReceiptWrongStack);
    assert!(receipt.node() == self.node, EReceiptWrongNode);
    assert!(signature::verify(bytes, signature, &self.response_key), EReceiptBadSignature);
    receipt
}

/// A request header to this node on this stack. Its expiry isn't looked at: it ends the request, not the
/// voucher.
public(package) fun header(self: &Parties, bytes: &vector<u8>, signature: &vector<u8>): Header {
    assert!(signature::is_signature(signature), EHeaderBadSignature);
    let header = header::decode(*bytes);
    assert!(header.is_some(), EHeaderInvalid);
    let header = header.destroy_some();
    assert!(header.network() == network::id(), EHeaderWrongNetwork);
    assert!(header.stack() == self.stack, EHeaderWrongStack);
    assert!(header.node() == self.node, EHeaderWrongNode);
    assert!(header.task() == self.task, EHeaderWrongTask);
    assert!(signature::verify(bytes, signature, &self.request_key), EHeaderBadSignature);
    header
}

/// A grant, once it is found to be the stack's own word to this node, and the last.
public(package) fun grant(
    self: &Parties,
    bytes: &vector<u8>,
    signature: &vector<u8>,
    nonce: u64,
    now: u64,
): Grant {
    assert!(signature::is_signature(signature), EGrantBadSignature);
    let grant = grant::decode(*bytes);
    assert!(grant.is_some(), EGrantInvalid);
    let grant = grant.destroy_some();
    assert!(grant.network() == network::id(), EGrantWrongNetwork);
    assert!(grant.stack() == self.stack, EGrantWrongStack);
    assert!(grant.node() == self.node, EGrantWrongNode);
    assert!(signature::verify(bytes, signature, &self.request_key), EGrantBadSignature);
    assert!(now <= grant.expires_at_ms(), EGrantExpired);
    assert!(grant.nonce() == nonce, EGrantRevoked);
    grant
}

/// Whether a receipt is for this request header.
public(package) fun assert_answers(receipt: &Receipt, header: &vector<u8>) {
    assert!(receipt.request_hash() == bytes32::hash(header), EReceiptWrongRequest);
}
