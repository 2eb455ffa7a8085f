/// A node's receipt: what was used, and what the lease has cost so far.
module atoma::receipt;

use atoma::bytes32::{Self, Bytes32};
use atoma::engine::{Self, EngineClass};
use atoma::reader;
use sui::bcs;

const TAG: vector<u8> = b"atoma/receipt/v1";
/// Where the optional fingerprint begins: all before it has a fixed length.
const OPTION_AT: u64 = 314;
const SHORT: u64 = 387;
const LONG: u64 = 419;
/// From where base and history stand to the end.
const BASE_TO_END: u64 = 40;
const HISTORY_TO_END: u64 = 32;

/// What a request used.
public struct Usage has copy, drop {
    input: u64,
    cached_input: u64,
    output: u64,
    image_steps: u64,
    audio_seconds: u64,
}

/// What the ledger needs of a receipt.
public struct Receipt has copy, drop {
    network: address,
    stack: ID,
    node: ID,
    seq: u64,
    request_hash: Bytes32,
    usage: Usage,
    units: u64,
    cumulative_units: u64,
    engine: EngineClass,
    base: u64,
    history: Bytes32,
}

/// Nothing if the bytes are no receipt.
public(package) fun decode(bytes: vector<u8>): Option<Receipt> {
    let length = bytes.length();
    let fits = (length == SHORT && bytes[OPTION_AT] == 0)
        || (length == LONG && bytes[OPTION_AT] == 1);
    if (!fits || !reader::is_tagged(&bytes, TAG)) return option::none();
    let base = reader::u64_at(&bytes, length - BASE_TO_END);
    let history = reader::slice(&bytes, length - HISTORY_TO_END, HISTORY_TO_END);
    let mut reader = bcs::new(bytes);
    reader.peel_u128(); // the tag
    let network = reader.peel_address();
    let stack = reader.peel_address().to_id();
    let node = reader.peel_address().to_id();
    let seq = reader.peel_u64();
    reader.peel_u128(); // the request's id
    let request_hash = bytes32::from_address(reader.peel_address());
    reader.peel_address(); // the answer's hash
    let usage = Usage {
        input: reader.peel_u64(),
        cached_input: reader.peel_u64(),
        output: reader.peel_u64(),
        image_steps: reader.peel_u64(),
        audio_seconds: reader.peel_u64(),
    };
    let units = reader.peel_u64();
    let cumulative_units = reader.peel_u64();
    3u8.do!(|_| { reader.peel_u64(); }); // times
    let model = bytes32::from_address(reader.peel_address());
    let engine = engine::claimed(model, reader.peel_u8(), reader.peel_u8());
    if (engine.is_none()) return option::none();
    option::some(Receipt {
        network,
        stack,
        node,
        seq,
        request_hash,
        usage,
        units,
        cumulative_units,
        engine: engine.destroy_some(),
        base,
        history: bytes32::read(history).destroy_some(),
    })
}

public(package) fun network(self: &Receipt): address { self.network }

public(package) fun stack(self: &Receipt): ID { self.stack }

public(package) fun node(self: &Receipt): ID { self.node }

public(package) fun seq(self: &Receipt): u64 { self.seq }

public(package) fun request_hash(self: &Receipt): Bytes32 { self.request_hash }

public(package) fun units(self: &Receipt): u64 { self.units }

public(package) fun cumulative_units(self: &Receipt): u64 { self.cumulative_units }

/// The number of the receipt before the first one of its history.
public(package) fun base(self: &Receipt): u64 { self.base }

/// The root over the receipts after its base up to the one before it.
public(package) fun history(self: &Receipt): Bytes32 { self.history }

public(package) fun engine(self: &Receipt): EngineClass { self.engine }

/// Input, cached input, output, image steps, audio seconds.
public(package) fun usage(self: &Receipt): vector<u64> {
    let usage = &self.usage;
    vector[usage.input, usage.cached_input, usage.output, usage.image_steps, usage.audio_seconds]
}
