//! What a transaction is made of, resolved on the ledger: coins, versions, price, budget.

use crate::{
    Amount, BuildError, Connection, LedgerError,
    build::{Inputs, Work},
    coin::{Coin, select},
    wallet::{Parties, Wallets},
};
use atoma_types::{MicroUsdc, ObjectId, chain::SUI_COIN};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::TypeTag;
use tokio::time::Instant;

/// Gas coins in one transaction, at most what Sui takes. All are named, so that small ones are merged
/// into the first on the way.
const MAX_GAS_COINS: usize = 256;
/// The reference price moves once an epoch; asking this often is enough.
const GAS_PRICE_AGE: Duration = Duration::from_secs(60);
/// What a simulation may spend, in MIST (10 SUI): far above any transaction of ours.
const SIMULATION_BUDGET: u64 = 10_000_000_000;
/// Headroom over the simulated gas, in percent: other people's transactions come in between.
const HEADROOM_PERCENT: u64 = 20;
/// And in computation units, at the gas price.
const HEADROOM_UNITS: u64 = 1_000;
/// After a transaction was given up for congestion the next one offers more for gas, by so many percent
/// of the reference price; a ledger serves the best offers first.
const CONGESTION_PERCENT: u64 = 25;

/// Added to a budget at random, in MIST (at most 0.017 SUI, never spent). Two programs with one
/// wallet that order the same at the same moment would else build one and the same transaction,
/// which is executed once, and both would take it for theirs.
const NONCE_MASK: u64 = (1 << 24) - 1;

/// A transaction's resolved parts.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) parties: Parties,
    pub(crate) payment: Vec<Coin>,
    pub(crate) gas: Vec<Coin>,
    pub(crate) gas_price: u64,
    pub(crate) budget: u64,
    pub(crate) shared: HashMap<ObjectId, u64>,
    pub(crate) owned: HashMap<ObjectId, Coin>,
}

impl Plan {
    pub(crate) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            sender: self.parties.sender,
            gas_owner: self.parties.gas_owner,
            payment: &self.payment,
            gas: &self.gas,
            gas_price: self.gas_price,
            gas_budget: self.budget,
            shared: &self.shared,
            owned: &self.owned,
        }
    }

    /// Every owned object with the version that was used.
    #[expect(clippy::disallowed_methods, reason = "sorted below")]
    pub(crate) fn owned_inputs(&self) -> Vec<(ObjectId, u64)> {
        let coins = self
            .payment
            .iter()
            .chain(&self.gas)
            .chain(self.owned.values());
        let unique: BTreeMap<_, _> = coins.map(|coin| (coin.id, coin.version)).collect();
        unique.into_iter().collect()
    }
}

impl Connection {
    /// Resolves everything that the work is made of. `congested` says how often it was given up for
    /// congestion.
    pub(crate) async fn plan(
        &self,
        parties: Parties,
        work: &Work<'_>,
        wallets: &mut Wallets,
        congested: u64,
    ) -> Result<Plan, LedgerError> {
        let sender = parties.sender;
        let payments = work.payments();
        let needed = payments
            .iter()
            .try_fold(0u64, |sum, amount| sum.checked_add(*amount))
            .ok_or(BuildError::Overflow)?;
        let usdc = &self.surroundings.usdc;
        let payment = if payments.is_empty() {
            Vec::new()
        } else {
            let coins = self.coins(sender, usdc, wallets.sender()).await?;
            // a payment of nothing still needs a coin to be split from
            select(&coins, needed).map_err(|available| LedgerError::InsufficientFunds {
                owner: sender,
                needed: Amount::Usdc(MicroUsdc(needed)),
                available: Amount::Usdc(MicroUsdc(available)),
            })?
        };
        let reference = self.gas_price().await?;
        let extra = (reference / 100).saturating_mul(CONGESTION_PERCENT);
        let gas_price = reference.saturating_add(extra.saturating_mul(congested));
        let mut gas = match wallets.payer().only_gas {
            Some(coin) => self.owned_objects(&[coin]).await?,
            None => {
                let payer = wallets.payer();
                self.coins(parties.gas_owner, &sui_coin(), payer).await?
            }
        };
        gas.truncate(MAX_GAS_COINS);
        let total = gas
            .iter()
            .fold(0u64, |sum, coin| sum.saturating_add(coin.balance));
        let taken = work.out_of_gas();
        let least = HEADROOM_UNITS
            .saturating_mul(gas_price)
            .saturating_add(taken);
        if total < least {
            return Err(LedgerError::InsufficientFunds {
                owner: parties.gas_owner,
                needed: Amount::Sui(least),
                available: Amount::Sui(total),
            });
        }
        let mut shared = HashMap::new();
        for id in work.shared().into_keys() {
            shared.insert(id, self.inner.initial_version(id).await?);
        }
        Ok(Plan {
            parties,
            payment,
            gas,
            gas_price,
            budget: (total - taken).min(SIMULATION_BUDGET),
            shared,
            owned: self.owned(&work.owned()).await?,
        })
    }

    /// What a transaction may take: what the simulation took with headroom, within the plan's means and
    /// the caller's limit.
    pub(crate) fn budget(
        &self,
        gas: &proto::GasCostSummary,
        plan: &Plan,
    ) -> Result<u64, LedgerError> {
        let nonce = self.inner.runtime.random.next_u64() & NONCE_MASK;
        let wanted = needed(gas, plan.gas_price).saturating_add(nonce);
        let Some(limit) = self.gas.budget else {
            return Ok(wanted.min(plan.budget));
        };
        let simulated = taken(gas);
        if simulated > limit {
            return Err(LedgerError::GasBudget {
                needed: simulated,
                budget: limit,
            });
        }
        Ok(wanted.min(plan.budget).min(limit))
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

/// Computation and storage; rebates aren't counted on.
fn taken(gas: &proto::GasCostSummary) -> u64 {
    gas.computation_cost().saturating_add(gas.storage_cost())
}

fn needed(gas: &proto::GasCostSummary, price: u64) -> u64 {
    let used = taken(gas);
    used.saturating_add(used / 100 * HEADROOM_PERCENT)
        .saturating_add(HEADROOM_UNITS.saturating_mul(price))
}

fn sui_coin() -> TypeTag {
    SUI_COIN.parse().expect("the type of SUI is a type")
}
