//! From a user's grant to a lease. Pure: what is known comes in as an event, what is to be done
//! next goes out as a command; [`super`] carries it out.
//!
//! ```text
//! Begin -> Read -> Adopt -> Submit -> Finish
//!    \         \        \        \
//!     satisfied, or no: Finish    another request with as high a grant was faster: Read
//! ```

use crate::{
    account::{Phase, Summary},
    identity::Identity,
};
use atoma_types::{
    ComputeUnits, MicroUsdc, Price, StackId, TimestampMs,
    chain::{AbortCode, Stack},
    message::{Grant, Signed},
    refusal::{Refusal, RefusalCode},
};
use serde::Serialize;

/// A lease as the answer to a grant shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LeaseView {
    pub stack: StackId,
    pub units: ComputeUnits,
    pub price: Price,
    pub expires_at_ms: TimestampMs,
}

/// Grants of one owner within a day that may be small, beside the first on each stack, for which it paid gas itself.
const SMALL_GRANTS: u32 = 8;
/// Use that pays for one, in micro-USDC: above the gas that it costs.
const USE_PAYS: u64 = 10_000;
/// Each after that adds this part of its lease, or what one grant may add at most: six for each tenfold of it, and no more.
const PART_OF_LEASE: u64 = 2;

/// What an owner's grants have cost the node, and what it gets for them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grants {
    /// Those that were taken to the ledger today.
    pub today: u32,
    /// And since the start.
    pub ever: u32,
    /// What its open leases here have used.
    pub used: MicroUsdc,
}

impl Grants {
    /// Whether the next one may be small.
    fn may_be_small(self) -> bool {
        self.today < SMALL_GRANTS || u64::from(self.ever) < self.used.0 / USE_PAYS
    }
}

/// A grant on its way.
#[derive(Debug)]
pub(crate) struct Granting {
    us: Identity,
    grant: Signed<Grant>,
    /// What a grant must add: each costs the node a transaction.
    least: MicroUsdc,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Fresh,
    /// The ledger refused it because as high a grant is there already.
    Overtaken,
}

/// Our lease on the grant's stack, if we hold one.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub price: Price,
    pub sums: Summary,
}

/// The value of units that the node may put at stake: every micro-USDC of it stands for the fine's multiple of
/// collateral.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fits {
    /// What is free, for all grants together.
    pub free: MicroUsdc,
    /// By one grant, so that a stranger's refundable one doesn't take all that there is.
    pub step: MicroUsdc,
}

/// A lease that has given units back unused gets by one grant this part of what others get: signing another one costs
/// nobody but the node anything.
const PART_AFTER_RETURN: u64 = 8;
/// Or so many times what it has used and pays for in all.
const TIMES_USED: u64 = 4;

impl Fits {
    /// What it is for a lease that we hold.
    pub(super) fn for_lease(self, held: Option<&Held>) -> Self {
        let Some(Held { price, sums }) = held.filter(|held| held.sums.returned > 0) else {
            return self;
        };
        let value = |units| price.cost(units).unwrap_or(MicroUsdc(u64::MAX)).0;
        let used = value(sums.committed).saturating_mul(TIMES_USED);
        let most = used.max(self.step.0 / PART_AFTER_RETURN).min(self.step.0);
        let unused = value(sums.terms.units.saturating_sub(sums.committed));
        Self {
            step: MicroUsdc(most.saturating_sub(unused)),
            ..self
        }
    }
}

#[derive(Debug)]
pub(crate) enum Event<'a> {
    Begun {
        now: TimestampMs,
        held: Option<Held>,
    },
    /// The stack as the ledger has it.
    Read {
        stack: Option<&'a Stack>,
        /// What the node's free collateral stands for.
        fits: Fits,
        /// What we ask in its task, if we serve it.
        price: Option<Price>,
        /// Its owner's grants up to now.
        grants: Grants,
    },
    /// What was read is taken over.
    Adopted { held: Option<Held> },
    /// The ledger took the grant.
    Submitted { held: Option<Held> },
    /// The ledger didn't take it.
    Refused(Failure),
}

