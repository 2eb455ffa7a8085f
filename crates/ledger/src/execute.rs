//! Executing: one transaction of a wallet at a time, simulated before it is paid for, submitted
//! until its outcome is known.
//!
//! A coin that two transactions use at once is locked by some ledgers until their epoch ends, so a
//! wallet's transactions wait for each other ([`crate::GasPool`] has several in flight, each with a gas
//! coin of its own). Where no answer comes, the very same bytes are submitted again: a transaction is
//! executed once, however often it arrives. A wallet whose last outcome is unknown settles it before it
//! builds the next; where another pays, this holds for the payer's wallet as well.

use crate::{
    BuildError, Connection, ExecuteError, Executed, ReadError,
    attempt::{Attempt, BACKOFF, Tries},
    build::{Work, transaction},
    grpc_status::GrpcStatus,
    mask::{EXECUTED_FIELDS, mask},
    outcome::{execution_error, is_congestion, is_short_balance, outcome},
    plan::{Plan, Planned},
    status::is_definite,
    wallet::{Parties, Pending, Wallets},
};
use atoma_keys::SigningKey;
use atoma_runtime::WithCauses;
use atoma_types::{Address, MicroUsdc, ObjectId};
use futures::future::BoxFuture;
use std::sync::Arc;
use sui_crypto::SuiSigner;
use sui_rpc::proto::sui::rpc::v2::{
    ExecutedTransaction, GetTransactionRequest, SimulateTransactionRequest,
};
use sui_sdk_types::{Digest, SignedTransaction, Transaction};
use tokio::time::sleep;
use tonic::Status;

/// Submissions of the same bytes before the outcome is left open.
const MAX_SUBMISSIONS: u32 = 8;
/// Looks for a transaction that was refused after an earlier submission had no answer: that one may
/// have been executed, and a full node may learn of it late.
const LATE_LOOKS: u32 = 6;
/// What came of a step.
enum Step {
    /// The work is done, though its effects may say that it failed.
    Done(Box<ExecutedTransaction>, Digest),
    /// A payment's coins are fewer now.
    Merged,
    Failed(Attempt),
}

