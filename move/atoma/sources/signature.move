/// ed25519 keys and signatures, each of one message or shared by several.
///
/// ```text
/// alone   64       ed25519 over the message's bytes
/// shared  64       ed25519 over "atoma/batch/v1" 0 0 | root
///         32 k     siblings on the way to the root, the message's first; k from 1 to 5
///          1       sides: bit i is set if sibling i is the left one; higher bits are zero
///          1       0x80 + k
/// ```
/// The tree's hashes are those of `merkle`, and the message is the leaf.
module atoma::signature;

use atoma::bytes32::Bytes32;
use atoma::merkle;
use atoma::reader;
use sui::ed25519;

const KEY_BYTES: u64 = 32;
const SIGNATURE_BYTES: u64 = 64;
const HASH_BYTES: u64 = 32;
/// The longest path of a shared signature.
const MAX_PATH: u64 = 5;
/// Begins the last byte of a shared signature; a genuine ed25519 signature ends in at most 0x10.
const SHARED: u8 = 0x80;
/// What the root of a batch is signed with: no message begins so.
const BATCH: vector<u8> = b"atoma/batch/v1\x00\x00";

/// The y-coordinates of the eight points of small order, in all encodings, without the sign.
const WEAK: vector<vector<u8>> = vector[
    x"0000000000000000000000000000000000000000000000000000000000000000",
    x"0100000000000000000000000000000000000000000000000000000000000000",
    x"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    x"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    x"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    x"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    x"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

/// Whether a key has the right length and isn't a point of small order, by which anybody could sign.
/// Bytes that are no point at all pass: they only harm who names them, since nothing verifies.
public(package) fun is_key(key: &vector<u8>): bool {
    key.length() == KEY_BYTES && !is_weak(key)
}

/// Whether it has a signature's form.
public(package) fun is_signature(signature: &vector<u8>): bool {
    let length = signature.length();
    if (length < SIGNATURE_BYTES) return false;
    let last = signature[length - 1];
    if (last < SHARED) return length == SIGNATURE_BYTES;
    let siblings = (last - SHARED) as u64;
    siblings >= 1 && siblings <= MAX_PATH
        && length == SIGNATURE_BYTES + siblings * HASH_BYTES + 2
        && signature[length - 2] >> (siblings as u8) == 0
}

/// Whether the key's owner signed exactly these bytes.
public(package) fun verify(bytes: &vector<u8>, signature: &vector<u8>, key: &Bytes32): bool {
    if (!is_signature(signature)) return false;
    if (signature.length() == SIGNATURE_BYTES) return verify_alone(bytes, signature, key);
    let mut signed = BATCH;
    signed.append(root_of(bytes, signature));
    verify_alone(&signed, &reader::slice(signature, 0, SIGNATURE_BYTES), key)
}

/// The root to which a shared signature's path leads.
fun root_of(bytes: &vector<u8>, signature: &vector<u8>): vector<u8> {
    let length = signature.length();
    let (mut sides, siblings) = (signature[length - 2], (signature[length - 1] - SHARED) as u64);
    let mut hash = merkle::leaf(*bytes);
    siblings.do!(|i| {
        let sibling = reader::slice(signature, SIGNATURE_BYTES + i * HASH_BYTES, HASH_BYTES);
        hash = if (sides & 1 == 1) merkle::inner(sibling, hash) else merkle::inner(hash, sibling);
        sides = sides >> 1;
    });
    hash
}

fun verify_alone(bytes: &vector<u8>, signature: &vector<u8>, key: &Bytes32): bool {
    !is_weak(signature) && ed25519::ed25519_verify(signature, &key.to_bytes(), bytes)
}

/// Whether the first 32 bytes are a point of small order.
fun is_weak(bytes: &vector<u8>): bool {
    let last = KEY_BYTES - 1;
    let point = vector::tabulate!(KEY_BYTES, |i| if (i == last) bytes[i] & 0x7f else bytes[i]);
    let weak = WEAK;
    weak.contains(&point)
}
