/// A stack owner's grant of units to one node.
module atoma::grant;

use atoma::reader;
use sui::bcs;

const TAG: vector<u8> = b"atoma/grant/v1\x00\x00";
const LENGTH: u64 = 144;

/// "Node, you may lease up to this many units of my stack in all, at no more than this price."
public struct Grant has copy, drop {
    network: address,
    stack: ID,
    node: ID,
    cumulative_units: u64,
    max_price: u64,
    nonce: u64,
    expires_at_ms: u64,
}

/// Nothing if the bytes are no grant.
public(package) fun decode(bytes: vector<u8>): Option<Grant> {
    if (bytes.length() != LENGTH || !reader::is_tagged(&bytes, TAG)) return option::none();
    let mut reader = bcs::new(bytes);
    reader.peel_u128(); // the tag
    option::some(Grant {
        network: reader.peel_address(),
        stack: reader.peel_address().to_id(),
        node: reader.peel_address().to_id(),
        cumulative_units: reader.peel_u64(),
        max_price: reader.peel_u64(),
        nonce: reader.peel_u64(),
        expires_at_ms: reader.peel_u64(),
    })
}

public(package) fun network(self: &Grant): address { self.network }

public(package) fun stack(self: &Grant): ID { self.stack }

public(package) fun node(self: &Grant): ID { self.node }

public(package) fun cumulative_units(self: &Grant): u64 { self.cumulative_units }

public(package) fun max_price(self: &Grant): u64 { self.max_price }

public(package) fun nonce(self: &Grant): u64 { self.nonce }

public(package) fun expires_at_ms(self: &Grant): u64 { self.expires_at_ms }
