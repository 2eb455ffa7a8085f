//! What may be signed: the counters of one lane of one lease. Pure.
//!
//! A header's `ceiling` is a voucher: the node may have claimed that much in the lane, in all. It
//! must cover whatever the node may have to commit, or the request is refused; and it should cover
//! nothing else, because that is what a dishonest node could take. So at any moment
//!
//! ```text
//! ceiling to sign = settled + unexplained + sum of max_units of all open requests
//!
//! settled       what receipts have confirmed
//! open          signed, and neither confirmed nor refused: running, or its answer was lost
//! unanswered    of these, those whose answer has ended without a good receipt; the others are running
//! unexplained   what the node says it committed and we hold no receipt for
//! forgotten     what a crash has made this account forget: the bound that was kept, less what is settled
//! doubtful      unanswered + unexplained, as far as that is above what is forgotten
//! ```
//!
//! Any number of requests can be open; none waits for another. Ceilings only rise. A request is signed only if
//!
//! ```text
//! doubtful = 0   or   doubtful + its max_units <= W
//! ```
//!
//! Signing adds its `max_units` to what runs. A lost answer moves them from what runs to what is doubtful; a receipt
//! and a refusal take them away. Nothing else adds to either but a node's word, which only signing grants and which the
//! rule counts before. Hence, at every moment, however often and in whatever order a node answers without a receipt:
//!
//! ```text
//! doubtful + running <= what ran beside the last request that was signed + max(W, that request's max_units)
//! ceiling - settled  <= forgotten + the most that the right side ever came to
//! ```
//!
//! So who asks one request after the other leaves a node W, or one request where that alone is more. A request above W
//! can be signed as long as nothing is doubtful, and the next one only when it is clear what became of it.
//!
//! A program that ends writes down what is [left](Lane::rest): what was open, of which its node may rightly speak to the
//! next one, and what was doubtful. That was granted of W, which a lane has once, however many programs use it one after the other.
//!
//! A crash forgets what was open. So before a header is sent, what a crash would leave (`Cover`) is on the disk:
//!
//! ```text
//! bound     no voucher is above it; ahead of the ceilings by a step, so that few headers wait for the disk
//! excused   what was open when a bound was written, and its step: the most that ever was, in any program
//! granted   of W, what this program and those before it have left doubtful: written whenever it is more than the disk says
//!
//! forgotten = bound - settled, and excused at most
//! ```
//!
//! An honest node asks for no more than that: what it served since the bound was written, and what is open, fit below it. What it
//! says of it isn't doubtful, but it doesn't add up: after any number of crashes, in whatever order, a node can take what was
//! excused, once, beside what the rule leaves it, and W is one for all programs:
//!
//! ```text
//! highest ceiling ever - settled <= excused + the most that the right side of the rule ever came to
//! ```

use atoma_types::{ComputeUnits, RequestId};
use std::collections::HashMap;

/// Why nothing may be signed, or a receipt doesn't fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LaneError {
    /// The node says that more was committed than anything we signed explains.
    #[error(
        "the node asks for a ceiling of {needed}; by our own account {explained} would do, and a window of {window}"
    )]
    Disputed {
        /// What the node asks for.
        needed: ComputeUnits,
        /// What our own account comes to.
        explained: ComputeUnits,
        /// What is allowed on top.
        window: ComputeUnits,
    },
    /// The node answered without good receipts, or speaks of what we don't know, for too much.
    #[error(
        "{doubtful} were served without a receipt of ours, as far as the node may say; with {wanted} more they would be above {window}"
    )]
    Unanswered {
        /// What is unexplained and unanswered.
        doubtful: ComputeUnits,
        /// What the request may cost that isn't signed.
        wanted: ComputeUnits,
        /// What is allowed together.
        window: ComputeUnits,
    },
    /// A receipt for a request that isn't open in this lane.
    #[error("the request is not open")]
    NotOpen,
    /// A receipt for more units than the request allowed.
    #[error("{units} were charged, {max} were allowed")]
    OverMax {
        /// What the receipt charges.
        units: ComputeUnits,
        /// The `max_units` that were signed.
        max: ComputeUnits,
    },
    /// Too many units to count.
    #[error("the lane's ceiling overflows")]
    Overflow,
}

/// What was signed in one lane, and what of it is accounted for. See the module for the formula.
#[derive(Clone, Debug)]
pub struct Lane {
    settled: u64,
    unexplained: u64,
    forgotten: u64,
    /// No ceiling that was signed before was above it.
    bound: u64,
    window: u64,
    /// What of the window earlier programs have granted.
    granted: u64,
    ceiling: u64,
    open: HashMap<RequestId, Open>,
    open_sum: u64,
    unanswered: u64,
    /// How often something was signed.
    signed: u64,
}