impl Connection {
    /// Sends USDC.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins or the gas budget don't reach, or the outcome can't be learnt.
    pub fn transfer_usdc<'a>(
        &'a self,
        key: &'a SigningKey,
        to: Address,
        amount: MicroUsdc,
    ) -> BoxFuture<'a, Result<Executed, ExecuteError>> {
        Box::pin(async move {
            let amount = amount.0;
            self.run(key, &Work::Transfer { to, amount }).await
        })
    }

    /// Sends gas, in MIST, out of what pays for gas.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins or the gas budget don't reach, or the outcome can't be learnt.
    pub fn transfer_gas<'a>(
        &'a self,
        key: &'a SigningKey,
        to: Address,
        amount: u64,
    ) -> BoxFuture<'a, Result<Executed, ExecuteError>> {
        Box::pin(async move {
            let count = 1;
            self.run(key, &Work::SplitGas { to, amount, count }).await
        })
    }

    /// Does the work with the key's wallet, and says what came of it.
    pub(crate) async fn run(
        &self,
        key: &SigningKey,
        work: &Work<'_>,
    ) -> Result<Executed, ExecuteError> {
        let (digest, executed) = self.perform(key, work).await?;
        outcome(work.deployment(), digest, &executed)
    }

    /// Does the work with the key's wallet.
    pub(crate) async fn perform(
        &self,
        key: &SigningKey,
        work: &Work<'_>,
    ) -> Result<(Digest, Box<ExecutedTransaction>), ExecuteError> {
        let parties = self.parties(key);
        let mut wallets = self.wallets(parties).await;
        self.perform_with(key, work, parties, &mut wallets).await
    }

    /// Does the work with wallets that are held. The effects may say that it failed.
    pub(crate) async fn perform_with(
        &self,
        key: &SigningKey,
        work: &Work<'_>,
        parties: Parties,
        wallets: &mut Wallets,
    ) -> Result<(Digest, Box<ExecutedTransaction>), ExecuteError> {
        if let Some(digest) = wallets.sender().resumed.take() {
            return Err(ExecuteError::Resumed { digest });
        }
        let mut tries = Tries::new();
        loop {
            self.settle_earlier(wallets).await?;
            let failed = match self.step(key, parties, work, wallets, &mut tries).await? {
                Step::Done(executed, digest) => return Ok((digest, executed)),
                Step::Merged => continue,
                Step::Failed(attempt) => attempt,
            };
            sleep(tries.again(failed, parties.sender)?).await;
        }
    }

    /// One transaction on the way to the work's end: its own, or a merge that must come first.
    async fn step(
        &self,
        key: &SigningKey,
        parties: Parties,
        work: &Work<'_>,
        wallets: &mut Wallets,
        tries: &mut Tries,
    ) -> Result<Step, ExecuteError> {
        let congested = tries.congested;
        let coins = match self.attempt(key, parties, work, wallets, congested).await? {
            Attempt::Done(executed, digest) => return Ok(Step::Done(executed, digest)),
            Attempt::Scattered(coins) => coins,
            failed => return Ok(Step::Failed(failed)),
        };
        tries.merge()?;
        let merge = Work::Gather { coins: &coins };
        let merged = self.attempt(key, parties, &merge, wallets, congested);
        match merged.await? {
            Attempt::Done(executed, digest) => {
                outcome(None, digest, &executed)?;
                Ok(Step::Merged)
            }
            failed => Ok(Step::Failed(failed)),
        }
    }

    /// What the work would do, as far as it can be known beforehand; nothing is submitted.
    pub(crate) async fn preview(
        &self,
        sender: Address,
        work: &Work<'_>,
    ) -> Result<ExecutedTransaction, ExecuteError> {
        let gas_owner = self.sponsor().unwrap_or(sender);
        let parties = Parties { sender, gas_owner };
        let mut wallets = self.wallets(parties).await;
        let Planned::Ready(plan) = self.plan(parties, work, &mut wallets, 0).await? else {
            return Err(BuildError::Scattered { merges: 0 }.into());
        };
        let trial = transaction(work, &plan.inputs())?;
        let simulated = self.simulate(&trial).await;
        let simulated = simulated.map_err(|status| match is_definite(&status) {
            true => ExecuteError::Rejected(status.into()),
            false => self.refused(&status).into(),
        })?;
        outcome(work.deployment(), trial.digest(), &simulated)?;
        self.budget(simulated.effects().gas_used(), &plan)?;
        Ok(simulated)
    }

    /// Who sends with this key, and who pays.
    pub(crate) fn parties(&self, key: &SigningKey) -> Parties {
        let sender = key.public_key().address();
        Parties {
            sender,
            gas_owner: self.sponsor().unwrap_or(sender),
        }
    }

    fn sponsor(&self) -> Option<Address> {
        let sponsor = self.gas.sponsor.as_ref();
        sponsor.map(|key| key.public_key().address())
    }

    /// Builds, simulates, signs and submits once.
    async fn attempt(
        &self,
        key: &SigningKey,
        parties: Parties,
        work: &Work<'_>,
        wallets: &mut Wallets,
        congested: u64,
    ) -> Result<Attempt, ExecuteError> {
        let mut plan = match self.plan(parties, work, wallets, congested).await? {
            Planned::Ready(plan) => plan,
            Planned::Scattered(coins) => return Ok(Attempt::Scattered(coins)),
        };
        let deployment = work.deployment();
        let trial = transaction(work, &plan.inputs())?;
        let gas = match self.simulate(&trial).await {
            Ok(simulated) => {
                if is_congestion(&simulated) {
                    let error = simulated.effects().status().error();
                    let error = execution_error(deployment, trial.digest(), error);
                    return Ok(Attempt::Congested(error));
                }
                outcome(deployment, trial.digest(), &simulated)?;
                *simulated.effects().gas_used()
            }
            Err(status) => return self.stale_or(&plan, wallets, &status).await,
        };
        plan.budget = self.budget(&gas, &plan)?;
        let transaction = transaction(work, &plan.inputs())?;
        let digest = transaction.digest();
        let signed = Arc::new(self.sign(key, transaction)?);
        // from here on the outcome is open until it is known, even if this future is dropped
        wallets.begin(&Pending {
            digest,
            signed,
            resumed: false,
        });
        match self.settle_pending(wallets).await {
            Ok(Some(executed)) if is_congestion(&executed) => {
                let error = executed.effects().status().error();
                Ok(Attempt::Congested(execution_error(
                    deployment, digest, error,
                )))
            }
            Ok(Some(executed)) if is_short_balance(&executed) => {
                let error = executed.effects().status().error();
                Ok(Attempt::Stale(execution_error(deployment, digest, error)))
            }
            Ok(Some(executed)) => Ok(Attempt::Done(executed, digest)),
            Ok(None) => unreachable!("a transaction is pending since `begin`"),
            Err(ExecuteError::Rejected(GrpcStatus(status))) => {
                self.stale_or(&plan, wallets, &status).await
            }
            Err(error) => Err(error),
        }
    }

    /// The transaction with the sender's signature, and the sponsor's.
    fn sign(
        &self,
        key: &SigningKey,
        transaction: Transaction,
    ) -> Result<SignedTransaction, ExecuteError> {
        let sender = key.public_key().address();
        let sponsor = self.gas.sponsor.as_deref();
        let sponsor = sponsor.filter(|sponsor| sponsor.public_key().address() != sender);
        let signatures = std::iter::once(key).chain(sponsor).map(|key| {
            let signature = key.wallet_key().sign_transaction(&transaction);
            signature.map_err(BuildError::Sign)
        });
        let signatures = signatures.collect::<Result<Vec<_>, _>>()?;
        Ok(SignedTransaction {
            transaction,
            signatures,
        })
    }

    /// After a refusal: `Stale` if the inputs aren't what they were, else the refusal itself.
    async fn stale_or(
        &self,
        plan: &Plan,
        wallets: &mut Wallets,
        status: &Status,
    ) -> Result<Attempt, ExecuteError> {
        if !is_definite(status) {
            return Err(self.refused(status).into());
        }
        let refusal = ExecuteError::Rejected(status.clone().into());
        let used = plan.owned_inputs();
        let ids: Vec<ObjectId> = used.iter().map(|(id, _)| *id).collect();
        let now = self.versions(&ids).await?;
        let changed = used.iter().any(|used| !now.contains(used));
        wallets.correct(&now, &ids);
        *self.inner.terms.lock() = None;
        if changed || self.has_less(plan).await? {
            Ok(Attempt::Stale(refusal))
        } else if plan.withdrawals().is_empty() {
            Err(refusal)
        } else {
            Ok(Attempt::Doubtful(refusal))
        }
    }

    /// Whether an address balance holds less than the plan takes from it.
    async fn has_less(&self, plan: &Plan) -> Result<bool, ReadError> {
        for (owner, kind, taken) in plan.withdrawals() {
            if self.holding(owner, &kind).await?.in_balance < taken {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Settles what earlier callers left open. That it was refused is no news for this one.
    pub(crate) async fn settle_earlier(&self, wallets: &mut Wallets) -> Result<(), ExecuteError> {
        loop {
            match self.settle_pending(wallets).await {
                Ok(_) => return Ok(()),
                Err(ExecuteError::Rejected(status)) => {
                    tracing::debug!(%status, "an earlier transaction was refused");
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Submits what is pending until its outcome is known, and remembers what it changed. After a
    /// definite refusal it is pending no more; after none, it still is. The last outcome is returned.
    pub(crate) async fn settle_pending(
        &self,
        wallets: &mut Wallets,
    ) -> Result<Option<Box<ExecutedTransaction>>, ExecuteError> {
        let mut last = None;
        while let Some(pending) = wallets.pending() {
            last = Some(self.settle(&pending, wallets).await?);
        }
        Ok(last)
    }

    /// Settles one, and keeps it on disk for as long as that takes.
    async fn settle(
        &self,
        pending: &Pending,
        wallets: &mut Wallets,
    ) -> Result<Box<ExecutedTransaction>, ExecuteError> {
        let digest = pending.digest;
        if let Err(error) = self.keep(pending).await {
            // nothing was sent, nor will be
            wallets.refused(digest);
            return Err(error);
        }
        let executed = match self.submit(pending).await {
            Ok(executed) => Ok(wallets.finish(digest, executed)),
            Err(error @ ExecuteError::Rejected(_)) => {
                wallets.refused(digest);
                Err(error)
            }
            // still unknown
            Err(error) => return Err(error),
        };
        self.forget(digest).await;
        executed
    }

    /// Submits the same bytes until it is known what became of them: executed, or rejected for good.
    async fn submit(&self, pending: &Pending) -> Result<ExecutedTransaction, ExecuteError> {
        let digest = pending.digest;
        if pending.resumed
            && let Some(executed) = self.look_for(digest, 1).await
        {
            return Ok(executed);
        }
        let mut backoff = BACKOFF;
        let mut attempt = 0;
        loop {
            let mut client = self.inner.client.clone();
            let request = pending.request();
            let status = match client.execution_client().execute_transaction(request).await {
                Ok(answer) => return Ok(answer.into_inner().transaction.unwrap_or_default()),
                Err(status) => status,
            };
            // an earlier submission may have been executed while its answer was lost
            let definite = is_definite(&status);
            let looks = if definite && (attempt > 0 || pending.resumed) {
                LATE_LOOKS
            } else {
                1
            };
            if let Some(executed) = self.look_for(digest, looks).await {
                return Ok(executed);
            }
            if definite {
                return Err(ExecuteError::Rejected(status.into()));
            }
            attempt += 1;
            let source = GrpcStatus::from(status);
            if attempt == MAX_SUBMISSIONS {
                return Err(ExecuteError::Timeout { digest, source });
            }
            tracing::debug!(%digest, attempt, error = %WithCauses(&source), "submitting again");
            sleep(backoff.failed()).await;
        }
    }

    async fn look_for(&self, digest: Digest, looks: u32) -> Option<ExecutedTransaction> {
        let mut backoff = BACKOFF;
        for look in 0..looks {
            if look > 0 {
                sleep(backoff.failed()).await;
            }
            if let Ok(Some(executed)) = self.look_up(digest).await {
                return Some(executed);
            }
        }
        None
    }

    pub(crate) async fn look_up(
        &self,
        digest: Digest,
    ) -> Result<Option<ExecutedTransaction>, Status> {
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
}
