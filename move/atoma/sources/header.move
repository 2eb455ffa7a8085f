/// The header of a request: a request by a stack's owner, and their voucher for units in one lane.
module atoma::header;

use atoma::reader;
use sui::bcs;

const TAG: vector<u8> = b"atoma/request/v1";
/// Where it is said where the request comes from: all before it has a fixed length.
const ORIGIN_AT: u64 = 227;
/// From whoever signs it, or from them for this node alone: nothing follows.
const OWN: u8 = 0;
const KEPT: u8 = 3;
const SHORT: u64 = 228;
/// From them and stored in a blob, or passed on for another request: its id or hash follows.
const STORED: u8 = 1;
const FORWARDED: u8 = 2;
const LONG: u64 = 260;
/// There are so many endpoints.
const ENDPOINTS: u8 = 3;

/// What the ledger needs of a header.
public struct Header has copy, drop {
    network: address,
    stack: ID,
    node: ID,
    task: ID,
    lane: u16,
    ceiling: u64,
    max_units: u64,
}

/// Nothing if the bytes are no header.
public(package) fun decode(bytes: vector<u8>): Option<Header> {
    let length = bytes.length();
    let fits = (length == SHORT && (bytes[ORIGIN_AT] == OWN || bytes[ORIGIN_AT] == KEPT))
        || (length == LONG && (bytes[ORIGIN_AT] == STORED || bytes[ORIGIN_AT] == FORWARDED));
    if (!fits || !reader::is_tagged(&bytes, TAG)) return option::none();
    let mut reader = bcs::new(bytes);
    reader.peel_u128(); // the tag
    let network = reader.peel_address();
    let stack = reader.peel_address().to_id();
    let node = reader.peel_address().to_id();
    let task = reader.peel_address().to_id();
    reader.peel_u128(); // the request's id
    if (reader.peel_u8() >= ENDPOINTS) return option::none();
    reader.peel_address(); // the body's hash
    let lane = reader.peel_u16();
    let ceiling = reader.peel_u64();
    let max_units = reader.peel_u64();
    option::some(Header { network, stack, node, task, lane, ceiling, max_units })
}

public(package) fun network(self: &Header): address { self.network }

public(package) fun stack(self: &Header): ID { self.stack }

public(package) fun node(self: &Header): ID { self.node }

public(package) fun task(self: &Header): ID { self.task }

public(package) fun lane(self: &Header): u16 { self.lane }

public(package) fun ceiling(self: &Header): u64 { self.ceiling }

public(package) fun max_units(self: &Header): u64 { self.max_units }
