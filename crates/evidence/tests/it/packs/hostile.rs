//! Bytes from anyone: read or refused, never more memory than the limits say.

use super::{
    golden::GOLDEN,
    samples::{all_forms, header},
};
use atoma_evidence::pack::{Body, Footer, Header, MAX_BODY, MAX_SEAL, Pack, PackError, Record};
use atoma_types::{
    hash::Hash32,
    merkle::{MerkleTree, leaf_hash},
};
use bytes::Bytes;
use proptest::{collection::vec, prelude::*};

/// A row of an index that may lie.
#[derive(Clone)]
struct Row {
    id: [u8; 16],
    leaf: Hash32,
    offset: u64,
    length: u32,
}

/// A pack as the module's head describes it, with hashes that fit whatever it is given.
fn assemble(header: &[u8], records: &[u8], rows: &[Row], root: Hash32, count: u32) -> Vec<u8> {
    let mut index = b"ATIX".to_vec();
    for row in rows {
        index.extend([&row.id[..], &row.leaf.0].concat());
        index.extend(row.offset.to_le_bytes());
        index.extend(row.length.to_le_bytes());
    }
    let mut footer = ((header.len() + records.len()) as u64)
        .to_le_bytes()
        .to_vec();
    footer.extend(count.to_le_bytes());
    footer.extend([0; 4]);
    footer.extend(root.0);
    let hash = Hash32::of_parts(&[header, &index, &footer]);
    footer.extend(hash.0);
    footer.extend(b"ATOMAEND");
    [header, records, &index, &footer].concat()
}

fn honest() -> (Vec<u8>, Vec<Row>) {
    let mut records = Vec::new();
    let mut rows = Vec::new();
    let pack = Pack::from_bytes(GOLDEN).unwrap();
    for record in pack.records() {
        let record = record.unwrap();
        let bytes = record.to_bytes().unwrap();
        rows.push(Row {
            id: record.request_id().0,
            leaf: leaf_hash(&bytes[4..bytes.len() - 32]),
            offset: (128 + records.len()) as u64,
            length: bytes.len() as u32,
        });
        records.extend(bytes);
    }
    (records, rows)
}

fn root(rows: &[Row]) -> Hash32 {
    MerkleTree::from_leaves(rows.iter().map(|row| row.leaf).collect()).root()
}

/// A pack with lying rows and everything else true to them.
fn lying(change: impl FnOnce(&mut Vec<Row>)) -> Result<(), PackError> {
    let (records, mut rows) = honest();
    change(&mut rows);
    let bytes = assemble(
        &header().to_bytes(),
        &records,
        &rows,
        root(&rows),
        rows.len() as u32,
    );
    Pack::from_bytes(bytes)?.verify()
}

#[test]
fn the_description_makes_the_golden_file() {
    let (records, rows) = honest();
    let made = assemble(&header().to_bytes(), &records, &rows, root(&rows), 5);
    assert_eq!(made, GOLDEN);
}

#[test]
fn an_index_that_lies_is_refused() {
    lying(|_| ()).unwrap();
    let format = |result| assert!(matches!(result, Err(PackError::Format(_))), "{result:?}");
    format(lying(|rows| rows[1].offset -= 1));
    format(lying(|rows| rows[0].offset = 0));
    format(lying(|rows| rows[4].offset = u64::MAX - 10));
    format(lying(|rows| rows[4].length += 1));
    format(lying(|rows| rows[4].length = u32::MAX));
    format(lying(|rows| rows[0].length = 0));
    format(lying(|rows| rows.swap(0, 1)));
    format(lying(|rows| rows.truncate(4)));
    format(lying(|rows| rows.push(rows[4].clone())));
    format(lying(Vec::clear));
    // the record's own word is what counts
    let wrong = |result| {
        assert!(
            matches!(result, Err(PackError::WrongRecord(2))),
            "{result:?}"
        );
    };
    wrong(lying(|rows| rows[2].id[0] ^= 1));
    wrong(lying(|rows| rows[2].leaf = Hash32([1; 32])));
}

