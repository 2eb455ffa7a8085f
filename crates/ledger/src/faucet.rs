//! Test money, where there is a faucet: Sui's own protocol for gas, localnet's for USDC.

use crate::{Ledger, LedgerError};
use atoma_types::{Address, MicroUsdc};
use bytes::Bytes;
use http::{Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use std::time::Duration;

/// A faucet's answers are short.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Faucets wait for their own transactions.
const FAUCET_TIMEOUT: Duration = Duration::from_secs(30);

impl Ledger {
    /// Asks the faucet for gas (localnet's gives USDC with it).
    pub async fn faucet(&self, recipient: Address) -> Result<(), LedgerError> {
        let order = json!({ "FixedAmountRequest": { "recipient": recipient.to_string() } });
        let answer = self.ask_faucet("/v2/gas", &order).await?;
        match &answer["status"] {
            Value::String(status) if status == "Success" => Ok(()),
            other => Err(LedgerError::Faucet(other.to_string())),
        }
    }

    /// Asks for an amount of test USDC. Only localnet's faucet has it.
    pub async fn mint_usdc(
        &self,
        recipient: Address,
        amount: MicroUsdc,
    ) -> Result<(), LedgerError> {
        let order = json!({ "recipient": recipient.to_string(), "amount": amount.0 });
        self.ask_faucet("/faucet/usdc", &order).await.map(|_| ())
    }

    async fn ask_faucet(&self, path: &str, order: &Value) -> Result<Value, LedgerError> {
        let url = format!("{}{path}", self.inner.faucet.trim_end_matches('/'));
        let failed = |reason: String| LedgerError::Faucet(reason);
        let request = Request::post(&url)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(order.to_string())))
            .map_err(|e| failed(e.to_string()))?;
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .map_err(|e| failed(e.to_string()))?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let answer = async {
            let answer = client.request(request).await.map_err(|e| e.to_string())?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES);
            let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
            Ok::<_, String>((status, body))
        };
        let (status, body) = tokio::time::timeout(FAUCET_TIMEOUT, answer)
            .await
            .map_err(|_| failed("it did not answer in time".to_owned()))?
            .map_err(failed)?;
        if !matches!(
            status,
            StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED
        ) {
            let text = String::from_utf8_lossy(&body).into_owned();
            return Err(failed(format!("{status}: {text}")));
        }
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}