/// Why the ledger didn't take a grant.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The contract's refusal, and the ledger's message.
    Abort(AbortCode, String),
    /// The node has just the gas left that it needs to settle what it has.
    GasLow,
    /// The node hears nothing of what happens on the ledger.
    Deaf,
    /// Units of the lease are going back, for it had no use for them.
    GivingBack,
    /// It can't be reached, or something else is wrong with the transaction.
    Other,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Read the stack.
    Read,
    /// Take over what was read.
    Adopt,
    /// Take the grant to the ledger.
    Submit,
    /// This is the answer.
    Finish(Result<LeaseView, Refusal>),
}

impl Granting {
    pub(crate) fn new(us: Identity, grant: Signed<Grant>, least: MicroUsdc) -> Self {
        Self {
            us,
            grant,
            least,
            stage: Stage::Fresh,
        }
    }

    pub(crate) fn grant(&self) -> &Signed<Grant> {
        &self.grant
    }

    /// What is to be done next.
    pub(crate) fn step(&mut self, event: Event<'_>) -> Command {
        let next = match event {
            Event::Begun { now, held } => self.check(now).map(|()| match self.satisfied(held) {
                Some(lease) => Command::Finish(Ok(lease)),
                None => Command::Read,
            }),
            Event::Read {
                stack,
                fits,
                price,
                grants,
            } => {
                let checked = self.check_stack(stack, fits, price, grants);
                checked.map(|()| Command::Adopt)
            }
            Event::Adopted { held } => match (self.satisfied(held), self.stage) {
                (Some(lease), _) => Ok(Command::Finish(Ok(lease))),
                (None, Stage::Fresh) => Ok(Command::Submit),
                (None, Stage::Overtaken) => Err(not_visible()),
            },
            Event::Submitted { held } => match self.satisfied(held) {
                Some(lease) => Ok(Command::Finish(Ok(lease))),
                None => Err(not_visible()),
            },
            Event::Refused(Failure::Abort(AbortCode::GrantNotHigher, _))
                if self.stage == Stage::Fresh =>
            {
                self.stage = Stage::Overtaken;
                Ok(Command::Read)
            }
            Event::Refused(failure) => Err(refusal(failure)),
        };
        next.unwrap_or_else(|refusal| Command::Finish(Err(refusal)))
    }

    /// What the grant itself says.
    fn check(&self, now: TimestampMs) -> Result<(), Refusal> {
        let grant = self.grant.message();
        let refuse = |code, message| Err(Refusal::new(code, message));
        if grant.network != self.us.network {
            return refuse(
                RefusalCode::WrongNetwork,
                "the grant is signed for another network",
            );
        }
        if grant.node != self.us.node {
            return refuse(
                RefusalCode::WrongNode,
                "the grant is signed for another node",
            );
        }
        if grant.expires_at_ms <= now {
            return refuse(RefusalCode::Expired, "the grant has expired");
        }
        Ok(())
    }

    fn check_stack(
        &self,
        stack: Option<&Stack>,
        fits: Fits,
        price: Option<Price>,
        grants: Grants,
    ) -> Result<(), Refusal> {
        let refuse = |code, message| Err(Refusal::new(code, message));
        let Some(stack) = stack else {
            return refuse(RefusalCode::UnknownStack, "the ledger has no such stack");
        };
        if self.grant.verify(&stack.request_key).is_err() {
            return refuse(
                RefusalCode::BadSignature,
                "the grant is not signed by the stack's request key",
            );
        }
        let Some(price) = price else {
            return refuse(
                RefusalCode::WrongTask,
                "this node is not subscribed to the stack's task",
            );
        };
        self.check_worth(stack, fits, price, grants)?;
        self.check_stake(stack, fits, price)
    }

    /// What is granted is at stake, so a node takes it in steps.
    fn check_stake(&self, stack: &Stack, fits: Fits, price: Price) -> Result<(), Refusal> {
        let grant = self.grant.message();
        let lease = stack.lease(grant.node);
        let (price, units) = lease.map_or((price, ComputeUnits::ZERO), |l| (l.price, l.units));
        let value = |units| price.cost(units).unwrap_or(MicroUsdc(u64::MAX));
        let (before, after) = (value(units), value(grant.cumulative_units));
        let most = fits.free.min(fits.step);
        if after.0.saturating_sub(before.0) <= most.0 {
            return Ok(());
        }
        let total = price.affords(MicroUsdc(before.0.saturating_add(most.0)));
        let more = total.saturating_sub(units);
        let message = format!(
            "of the node's free collateral the lease gets {more} more, now: by one grant it gets a part, and a smaller \
             one once it has given units back that it didn't use"
        );
        Err(Refusal::new(RefusalCode::GrantTooLarge, message)
            .param("grant")
            .needed(more.0))
    }

