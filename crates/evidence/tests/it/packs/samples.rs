//! Records to put into packs.

use atoma_evidence::pack::{Body, Header, PackWriter, Record};
use atoma_keys::SigningKey;
use atoma_types::{
    Address, NetworkId, NodeId, RequestId, TimestampMs,
    message::{Receipt, RequestHeader, Signed, sample},
};
use std::path::Path;

pub(crate) const FIRST_SEQ: u64 = 1_000;

pub(crate) fn header() -> Header {
    Header {
        network: NetworkId([1; 32]),
        node: NodeId(Address::new([3; 32])),
        first_seq: FIRST_SEQ,
        created: TimestampMs(1_700_000_000_000),
    }
}

pub(crate) fn request(number: u8) -> Signed<RequestHeader> {
    let header = RequestHeader {
        request_id: RequestId([number; 16]),
        ..sample::header()
    };
    Signed::new(header, &SigningKey::from_seed(&[42; 32]))
}

pub(crate) fn receipt(request: &Signed<RequestHeader>) -> Signed<Receipt> {
    let receipt = Receipt {
        request_id: request.message().request_id,
        ..sample::receipt(request.hash())
    };
    Signed::new(receipt, &SigningKey::from_seed(&[43; 32]))
}

pub(crate) fn exchange(number: u8, question: Body, answer: Body) -> Record {
    let request = request(number);
    Record::exchange(&request, &receipt(&request), question, answer)
}

/// Long enough to be compressed.
pub(crate) fn long_text() -> String {
    "{\"role\":\"user\",\"content\":\"the same again\"},".repeat(9)
}

/// One of every form.
pub(crate) fn all_forms() -> Vec<Record> {
    let open = |text: &str| Body::open(text.to_owned()).unwrap();
    let sealed = |byte| Body::sealed(vec![byte; 40]).unwrap();
    vec![
        exchange(10, open("short question"), open("short answer")),
        exchange(
            11,
            open(&long_text()),
            open(&long_text().replace("user", "assistant")),
        ),
        exchange(12, sealed(0xaa), sealed(0xbb)),
        Record::request(&request(13), open("only asked")),
        exchange(10, Body::absent(), open("")),
    ]
}

/// A closed pack's bytes.
pub(crate) fn pack_of(path: &Path, records: &[Record]) -> Vec<u8> {
    let mut writer = PackWriter::create(path, header()).unwrap();
    for record in records {
        writer.append(record).unwrap();
    }
    let length = writer.length();
    let pack = writer.close().unwrap();
    let bytes = pack.to_blob().unwrap().to_vec();
    assert_eq!(bytes, std::fs::read(path).unwrap());
    assert_eq!(length, bytes.len() as u64);
    bytes
}
