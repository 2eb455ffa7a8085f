//! What the account of stacks has been charged for each stack that isn't closed. The ledger says what a
//! stack costs by now: what is still in its escrow, and what its closed leases took. What was charged
//! beyond that has come back to the wallet, and goes back into the budget.

use atoma_types::{Address, MicroUsdc, StackId};
use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

macro_rules! stack_charges_table {
    () => {
        "
            CREATE TABLE stack_charges (
                stack  BLOB PRIMARY KEY,
                -- micro-USDC
                amount INTEGER NOT NULL CHECK (amount >= 0)
            ) STRICT, WITHOUT ROWID;
        "
    };
}
pub(super) use stack_charges_table;

/// Charged amounts by stack, and which of them aren't stored yet.
#[derive(Debug, Default)]
pub(super) struct StackCharges(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    amounts: BTreeMap<StackId, MicroUsdc>,
    unsaved: BTreeSet<StackId>,
}

impl StackCharges {
    pub(super) fn read(db: &Connection) -> rusqlite::Result<Self> {
        let mut query = db.prepare("SELECT stack, amount FROM stack_charges")?;
        let rows = query.query_map([], |row| {
            let amount: i64 = row.get(1)?;
            let stack = StackId(Address::new(row.get(0)?));
            Ok((stack, MicroUsdc(amount.unsigned_abs())))
        })?;
        let amounts = rows.collect::<rusqlite::Result<_>>()?;
        let unsaved = BTreeSet::new();
        Ok(Self(Mutex::new(State { amounts, unsaved })))
    }

    /// Charges more for a stack.
    pub(super) fn add(&self, stack: StackId, amount: MicroUsdc) {
        let mut state = self.0.lock();
        let charged = state.amounts.entry(stack).or_default();
        charged.0 = charged.0.saturating_add(amount.0);
        state.unsaved.insert(stack);
    }

    pub(super) fn has(&self, stack: StackId) -> bool {
        self.0.lock().amounts.contains_key(&stack)
    }

    /// Charges a stack what the ledger says that it costs, and says how much comes back. `bought` is what
    /// it was charged where nothing is known of it, if it was: it is from before there were such charges.
    pub(super) fn correct(
        &self,
        stack: StackId,
        costs: MicroUsdc,
        bought: Option<MicroUsdc>,
    ) -> MicroUsdc {
        let mut state = self.0.lock();
        let Some(charged) = state.amounts.get(&stack).copied().or(bought) else {
            return MicroUsdc::ZERO;
        };
        if costs < charged || !state.amounts.contains_key(&stack) {
            state.amounts.insert(stack, costs.min(charged));
            state.unsaved.insert(stack);
        }
        MicroUsdc(charged.0.saturating_sub(costs.0))
    }

    /// A closed stack changes no more.
    pub(super) fn forget(&self, stack: StackId) {
        let mut state = self.0.lock();
        state.amounts.remove(&stack);
        state.unsaved.insert(stack);
    }

    /// The stacks whose amounts have changed since the last call.
    pub(super) fn take_unsaved(&self) -> BTreeSet<StackId> {
        std::mem::take(&mut self.0.lock().unsaved)
    }

    pub(super) fn write(&self, to: &Transaction<'_>, stack: StackId) -> rusqlite::Result<()> {
        let amount = self.0.lock().amounts.get(&stack).copied();
        let id = stack.0.as_bytes();
        match amount {
            Some(amount) => {
                let amount = i64::try_from(amount.0).unwrap_or(i64::MAX);
                to.prepare_cached(
                    "INSERT OR REPLACE INTO stack_charges (stack, amount) VALUES (?1, ?2)",
                )?
                .execute(params![id, amount])?
            }
            None => to
                .prepare_cached("DELETE FROM stack_charges WHERE stack = ?1")?
                .execute([id])?,
        };
        Ok(())
    }
}
