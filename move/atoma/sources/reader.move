/// Reading bytes that strangers made: what doesn't fit is said, never aborted on.
module atoma::reader;

use sui::bcs;

/// A length before a list fits 32 bits: at most five groups of seven.
const MAX_GROUPS: u8 = 5;
const MAX_LENGTH: u64 = (1 << 31) - 1;

/// `count` bytes from a place on; the caller knows that they are there.
public(package) fun slice(bytes: &vector<u8>, from: u64, count: u64): vector<u8> {
    vector::tabulate!(count, |i| bytes[from + i])
}

/// Whether the first sixteen bytes are this tag.
public(package) fun is_tagged(bytes: &vector<u8>, tag: vector<u8>): bool {
    let mut at = 0;
    while (at < tag.length()) {
        if (bytes[at] != tag[at]) return false;
        at = at + 1;
    };
    true
}

/// A little-endian number of eight bytes that are there.
public(package) fun u64_at(bytes: &vector<u8>, from: u64): u64 {
    bcs::new(slice(bytes, from, 8)).peel_u64()
}

/// The length that stands at a place, and the place after it. Only the shortest encoding is one.
public(package) fun length_at(bytes: &vector<u8>, from: u64): (Option<u64>, u64) {
    let mut at = from;
    let mut length = 0;
    let mut group = 0u8;
    while (group < MAX_GROUPS && at < bytes.length()) {
        let byte = bytes[at];
        let digit = byte & 0x7f;
        length = length | ((digit as u64) << (7 * group));
        at = at + 1;
        if (byte == digit) {
            let shortest = group == 0 || digit > 0;
            let found = if (shortest && length <= MAX_LENGTH) option::some(length) else option::none();
            return (found, at)
        };
        group = group + 1;
    };
    (option::none(), at)
}

/// The byte string with its length before it that stands at a place, and the place after it.
public(package) fun bytes_at(bytes: &vector<u8>, from: u64): (Option<vector<u8>>, u64) {
    let (length, at) = length_at(bytes, from);
    if (length.is_none()) return (option::none(), at);
    let length = length.destroy_some();
    if (bytes.length() - at < length) return (option::none(), at);
    (option::some(slice(bytes, at, length)), at + length)
}
