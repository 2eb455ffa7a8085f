//! What a node sends to a server behind it, by a server that answers at once and keeps what it was sent.

use crate::common::{Answer, Backend, World};
use atoma_engine::{
    Upstream, UpstreamOptions,
    testing::{InstantOptions, InstantUpstream},
};
use http::StatusCode;
use serde_json::{Value, json};
use std::path::Path;

/// A node before such a server, which knows the model's folder if there is one.
struct Scene {
    server: InstantUpstream,
    world: World,
    node: atoma_node::RunningNode,
}

impl Scene {
    async fn start(tokenizer: Option<&Path>) -> Self {
        let server = InstantUpstream::start(InstantOptions::default());
        let server = server.await.unwrap();
        let engine = Upstream::connect(UpstreamOptions {
            tokenizer: tokenizer.map(Path::to_owned),
            ..UpstreamOptions::new("instant", vec![server.url()])
        });
        let world = World::start(Backend::Given(engine.unwrap())).await;
        let node = world.node().await;
        Self {
            server,
            world,
            node,
        }
    }

    async fn chat(&self, more: &str) -> Answer {
        let stack = self.world.buy(10_000).await;
        let body = self.world.chat(more);
        let node = self.node.node_id();
        let header = self.world.header(node, stack, body.as_bytes());
        self.world.send(&self.node.url(), header, &body).await
    }

    /// What the server was sent for a chat.
    async fn sent(&self, more: &str) -> Value {
        let answer = self.chat(more).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        serde_json::from_slice(&self.server.last_body()).unwrap()
    }
}

/// `temperature`, `top_p`, and what nobody said.
fn sampling(sent: &Value) -> Vec<f64> {
    let names = [
        "temperature",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
    ];
    let numbers = names.map(|name| sent[name].as_f64().expect(name));
    // f32 on the way
    numbers.map(|n| (n * 1e6).round() / 1e6).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_does_not_say_of_sampling_the_models_makers_say_to_the_server() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/atoma-tiny");
    let scene = Scene::start(Some(&folder)).await;
    assert_eq!(sampling(&scene.sent("").await), [0.3, 0.9, 0.0, 0.0]);
    let said = scene.sent(r#","temperature":1,"top_p":1"#).await;
    assert_eq!(sampling(&said), [1.0, 1.0, 0.0, 0.0]);
    scene.node.drain_and_stop().await;

    // nobody knows the makers' advice here: OpenAI's values, and none of the server's
    let scene = Scene::start(None).await;
    assert_eq!(sampling(&scene.sent("").await), [1.0, 1.0, 0.0, 0.0]);
    scene.node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_may_not_call_tools_is_shown_none() {
    let scene = Scene::start(None).await;
    let tools = r#","tools":[{"type":"function","function":{"name":"f"}}]"#;
    let sent = scene.sent(tools).await;
    assert_eq!(sent["tools"][0]["function"]["name"], "f");
    let sent = scene
        .sent(&format!(r#"{tools},"tool_choice":"none""#))
        .await;
    assert_eq!(sent["tools"], json!(null));
    scene.node.drain_and_stop().await;
}
