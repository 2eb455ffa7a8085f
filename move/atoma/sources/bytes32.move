/// Thirty-two bytes without a length before them: a key or a hash.
module atoma::bytes32;

use sui::address;

const LENGTH: u64 = 32;

/// BCS: the bytes.
public struct Bytes32 has copy, drop, store { bytes: address }

/// Nothing unless there are 32.
public(package) fun read(bytes: vector<u8>): Option<Bytes32> {
    if (bytes.length() == LENGTH) {
        option::some(Bytes32 { bytes: address::from_bytes(bytes) })
    } else {
        option::none()
    }
}

/// The BLAKE2b-256 of some bytes.
public(package) fun hash(bytes: &vector<u8>): Bytes32 {
    Bytes32 { bytes: address::from_bytes(sui::hash::blake2b256(bytes)) }
}

public(package) fun zero(): Bytes32 { Bytes32 { bytes: @0x0 } }

public(package) fun from_address(bytes: address): Bytes32 { Bytes32 { bytes } }

public(package) fun to_bytes(self: &Bytes32): vector<u8> { self.bytes.to_bytes() }
