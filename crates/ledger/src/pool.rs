//! Several transactions of one wallet in flight.
//!
//! A wallet's transactions wait for each other because they share gas coins. A pool splits coins off
//! and gives each slot one of its own, so that slots have nothing in common that could be used twice.
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

/// Slots at most: as many coins as one transaction splits off within any ledger's limits.
const MAX_SLOTS: u16 = 64;

/// Slots of one wallet, each with a gas coin of its own. One pool a wallet: a second would merge the first
/// one's coins away when it splits its own, as would any other program with the same key.
#[derive(Debug)]
pub struct GasPool {
    ledger: Ledger,
    key: Arc<SigningKey>,
    slots: Vec<Arc<Mutex<Wallet>>>,
    coins: Vec<ObjectId>,
    free: Semaphore,
}

impl Ledger {
    /// Splits coins of so much MIST off the key's gas, one for each slot. The key's address pays for
    /// what goes through the pool, also where this ledger has a sponsor.
    ///
    /// # Errors
    /// If the package aborts, the wallet's coins don't reach, or the outcome can't be learnt.
    pub fn gas_pool(
        &self,
        key: Arc<SigningKey>,
        slots: u16,
        each: u64,
    ) -> BoxFuture<'_, Result<GasPool, ExecuteError>> {
        Box::pin(async move {
            if slots == 0 || slots > MAX_SLOTS {
                return Err(BuildError::Slots { most: MAX_SLOTS }.into());
            }
            let ledger = self.with_gas(crate::GasOptions {
                sponsor: None,
                ..crate::GasOptions::clone(&self.gas)
            });
            let parties = ledger.parties(&key);
            let mut wallets = ledger.wallets(parties).await;
            let work = Work::SplitGas {
                to: parties.sender,
                amount: each,
                count: slots,
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
            let slot = |coin: &ObjectId| Arc::new(Mutex::new(Wallet::of_slot(*coin)));
            Ok(GasPool {
                slots: coins.iter().map(slot).collect(),
                free: Semaphore::new(coins.len()),
                ledger,
                key,
                coins,
            })
        })
    }
}

impl GasPool {
    /// Executes calls as one transaction, all or none, beside those of the other slots. Waits for a free
    /// slot.
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
            // as many permits as slots, and a slot is let go before its permit: one of them is free
            let mut slots = self.slots.iter();
            let slot = slots.find_map(|slot| Arc::clone(slot).try_lock_owned().ok());
            let mut wallets = Wallets::of(slot.expect("a permit is a free slot"));
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
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Gives the slots' coins back to the wallet, which merges them when it next pays. Outcomes still
    /// open are settled first.
    ///
    /// # Errors
    /// If the outcome of a transaction that is still open can't be learnt.
    pub fn close(self) -> BoxFuture<'static, Result<(), ExecuteError>> {
        Box::pin(async move {
            self.free.close();
            for slot in &self.slots {
                let mut wallets = Wallets::of(Arc::clone(slot).lock_owned().await);
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
