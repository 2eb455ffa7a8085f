/// ed25519 keys and signatures.
module atoma::signature;

use atoma::bytes32::Bytes32;
use sui::ed25519;

const KEY_BYTES: u64 = 32;
const SIGNATURE_BYTES: u64 = 64;

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

/// Whether it has a signature's length.
public(package) fun is_signature(signature: &vector<u8>): bool {
    signature.length() == SIGNATURE_BYTES
}

/// Whether the key's owner signed exactly these bytes.
public(package) fun verify(bytes: &vector<u8>, signature: &vector<u8>, key: &Bytes32): bool {
    is_signature(signature) && !is_weak(signature)
        && ed25519::ed25519_verify(signature, &key.to_bytes(), bytes)
}

/// Whether the first 32 bytes are a point of small order.
fun is_weak(bytes: &vector<u8>): bool {
    let last = KEY_BYTES - 1;
    let point = vector::tabulate!(KEY_BYTES, |i| if (i == last) bytes[i] & 0x7f else bytes[i]);
    let weak = WEAK;
    weak.contains(&point)
}