    /// Whoever grants unit by unit would have the node pay gas for each: what is granted comes back in the
    /// end, what the node pays doesn't. So each adds something; and whose use doesn't pay for them adds, after some of a
    /// day, a part of what there is with each.
    fn check_worth(
        &self,
        stack: &Stack,
        fits: Fits,
        price: Price,
        grants: Grants,
    ) -> Result<(), Refusal> {
        let grant = self.grant.message();
        let lease = stack.lease(grant.node);
        let (price, units) = lease.map_or((price, ComputeUnits::ZERO), |l| (l.price, l.units));
        let more = grant.cumulative_units.saturating_sub(units);
        // what a lease has already is answered from the ledger, without a transaction
        let part = if grants.may_be_small() {
            ComputeUnits::ZERO
        } else {
            // never more than may be granted at once
            let most = price.affords(fits.free.min(fits.step));
            ComputeUnits(units.0.div_ceil(PART_OF_LEASE)).min(most)
        };
        let least = price.units_for(self.least).max(part);
        if more == ComputeUnits::ZERO || more >= least {
            return Ok(());
        }
        let message = format!("a grant costs the node a transaction: let it add at least {least}");
        Err(Refusal::new(RefusalCode::InvalidBody, message)
            .param("grant")
            .needed(least.0))
    }

    /// The lease, if it is open and has what the grant gives.
    fn satisfied(&self, held: Option<Held>) -> Option<LeaseView> {
        let Held { price, sums } = held?;
        let grant = self.grant.message();
        let enough = sums.phase == Phase::Open && sums.terms.units >= grant.cumulative_units;
        enough.then_some(LeaseView {
            stack: grant.stack,
            units: sums.terms.units,
            price,
            expires_at_ms: sums.terms.expires_at,
        })
    }
}

fn not_visible() -> Refusal {
    Refusal::new(
        RefusalCode::Unavailable,
        "the lease is not visible yet; try again",
    )
}

/// The ledger's refusal in the node's words, with the ledger's own in the message.
fn refusal(failure: Failure) -> Refusal {
    let (code, message) = match failure {
        Failure::Abort(code, message) => (code, message),
        Failure::GasLow => {
            let message = "the node keeps what gas it has to settle the leases it has";
            return Refusal::new(RefusalCode::Unavailable, message);
        }
        Failure::Deaf => {
            let message =
                "the ledger's events don't reach the node: until they do it takes no grants";
            return Refusal::new(RefusalCode::Unavailable, message);
        }
        Failure::GivingBack => {
            let message =
                "units of the lease that it had no use for are being given back; try again";
            return Refusal::new(RefusalCode::Unavailable, message);
        }
        Failure::Other => {
            return Refusal::new(
                RefusalCode::Unavailable,
                "the ledger does not take the grant",
            );
        }
    };
    let code = match code {
        AbortCode::StackExpired => RefusalCode::StackExpired,
        AbortCode::LeasesExceedStack | AbortCode::LeaseClosed => RefusalCode::LeaseExhausted,
        AbortCode::CollateralBusy => RefusalCode::GrantTooLarge,
        AbortCode::GrantExpired => RefusalCode::Expired,
        AbortCode::GrantInvalid
        | AbortCode::GrantBadSignature
        | AbortCode::GrantWrongNetwork
        | AbortCode::GrantWrongStack
        | AbortCode::GrantWrongNode
        | AbortCode::GrantRevoked
        | AbortCode::GrantNotHigher
        | AbortCode::WrongTask
        | AbortCode::NotCandidate
        | AbortCode::LeasesFull
        | AbortCode::PriceAboveMax => RefusalCode::InvalidBody,
        // every other abort is about the node's standing, the task or the package: another grant wouldn't help
        _ => RefusalCode::Unavailable,
    };
    Refusal::new(code, message)
}

#[cfg(test)]
#[path = "step_test.rs"]
mod tests;