/// What must be on the disk before a header with this ceiling is sent: all that the next program would know after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cover {
    /// What is signed.
    pub(crate) ceiling: ComputeUnits,
    /// By how much a bound is written ahead of it.
    pub(crate) step: ComputeUnits,
    /// What is open.
    pub(crate) open: ComputeUnits,
    /// What of the window is granted, by this program and those before it.
    pub(crate) granted: ComputeUnits,
    /// Which state of the lane it is: later ones have higher numbers.
    pub(crate) state: u64,
}

/// A request that is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    max: u64,
    /// Its answer ended without a good receipt.
    unanswered: bool,
}

impl Lane {
    /// A lane in which nothing was signed yet.
    #[must_use]
    pub fn new(window: ComputeUnits) -> Self {
        Self {
            settled: 0,
            unexplained: 0,
            forgotten: 0,
            bound: 0,
            window: window.0,
            granted: 0,
            ceiling: 0,
            open: HashMap::new(),
            open_sum: 0,
            unanswered: 0,
            signed: 0,
        }
    }

    /// A lane from before a restart: what its receipts come to, and a bound that no signed ceiling
    /// exceeded. What was open then is forgotten, so the node may rightly speak of anything up to
    /// the bound.
    #[must_use]
    pub fn restore(settled: ComputeUnits, bound: ComputeUnits, window: ComputeUnits) -> Self {
        Self {
            settled: settled.0,
            forgotten: bound.0.saturating_sub(settled.0),
            bound: bound.0,
            ..Self::new(window)
        }
    }

    /// The same, where at most so much can have been open.
    #[must_use]
    pub fn excusing(mut self, excused: ComputeUnits) -> Self {
        self.forgotten = self.forgotten.min(excused.0);
        self
    }

    /// The same of a lane whose programs have left so much doubtful.
    #[must_use]
    pub fn granting(mut self, doubtful: ComputeUnits) -> Self {
        self.granted = doubtful.0;
        self
    }

    /// What the next program begins with, where this one ends well: the bound of what its node may rightly speak of, and what
    /// was granted of the window.
    #[must_use]
    pub fn rest(&self) -> (ComputeUnits, ComputeUnits) {
        let signed = self.ceiling.max(self.bound).saturating_sub(self.settled);
        let said = self.unexplained.max(self.forgotten.min(signed));
        let bound = self.settled.saturating_add(self.open_sum);
        (
            ComputeUnits(bound.saturating_add(said)),
            self.cover().granted,
        )
    }

    /// Opens a request, under an id that no other ever had, and says which ceiling to sign for it. `demanded` is the
    /// ceiling that the node asked for when it refused the last try; it is granted as the module says.
    ///
    /// # Errors
    ///
    /// If the node asks for more than our account and the window explain, what is doubtful leaves no room for the request,
    /// or the sum overflows. Then nothing has changed.
    pub fn sign(
        &mut self,
        id: RequestId,
        max: ComputeUnits,
        demanded: Option<ComputeUnits>,
    ) -> Result<ComputeUnits, LaneError> {
        let known = self.settled.checked_add(self.open_sum);
        let base = known.and_then(|known| known.checked_add(max.0));
        let base = base.ok_or(LaneError::Overflow)?;
        let said = demanded.map_or(0, |needed| needed.0.saturating_sub(base));
        let window = self.window.saturating_sub(self.granted);
        if let Some(needed) = demanded
            && said.saturating_sub(self.forgotten) > window
        {
            return Err(LaneError::Disputed {
                needed,
                explained: ComputeUnits(base.saturating_add(self.forgotten)),
                window: ComputeUnits(window),
            });
        }
        let unexplained = self.unexplained.max(said);
        let doubtful = self.doubtful_if(unexplained);
        if doubtful > 0 && doubtful.saturating_add(max.0) > window {
            return Err(LaneError::Unanswered {
                doubtful: ComputeUnits(doubtful),
                wanted: max,
                window: ComputeUnits(window),
            });
        }
        let ceiling = base.checked_add(unexplained).ok_or(LaneError::Overflow)?;
        self.unexplained = unexplained;
        self.remove(id);
        let open = Open {
            max: max.0,
            unanswered: false,
        };
        self.open.insert(id, open);
        self.open_sum += max.0;
        self.signed += 1;
        self.ceiling = self.ceiling.max(ceiling);
        Ok(ComputeUnits(self.ceiling))
    }

    /// What must be on the disk before the header that was just signed is sent.
    #[must_use]
    pub(crate) fn cover(&self) -> Cover {
        Cover {
            ceiling: ComputeUnits(self.ceiling),
            step: self.step(),
            open: ComputeUnits(self.open_sum),
            granted: ComputeUnits(
                self.granted
                    .saturating_add(self.doubtful_if(self.unexplained)),
            ),
            state: self.signed,
        }
    }

    /// By how much a durable bound shall be ahead of the ceilings: the window, or what is open if
    /// that is more. A busy lane then writes its bound once for as many requests as it has open
    /// instead of every few.
    fn step(&self) -> ComputeUnits {
        ComputeUnits(self.window.max(self.open_sum))
    }

