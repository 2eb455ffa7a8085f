//! A user asks for a whole answer and leaves while it is computed, again and again.

use crate::arena::{Arena, SLOW, chat, eventually, signed_headers, slow_server};
use atoma_engine::builtin;
use atoma_runtime::Runtime;
use atoma_types::{
    chain::Selection,
    message::{Receipt, Signed},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_whole_answer_pays_for_what_was_computed() {
    let server = slow_server(400).await;
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(1_000_000, Selection::Single).await;
    let body = chat(400, false).replace(builtin::NAME, SLOW);
    let header = arena.header(id, stack, body.as_bytes(), Runtime::system().now());
    let request = header.request_id;
    let signed = arena.sign(header);
    let mut user = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .unwrap();
    let mut head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: node\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in signed_headers(&signed) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    user.write_all(format!("{head}\r\n{body}").as_bytes())
        .await
        .unwrap();
    eventually("it is half computed", async || server.frames() > 50).await;
    drop(user);

    let receipt = format!("{url}/v1/receipts/{request}");
    eventually("there is a receipt", async || {
        arena.get(&receipt).await.json()["receipt"].is_string()
    })
    .await;
    let found = arena.get(&receipt).await.json();
    let receipt = Signed::<Receipt>::from_text(found["receipt"].as_str().unwrap()).unwrap();
    let output = receipt.message().usage.output;
    assert!((1..400).contains(&output), "{output} tokens");
    node.drain_and_stop().await;
    arena.network.stop().await;
}
