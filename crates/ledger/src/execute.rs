//! Executing: one transaction of a wallet at a time, simulated before it is paid for, submitted
//! until its outcome is known.
//!
//! A coin that two transactions use at once is locked by some ledgers until their epoch ends, so a
//! wallet's transactions wait for each other. Where no answer comes, the very same bytes are
//! submitted again: a transaction is executed once, however often it arrives. A wallet whose last
//! outcome is unknown settles it before it builds the next.

use crate::{
    Executed, Ledger, LedgerError,
    build::{Inputs, Work, transaction},
    coins::{Coin, select},
    connect::{describe, is_definite},
    outcome::{EXECUTED_FIELDS, is_congestion},
    read::mask,
    wallet::{Pending, Wallet},
};
use atoma_types::{
    Address, MicroUsdc, ObjectId, SigningKey,
    chain::{Call, SUI_COIN},
    keys::fill_random,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use sui_crypto::SuiSigner;
use sui_rpc::proto::sui::rpc::v2::{
    self as proto, ExecuteTransactionRequest, ExecutedTransaction, GetTransactionRequest,
    SimulateTransactionRequest,
};
use sui_sdk_types::{Digest, Transaction, TypeTag};
use tokio::time::{Instant, sleep};
use tonic::Status;

/// Rebuilds after another process moved this wallet's coins.
const MAX_REBUILDS: u32 = 5;
/// Submissions of the same bytes before the outcome is left open.
const MAX_SUBMISSIONS: u32 = 8;
/// First pause between two tries; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// The reference price moves once an epoch; asking this often is enough.
const GAS_PRICE_AGE: Duration = Duration::from_secs(60);
/// What a simulation may spend, in MIST (10 SUI): far above any call of ours.
const SIMULATION_BUDGET: u64 = 10_000_000_000;
/// Headroom over the simulated gas, in percent: other people's transactions come in between.
const HEADROOM_PERCENT: u64 = 20;
/// And in computation units, at the gas price.
const HEADROOM_UNITS: u64 = 1_000;

/// Added to a budget at random, in MIST (at most 0.017 SUI, never spent). Two programs with one
/// wallet that order the same at the same moment would else build one and the same transaction,
/// which is executed once, and both would take it for theirs.
const NONCE_MASK: u64 = (1 << 24) - 1;

/// What came of one attempt.
enum Attempt {
    Done(Box<ExecutedTransaction>, Digest),
    /// The inputs had changed, or the ledger was too busy: build it again.
    Again(LedgerError),
}

impl Ledger {
    /// Executes calls of the package as one transaction of the key's address, in order, all or
    /// none. What it would abort with is found by simulation and costs nothing.
    pub async fn execute(
        &self,
        key: &SigningKey,
        calls: Vec<Call>,
    ) -> Result<Executed, LedgerError> {
        self.execute_and_give(key, calls, &[]).await
    }

    /// As [`Self::execute`], and gives objects of the key's address to others in the same
    /// transaction, after the calls.
    pub async fn execute_and_give(
        &self,
        key: &SigningKey,
        calls: Vec<Call>,
        gifts: &[(ObjectId, Address)],
    ) -> Result<Executed, LedgerError> {
        if calls.is_empty() && gifts.is_empty() {
            return Err(LedgerError::Build("there is nothing to do".to_owned()));
        }
        let calls = &calls;
        self.run(key, &Work::Calls { calls, gifts }).await
    }

    /// Sends USDC.
    pub async fn transfer_usdc(
        &self,
        key: &SigningKey,
        to: Address,
        amount: MicroUsdc,
    ) -> Result<Executed, LedgerError> {
        let amount = amount.0;
        self.run(key, &Work::Transfer { to, amount }).await
    }

    /// A transaction that was executed, by its digest.
    pub async fn transaction(&self, digest: Digest) -> Result<Executed, LedgerError> {
        match self.look_up(digest).await {
            Ok(Some(executed)) => self.outcome(digest, &executed),
            Ok(None) => Err(LedgerError::NotFound {
                what: "transaction",
                id: digest.to_string(),
            }),
            Err(status) => Err(self.refused(&status)),
        }
    }

    async fn run(&self, key: &SigningKey, work: &Work<'_>) -> Result<Executed, LedgerError> {
        let sender = key.public_key().address();
        let wallet = Arc::clone(self.inner.wallets.lock().entry(sender).or_default());
        let mut wallet = wallet.lock().await;
        let mut pause = FIRST_PAUSE;
        for _ in 0..MAX_REBUILDS {
            self.settle_pending(&mut wallet).await?;
            match self.attempt(key, sender, work, &mut wallet).await? {
                Attempt::Done(executed, digest) => return self.outcome(digest, &executed),
                Attempt::Again(reason) => {
                    tracing::debug!(%sender, %reason, "building the transaction again");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        Err(LedgerError::Rejected(format!(
            "the coins of {sender} changed under {MAX_REBUILDS} attempts; another program uses them"
        )))
    }

    /// Builds, simulates, signs and submits once.
    async fn attempt(
        &self,
        key: &SigningKey,
        sender: Address,
        work: &Work<'_>,
        wallet: &mut Wallet,
    ) -> Result<Attempt, LedgerError> {
        let mut plan = self.plan(sender, work, wallet).await?;
        let deployment = &self.inner.deployment;
        let trial = transaction(work, deployment, &plan.inputs(sender))?;
        let gas = match self.simulate(&trial).await {
            Ok(simulated) => {
                if is_congestion(&simulated) {
                    let error = simulated.effects().status().error();
                    return Ok(Attempt::Again(self.execution_error(trial.digest(), error)));
                }
                self.outcome(trial.digest(), &simulated)?;
                *simulated.effects().gas_used()
            }
            Err(status) => return self.stale_or(&plan, wallet, &status).await,
        };
        plan.budget = budget(&gas, plan.gas_price)
            .saturating_add(nonce())
            .min(plan.budget);
        let transaction = transaction(work, deployment, &plan.inputs(sender))?;
        let digest = transaction.digest();
        let signature = key
            .wallet_key()
            .sign_transaction(&transaction)
            .map_err(|e| LedgerError::Build(e.to_string()))?;
        let request = ExecuteTransactionRequest::default()
            .with_transaction(transaction)
            .with_signatures(vec![signature.into()])
            .with_read_mask(mask(EXECUTED_FIELDS));
        // from here on the outcome is open until it is known, even if this future is dropped
        wallet.pending = Some(Pending { digest, request });
        match self.settle_pending(wallet).await {
            Ok(Some(executed)) if is_congestion(&executed) => {
                let error = executed.effects().status().error();
                Ok(Attempt::Again(self.execution_error(digest, error)))
            }
            Ok(Some(executed)) => Ok(Attempt::Done(executed, digest)),
            Ok(None) => Err(LedgerError::Build("nothing was submitted".to_owned())),
            Err(LedgerError::Rejected(reason)) => {
                self.stale_or(&plan, wallet, &Status::failed_precondition(reason))
                    .await
            }
            Err(error) => Err(error),
        }
    }

    /// After a refusal: `Again` if the inputs aren't what they were, else the refusal itself.
    async fn stale_or(
        &self,
        plan: &Plan,
        wallet: &mut Wallet,
        status: &Status,
    ) -> Result<Attempt, LedgerError> {
        let refusal = self.refused(status);
        if !is_definite(status) {
            return Err(refusal);
        }
        let used = plan.owned_inputs();
        let ids: Vec<ObjectId> = used.iter().map(|(id, _)| *id).collect();
        let now = self.versions(&ids).await?;
        let changed = used.iter().any(|used| !now.contains(used));
        wallet.correct(&now, &ids);
        *self.inner.gas_price.lock() = None;
        if changed {
            Ok(Attempt::Again(refusal))
        } else {
            Err(refusal)
        }
    }

    /// Submits what is pending until its outcome is known, and remembers what it changed. After a
    /// definite refusal nothing is pending any more; after none, it still is.
    async fn settle_pending(
        &self,
        wallet: &mut Wallet,
    ) -> Result<Option<Box<ExecutedTransaction>>, LedgerError> {
        let Some(pending) = wallet.pending.clone() else {
            return Ok(None);
        };
        let mut pause = FIRST_PAUSE;
        let mut last = String::new();
        for attempt in 0..MAX_SUBMISSIONS {
            let mut client = self.inner.client.clone();
            let request = pending.request.clone();
            let status = match client.execution_client().execute_transaction(request).await {
                Ok(answer) => {
                    let executed = answer.into_inner().transaction.unwrap_or_default();
                    return Ok(Some(finish(wallet, executed)));
                }
                Err(status) => status,
            };
            // an earlier submission may have been executed while its answer was lost
            if let Ok(Some(executed)) = self.look_up(pending.digest).await {
                return Ok(Some(finish(wallet, executed)));
            }
            if is_definite(&status) {
                wallet.pending = None;
                return Err(LedgerError::Rejected(describe(&status)));
            }
            last = describe(&status);
            tracing::debug!(digest = %pending.digest, attempt, error = %last, "submitting again");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(LedgerError::Timeout {
            digest: pending.digest,
            reason: last,
        })
    }

    async fn look_up(&self, digest: Digest) -> Result<Option<ExecutedTransaction>, Status> {
        let request = GetTransactionRequest::new(&digest).with_read_mask(mask(EXECUTED_FIELDS));
        let mut client = self.inner.client.clone();
        match client.ledger_client().get_transaction(request).await {
            Ok(answer) => Ok(answer.into_inner().transaction),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    async fn simulate(&self, transaction: &Transaction) -> Result<ExecutedTransaction, Status> {
        let request = SimulateTransactionRequest::default()
            .with_transaction(transaction.clone())
            .with_read_mask(mask(&["transaction.effects"]));
        let mut client = self.inner.client.clone();
        let answer = client
            .execution_client()
            .simulate_transaction(request)
            .await?;
        Ok(answer.into_inner().transaction.unwrap_or_default())
    }

    /// Resolves everything that the work is made of.
    async fn plan(
        &self,
        sender: Address,
        work: &Work<'_>,
        wallet: &mut Wallet,
    ) -> Result<Plan, LedgerError> {
        let payments = work.payments();
        let needed = payments
            .iter()
            .try_fold(0u64, |sum, amount| sum.checked_add(*amount))
            .ok_or_else(|| LedgerError::Build("the payments overflow".to_owned()))?;
        let usdc = &self.inner.deployment.usdc;
        let lacking = |coin: String, needed, available| LedgerError::InsufficientFunds {
            owner: sender,
            coin,
            needed,
            available,
        };
        let payment = if payments.is_empty() {
            Vec::new()
        } else {
            let coins = self.coins(sender, usdc, wallet).await?;
            // a payment of nothing still needs a coin to be split from
            select(&coins, needed)
                .map_err(|available| lacking(usdc.to_string(), needed, available))?
        };
        let gas_price = self.gas_price().await?;
        let mut gas = self.coins(sender, &sui_coin()?, wallet).await?;
        gas.truncate(MAX_GAS_COINS);
        let total = gas
            .iter()
            .fold(0u64, |sum, coin| sum.saturating_add(coin.balance));
        let least = HEADROOM_UNITS.saturating_mul(gas_price);
        if total < least {
            return Err(lacking(SUI_COIN.to_owned(), least, total));
        }
        let mut shared = HashMap::new();
        for id in work.shared().into_keys() {
            shared.insert(id, self.initial_version(id).await?);
        }
        Ok(Plan {
            payment,
            gas,
            gas_price,
            budget: total.min(SIMULATION_BUDGET),
            shared,
            owned: self.owned(&work.owned()).await?,
        })
    }

    /// Objects of the sender's own, as they stand now.
    async fn owned(&self, ids: &[ObjectId]) -> Result<HashMap<ObjectId, Coin>, LedgerError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.owned_objects(ids).await?;
        let found: HashMap<_, _> = found.into_iter().map(|coin| (coin.id, coin)).collect();
        match ids.iter().find(|id| !found.contains_key(id)) {
            Some(id) => Err(LedgerError::NotFound {
                what: "object",
                id: id.to_string(),
            }),
            None => Ok(found),
        }
    }

    async fn gas_price(&self) -> Result<u64, LedgerError> {
        if let Some((asked, price)) = *self.inner.gas_price.lock()
            && asked.elapsed() < GAS_PRICE_AGE
        {
            return Ok(price);
        }
        let mut client = self.inner.client.clone();
        let price = client
            .get_reference_gas_price()
            .await
            .map_err(|status| self.refused(&status))?;
        *self.inner.gas_price.lock() = Some((Instant::now(), price));
        Ok(price)
    }
}

/// Gas coins in one transaction, at most what Sui takes.
const MAX_GAS_COINS: usize = 256;

/// A transaction's resolved parts.
struct Plan {
    payment: Vec<Coin>,
    gas: Vec<Coin>,
    gas_price: u64,
    budget: u64,
    shared: HashMap<ObjectId, u64>,
    owned: HashMap<ObjectId, Coin>,
}

impl Plan {
    fn inputs(&self, sender: Address) -> Inputs<'_> {
        Inputs {
            sender,
            payment: &self.payment,
            gas: &self.gas,
            gas_price: self.gas_price,
            gas_budget: self.budget,
            shared: &self.shared,
            owned: &self.owned,
        }
    }

    /// Every owned object with the version that was used.
    fn owned_inputs(&self) -> Vec<(ObjectId, u64)> {
        let coins = self
            .payment
            .iter()
            .chain(&self.gas)
            .chain(self.owned.values());
        let unique: BTreeMap<_, _> = coins.map(|coin| (coin.id, coin.version)).collect();
        unique.into_iter().collect()
    }
}

fn finish(wallet: &mut Wallet, executed: ExecutedTransaction) -> Box<ExecutedTransaction> {
    wallet.remember(&executed);
    wallet.pending = None;
    Box::new(executed)
}

/// Computation and storage as simulated, with headroom; rebates aren't counted on.
fn budget(gas: &proto::GasCostSummary, price: u64) -> u64 {
    let used = gas.computation_cost().saturating_add(gas.storage_cost());
    used.saturating_add(used / 100 * HEADROOM_PERCENT)
        .saturating_add(HEADROOM_UNITS.saturating_mul(price))
}

fn nonce() -> u64 {
    let mut bytes = [0; 8];
    fill_random(&mut bytes);
    u64::from_le_bytes(bytes) & NONCE_MASK
}

fn sui_coin() -> Result<TypeTag, LedgerError> {
    SUI_COIN
        .parse()
        .map_err(|e| LedgerError::Build(format!("the gas coin's type: {e}")))
}
