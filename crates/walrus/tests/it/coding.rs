//! Coding under random sizes, losses and damage; foreign bytes are read or refused.

use atoma_walrus::{
    coding::{
        Axis, BlobMetadata, CodingError, Encoded, MerkleProof, Params, RecoverySymbol, Sliver,
        decode, decode_primary, decode_secondary, encode, recover_sliver,
    },
    committee::Confirmation,
    quilt::{self, Quilt, QuiltBlob, QuiltError, QuiltPatchId, Tags, patch_of_columns},
};
use proptest::{collection::vec, prelude::*, sample::subsequence};

fn small_network() -> impl Strategy<Value = Params> {
    (4_usize..32).prop_map(|n| Params::new(n).unwrap())
}

/// A blob, and as few slivers as give it back.
fn case() -> impl Strategy<Value = (Encoded, Vec<u8>, Vec<usize>, Vec<usize>)> {
    (small_network(), vec(any::<u8>(), 0..6_000)).prop_flat_map(|(params, blob)| {
        let all: Vec<usize> = (0..usize::from(params.shards())).collect();
        let encoded = encode(params, &blob).unwrap();
        let rows = subsequence(all.clone(), params.primary());
        let columns = subsequence(all, params.secondary());
        (Just(encoded), Just(blob), rows, columns)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sufficient_set_gives_the_blob_back((encoded, blob, rows, columns) in case()) {
        let Encoded { metadata, pairs } = &encoded;
        let (params, size) = (metadata.params(), metadata.size());
        let primary: Vec<&Sliver> = rows.iter().map(|i| &pairs[*i].primary).collect();
        let secondary: Vec<&Sliver> = columns.iter().map(|i| &pairs[*i].secondary).collect();
        prop_assert!(decode_primary(params, size, primary.iter().copied()).unwrap() == blob);
        prop_assert!(decode_secondary(params, size, secondary.iter().copied()).unwrap() == blob);

        let too_few = decode_primary(params, size, primary[1..].iter().copied());
        prop_assert!(matches!(too_few, Err(CodingError::TooFew { .. })), "one less");
        let twice = primary[1..].iter().chain(&primary[1..2]).copied();
        prop_assert!(decode_primary(params, size, twice).is_err(), "one twice");
    }

    #[test]
    fn damaged_slivers_are_found_and_passed_over(
        (encoded, blob, rows, _) in case(), at: prop::sample::Index, bit in 0..8_u8,
    ) {
        let Encoded { metadata, pairs } = &encoded;
        let mut slivers: Vec<Sliver> = rows.iter().map(|i| pairs[*i].primary.clone()).collect();
        let at = at.index(slivers[0].data.len());
        slivers[0].data[at] ^= 1 << bit;
        prop_assert!(metadata.verify_sliver(&slivers[0]).is_err());
        prop_assert!(decode(metadata, &slivers).is_err());
        slivers.extend(pairs.iter().map(|pair| pair.primary.clone()));
        prop_assert!(decode(metadata, &slivers).unwrap() == blob);
        let mut moved = pairs[0].primary.clone();
        moved.index = 1;
        let same = pairs[0].primary.data == pairs[1].primary.data;
        prop_assert_eq!(metadata.verify_sliver(&moved).is_ok(), same);
    }

    #[test]
    fn lost_slivers_come_back_from_single_symbols((encoded, _, rows, columns) in case()) {
        let Encoded { metadata, pairs } = &encoded;
        for (axis, helpers) in [(Axis::Secondary, &rows), (Axis::Primary, &columns)] {
            let lost = match axis {
                Axis::Primary => &pairs[1].primary,
                Axis::Secondary => &pairs[1].secondary,
            };
            let mut symbols: Vec<RecoverySymbol> = helpers
                .iter()
                .map(|i| match axis {
                    Axis::Primary => &pairs[*i].secondary,
                    Axis::Secondary => &pairs[*i].primary,
                })
                .map(|helper| RecoverySymbol::new(metadata, helper, lost.index).unwrap())
                .collect();
            for symbol in &symbols {
                symbol.verify(metadata).unwrap();
                let proof = symbol.proof.to_bcs();
                prop_assert_eq!(&MerkleProof::from_bcs(&proof).unwrap(), &symbol.proof);
            }
            prop_assert_eq!(&recover_sliver(metadata, axis, lost.index, &symbols).unwrap(), lost);
            symbols[0].symbol[0] ^= 1;
            prop_assert!(symbols[0].verify(metadata).is_err());
            prop_assert!(recover_sliver(metadata, axis, lost.index, &symbols).is_err());
        }
    }

    #[test]
    fn cut_or_flipped_bytes_are_refused((encoded, ..) in case(), at: prop::sample::Index, bit in 0..8_u8) {
        let bytes = encoded.metadata.to_bcs();
        prop_assert!(BlobMetadata::from_bcs(&bytes[..at.index(bytes.len())]).is_err());
        let mut flipped = bytes.clone();
        flipped[at.index(bytes.len())] ^= 1 << bit;
        prop_assert!(BlobMetadata::from_bcs(&flipped).is_err());
        let sliver = &encoded.pairs[0].primary;
        let bytes = sliver.to_bcs();
        prop_assert_eq!(&Sliver::from_bcs(Axis::Primary, &bytes).unwrap(), sliver);
        prop_assert!(Sliver::from_bcs(Axis::Primary, &bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300), n in 4_usize..20) {
        let params = Params::new(n).unwrap();
        let _ = BlobMetadata::from_bcs(&bytes);
        let _ = Confirmation::from_bytes(&bytes);
        let _ = MerkleProof::from_bcs(&bytes);
        let _ = patch_of_columns(&bytes);
        let _ = Quilt::open(params, &bytes);
        if let Ok(sliver) = Sliver::from_bcs(Axis::Secondary, &bytes) {
            let _ = sliver.hash(params, 1);
            let _ = decode_secondary(params, 1, [&sliver]);
        }
    }

    #[test]
    fn any_text_is_a_patch_id_or_refused(text in "[A-Za-z0-9_-]{0,60}") {
        let _ = text.parse::<QuiltPatchId>();
    }

    #[test]
    fn quilts_go_round_and_damage_never_panics(
        n in 7_usize..40,
        data in vec((vec(any::<u8>(), 0..400), 0_usize..3), 1..5),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let params = Params::new(n).unwrap();
        let blobs: Vec<QuiltBlob> = data
            .into_iter()
            .enumerate()
            .map(|(i, (data, tags))| QuiltBlob {
                identifier: format!("blob-{i}"),
                tags: (0..tags).map(|t| (format!("{t}{}", "k".repeat(9 - 4 * t)), "v".into())).collect(),
                data,
            })
            .collect();
        let mut layout = match quilt::build(params, blobs.clone()) {
            Err(QuiltError::TooMany { .. }) => return Ok(()),
            layout => layout.unwrap(),
        };
        let quilt = Quilt::open(params, &layout.bytes).unwrap();
        prop_assert_eq!(quilt.index(), &layout.index);
        for blob in &blobs {
            let read = quilt.read(&blob.identifier).unwrap();
            prop_assert_eq!((&read.data, &read.tags), (&blob.data, &blob.tags));
        }
        let at = at.index(layout.bytes.len());
        layout.bytes[at] = byte;
        if let Ok(quilt) = Quilt::open(params, &layout.bytes) {
            for patch in &quilt.index().patches {
                let _ = quilt.read_columns(patch.start, patch.end);
            }
        }
    }
}

#[test]
fn a_blob_that_is_too_large_or_nothing() {
    let params = Params::new(4).unwrap();
    let largest = usize::try_from(params.max_blob()).unwrap();
    let encoded = encode(params, &vec![7; largest]).unwrap();
    let slivers: Vec<Sliver> = encoded
        .pairs
        .into_iter()
        .skip(2)
        .map(|pair| pair.primary)
        .collect();
    assert_eq!(decode(&encoded.metadata, &slivers).unwrap().len(), largest);
    let refused = encode(params, &vec![0; largest + 1]).map(|_| ());
    assert!(matches!(refused, Err(CodingError::TooLarge { .. })));
}

#[test]
fn quilts_refuse_what_they_cannot_hold() {
    let params = Params::new(7).unwrap();
    let blob = |name: &str| QuiltBlob {
        identifier: name.into(),
        tags: Tags::new(),
        data: vec![1; 10],
    };
    let build = |names: &[&str]| quilt::build(params, names.iter().map(|n| blob(n)).collect());
    assert_eq!(build(&[]), Err(QuiltError::Empty));
    assert_eq!(build(&["a", "a"]), Err(QuiltError::Duplicate("a".into())));
    let most = params.secondary() - 1;
    assert_eq!(
        build(&["1", "2", "3", "4", "5"]),
        Err(QuiltError::TooMany { found: 5, most })
    );
    assert_eq!(build(&[""]), Err(QuiltError::Identifier(String::new())));
    for name in ["", "_a", "a ", "a\n"] {
        assert!(quilt::check_identifier(name).is_err());
    }
    quilt::check_identifier("a b.txt").unwrap();
}
