//! `atoma verify` from a receipt, a pack and a blob id, with a node that shows its proofs, is gone,
//! or lies.

use crate::{
    atoma::{self, Process},
    case::{Case, convicted, paid, pays, settles, types},
};
use atoma_evidence::pack::{
    Body, Header, Pack, PackWriter, ReceiptProof, Record, SaltedBody, SealContext, Sealer,
    SettlementProof, StorageProof,
};
use atoma_keys::{Keystore, SigningKey};
use atoma_network::testing::DAY;
use atoma_runtime::Threads;
use atoma_types::{
    ComputeUnits, TimestampMs,
    history::ReceiptTree,
    message::{CommitmentKind, Signed},
};
use atoma_walrus::BlobId;
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::Arc,
};

/// What `atoma verify` said.
struct Told {
    /// 0 where everything holds, 1 where something fails, 2 where something couldn't be checked.
    status: i32,
    lines: Vec<Value>,
}

impl Told {
    /// The checks that came out so.
    fn checks(&self, result: &str) -> Vec<&str> {
        let lines = self.lines.iter().filter(|line| line["result"] == result);
        lines.map(|line| line["check"].as_str().unwrap()).collect()
    }

    /// The last line but the error's.
    fn verdict(&self) -> &Value {
        let mut lines = self.lines.iter().rev();
        let verdict = lines.find(|line| line["error"].is_null());
        verdict.unwrap_or_else(|| panic!("no verdict: {:?}", self.lines))
    }
}

impl Case {
    fn path(&self, name: &str) -> String {
        let path = self.world.folder.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    async fn verify(&self, args: &[&str]) -> Told {
        let (keystore, home) = (self.path("user.keystore"), self.path("home"));
        let mut store = Keystore::open(&keystore).unwrap();
        if store.keys().is_empty() {
            let user = SigningKey::from_seed(&self.user.to_seed());
            store.add(user).unwrap();
        }
        let url = self.world.localnet().url();
        let settings = ["--ledger", &url, "--keystore", &keystore, "--home", &home];
        let args = [&settings[..], &["verify"], args].concat();
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        // the ledger runs in this process and must go on meanwhile
        let run = move || atoma::run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let done = Threads::Real.blocking(run).await.unwrap();
        Told {
            status: done.status.code().unwrap(),
            lines: atoma::objects(&done.stdout),
        }
    }

    /// The three records as the node would pack them: the first for everyone, the others sealed.
    fn pack(&self) -> Pack {
        let network = self.world.ledger.network();
        let header = Header {
            network,
            node: self.node,
            first_seq: 1,
            created: TimestampMs(1),
        };
        let context = SealContext {
            network,
            stack: self.stack,
            node: self.node,
        };
        let parties = [self.user.public_key(), self.operator.public_key()];
        let sealer = Sealer::new(&context, &parties, &atoma_runtime::SystemRandom).unwrap();
        let path = self.world.folder.path().join("pack.bin");
        let mut writer = PackWriter::create(&path, header).unwrap();
        for (place, (header, receipt)) in self.records.iter().enumerate() {
            let salt = self.user.salt_of(header.message().request_id);
            let seal = |which, body: &[u8]| {
                let body = SaltedBody::new(&salt, body).as_bytes().clone();
                match place {
                    0 => Body::open(body).unwrap(),
                    _ => sealer.seal(header.hash(), which, body).unwrap(),
                }
            };
            let (request, answer) = (
                seal(CommitmentKind::Request, b"body"),
                seal(CommitmentKind::Answer, b"answer"),
            );
            let record = Record::exchange(header, receipt, request, answer);
            writer.append(&record).unwrap();
        }
        writer.close().unwrap()
    }

    /// What the node shows for the second request.
    fn proof(&self, pack: &Pack, blob_id: BlobId, settled: bool) -> ReceiptProof {
        let (header, receipt) = self.records[1].clone();
        let catalog = pack.catalog();
        let range = catalog.entry(1).unwrap().range();
        let tree = ReceiptTree::new(0, self.records.iter().map(|(_, receipt)| receipt.hash()));
        ReceiptProof {
            request_id: header.message().request_id,
            header,
            receipt,
            storage: Some(StorageProof {
                blob_id,
                object: None,
                end_epoch: 2,
                offset: range.start,
                length: u32::try_from(range.end - range.start).unwrap(),
                root: catalog.root(),
                path: catalog.prove(1).unwrap(),
            }),
            settlement: tree
                .filter(|_| settled)
                .and_then(|tree| SettlementProof::new(&tree, 2)),
        }
    }

    async fn move_node(&self, url: String) {
        let moves = ["node", "set-url", &self.node.to_string(), &url];
        types(&self.world, &self.operator, &moves).await.unwrap();
    }
}

impl Case {
    /// A node that shows what isn't true is caught, whatever it lies about.
    async fn lies_are_found(
        &self,
        of_receipt: &[&str],
        shown: &Mutex<ReceiptProof>,
        truth: &ReceiptProof,
    ) {
        // the object of another blob is none of this one's
        let object = self.blob().await.to_string();
        let told = self
            .verify(&[of_receipt, &["--object", &object]].concat())
            .await;
        assert_eq!((told.status, told.checks("failed")), (1, vec!["certified"]));

        // the place, and another receipt
        let mut lie = truth.clone();
        lie.storage.as_mut().unwrap().path.path[0].0[0] ^= 1;
        *shown.lock() = lie;
        let told = self.verify(of_receipt).await;
        assert_eq!((told.status, told.checks("failed")), (1, vec!["pack"]));
        let mut lie = truth.clone();
        lie.receipt = self.record(2, 501, 1_501, self.records[0].1.hash()).1;
        *shown.lock() = lie;
        let told = self.verify(of_receipt).await;
        assert_eq!(
            (told.status, told.checks("failed")),
            (1, vec!["neighbours"])
        );
    }

