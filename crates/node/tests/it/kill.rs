//! kill -9 of a node under load, at random moments, again and again: afterwards every receipt that
//! a user ever got is in the chain, the chain adds up, the ledger pays exactly that, and every record
//! is on Walrus once.

use crate::common::{Backend, World, earned, eventually, signed_request, walrus::Walrus};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_evidence::{
    pack::{Pack, ReceiptProof},
    receipt::{proof_path, receipt_path},
};
use atoma_keys::SigningKey;
use atoma_node::KeySource;
use atoma_runtime::{Runtime, Threads};
use atoma_types::{
    ComputeUnits, RequestId, StackId,
    http::RECEIPT,
    message::{Receipt, Signed},
};
use http::StatusCode;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

const ROUNDS: usize = 12;
/// Users that send one request after the other.
const USERS: u16 = 8;
const CONFIG: &str = "ATOMA_TEST_NODE_CONFIG";
const URL_LINE: &str = "serving at ";

/// The other process: a node as configured, until it is killed or its parent is gone.
#[test]
#[ignore = "started by the test below"]
fn child() {
    let Ok(config) = std::env::var(CONFIG) else {
        return;
    };
    let (config, upstream, model) = serde_json::from_str::<ChildConfig>(&config).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.spawn(async move {
        let options = atoma_engine::UpstreamOptions::new(&model, vec![upstream]);
        let engine = atoma_engine::Upstream::connect(options).unwrap();
        let served = atoma_node::ServedModel { model, engine };
        let node = atoma_node::Node::start(config, vec![served]).await.unwrap();
        println!("\n{URL_LINE}{}", node.url());
        std::future::pending::<()>().await;
    });
    let _ = std::io::stdin().read(&mut [0]);
}

type ChildConfig = (atoma_node::NodeConfig, String, String);

fn spawn(config: &str) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--ignored", "--nocapture"])
        .env(CONFIG, config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.find_map(|line| line.unwrap().strip_prefix(URL_LINE).map(str::to_owned));
    // keep reading, so that the child never writes into a closed pipe
    let read = move || lines.for_each(drop);
    Threads::Real.spawn("child's words", read).unwrap();
    (child, url.expect("the node starts"))
}

/// What one user sent, and the receipts that came back.
#[derive(Default)]
struct Sent {
    ids: Vec<RequestId>,
    receipts: Vec<Signed<Receipt>>,
}

async fn user(
    world: &World,
    url: &str,
    node: atoma_types::NodeId,
    stack: StackId,
    lane: u16,
) -> Sent {
    let mut sent = Sent::default();
    let body = world.chat(r#","max_tokens":4"#);
    loop {
        let mut header = world.header(node, stack, body.as_bytes());
        header.lane = lane;
        sent.ids.push(header.request_id);
        let signed = Signed::new(header, &world.request_key);
        let request = signed_request(url, "/v1/chat/completions", &signed, body.clone());
        // the node dies in the middle of it, sooner or later
        let Ok(answer) = world.http.request(request).await else {
            return sent;
        };
        assert_eq!(answer.status(), StatusCode::OK);
        let text = answer.headers()[RECEIPT].to_str().unwrap();
        sent.receipts.push(Signed::from_text(text).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_nothing_is_lost_or_doubled() {
    let server = InstantUpstream::start(InstantOptions::default())
        .await
        .unwrap();
    let upstream = server.url();
    let world = Arc::new(World::start(Backend::Upstream(server)).await);
    let key_file = world.dir.path().join("operator.key");
    write_key(&key_file, &world.operator);
    let walrus = Walrus::start(&world.dir.path().join("walrus")).await;
    let mut config = world.config();
    config.evidence = Some(walrus.config());
    config.key = KeySource::File(key_file);
    let child_config = (config.clone(), upstream, world.task.model_name.clone());
    let child_config = serde_json::to_string(&child_config).unwrap();

    let (mut child, mut url) = spawn(&child_config);
    let (_, about) = world.get(format!("{url}/v1/node")).await;
    let node: atoma_types::NodeId = about["node"].as_str().unwrap().parse().unwrap();
    let stack = world.buy(5_000_000).await;
    let mut all = Sent::default();
    for round in 0..ROUNDS {
        let users: Vec<_> = (0..USERS)
            .map(|lane| {
                let (world, url) = (world.clone(), url.clone());
                tokio::spawn(async move { user(&world, &url, node, stack, lane).await })
            })
            .collect();
        let RequestId([random, ..]) = Runtime::system().request_id();
        tokio::time::sleep(Duration::from_millis(20 + u64::from(random))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        for user in users {
            let sent = user.await.unwrap();
            all.ids.extend(sent.ids);
            all.receipts.extend(sent.receipts);
        }
        if round + 1 < ROUNDS {
            (child, url) = spawn(&child_config);
        }
    }
    assert!(all.receipts.len() > ROUNDS, "the users got something done");

    // a last start checks the whole chain; then every receipt is there, the same to the byte
    let node_running = world.node_with(config).await;
    let url = node_running.url();
    let mut units = 0;
    let mut found = 0;
    for id in &all.ids {
        let (status, answer) = world.get(url.clone() + &receipt_path(stack, *id)).await;
        if status == StatusCode::OK {
            let text = answer["receipt"].as_str().unwrap();
            units += Signed::<Receipt>::from_text(text)
                .unwrap()
                .message()
                .units
                .0;
            found += 1;
        }
    }
    for receipt in &all.receipts {
        let id = receipt.message().request_id;
        let (_, answer) = world.get(url.clone() + &receipt_path(stack, id)).await;
        assert_eq!(answer["receipt"].as_str(), Some(&*receipt.to_text()));
    }
    assert!(found >= all.receipts.len() && found <= all.ids.len());
    assert_eq!(
        stored(&world, &walrus, (&url, stack), &all.ids).await,
        found
    );
    world.begin_close(stack).await;
    let (paid_units, paid, _) = world.paid(stack, node).await;
    assert_eq!(paid_units, ComputeUnits(units));
    assert_eq!(paid, earned(paid_units));
    world.audit();
    node_running.drain_and_stop().await;
}

/// Waits until the records of all these requests are stored; how many records there are in all the
/// packs that have them. None is there twice.
async fn stored(
    world: &World,
    walrus: &Walrus,
    (url, stack): (&str, StackId),
    ids: &[RequestId],
) -> usize {
    let proof = async |id: &RequestId| {
        let path = proof_path(stack, *id);
        let (status, proof) = world.get(format!("{url}{path}")).await;
        (status == StatusCode::OK).then(|| serde_json::from_value::<ReceiptProof>(proof).unwrap())
    };
    let mut blobs = BTreeSet::new();
    for id in ids {
        eventually("the record is stored", async || {
            proof(id).await.is_none_or(|proof| proof.storage.is_some())
        })
        .await;
        blobs.extend(proof(id).await.map(|proof| proof.storage.unwrap().blob_id));
    }
    let mut seen = BTreeSet::new();
    for blob in blobs {
        let pack = Pack::from_bytes(walrus.client().read(blob).await.unwrap()).unwrap();
        pack.verify().unwrap();
        for entry in pack.catalog().entries() {
            assert!(
                seen.insert(entry.request_id),
                "{} is stored twice",
                entry.request_id
            );
        }
    }
    seen.len()
}

fn write_key(path: &Path, key: &SigningKey) {
    std::fs::write(path, key.to_suiprivkey().unwrap().as_bytes()).unwrap();
}
