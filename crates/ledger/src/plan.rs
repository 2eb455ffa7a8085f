//! What a transaction is made of, resolved on the ledger: coins, versions, price, budget.

use crate::{
    Amount, BuildError, Connection, ExecuteError, ReadError,
    build::{Inputs, Work, sui_coin},
    coin::{Coin, Funds, Selection, select, total},
    epoch::Terms,
    gas_funds::{self, AMPLE, GasFunds, Need},
    wallet::{Parties, Wallets},
};
use atoma_types::{Address, MicroUsdc, ObjectId};
use std::collections::{BTreeMap, HashMap};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{Digest, TransactionExpiration, TypeTag};

/// What a simulation may spend, in MIST (10 SUI): far above any transaction of ours.
const SIMULATION_BUDGET: u64 = AMPLE;
/// Headroom over the simulated gas, in percent: other people's transactions come in between.
const HEADROOM_PERCENT: u64 = 20;
/// And in computation units, at the gas price.
const HEADROOM_UNITS: u64 = 1_000;
/// After a transaction was given up for congestion the next one offers more for gas, by so many percent
/// of the reference price; a ledger serves the best offers first.
const CONGESTION_PERCENT: u64 = 25;

/// Added to a budget at random, in MIST (at most 0.017 SUI, never spent). Two programs with one
/// wallet that do the same at the same moment would else build one and the same transaction,
/// which is executed once, and both would take it for theirs.
const NONCE_MASK: u64 = (1 << 24) - 1;

/// A transaction's resolved parts.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) parties: Parties,
    pub(crate) payment: Funds,
    /// The kind of money that payments are in.
    pub(crate) usdc: TypeTag,
    pub(crate) gas: GasFunds,
    pub(crate) gas_price: u64,
    pub(crate) expiration: TransactionExpiration,
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
            usdc: &self.usdc,
            gas: &self.gas,
            gas_price: self.gas_price,
            expiration: &self.expiration,
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
            .coins
            .iter()
            .chain(&self.gas.coins)
            .chain(&self.gas.merged)
            .chain(self.owned.values());
        let unique: BTreeMap<_, _> = coins.map(|coin| (coin.id, coin.version)).collect();
        unique.into_iter().collect()
    }
}

impl Plan {
    /// What is taken from address balances: whose, of which kind, how much.
    pub(crate) fn withdrawals(&self) -> Vec<(Address, TypeTag, u64)> {
        let Parties { sender, gas_owner } = self.parties;
        let budget = if self.gas.coins.is_empty() {
            self.budget
        } else {
            0
        };
        let sui = sui_coin();
        let gas = self.gas.withdrawn.saturating_add(budget);
        let all = [
            (sender, self.usdc.clone(), self.payment.balance),
            (gas_owner, sui, gas),
        ];
        all.into_iter().filter(|(.., taken)| *taken > 0).collect()
    }
}

