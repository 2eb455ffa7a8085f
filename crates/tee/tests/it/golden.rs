//! The bytes of keysets, freshness and statements, and their digests, computed apart from this code.

use atoma_tee::{
    bundle::PlatformEvidence,
    nvidia::DeviceEvidence,
    octets::Octets,
    software::SoftwareEvidence,
    statement::{self, Freshness, FreshnessKind},
    testing,
};

fn number(n: u64) -> String {
    hex::encode(n.to_le_bytes())
}

#[test]
fn a_keysets_bytes() {
    let keyset = testing::keyset();
    let now = testing::now().0;
    let expected = [
        hex::encode("atoma/keyset/v1\0"),
        "01".repeat(32),
        "02".repeat(32),
        "03".repeat(32),
        "0e".repeat(32),
        "00".repeat(32),
        "01".to_owned(),
        "01000000".to_owned(),
        "00".to_owned(),
        "c009".to_owned(),
        "0a".repeat(1_216),
        "05".repeat(32),
        "00".to_owned(),
        number(now - 600_000),
        number(now + 3_000_000),
    ]
    .concat();
    assert_eq!(hex::encode(bcs::to_bytes(&keyset).unwrap()), expected);
    assert_eq!(
        keyset.digest().to_string(),
        "4d6c788210ebdbd2b78b7c3e4ce9776dfc0c71fcefec88669cecf7270d5ee41a"
    );
}

#[test]
fn the_bytes_of_freshness() {
    let now = testing::now().0;
    let head = [hex::encode("atoma/chall/v1\0\0"), "03".repeat(32)].concat();
    let checkpoint = testing::freshness();
    let rest = [number(7), "06".repeat(32), number(now - 300_000)].concat();
    let bytes = hex::encode(bcs::to_bytes(&checkpoint).unwrap());
    assert_eq!(bytes, format!("{head}01{rest}"));
    assert_eq!(
        checkpoint.digest().to_string(),
        "19139becd27f1a8964c4d7f95f426d52c577000a93eba7d9255a60a9d93ff782"
    );
    let nonce = Freshness::new(checkpoint.node, FreshnessKind::Nonce(Octets([0x11; 32])));
    let bytes = hex::encode(bcs::to_bytes(&nonce).unwrap());
    assert_eq!(bytes, format!("{head}00{}", "11".repeat(32)));
    assert_eq!(
        nonce.digest().to_string(),
        "b26c2684a08d09a92f176ad4fe11e0d80aae82d05b9ce328a6c5978a2810aacf"
    );
}

#[test]
fn a_statements_digests() {
    let keyset = testing::keyset().digest();
    let freshness = testing::freshness().digest();
    let none = statement::devices_digest(&[], &[]);
    assert_eq!(
        none.to_string(),
        "36e6428165e7e7a19c27d74503009a48c6b3c8f00c71febd3a1be74978c84547"
    );
    let device = DeviceEvidence {
        report: vec![0x21, 0x22, 0x23].try_into().unwrap(),
        chain: vec![vec![0x31, 0x32].try_into().unwrap()]
            .try_into()
            .unwrap(),
        answers: vec![vec![0x41].try_into().unwrap()].try_into().unwrap(),
    };
    let manifest = b"m".to_vec().try_into().unwrap();
    assert_eq!(
        statement::devices_digest(&[device], &[manifest]).to_string(),
        "6ddd3f7612602ff6bee5409725b37eae5e0f738d5e1711610f6dd40752f77b06"
    );
    assert_eq!(
        statement::device_nonce(keyset, freshness).to_string(),
        "428fb0e8ef17570235c3c465b85df788c519036ab46c80e7b917ef59116e6fc0"
    );
    let said = statement::statement_digest(keyset, none, freshness);
    assert_eq!(
        said.to_string(),
        "2377ed520c7cbf9669216c3b92434c59675ab586c35c2b578ca8e138ebd4605f"
    );
    let data = statement::report_data(said, freshness);
    assert_eq!(data.to_string(), format!("{said}{freshness}"));
}

#[test]
fn a_bundles_bytes() {
    let bundle = testing::bundle(Vec::new(), Vec::new(), |report_data| {
        PlatformEvidence::Software(SoftwareEvidence {
            measurement: Octets([0x50; 48]),
            report_data,
        })
    });
    let part = |bytes: Vec<u8>| hex::encode(bytes);
    let expected = [
        hex::encode("atoma/bundle/v1\0"),
        part(bcs::to_bytes(&testing::keyset()).unwrap()),
        part(bcs::to_bytes(&testing::freshness()).unwrap()),
        "03".to_owned(),
        "50".repeat(48),
        bundle.statement().to_string(),
        testing::freshness().digest().to_string(),
        "00".to_owned(),
        "00".to_owned(),
    ]
    .concat();
    assert_eq!(hex::encode(bundle.to_bytes()), expected);
    assert_eq!(bundle.to_bytes().len(), 1677);
    assert_eq!(
        bundle.digest().to_string(),
        "d60ffa4858d5fee71f0d9fbc4fb4ff3ec9721123df46767e2d6d09b52f25cafa"
    );
}