    /// Without the node, a blob's id is enough for all but the settlement's path.
    async fn blob_is_enough(&self, blob: &str, url: &str) {
        self.move_node("http://127.0.0.1:1".to_owned()).await;
        let told = self.verify(&[blob, "--aggregator", url]).await;
        assert_eq!(told.status, 2, "{:?}", told.lines);
        assert_eq!(told.verdict()["records"], 3);
        for line in &told.lines[..3] {
            assert_eq!(line["skipped"], serde_json::json!(["certified", "settled"]));
        }
        let told = self
            .verify(&[blob, "--aggregator", url, "--seq", "2"])
            .await;
        assert_eq!(told.checks("skipped"), ["certified", "settled"]);
        assert_eq!(told.verdict()["seq"], 2);
    }

    /// And without anybody, files: what is known from the ledger is missing.
    async fn files_tell_some(&self, proof: &ReceiptProof) {
        let (pack, proof_file) = (self.path("pack.bin"), self.path("proof.json"));
        std::fs::write(&proof_file, serde_json::to_string(proof).unwrap()).unwrap();
        let told = self
            .verify(&[&proof_file, &pack, "--offline", "--show"])
            .await;
        assert_eq!(told.status, 2, "{:?}", told.lines);
        assert_eq!(
            told.checks("passed"),
            [
                "receipt for request",
                "request body",
                "answer body",
                "place",
                "record",
                "pack",
                "blob id"
            ]
        );
        assert_eq!(told.verdict()["answer_body"], "answer");
        // nobody's words are shown unasked
        let told = self.verify(&[&proof_file, &pack, "--offline"]).await;
        let text = format!("{:?}", told.lines);
        assert!(!text.contains("\"answer\""), "{text}");
    }
}

/// As much of a node as shows one proof, whatever it is asked for.
fn node(proof: &Arc<Mutex<ReceiptProof>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let proof = Arc::clone(proof);
    let serve = move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let body = serde_json::to_string(&*proof.lock()).unwrap();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let length = body.len();
            write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        }
    };
    Threads::Real.spawn("node", serve).unwrap();
    url
}

