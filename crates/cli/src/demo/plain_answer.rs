//! An answer as people with an API key get theirs: one plain OpenAI request to a gateway.

use anyhow::{Context, Result, ensure};
use atoma_evidence::second::split_text;
use atoma_http::client::{AnswerLimits, Pool, PoolOptions, post_json};
use atoma_ledger::Ledger;
use atoma_types::{
    NodeId, http,
    message::{CommitmentKind, Receipt, Salt, Signed},
};
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

/// A short answer that isn't streamed, from a model on this machine.
const WHOLE_ANSWER: AnswerLimits = AnswerLimits::within(Duration::from_secs(120), 1 << 20);

/// What people with an API key get: an answer, and the receipt that the gateway passes on.
pub(super) struct PlainAnswer {
    body: Bytes,
    salt: Salt,
    pub(super) receipt: Signed<Receipt>,
}

impl PlainAnswer {
    pub(super) async fn ask(gateway: &str, key: &str, body: &Value) -> Result<Self> {
        let pool = Pool::new(PoolOptions::ONE_REQUEST)?;
        let url = format!("{gateway}/v1/chat/completions");
        let mut request = post_json(&url, body.to_string());
        let key = format!("Bearer {key}");
        request.headers_mut().insert("authorization", key.parse()?);
        let response = pool.ask(request, WHOLE_ANSWER).await?;
        let status = response.status();
        let receipt = response.headers().get(http::RECEIPT).cloned();
        let salt = response.headers().get(http::SALT).cloned();
        let body = response.into_body();
        ensure!(
            status.is_success(),
            "the gateway said {status}: {}",
            String::from_utf8_lossy(&body)
        );
        let receipt = receipt.context("the gateway passed no receipt on")?;
        let (receipt, _) = split_text(receipt.to_str()?);
        let receipt = Signed::<Receipt>::from_text(receipt)?;
        let salt = salt.context("the gateway passed no salt on")?;
        Ok(Self {
            body,
            salt: salt.to_str()?.parse()?,
            receipt,
        })
    }

    /// Checks that the node signed the receipt, for this very answer, and says which node it was.
    pub(super) async fn check(&self, ledger: &Ledger) -> Result<NodeId> {
        let node = ledger.node(self.receipt.message().node).await?;
        self.receipt.verify(&node.response_key)?;
        ensure!(
            self.receipt.message().response_hash
                == self.salt.commit(CommitmentKind::Answer, &self.body),
            "the receipt is for another answer"
        );
        Ok(node.id)
    }

    pub(super) fn text(&self) -> Result<Value> {
        let answer: Value = serde_json::from_slice(&self.body)?;
        Ok(answer["choices"][0]["message"]["content"].clone())
    }
}
