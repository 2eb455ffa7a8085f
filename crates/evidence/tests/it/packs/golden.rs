//! The format stays what it is: `tests/vectors/pack-v1.bin`.

use super::samples::{FIRST_SEQ, all_forms, header, long_text, pack_of};
use atoma_evidence::pack::{Form, Kind, Pack, PackError, Record, verify_record};
use atoma_types::RequestId;
use std::{fs, path::Path};
use tempfile::TempDir;

pub(crate) const GOLDEN: &[u8] = include_bytes!("../../vectors/pack-v1.bin");
/// Found by an independent reader in Python (hashlib), which follows the module's head alone.
const ROOT: &str = "0a643a7b8005e58807496e1431debedce687bb76c4f5c27d40741b4a802457a9";

#[test]
#[ignore = "writes the golden file anew: for a new version of the format only"]
fn write_golden() {
    let folder = TempDir::new().unwrap();
    let bytes = pack_of(&folder.path().join("pack"), &all_forms());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/pack-v1.bin");
    fs::write(path, bytes).unwrap();
}

#[test]
fn golden_pack_is_read() {
    let pack = Pack::from_bytes(GOLDEN).unwrap();
    pack.verify().unwrap();
    let catalog = pack.catalog();
    assert_eq!(catalog.header(), &header());
    assert_eq!(catalog.root().to_string(), ROOT);
    assert_eq!(catalog.length(), GOLDEN.len() as u64);
    assert_eq!(catalog.seqs(), FIRST_SEQ..FIRST_SEQ + 5);
    assert_eq!(catalog.place_of_seq(FIRST_SEQ + 4), Some(4));
    assert_eq!(catalog.place_of_seq(FIRST_SEQ + 5), None);
    assert_eq!(catalog.place_of_seq(FIRST_SEQ - 1), None);
    let twice: Vec<usize> = catalog.places_of(RequestId([10; 16])).collect();
    assert_eq!(twice, [0, 4]);

    let records: Vec<Record> = pack.records().map(Result::unwrap).collect();
    let forms = records
        .iter()
        .map(|record| [record.request_body().form(), record.answer_body().form()]);
    let expected = [
        [Form::Open, Form::Open],
        [Form::Compressed, Form::Compressed],
        [Form::Sealed, Form::Sealed],
        [Form::Open, Form::Absent],
        [Form::Absent, Form::Open],
    ];
    assert_eq!(forms.collect::<Vec<_>>(), expected);
    // other versions of zstd may compress otherwise, so it is what comes out that counts
    for (record, expected) in records.iter().zip(all_forms()) {
        assert_eq!(record.kind(), expected.kind());
        assert_eq!(record.request_id(), expected.request_id());
        assert_eq!(record.statement(), expected.statement());
        for (body, expected) in [
            (record.request_body(), expected.request_body()),
            (record.answer_body(), expected.answer_body()),
        ] {
            assert_eq!(body.plain().unwrap(), expected.plain().unwrap());
            assert_eq!(body.sealed_bytes(), expected.sealed_bytes());
        }
        let header = record.signed_request().unwrap();
        assert_eq!(header.message().request_id, record.request_id());
    }
    let question = records[1].request_body();
    assert_eq!(question.plain().unwrap().unwrap(), long_text());
    assert!(question.stored().len() < question.size());
    assert_eq!(records[3].kind(), Kind::Request);
    assert!(records[3].evidence_leaf().unwrap().is_none());
    let leaf = records[0].evidence_leaf().unwrap().unwrap();
    assert_eq!(&leaf.to_bytes()[..], &records[0].statement()[..]);
}

#[test]
fn golden_pack_is_written() {
    let folder = TempDir::new().unwrap();
    let pack = Pack::from_bytes(GOLDEN).unwrap();
    let records: Vec<Record> = pack.records().map(Result::unwrap).collect();
    let path = folder.path().join("pack");
    assert_eq!(pack_of(&path, &records), GOLDEN);
    let pack = Pack::open(&path).unwrap();
    pack.verify().unwrap();
}

#[test]
fn every_record_is_proved_offline() {
    let pack = Pack::from_bytes(GOLDEN).unwrap();
    let root = pack.catalog().root();
    for place in 0..5 {
        let bytes = pack.record_bytes(place).unwrap();
        let path = pack.catalog().prove(place).unwrap();
        let record = verify_record(&bytes, &path, root).unwrap();
        assert_eq!(record, pack.record(place).unwrap());
        let other = pack.catalog().prove((place + 1) % 5).unwrap();
        assert!(matches!(
            verify_record(&bytes, &other, root),
            Err(PackError::NotProved)
        ));
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1;
            assert!(verify_record(&changed.into(), &path, root).is_err());
        }
    }
    assert!(pack.catalog().prove(5).is_none());
    assert!(matches!(pack.record(5), Err(PackError::NoRecord(5))));
}

#[test]
fn an_empty_pack_is_one() {
    let folder = TempDir::new().unwrap();
    let bytes = pack_of(&folder.path().join("pack"), &[]);
    let pack = Pack::from_bytes(bytes).unwrap();
    pack.verify().unwrap();
    assert!(pack.catalog().entries().is_empty());
}
