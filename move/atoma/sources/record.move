/// A settled record: a signed request header and the signed receipt for it, as one leaf of the tree
/// that a node settles.
module atoma::record;

use atoma::reader;

const TAG: vector<u8> = b"atoma/record/v1\x00";
const TAG_BYTES: u64 = 16;
/// Longer bytes are no record: two messages and two signatures are below half of it.
const MAX_BYTES: u64 = 2_048;

/// The parts, none of them looked at yet.
public struct Record has drop {
    header: vector<u8>,
    header_signature: vector<u8>,
    receipt: vector<u8>,
    receipt_signature: vector<u8>,
}

/// Nothing if the bytes are no record.
public(package) fun decode(bytes: &vector<u8>): Option<Record> {
    let length = bytes.length();
    let fits = length >= TAG_BYTES && length <= MAX_BYTES;
    if (!fits || !reader::is_tagged(bytes, TAG)) return option::none();
    let (header, at) = reader::bytes_at(bytes, TAG_BYTES);
    if (header.is_none()) return option::none();
    let (header_signature, at) = reader::bytes_at(bytes, at);
    if (header_signature.is_none()) return option::none();
    let (receipt, at) = reader::bytes_at(bytes, at);
    if (receipt.is_none()) return option::none();
    let (receipt_signature, at) = reader::bytes_at(bytes, at);
    if (receipt_signature.is_none() || at != length) return option::none();
    option::some(Record {
        header: header.destroy_some(),
        header_signature: header_signature.destroy_some(),
        receipt: receipt.destroy_some(),
        receipt_signature: receipt_signature.destroy_some(),
    })
}

/// Header, its signature, receipt, its signature.
public(package) fun into_parts(
    self: Record,
): (vector<u8>, vector<u8>, vector<u8>, vector<u8>) {
    let Record { header, header_signature, receipt, receipt_signature } = self;
    (header, header_signature, receipt, receipt_signature)
}