/// What becomes of work before it is a transaction.
#[derive(Debug)]
pub(crate) enum Planned {
    /// One transaction does it.
    Ready(Box<Plan>),
    /// These coins must be merged first: a payment needs more of them than one transaction takes.
    Scattered(Vec<Coin>),
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
    ) -> Result<Planned, ExecuteError> {
        let payment = match self.payment(parties, work, wallets).await? {
            Selection::Enough(funds) => funds,
            Selection::Scattered(coins) => return Ok(Planned::Scattered(coins)),
            Selection::Short(available) => {
                let needed = work.payments().into_iter().fold(0, u64::saturating_add);
                return Err(ExecuteError::InsufficientFunds {
                    owner: parties.sender,
                    needed: Amount::Usdc(MicroUsdc(needed)),
                    available: Amount::Usdc(MicroUsdc(available)),
                });
            }
        };
        let terms = self.terms().await?;
        self.gas.check_price(terms.price)?;
        let extra = (terms.price / 100).saturating_mul(CONGESTION_PERCENT);
        let gas_price = terms.price.saturating_add(extra.saturating_mul(congested));
        let gas = self.gas_funds(parties, work, wallets, gas_price).await?;
        let mut shared = HashMap::new();
        for id in work.shared().into_keys() {
            shared.insert(id, self.inner.initial_version(id).await?);
        }
        Ok(Planned::Ready(Box::new(Plan {
            parties,
            payment,
            usdc: self.surroundings.usdc.clone(),
            gas_price,
            expiration: self.expiration(terms, gas.coins.is_empty()),
            budget: gas.most.min(SIMULATION_BUDGET),
            gas,
            shared,
            owned: self.owned(&work.owned()).await?,
        })))
    }

    /// What the work's payments come out of.
    async fn payment(
        &self,
        parties: Parties,
        work: &Work<'_>,
        wallets: &mut Wallets,
    ) -> Result<Selection, ExecuteError> {
        let amounts = work.payments();
        if let Work::Gather { coins } = work {
            return Ok(Selection::Enough(Funds {
                coins: coins.to_vec(),
                balance: 0,
            }));
        }
        if amounts.is_empty() {
            return Ok(Selection::Enough(Funds::default()));
        }
        let needed = amounts
            .iter()
            .try_fold(0u64, |sum, amount| sum.checked_add(*amount))
            .ok_or(BuildError::Overflow)?;
        let usdc = &self.surroundings.usdc;
        let sender = parties.sender;
        let coins = self.coins(sender, usdc, wallets.sender()).await?;
        match select(&coins, 0, needed) {
            enough @ Selection::Enough(_) => Ok(enough),
            _ => {
                let balance = self.holding(sender, usdc).await?.in_balance;
                Ok(select(&coins, balance, needed))
            }
        }
    }

    /// What pays for gas, and what is taken out of it.
    async fn gas_funds(
        &self,
        parties: Parties,
        work: &Work<'_>,
        wallets: &mut Wallets,
        gas_price: u64,
    ) -> Result<GasFunds, ExecuteError> {
        let need = Need {
            payer: parties.gas_owner,
            is_sender: parties.gas_owner == parties.sender,
            gas: HEADROOM_UNITS.saturating_mul(gas_price),
            taken: work.out_of_gas(),
        };
        if let Some(coin) = wallets.payer().only_gas {
            let coins = self.owned_objects(&[coin]).await?;
            return gas_funds::choose(&coins, 0, need);
        }
        let sui = sui_coin();
        let coins = self.coins(need.payer, &sui, wallets.payer()).await?;
        let balance = if total(&coins) < need.taken.saturating_add(AMPLE) {
            self.holding(need.payer, &sui).await?.in_balance
        } else {
            0
        };
        gas_funds::choose(&coins, balance, need)
    }

    /// Until when a transaction can be executed: this epoch and the next. One that has no answer by then never
    /// will be.
    fn expiration(&self, terms: Terms, from_balance: bool) -> TransactionExpiration {
        let last = terms.epoch.saturating_add(1);
        if !from_balance {
            return TransactionExpiration::Epoch(last);
        }
        TransactionExpiration::ValidDuring {
            min_epoch: Some(terms.epoch),
            max_epoch: Some(last),
            min_timestamp: None,
            max_timestamp: None,
            chain: Digest::new(self.surroundings.network.0),
            // two pieces of work that are the same are two transactions all the same
            nonce: self.inner.runtime.random.next_u64() as u32,
        }
    }

    /// What a transaction may take: what the simulation took with headroom, within the plan's means and
    /// the caller's limit.
    pub(crate) fn budget(
        &self,
        gas: &proto::GasCostSummary,
        plan: &Plan,
    ) -> Result<u64, ExecuteError> {
        let nonce = self.inner.runtime.random.next_u64() & NONCE_MASK;
        let wanted = needed(gas, plan.gas_price).saturating_add(nonce);
        let Some(limit) = self.gas.budget else {
            return Ok(wanted.min(plan.budget));
        };
        let simulated = taken(gas);
        if simulated > limit {
            return Err(ExecuteError::GasBudget {
                needed: simulated,
                budget: limit,
            });
        }
        Ok(wanted.min(plan.budget).min(limit))
    }

    /// Objects of the sender's own, as they stand now.
    async fn owned(&self, ids: &[ObjectId]) -> Result<HashMap<ObjectId, Coin>, ExecuteError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.owned_objects(ids).await?;
        let found: HashMap<_, _> = found.into_iter().map(|coin| (coin.id, coin)).collect();
        match ids.iter().find(|id| !found.contains_key(id)) {
            Some(id) => Err(ReadError::NotFound {
                what: "object",
                id: id.to_string(),
            }
            .into()),
            None => Ok(found),
        }
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
