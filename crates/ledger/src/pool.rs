//! Several transactions of one wallet in flight.
//!
//! A wallet's transactions wait for each other because they share gas coins. A pool splits coins off
//! and gives each lane one of its own, so that lanes have nothing in common that could be used twice.
//! For the same reason they only take calls whose objects are all shared: payments in USDC and objects
//! of the sender's go through the wallet itself.

use crate::{
    BuildError, ExecuteError, Executed, Ledger,
    build::Work,
    outcome::outcome,
    wallet::{Wallet, Wallets},
};
use atoma_keys::SigningKey;
use atoma_types::{ObjectId, chain::Call};
use futures::future::BoxFuture;
use std::sync::Arc;
use sui_rpc::proto::sui::rpc::v2::changed_object::{IdOperation, OutputObjectState};
use tokio::sync::{Mutex, Semaphore};

/// Lanes at most: as many coins as one transaction splits off within any ledger's limits.
const MAX_LANES: u16 = 64;

/// Lanes of one wallet, each with a gas coin of its own. One pool a wallet: a second would merge the first
/// one's coins away when it splits its own, as would any other program with the same key.
#[derive(Debug)]
pub struct GasPool {
    ledger: Ledger,
    key: Arc<SigningKey>,
    lanes: Vec<Arc<Mutex<Wallet>>>,
    coins: Vec<ObjectId>,
    free: Semaphore,
}

impl Ledger {
    /// Splits coins of so much MIST off the key's gas, one for each lane. The key's address pays for
    /// what goes through the pool, also where this ledger has a sponsor.
    ///
    /// # Errors
    /// If the package aborts, the wallet's coins don't reach, or the outcome can't be learnt.
    pub fn gas_pool(
        &self,
        key: Arc<SigningKey>,
        lanes: u16,
        each: u64,
    ) -> BoxFuture<'_, Result<GasPool, ExecuteError>> {
        Box::pin(async move {
            if lanes == 0 || lanes > MAX_LANES {
                return Err(BuildError::Lanes { most: MAX_LANES }.into());
            }
            let ledger = self.with_gas(crate::GasOptions {
                budget: self.gas.budget,
                sponsor: None,
            });
            let parties = ledger.parties(&key);
            let mut wallets = ledger.wallets(parties).await;
            let work = Work::SplitGas {
                to: parties.sender,
                amount: each,
                count: lanes,
            };
            let (digest, executed) = ledger
                .perform_with(&key, &work, parties, &mut wallets)
                .await?;
            outcome(work.deployment(), digest, &executed)?;
            let changed = executed.effects().changed_objects.iter();
            let coins: Vec<ObjectId> = changed
                .filter(|change| {
                    change.id_operation() == IdOperation::Created
                        && change.output_state() == OutputObjectState::ObjectWrite
                })
                .filter_map(|change| change.object_id().parse().ok())
                .collect();
            // before the wallet is let go: nobody merges them
            wallets.sender().set_aside.extend(&coins);
            let lane = |coin: &ObjectId| Arc::new(Mutex::new(Wallet::of_lane(*coin)));
            Ok(GasPool {
                lanes: coins.iter().map(lane).collect(),
                free: Semaphore::new(coins.len()),
                ledger,
                key,
                coins,
            })
        })
    }
}

impl GasPool {
    /// Executes calls as one transaction, all or none, beside those of the other lanes. Waits for a free
    /// lane.
    ///
    /// # Errors
    /// If the package aborts, the wallet's coins don't reach, or the outcome can't be learnt.
    pub fn execute(&self, calls: Vec<Call>) -> BoxFuture<'_, Result<Executed, ExecuteError>> {
        Box::pin(async move {
            let work = Work::Calls {
                deployment: &self.ledger.deployment,
                calls: &calls,
                gifts: &[],
            };
            if calls.is_empty() {
                return Err(BuildError::NothingToDo.into());
            }
            if !work.payments().is_empty() || !work.owned().is_empty() {
                return Err(BuildError::NotForAPool.into());
            }
            let permit = self.free.acquire().await;
            let _permit = permit.expect("closing takes the pool, so nobody uses it then");
            // as many permits as lanes, and a lane is let go before its permit: one of them is free
            let mut lanes = self.lanes.iter();
            let lane = lanes.find_map(|lane| Arc::clone(lane).try_lock_owned().ok());
            let mut wallets = Wallets::of(lane.expect("a permit is a free lane"));
            let parties = self.ledger.parties(&self.key);
            let (digest, executed) = self
                .ledger
                .perform_with(&self.key, &work, parties, &mut wallets)
                .await?;
            outcome(work.deployment(), digest, &executed)
        })
    }

    /// How many transactions can be in flight.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Gives the lanes' coins back to the wallet, which merges them when it next pays. Outcomes still
    /// open are settled first.
    ///
    /// # Errors
    /// If the outcome of a transaction that is still open can't be learnt.
    pub fn close(self) -> BoxFuture<'static, Result<(), ExecuteError>> {
        Box::pin(async move {
            self.free.close();
            for lane in &self.lanes {
                let mut wallets = Wallets::of(Arc::clone(lane).lock_owned().await);
                self.ledger.settle_earlier(&mut wallets).await?;
            }
            let parties = self.ledger.parties(&self.key);
            let mut wallets = self.ledger.wallets(parties).await;
            for coin in &self.coins {
                wallets.sender().set_aside.remove(coin);
            }
            Ok(())
        })
    }
}