#[tokio::test]
async fn everything_about_a_request_is_checked() {
    let trial = Case::start().await;
    let before = trial.accounts().await;
    let pack = trial.pack();
    let walrus = Process::start(&[
        "walrus",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        &trial.path("walrus"),
    ]);
    let url = walrus.text("url");
    let at = ["--publisher", url, "--aggregator", url];
    let file = trial.path("pack.bin");
    let store = [&["walrus", "store"][..], &at, &[&file]].concat();
    let stored = atoma::run(&store);
    let stored = atoma::objects(&stored.stdout).remove(0);
    let blob = stored["blob_id"].as_str().unwrap();
    let receipt = trial.records[1].1.to_text();
    let of_receipt = [receipt.as_str(), "--aggregator", url];

    // a node that is away: its receipt alone says who signed it, and that it is one of the task's
    let told = trial.verify(&of_receipt).await;
    assert_eq!(told.status, 2, "{:?}", told.lines);
    assert_eq!(told.verdict()["verdict"], "incomplete");
    assert_eq!(told.checks("passed"), ["receipt", "engine", "place"]);

    // with the node's proof everything can be checked but what it hasn't done yet
    let blob_id = blob.parse().unwrap();
    let proof = Arc::new(Mutex::new(trial.proof(&pack, blob_id, false)));
    trial.move_node(node(&proof)).await;
    let told = trial.verify(&of_receipt).await;
    assert_eq!(told.status, 2, "{:?}", told.lines);
    assert_eq!(told.checks("skipped"), ["certified", "settled", "claim"]);

    // the settlement, while it waits and after it was paid
    settles(&trial).await;
    *proof.lock() = trial.proof(&pack, blob_id, true);
    let told = trial.verify(&of_receipt).await;
    assert_eq!(told.checks("skipped"), ["certified"], "{:?}", told.lines);
    trial.advance(DAY + 1).await;
    pays(&trial).await;
    let told = trial.verify(&of_receipt).await;
    assert_eq!(told.checks("skipped"), ["certified"], "{:?}", told.lines);
    assert_eq!(told.checks("passed").len(), 15);

    trial
        .lies_are_found(&of_receipt, &proof, &trial.proof(&pack, blob_id, true))
        .await;
    trial.blob_is_enough(blob, url).await;
    trial
        .files_tell_some(&trial.proof(&pack, blob_id, true))
        .await;

    // whoever checks pays nothing
    assert_eq!(before.moved(&trial.accounts().await), paid());
}

#[tokio::test]
async fn what_a_node_was_convicted_over_holds_no_more() {
    let trial = Case::start().await;
    let before = trial.accounts().await;
    settles(&trial).await;
    trial.pack();
    let file = trial.path("pack.bin");
    let first = [&file, "--seq", "1"];
    let told = trial.verify(&first).await;
    assert_eq!(told.verdict()["verdict"], "incomplete", "{:?}", told.lines);
    assert_eq!(told.status, 2);

    let one = trial.records[1].1.clone();
    let mut dear = one.message().clone();
    dear.units = ComputeUnits(dear.units.0 + 1);
    let other = Signed::new(dear, &trial.operator).to_text();
    let guilty = ["dispute", "equivocation", &one.to_text(), &other];
    types(&trial.world, &trial.user, &guilty).await.unwrap();
    let told = trial.verify(&first).await;
    let verdict = told.verdict();
    assert_eq!(verdict["verdict"], "convicted", "{:?}", told.lines);
    assert_eq!(verdict["lease_convicted"], "two receipts for one request");
    assert_eq!(told.status, 1);
    let told = trial.verify(&[&file]).await;
    assert_eq!((told.status, &told.verdict()["convicted"]), (1, &3.into()));
    assert_eq!(before.moved(&trial.accounts().await), convicted(0));
}