#[test]
fn a_footer_that_lies_is_refused() {
    let (records, rows) = honest();
    let header = header().to_bytes();
    let other_root = assemble(&header, &records, &rows, Hash32([1; 32]), 5);
    assert!(matches!(
        Pack::from_bytes(other_root),
        Err(PackError::Hash("root"))
    ));
    for count in [0, 4, 6, 1 << 18, (1 << 18) + 1, u32::MAX] {
        let bytes = assemble(&header, &records, &rows, root(&rows), count);
        assert!(matches!(Pack::from_bytes(bytes), Err(PackError::Format(_))));
    }
    assert!(matches!(
        Footer::range(u64::MAX),
        Err(PackError::TooLarge { .. })
    ));
    assert!(matches!(Footer::range(219), Err(PackError::Format(_))));
}

#[test]
fn a_header_that_lies_is_refused() {
    let good = header().to_bytes();
    let sealed = |change: fn(&mut [u8; 128])| {
        let mut bytes = good;
        change(&mut bytes);
        let hash = Hash32::of(&bytes[..96]);
        bytes[96..].copy_from_slice(&hash.0);
        Header::from_bytes(&bytes)
    };
    assert_eq!(sealed(|_| ()).unwrap(), header());
    assert!(matches!(
        sealed(|bytes| bytes[8] = 2),
        Err(PackError::Version(2))
    ));
    assert!(matches!(
        sealed(|bytes| bytes[12] = 1),
        Err(PackError::Format(_))
    ));
    assert!(matches!(
        sealed(|bytes| bytes[0] = 1),
        Err(PackError::Format(_))
    ));
    // numbers that would overflow
    assert!(matches!(
        sealed(|bytes| bytes[80..88].fill(255)),
        Err(PackError::Format(_))
    ));
}

#[test]
fn every_byte_counts() {
    let read = |bytes: Vec<u8>| Pack::from_bytes(bytes).and_then(|pack| pack.verify());
    for at in 0..GOLDEN.len() {
        let mut changed = GOLDEN.to_vec();
        changed[at] ^= 0x10;
        assert!(read(changed).is_err(), "byte {at}");
        assert!(read(GOLDEN[..at].to_vec()).is_err());
        assert!(read(GOLDEN[at + 1..].to_vec()).is_err());
    }
    assert!(read([GOLDEN, &[0]].concat()).is_err());
}

/// A record with a compressed request body, by the description.
fn compressed(size: u32, stored: &[u8]) -> Result<Record, PackError> {
    let mut content = vec![2, 2, 0, 0];
    content.extend([7; 16]);
    content.extend(0_u32.to_le_bytes());
    content.extend(size.to_le_bytes());
    content.extend((stored.len() as u32).to_le_bytes());
    content.extend([0; 8]);
    content.extend(stored);
    let mut bytes = (content.len() as u32).to_le_bytes().to_vec();
    bytes.extend(&content);
    bytes.extend(leaf_hash(&content).0);
    Record::from_bytes(&bytes.into()).map(|(record, _)| record)
}

