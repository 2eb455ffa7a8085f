//! Test money, where there is a faucet: Sui's own protocol for gas, localnet's for USDC.

use crate::{Connection, faucet_error::FaucetError};
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
    pub fn faucet(&self, recipient: Address) -> BoxFuture<'_, Result<(), FaucetError>> {
        Box::pin(self.give(recipient, false))
    }

    /// As [`Self::faucet`], to the address's balance instead of as coins. Only localnet's faucet does it; others
    /// give coins all the same.
    ///
    /// # Errors
    /// If the faucet refuses or can't be reached.
    pub fn faucet_to_balance(&self, recipient: Address) -> BoxFuture<'_, Result<(), FaucetError>> {
        Box::pin(self.give(recipient, true))
    }

    /// Asks for an amount of test USDC. Only localnet's faucet has it.
    ///
    /// # Errors
    /// If the faucet refuses or can't be reached.
    pub fn mint_usdc(
        &self,
        recipient: Address,
        amount: MicroUsdc,
    ) -> BoxFuture<'_, Result<(), FaucetError>> {
        Box::pin(self.mint(recipient, amount, false))
    }

    /// As [`Self::mint_usdc`], to the address's balance instead of as a coin.
    ///
    /// # Errors
    /// If the faucet refuses or can't be reached.
    pub fn mint_usdc_to_balance(
        &self,
        recipient: Address,
        amount: MicroUsdc,
    ) -> BoxFuture<'_, Result<(), FaucetError>> {
        Box::pin(self.mint(recipient, amount, true))
    }

    async fn give(&self, recipient: Address, to_balance: bool) -> Result<(), FaucetError> {
        let recipient = recipient.to_string();
        let mut request = json!({ "FixedAmountRequest": { "recipient": recipient } });
        // said only where it is meant: to Sui's own faucet it would be a word that it doesn't know
        if to_balance {
            request["to_balance"] = json!(true);
        }
        let answer = self.ask_faucet("/v2/gas", &request).await?;
        match &answer["status"] {
            Value::String(status) if status == "Success" => Ok(()),
            other => Err(FaucetError::Refused {
                status: StatusCode::OK,
                answer: other.to_string(),
            }),
        }
    }

    async fn mint(
        &self,
        recipient: Address,
        amount: MicroUsdc,
        to_balance: bool,
    ) -> Result<(), FaucetError> {
        let recipient = recipient.to_string();
        let request =
            json!({ "recipient": recipient, "amount": amount.0, "to_balance": to_balance });
        self.ask_faucet("/faucet/usdc", &request).await?;
        Ok(())
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
