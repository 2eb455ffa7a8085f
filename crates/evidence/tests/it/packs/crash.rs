//! A crash at any byte: what was synced is there, what wasn't is cut off, and work goes on.

use super::samples::{FIRST_SEQ, exchange, header, request};
use atoma_evidence::pack::{Body, Pack, PackError, PackWriter, Record};
use std::{fs, path::Path};
use tempfile::TempDir;

const HEADER: usize = 128;

fn records() -> Vec<Record> {
    let text = "again and ".repeat(20);
    vec![
        exchange(1, Body::open("a").unwrap(), Body::absent()),
        Record::request(&request(2), Body::open(text).unwrap()),
        Record::request(&request(3), Body::sealed(vec![9; 30]).unwrap()),
    ]
}

/// A closed file, and its length after each sync.
fn written(path: &Path) -> (Vec<u8>, Vec<usize>) {
    let mut writer = PackWriter::create(path, header()).unwrap();
    let mut synced = Vec::new();
    for (place, record) in records().iter().enumerate() {
        assert_eq!(writer.append(record).unwrap(), FIRST_SEQ + place as u64);
        assert_eq!(writer.durable(), place);
        writer.sync().unwrap();
        assert_eq!(writer.durable(), place + 1);
        synced.push(fs::metadata(path).unwrap().len() as usize);
    }
    writer.close().unwrap().verify().unwrap();
    (fs::read(path).unwrap(), synced)
}

fn holds(pack: &Pack, expected: &[Record]) {
    pack.verify().unwrap();
    let found: Vec<Record> = pack.records().map(Result::unwrap).collect();
    assert_eq!(found, expected);
}

#[test]
fn at_every_byte() {
    let folder = TempDir::new().unwrap();
    let (bytes, synced) = written(&folder.path().join("whole"));
    let records = records();
    let path = folder.path().join("pack");
    for cut in 0..bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        if cut < HEADER {
            assert!(matches!(PackWriter::open(&path), Err(PackError::Unborn(_))));
            let writer = PackWriter::create(&path, header()).unwrap();
            assert!(writer.entries().is_empty());
            continue;
        }
        let mut writer = PackWriter::open(&path).unwrap();
        // everything that was acknowledged, and nothing else
        let kept = synced.iter().filter(|length| **length <= cut).count();
        assert_eq!(
            (writer.entries().len(), writer.durable()),
            (kept, kept),
            "cut at {cut}"
        );
        let end = if kept == 0 { HEADER } else { synced[kept - 1] };
        assert_eq!(fs::metadata(&path).unwrap().len() as usize, end);
        // half a record is kept aside; half an index says nothing that isn't known
        let aside = cut > end && kept < records.len();
        assert_eq!(writer.dropped().is_some(), aside, "cut at {cut}");
        if let Some(dropped) = writer.dropped() {
            assert_eq!(dropped.bytes as usize, cut - end);
            assert_eq!(fs::read(&dropped.kept_in).unwrap(), &bytes[end..cut]);
        }
        // what was lost comes again, and the pack is the same as without the crash
        if cut % 41 == 0 || cut == end {
            for record in &records[kept..] {
                writer.append(record).unwrap();
            }
            holds(&writer.close().unwrap(), &records);
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }
}

#[test]
fn zeros_and_noise_behind_the_records_are_cut_off() {
    let folder = TempDir::new().unwrap();
    let (bytes, synced) = written(&folder.path().join("whole"));
    let path = folder.path().join("pack");
    for tail in [vec![0; 5_000], vec![0xff; 5_000], b"ATIX".repeat(40)] {
        fs::write(&path, [&bytes[..synced[2]], &tail].concat()).unwrap();
        let writer = PackWriter::open(&path).unwrap();
        assert_eq!(writer.dropped().unwrap().bytes as usize, tail.len());
        holds(&writer.close().unwrap(), &records());
    }
    // a file that a crash left long and empty
    fs::write(&path, [0; HEADER]).unwrap();
    assert!(matches!(PackWriter::open(&path), Err(PackError::Unborn(_))));
    PackWriter::create(&path, header()).unwrap();
}

#[test]
fn damage_amid_the_records_loses_nothing_for_good() {
    let folder = TempDir::new().unwrap();
    let (bytes, synced) = written(&folder.path().join("whole"));
    let path = folder.path().join("pack");
    let mut damaged = bytes[..synced[2]].to_vec();
    damaged[synced[0] + 50] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let writer = PackWriter::open(&path).unwrap();
    assert_eq!(writer.entries().len(), 1);
    let kept_in = &writer.dropped().unwrap().kept_in;
    assert_eq!(fs::read(kept_in).unwrap(), &damaged[synced[0]..]);
}

#[test]
fn a_file_has_one_writer_and_is_closed_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pack");
    let mut writer = PackWriter::create(&path, header()).unwrap();
    assert!(matches!(PackWriter::open(&path), Err(PackError::InUse(_))));
    assert!(matches!(
        PackWriter::create(&path, header()),
        Err(PackError::InUse(_))
    ));
    assert!(matches!(Pack::open(&path), Err(PackError::Format(_))));
    let [first, second, _] = records().try_into().unwrap();
    writer.append(&first).unwrap();
    writer.sync().unwrap();
    // appended and never synced: nobody was told that it is kept
    let with_second = writer.length_with_record(&second);
    writer.append(&second).unwrap();
    assert_eq!(writer.length(), with_second);
    drop(writer);
    assert!(matches!(
        PackWriter::create(&path, header()),
        Err(PackError::Exists(_))
    ));
    let writer = PackWriter::open(&path).unwrap();
    assert_eq!(writer.header(), &header());
    assert!(writer.dropped().is_none());
    holds(&writer.close().unwrap(), &[first]);
    assert!(matches!(PackWriter::open(&path), Err(PackError::Closed(_))));
    assert!(matches!(
        PackWriter::create(&path, header()),
        Err(PackError::Exists(_))
    ));
}

#[test]
fn other_files_are_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other");
    for content in [&b"ATOMA, a text"[..], &[7; 500]] {
        fs::write(&path, content).unwrap();
        assert!(matches!(
            PackWriter::open(&path),
            Err(PackError::Format(_) | PackError::Wire(_))
        ));
        assert!(matches!(
            PackWriter::create(&path, header()),
            Err(PackError::Exists(_))
        ));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    let missing = folder.path().join("missing");
    assert!(matches!(PackWriter::open(&missing), Err(PackError::Io(_))));
    assert!(!missing.exists());
}