#[test]
fn bombs_dont_go_off() {
    let plain = |size, stored: &[u8]| compressed(size, stored).unwrap().request_body().plain();
    let frame = |size| zstd::bulk::compress(&vec![0; size], 3).unwrap();
    let good = frame(300);
    assert_eq!(plain(300, &good).unwrap().unwrap(), vec![0; 300]);

    // more than a body may have: refused before it is looked at
    let bomb = frame(MAX_BODY + 1);
    assert!(matches!(
        compressed(MAX_BODY as u32 + 1, &bomb),
        Err(PackError::Format(_))
    ));
    assert!(matches!(
        compressed(u32::MAX, &bomb),
        Err(PackError::Format(_))
    ));
    let refused = |result| assert!(matches!(result, Err(PackError::Compression)), "{result:?}");
    // the record and the frame disagree
    refused(plain(MAX_BODY as u32, &bomb));
    refused(plain(299, &good));
    refused(plain(301, &good));
    // the frame disagrees with itself: 300 bytes, said to be 299; its size stands at byte 5
    let mut liar = good.clone();
    assert_eq!(liar[5..7], (300_u16 - 256).to_le_bytes());
    liar[5] -= 1;
    refused(plain(299, &liar));
    // a second frame behind the first
    refused(plain(300, &good.repeat(2)));
    // a frame that doesn't say
    let mut silent = zstd::bulk::Compressor::new(3).unwrap();
    silent.include_contentsize(false).unwrap();
    refused(plain(300, &silent.compress(&[0; 300]).unwrap()));
    refused(plain(300, b"not a frame"));
    refused(plain(300, &good[..good.len() - 1]));
    // compressed and not shorter is no form
    assert!(matches!(
        compressed(good.len() as u32, &good),
        Err(PackError::Format(_))
    ));
}

#[test]
fn bodies_have_limits() {
    let large = Bytes::from(vec![0; MAX_BODY + MAX_SEAL + 1]);
    let cut = |length| large.slice(..length);
    assert!(Body::open(cut(MAX_BODY)).is_ok());
    assert!(matches!(
        Body::open(cut(MAX_BODY + 1)),
        Err(PackError::TooLarge { .. })
    ));
    assert!(Body::sealed(cut(MAX_BODY + MAX_SEAL)).is_ok());
    let error = Body::sealed(large.clone()).unwrap_err();
    assert_eq!(error.code(), "pack_too_large");
    // bodies aren't for logs
    let secret = Body::open("secret").unwrap();
    assert_eq!(format!("{secret:?}"), "Open body of 6 bytes");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(Pack::from_bytes(bytes.clone()).is_err());
        prop_assert!(Header::from_bytes(&bytes).is_err());
        prop_assert!(Footer::from_bytes(&bytes, 1 << 20).is_err());
        prop_assert!(Record::from_bytes(&bytes.into()).is_err());
    }

    #[test]
    fn any_content_is_read_or_refused(
        which in 0_usize..5,
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in 0_usize..40,
    ) {
        let record = all_forms()[which].to_bytes().unwrap();
        let mut content = record[4..record.len() - 32].to_vec();
        content.truncate(content.len() - cut * usize::from(cut % 3 == 0));
        for (at, byte) in changes {
            // most of what counts stands in the first bytes
            let at = at.index(content.len()).min(at.index(96));
            content[at] = byte;
        }
        let mut bytes = (content.len() as u32).to_le_bytes().to_vec();
        bytes.extend(&content);
        bytes.extend(leaf_hash(&content).0);
        if let Ok((read, leaf)) = Record::from_bytes(&bytes.clone().into()) {
            prop_assert_eq!(leaf, leaf_hash(&content));
            // one encoding for each record
            prop_assert_eq!(read.to_bytes().unwrap(), bytes);
            let _ = (read.evidence_leaf(), read.signed_request());
            for body in [read.request_body(), read.answer_body()] {
                let plain = body.plain();
                prop_assert!(plain.map_or(0, |plain| plain.map_or(0, |plain| plain.len())) <= body.size());
            }
        }
    }

    #[test]
    fn bodies_come_out_as_they_went_in(
        open in prop_oneof![vec(any::<u8>(), 0..600), vec(0_u8..2, 0..4_000)],
        sealed in vec(any::<u8>(), 0..300),
    ) {
        let body = Body::open(open.clone()).unwrap();
        prop_assert_eq!(body.plain().unwrap().unwrap(), &open);
        prop_assert!(body.sealed_bytes().is_none() && body.stored().len() <= open.len());
        let body = Body::sealed(sealed.clone()).unwrap();
        prop_assert_eq!(body.sealed_bytes().unwrap(), &sealed);
        prop_assert!(body.plain().unwrap().is_none());
    }
}
