/// Bytes that strangers made: whatever is no message is said to be none, and nothing aborts.
#[test_only]
module atoma::message_tests;

use atoma::engine;
use atoma::grant;
use atoma::header;
use atoma::reader;
use atoma::receipt;
use atoma::record;
use atoma::signature;
use atoma::vectors;
use atoma::bytes32;

/// The bytes with one of them changed.
fun with(mut bytes: vector<u8>, at: u64, byte: u8): vector<u8> {
    *&mut bytes[at] = byte;
    bytes
}

fun longer(mut bytes: vector<u8>): vector<u8> {
    bytes.push_back(0);
    bytes
}

#[test]
fun messages_are_read() {
    let header = header::decode(vectors::second_header()).destroy_some();
    assert!(header.lane() == 0 && header.ceiling() == 100 && header.max_units() == 40);
    let grant = grant::decode(vectors::grant()).destroy_some();
    assert!(grant.cumulative_units() == 100 && grant.max_price() == 1_500_000 && grant.nonce() == 7);
    let receipt = receipt::decode(vectors::second_receipt()).destroy_some();
    assert!(receipt.seq() == 2 && receipt.units() == 40 && receipt.cumulative_units() == 100);
    assert!(receipt.usage() == vector[0, 0, 40, 0, 0]);
    assert!(engine::claimed(bytes32::zero(), 0, 0).contains(&receipt.engine()));
    assert!(receipt.request_hash() == bytes32::hash(&vectors::second_header()));
    let (header, signature, receipt, other) =
        record::decode(&vectors::record()).destroy_some().into_parts();
    assert!(header == vectors::second_header() && signature == vectors::second_header_signature());
    assert!(receipt == vectors::second_receipt() && other == vectors::second_receipt_signature());
}

#[test]
fun messages_with_their_options_are_read() {
    // the byte says 1 or 2, and 32 bytes follow it
    vector[1, 2].do!(|origin| {
        let mut header = with(vectors::first_header(), 227, origin);
        32u8.do!(|_| header.push_back(9));
        assert!(header::decode(header).is_some());
        assert!(header::decode(with(header, 227, 0)).is_none());
        assert!(header::decode(with(header, 227, 3)).is_none());
        assert!(header::decode(with(header, 227, 4)).is_none());
    });
    // 3 says all by itself
    assert!(header::decode(with(vectors::first_header(), 227, 3)).is_some());
    let short = vectors::first_receipt();
    let mut receipt = reader::slice(&short, 0, 314);
    receipt.push_back(1);
    32u8.do!(|_| receipt.push_back(9));
    receipt.append(reader::slice(&short, 315, 72));
    let read = receipt::decode(receipt).destroy_some();
    assert!(read.seq() == 1 && read.units() == 60);
}

#[test]
fun shorter_and_longer_bytes_are_no_message() {
    let (header, grant, receipt) = (vectors::first_header(), vectors::grant(), vectors::first_receipt());
    header.length().do!(|n| assert!(header::decode(reader::slice(&header, 0, n)).is_none()));
    grant.length().do!(|n| assert!(grant::decode(reader::slice(&grant, 0, n)).is_none()));
    receipt.length().do!(|n| assert!(receipt::decode(reader::slice(&receipt, 0, n)).is_none()));
    assert!(header::decode(longer(header)).is_none());
    assert!(grant::decode(longer(grant)).is_none());
    assert!(receipt::decode(longer(receipt)).is_none());
}

#[test]
fun unknown_bytes_are_no_message() {
    let header = vectors::first_header();
    assert!(header::decode(with(header, 0, 0)).is_none());
    assert!(header::decode(with(header, 160, 3)).is_none()); // endpoint
    assert!(header::decode(with(header, 227, 1)).is_none()); // an origin without its bytes
    assert!(header::decode(with(header, 227, 2)).is_none());
    assert!(header::decode(with(header, 227, 4)).is_none());
    let receipt = vectors::first_receipt();
    assert!(receipt::decode(with(receipt, 15, 0)).is_none());
    assert!(receipt::decode(with(receipt, 312, 3)).is_none()); // numerics
    assert!(receipt::decode(with(receipt, 313, 2)).is_none()); // rule
    assert!(receipt::decode(with(receipt, 314, 1)).is_none());
    assert!(grant::decode(with(vectors::grant(), 14, 1)).is_none());
    assert!(grant::decode(reader::slice(&receipt, 0, 144)).is_none());
}

#[test]
fun only_whole_records_are_records() {
    let record = vectors::record();
    let mut length = 0;
    while (length < record.length()) {
        assert!(record::decode(&reader::slice(&record, 0, length)).is_none());
        length = length + 13;
    };
    assert!(record::decode(&longer(record)).is_none());
    assert!(record::decode(&with(record, 15, 1)).is_none());
    // the header's length says one byte more, or less
    assert!(record::decode(&with(record, 16, record[16] + 1)).is_none());
    assert!(record::decode(&with(record, 16, record[16] - 1)).is_none());
    assert!(record::decode(&vector::tabulate!(2_049, |_| 0)).is_none());
}

#[test]
fun a_length_has_one_encoding() {
    let (length, at) = reader::length_at(&x"00", 0);
    assert!(length == option::some(0) && at == 1);
    let (length, at) = reader::length_at(&x"ffe401", 1);
    assert!(length == option::some(228) && at == 3);
    let (length, _) = reader::length_at(&x"ffffffff07", 0);
    assert!(length == option::some((1 << 31) - 1));
    vector[x"", x"80", x"8000", x"e48100", x"8080808008", x"ffffffffff01", x"ffffffff0f"].do!(|bytes| {
        let (length, _) = reader::length_at(&bytes, 0);
        assert!(length.is_none());
    });
}

#[test]
fun only_the_signer_s_signature_is_good() {
    let key = bytes32::read(vectors::response_key()).destroy_some();
    let (bytes, good) = (vectors::first_receipt(), vectors::first_receipt_signature());
    assert!(signature::verify(&bytes, &good, &key));
    assert!(!signature::verify(&longer(bytes), &good, &key));
    assert!(!signature::verify(&bytes, &with(good, 0, good[0] ^ 1), &key));
    assert!(!signature::verify(&bytes, &with(good, 63, good[63] ^ 128), &key));
    assert!(!signature::verify(&bytes, &longer(good), &key));
    assert!(!signature::verify(&bytes, &vector[], &key));
    assert!(!signature::verify(&bytes, &good, &bytes32::zero()));
    let other = bytes32::read(vectors::request_key()).destroy_some();
    assert!(!signature::verify(&bytes, &good, &other));
}

#[test]
fun points_of_small_order_are_no_keys() {
    let weak = vector[
        x"0000000000000000000000000000000000000000000000000000000000000000",
        x"0100000000000000000000000000000000000000000000000000000000000000",
        x"0100000000000000000000000000000000000000000000000000000000000080",
        x"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        x"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        x"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        x"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        x"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        x"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];
    weak.do!(|key| assert!(!signature::is_key(&key)));
    assert!(signature::is_key(&vectors::request_key()));
    assert!(!signature::is_key(&longer(vectors::request_key())));
}
