//! Test money, where there is a faucet: Sui's own protocol for gas, localnet's for USDC.

use crate::{Connection, LedgerError};
use atoma_http::client::{AnswerLimits, Pool, PoolOptions, post_json};
use atoma_types::{Address, MicroUsdc};
use futures::future::BoxFuture;
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// A faucet's answers are short.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Faucets wait for their own transactions.
const FAUCET_TIMEOUT: Duration = Duration::from_secs(30);

impl Connection {
    /// Asks the faucet for gas (localnet's gives USDC with it).
    ///
    /// # Errors
    /// If the faucet refuses or can't be reached.
    pub fn faucet(&self, recipient: Address) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let order = json!({ "FixedAmountRequest": { "recipient": recipient.to_string() } });
            let answer = self.ask_faucet("/v2/gas", &order).await?;
            match &answer["status"] {
                Value::String(status) if status == "Success" => Ok(()),
                other => Err(LedgerError::Faucet(other.to_string())),
            }
        })
    }

    /// Asks for an amount of test USDC. Only localnet's faucet has it.
    ///
    /// # Errors
    /// If the faucet refuses or can't be reached.
    pub fn mint_usdc(
        &self,
        recipient: Address,
        amount: MicroUsdc,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let order = json!({ "recipient": recipient.to_string(), "amount": amount.0 });
            self.ask_faucet("/faucet/usdc", &order).await.map(|_| ())
        })
    }

    async fn ask_faucet(&self, path: &str, order: &Value) -> Result<Value, LedgerError> {
        let url = format!("{}{path}", self.inner.faucet.trim_end_matches('/'));
        let unreachable = |source| LedgerError::FaucetUnreachable {
            url: self.inner.faucet.clone(),
            source,
        };
        let request = post_json(&url, order.to_string());
        let pool = Pool::over(self.inner.runtime.sockets.clone(), PoolOptions::ONE_REQUEST)
            .map_err(unreachable)?;
        let limits = AnswerLimits::within(FAUCET_TIMEOUT, MAX_ANSWER_BYTES);
        let answer = pool.ask(request, limits).await;
        let answer = answer.map_err(unreachable)?;
        let (status, body) = (answer.status(), answer.body());
        if !matches!(
            status,
            StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED
        ) {
            let text = String::from_utf8_lossy(body).into_owned();
            return Err(LedgerError::Faucet(format!("{status}: {text}")));
        }
        Ok(serde_json::from_slice(body).unwrap_or(Value::Null))
    }
}
