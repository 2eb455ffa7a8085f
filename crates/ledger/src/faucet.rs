//! Test money, where there is a faucet: Sui's own protocol for gas, localnet's for USDC.

use crate::{Connection, LedgerError, faucet_error::FaucetError};
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
            let wanted = json!({ "FixedAmountRequest": { "recipient": recipient.to_string() } });
            let answer = self.ask_faucet("/v2/gas", &wanted).await?;
            match &answer["status"] {
                Value::String(status) if status == "Success" => Ok(()),
                other => Err(FaucetError::Refused {
                    status: StatusCode::OK,
                    answer: other.to_string(),
                }
                .into()),
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
            let wanted = json!({ "recipient": recipient.to_string(), "amount": amount.0 });
            self.ask_faucet("/faucet/usdc", &wanted).await?;
            Ok(())
        })
    }

    async fn ask_faucet(&self, path: &str, wanted: &Value) -> Result<Value, FaucetError> {
        let url = format!("{}{path}", self.inner.faucet.trim_end_matches('/'));
        let unreachable = |source| FaucetError::Unreachable {
            url: self.inner.faucet.clone(),
            source,
        };
        let request = post_json(&url, wanted.to_string());
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
            let answer = String::from_utf8_lossy(body).into_owned();
            return Err(FaucetError::Refused { status, answer });
        }
        Ok(serde_json::from_slice(body).unwrap_or(Value::Null))
    }
}
