//! A gateway in this process, and somebody with an API key who asks it.

use atoma_engine::builtin;
use atoma_gateway::RunningGateway;
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::{ApiKeys, GatewayPlan, Silent, any_port, start_gateway, stored_key};
use atoma_runtime::{SystemRandom, Threads};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
};

/// One that runs.
pub(crate) struct Gateway {
    pub(crate) running: RunningGateway,
    key: String,
    folder: PathBuf,
}

impl Gateway {
    /// Starts one with a new wallet and new API keys in a folder.
    pub(crate) async fn start(ledger: &Ledger, folder: PathBuf, closes_stacks: bool) -> Self {
        let keys = ApiKeys::open(&folder, &SystemRandom).unwrap();
        let plan = GatewayPlan {
            folder: folder.clone(),
            listen: any_port(),
            admin_listen: any_port(),
            max_concurrent: 10,
            keys: &keys,
            close_stacks_on_stop: closes_stacks,
        };
        let running = start_gateway(ledger, plan, &Silent).await.unwrap();
        let key = keys.normal.reveal().to_owned();
        Self {
            running,
            key,
            folder,
        }
    }

    /// Where it keeps its receipts.
    pub(crate) fn receipts(&self) -> PathBuf {
        self.folder.join("client")
    }

    /// What its stacks belong to.
    pub(crate) fn wallet_key(&self) -> SigningKey {
        wallet_key(&self.folder)
    }

    /// Somebody asks, and is answered; the answer as it came, head and all.
    pub(crate) async fn asks(&self, max_tokens: u32) -> String {
        let (url, key) = (self.running.url(), self.key.clone());
        let asked = Threads::Real.blocking(move || post(&url, &key, &chat(max_tokens)));
        let answered = asked.await.unwrap();
        assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
        answered
    }
}

/// What signs for a party whose things are in a folder.
pub(crate) fn wallet_key(folder: &Path) -> SigningKey {
    stored_key(&folder.join("wallet.key"), &SystemRandom).unwrap()
}

/// A question to the built-in model.
pub(crate) fn chat(max_tokens: u32) -> String {
    let messages = [json!({ "role": "user", "content": "What is the sun?" })];
    json!({ "model": builtin::NAME, "messages": messages, "max_tokens": max_tokens }).to_string()
}

fn post(url: &str, key: &str, body: &str) -> String {
    let host = url.trim_start_matches("http://");
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         authorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