    /// The node refused: it cost nothing.
    pub fn refuse(&mut self, id: RequestId) {
        self.remove(id);
    }

    /// A verified receipt: it cost this much.
    ///
    /// # Errors
    ///
    /// If the request isn't open in this lane, or cost more than was allowed.
    pub fn settle(&mut self, id: RequestId, units: ComputeUnits) -> Result<(), LaneError> {
        let max = self.open.get(&id).ok_or(LaneError::NotOpen)?.max;
        if units.0 > max {
            let max = ComputeUnits(max);
            return Err(LaneError::OverMax { units, max });
        }
        self.remove(id);
        // at most the maximum that `sign` has added up before
        self.settled += units.0;
        Ok(())
    }

    /// The answer ended without a good receipt. What the request cost may still be found out.
    pub fn lose(&mut self, id: RequestId) {
        if let Some(open) = self.open.get_mut(&id)
            && !open.unanswered
        {
            open.unanswered = true;
            self.unanswered += open.max;
        }
    }

    fn remove(&mut self, id: RequestId) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.open_sum -= open.max;
        if open.unanswered {
            self.unanswered -= open.max;
        }
        Some(open)
    }

    /// A verified record of a request that this account has forgotten, or took for refused: it explains so much of what the
    /// node says, and of what may still be forgotten, and clears all that it could have cost.
    pub fn explain(&mut self, units: ComputeUnits, max: ComputeUnits) {
        // what explains nothing is no reason to sign for more: its node has to ask for that, and has W
        let explained = units.0.min(self.forgotten.max(self.unexplained));
        self.settled = self.settled.saturating_add(explained);
        self.unexplained = self.unexplained.saturating_sub(units.0);
        self.forgotten = self.forgotten.saturating_sub(units.0);
        self.granted = self.granted.saturating_sub(max.0);
    }

    /// What is doubtful if so much is unexplained.
    fn doubtful_if(&self, unexplained: u64) -> u64 {
        let unexplained = unexplained.saturating_sub(self.forgotten);
        unexplained.saturating_add(self.unanswered)
    }

    /// What receipts have confirmed.
    #[must_use]
    pub fn settled(&self) -> ComputeUnits {
        ComputeUnits(self.settled)
    }

    /// What open requests may cost.
    #[must_use]
    pub fn open(&self) -> ComputeUnits {
        ComputeUnits(self.open_sum)
    }

    /// The open requests, with what each may cost; in no order.
    pub(crate) fn open_requests(&self) -> Vec<(RequestId, ComputeUnits)> {
        let each = |(id, open): (&RequestId, &Open)| (*id, ComputeUnits(open.max));
        #[expect(clippy::disallowed_methods, reason = "whoever shows them sorts them")]
        self.open.iter().map(each).collect()
    }

    /// What the node says and no receipt of ours shows.
    #[must_use]
    pub fn unexplained(&self) -> ComputeUnits {
        ComputeUnits(self.unexplained)
    }

    /// What the node may say it served and hasn't shown: see the module for the rule that it is held to.
    #[must_use]
    pub fn doubtful(&self) -> ComputeUnits {
        ComputeUnits(self.doubtful_if(self.unexplained))
    }

    /// What requests may cost whose answers haven't ended.
    #[must_use]
    pub fn running(&self) -> ComputeUnits {
        ComputeUnits(self.open_sum - self.unanswered)
    }

    /// What is spoken for and no receipt confirms.
    #[must_use]
    pub fn unconfirmed(&self) -> ComputeUnits {
        ComputeUnits(self.unexplained.saturating_add(self.open_sum))
    }

    /// The highest ceiling signed.
    #[must_use]
    pub fn ceiling(&self) -> ComputeUnits {
        ComputeUnits(self.ceiling)
    }

    /// What was signed beyond what receipts have confirmed: a node can have claimed as much for nothing.
    #[must_use]
    pub fn loose(&self) -> ComputeUnits {
        ComputeUnits(self.ceiling.saturating_sub(self.settled))
    }

    /// By how much a request that may cost so much raises what was signed, by the ceiling that its node asks for if it asks for
    /// one: what was signed before a crash counts to that.
    #[must_use]
    pub fn raised_by(&self, max: ComputeUnits, demanded: Option<ComputeUnits>) -> ComputeUnits {
        let said = demanded.map_or(0, |needed| needed.0.saturating_sub(self.forgotten));
        let needed = self.spoken_for().0.saturating_add(max.0).max(said);
        ComputeUnits(needed.saturating_sub(self.ceiling.max(self.settled)))
    }

    /// Everything that is spent or may be.
    #[must_use]
    pub fn spoken_for(&self) -> ComputeUnits {
        let known = self.settled.saturating_add(self.unexplained);
        ComputeUnits(known.saturating_add(self.open_sum))
    }
}

#[cfg(test)]
#[path = "lane_test.rs"]
mod tests;
