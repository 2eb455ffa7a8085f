/// The binary Merkle tree over the receipts before a last one, by which that binds them.
///
/// ```text
/// leaf(i)     = BLAKE2b-256(0x00 | hash of receipt i)
/// node(l, r)  = BLAKE2b-256(0x01 | l | r)
/// ```
/// An unpaired node at the end of a level rises to the next as it is.
module atoma::merkle;

use atoma::bytes32::Bytes32;
use atoma::reader;
use sui::hash::blake2b256;

/// The bytes are not a Merkle proof.
const EProofInvalid: u64 = 715;
/// The proof does not lead from the record at its place to the ticket's last receipt.
const EProofFails: u64 = 716;

const LEAF: u8 = 0;
const INNER: u8 = 1;
const HASH_BYTES: u64 = 32;
/// A tree of 2^40 records has paths this long; anything longer is an attack.
const MAX_PATH: u64 = 40;
/// Where the path begins: after index and count.
const PATH_AT: u64 = 16;

/// The place, from 0, at which the proof shows a receipt to stand: among those before the last one, or behind them as
/// the last one itself, with an empty path. Those before the place `own` are of earlier tickets.
public(package) fun prove(
    receipt: &Bytes32,
    proof: &vector<u8>,
    own: u64,
    before: u64,
    history: &Bytes32,
    last: &Bytes32,
): u64 {
    let path = path(proof);
    assert!(path.is_some(), EProofInvalid);
    let path = path.destroy_some();
    let index = reader::u64_at(proof, 0);
    let holds = reader::u64_at(proof, 8) == before && path.length() <= MAX_PATH;
    assert!(holds && own <= index && index <= before, EProofFails);
    if (index == before) {
        assert!(path.is_empty() && receipt == last, EProofFails);
    } else {
        let found = root_from(leaf(receipt.to_bytes()), index, before, path);
        assert!(found.contains(&history.to_bytes()), EProofFails);
    };
    index
}

/// The hashes of a proof; nothing if it is none.
fun path(proof: &vector<u8>): Option<vector<vector<u8>>> {
    if (proof.length() <= PATH_AT) return option::none();
    let (length, at) = reader::length_at(proof, PATH_AT);
    if (length.is_none()) return option::none();
    let length = length.destroy_some();
    if (proof.length() - at != length * HASH_BYTES) return option::none();
    let path = vector::tabulate!(length, |i| reader::slice(proof, at + i * HASH_BYTES, HASH_BYTES));
    option::some(path)
}

/// The root that a path leads to; nothing if it is too short or too long for its place.
fun root_from(
    leaf: vector<u8>,
    index: u64,
    count: u64,
    path: vector<vector<u8>>,
): Option<vector<u8>> {
    let (mut place, mut width, mut hash, mut used) = (index, count, leaf, 0);
    while (width > 1) {
        let rises = place == width - 1 && width % 2 == 1;
        if (!rises) {
            if (used == path.length()) return option::none();
            let sibling = path[used];
            used = used + 1;
            hash = if (place % 2 == 0) inner(hash, sibling) else inner(sibling, hash);
        };
        place = place / 2;
        width = width / 2 + width % 2;
    };
    if (used == path.length()) option::some(hash) else option::none()
}

public(package) fun leaf(record: vector<u8>): vector<u8> {
    let mut bytes = vector[LEAF];
    bytes.append(record);
    blake2b256(&bytes)
}

public(package) fun inner(left: vector<u8>, right: vector<u8>): vector<u8> {
    let mut bytes = vector[INNER];
    bytes.append(left);
    bytes.append(right);
    blake2b256(&bytes)
}
