//! Fees come in, and a part of them goes back.

use super::{
    Book, DAY, Done, Ledger, Micro, Ms, NodeIx, TaskIx, ensure,
    objects::{FeesOfDay, day},
    permille,
};
use atoma_types::chain::AbortCode;

impl Ledger {
    /// Sweeps a task's fees into the treasury.
    ///
    /// # Errors
    /// If there are none.
    pub fn collect_fees(&mut self, task: TaskIx) -> Done {
        let fees = std::mem::take(&mut self.tasks[task].fees);
        ensure(fees > 0, AbortCode::NoFees)?;
        self.treasury += fees;
        Ok(())
    }

    /// Adds a node's fees of yesterday to the book.
    ///
    /// # Errors
    /// If there are none, or it is too late.
    pub fn report(&mut self, now: Ms, node: NodeIx) -> Done {
        let yesterday = day(now).saturating_sub(1);
        let live = &mut self.nodes[node];
        let count = if live.current.day == yesterday {
            &mut live.current
        } else {
            &mut live.previous
        };
        ensure(
            count.day == yesterday && count.fees > 0,
            AbortCode::NothingToReport,
        )?;
        ensure(!second_half(now), AbortCode::ReportsClosed)?;
        if self.book.day != yesterday {
            self.book = Book {
                day: yesterday,
                ..Book::default()
            };
        }
        ensure(self.book.pool.is_none(), AbortCode::ReportsClosed)?;
        let fees = std::mem::take(&mut count.fees);
        self.book.fees += fees;
        live.reported = FeesOfDay {
            day: yesterday,
            fees,
        };
        Ok(())
    }

    /// Credits a node with its share; returns it.
    ///
    /// # Errors
    /// If it has none, or it is too early.
    pub fn pay(&mut self, now: Ms, node: NodeIx) -> Done<Micro> {
        let FeesOfDay {
            day: reported,
            fees,
        } = self.nodes[node].reported;
        ensure(reported == self.book.day && fees > 0, AbortCode::NoShare)?;
        let open = day(now) > reported + 1 || second_half(now);
        ensure(open, AbortCode::PaymentsNotOpen)?;
        let params = &self.rules.params;
        let whole = permille(self.treasury, params.treasury_payout_permille);
        let pool = *self.book.pool.get_or_insert(whole);
        let part = u128::from(pool) * u128::from(fees) / u128::from(self.book.fees.max(1));
        let rebate = permille(fees, params.rebate_permille);
        let amount = u64::try_from(part).unwrap_or(u64::MAX).min(rebate);
        self.treasury -= amount;
        let live = &mut self.nodes[node];
        live.reported = FeesOfDay::default();
        live.earnings += amount;
        Ok(amount)
    }
}

fn second_half(now: Ms) -> bool {
    now % DAY >= DAY / 2
}
