//! Two other implementations: the published test vector of HPKE with X-Wing, and the whole channel in JavaScript
//! (`tests/channel-js`), which shares no code with this crate.

use atoma_channel::{
    AnswerPart, Padding, RequestTerms, SealedRequest, VerifiedKeyset, seal_request,
    testing::{NOW, TestNode, terms, window},
};
use atoma_runtime::Random;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS,
    aead::ChaCha20Poly1305,
    kdf::HkdfSha256,
    kem::XWing,
    rand_core::{TryCryptoRng, TryRng},
    setup_receiver, setup_sender_with_rng,
};
use parking_lot::Mutex;
use serde_json::Value;
use std::{convert::Infallible, path::Path, process::Command};

/// Plays bytes that were written down.
#[derive(Debug)]
struct Played(Mutex<Vec<u8>>);

impl Played {
    fn new(hex: &Value) -> Self {
        Self(Mutex::new(bytes(hex)))
    }
}

impl Random for Played {
    fn fill(&self, out: &mut [u8]) {
        let mut left = self.0.lock();
        let rest = left.split_off(out.len());
        out.copy_from_slice(&left);
        *left = rest;
    }
}

impl TryRng for Played {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("X-Wing takes bytes")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("X-Wing takes bytes")
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Played {}

fn bytes(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Test vector for mode base, KEM 0x647a, KDF 1, AEAD 3 of the HPKE working group's draft for post-quantum KEMs: what follows
/// from its keys and its randomness, of which the longer ones can't stand here.
#[test]
fn the_published_vector_of_hpke_with_x_wing() {
    let value = |hex: &str| Value::String(hex.to_owned());
    let secret = value("3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630");
    let random = value(
        "2a1c0a3745fe8a48fb62034d300f54dfe1974a5b2e169e580a8789cb1cf5fd190fc00f3fd899594e01a8b15334b9f3fa03d8de44da86e19f5776850fb689e6c8",
    );
    let info = hex::encode("Ode on a Grecian Urn");
    let text = hex::encode("Beauty is truth, truth beauty");
    let secret = <XWing as Kem>::PrivateKey::from_bytes(&bytes(&secret)).unwrap();
    let public = XWing::sk_to_pk(&secret);
    let (encapsulated, mut sender) = setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        info.as_bytes(),
        &mut Played::new(&random),
    )
    .unwrap();
    let sealed = sender.seal(text.as_bytes(), b"Count-0").unwrap();
    assert_eq!(
        hex::encode(&sealed),
        "c5c591f99092d5e38df0a52699af249c66f8275a863423c076de8147a53e65cc584041c963b77a7e59ea93841b1339b5efda8909b71f74bb0073ad62e899de310c1566dea2fd29eba377"
    );
    let mut receiver = setup_receiver::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &secret,
        &encapsulated,
        info.as_bytes(),
    )
    .unwrap();
    assert_eq!(receiver.open(&sealed, b"Count-0").unwrap(), text.as_bytes());
    let mut exported = [0; 32];
    receiver.export(b"pseudorandom0", &mut exported).unwrap();
    assert_eq!(
        hex::encode(exported),
        "5a78d37f40e078c17ef43fa40963f1ff7dcdee56e366da9099dc181c3eccaee5"
    );
}

#[test]
fn javascript_makes_the_same_bytes_and_each_opens_the_others() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../tests/channel-js/vectors.json")).unwrap();
    let nodes = [TestNode::new(1), TestNode::new(2)];
    for (node, digest) in nodes.iter().zip(file["keysets"].as_array().unwrap()) {
        assert_eq!(node.keyset.digest().to_string(), digest.as_str().unwrap());
    }
    for vector in file["vectors"].as_array().unwrap() {
        let name = &vector["name"];
        let keysets: Vec<VerifiedKeyset> = nodes[..number(&vector["nodes"])]
            .iter()
            .map(TestNode::verified)
            .collect();
        let padding = [Padding::Blocks, Padding::Even][number(&vector["padding"])];
        let terms = RequestTerms { padding, ..terms() };
        // `(3 + 7 i) mod 256`, as the script has it
        let text: Vec<u8> = (0..number(&vector["length"]))
            .map(|i| (3 + 7 * i) as u8)
            .collect();
        let random = Played::new(&vector["random"]);
        let (sealed, mut opener) = seal_request(&terms, &keysets, &text, &random).unwrap();
        assert!(
            random.0.lock().is_empty(),
            "{name}: all random bytes were taken"
        );
        assert_eq!(
            SealedRequest::read(&sealed).unwrap().hash().to_string(),
            vector["hash"].as_str().unwrap()
        );
        if let Some(theirs) = vector.get("sealed") {
            assert_eq!(hex::encode(&sealed), theirs.as_str().unwrap(), "{name}");
        }

        let theirs = bytes(&vector["answer"]);
        opener.push(&theirs);
        let parts: Vec<AnswerPart> = std::iter::from_fn(|| opener.part().unwrap()).collect();
        opener.finish().unwrap();

        let node = &nodes[number(&vector["place"])];
        let opening = node.open(&sealed).unwrap();
        let admitted = window().admit(&opening.seen(), NOW).unwrap();
        let random = Played::new(&vector["answer_random"]);
        let (question, mut sealer) = opening.admitted(admitted, &random).unwrap();
        assert_eq!(&question[..], text, "{name}");
        let mut ours = Vec::new();
        for part in &parts {
            let sealed = match part {
                AnswerPart::Text(text) => sealer.text(text, &mut ours),
                AnswerPart::Error { status, body } => sealer.fail(*status, body, &mut ours),
                AnswerPart::Receipt(receipt) => sealer.receipt(receipt, &mut ours),
            };
            sealed.unwrap();
        }
        assert_eq!(parts.len(), 4);
        assert_eq!(hex::encode(&ours), hex::encode(&theirs), "{name}");
    }
}

/// Where Node.js and the script's packages are installed (`npm ci` in `tests/channel-js`); elsewhere this says so and
/// passes.
#[test]
fn javascript_still_makes_these_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/channel-js");
    if !folder.join("node_modules").is_dir() {
        eprintln!("skipped: run `npm ci` in tests/channel-js first");
        return;
    }
    let node = Command::new("node")
        .arg("vectors.mjs")
        .current_dir(folder)
        .output();
    let output = node.expect("node runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
