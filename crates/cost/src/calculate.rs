//! The bill of a month, line by line. The formulas stand at the head of the crate.

use crate::{
    assumptions::{Assumptions, Basis},
    error::CostError,
    storage::{self, UNIT},
    usd::Usd,
};
use serde::Serialize;

/// How many days a month is taken to have.
pub const DAYS_PER_MONTH: u64 = 30;
/// Prices of tokens are for so many.
const MILLION: u128 = 1_000_000;
/// Shares are in thousandths.
const PERMILLE: u128 = 1_000;
/// Prices of storage are for so many bytes,
const GB: u128 = 1_000_000_000;
/// and a year.
const DAYS_PER_YEAR: u128 = 365;
const SECONDS_PER_HOUR: u128 = 3_600;
const SECONDS_PER_DAY: u128 = 86_400;

/// What money is for, in the order of the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What nodes are paid for inference.
    Compute,
    /// What attesters are paid for repeating inference.
    Audits,
    /// The protocol's part of what nodes earn.
    ProtocolFee,
    /// Gas for buying, granting and closing stacks.
    StackTransactions,
    /// Gas for the calls that audits make.
    AuditTransactions,
    /// Transactions that store packs.
    PackTransactions,
    /// What storing evidence on Walrus costs.
    Storage,
    /// What the gateway adds.
    GatewayFee,
}

impl Kind {
    /// Every item, in the order in which a report shows them.
    pub const ALL: [Self; 8] = [
        Self::Compute,
        Self::Audits,
        Self::ProtocolFee,
        Self::StackTransactions,
        Self::AuditTransactions,
        Self::PackTransactions,
        Self::Storage,
        Self::GatewayFee,
    ];

    /// The name of the line, as reports show it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Compute => "compute (nodes)",
            Self::Audits => "audits (attesters)",
            Self::ProtocolFee => "protocol fee",
            Self::StackTransactions => "ledger: stacks",
            Self::AuditTransactions => "ledger: audits",
            Self::PackTransactions => "ledger: packs",
            Self::Storage => "storage (Walrus)",
            Self::GatewayFee => "gateway fee",
        }
    }

    /// Whether it is the chain's: ledger or storage.
    #[must_use]
    pub const fn is_chain(self) -> bool {
        match self {
            Self::StackTransactions
            | Self::AuditTransactions
            | Self::PackTransactions
            | Self::Storage => true,
            Self::Compute | Self::Audits | Self::ProtocolFee | Self::GatewayFee => false,
        }
    }
}

/// How requests are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Requests that a stack pays for.
    pub requests_per_stack: u64,
    /// Records in a pack.
    pub records_per_pack: u64,
}

impl Plan {
    /// The plan that the figures lead to.
    #[must_use]
    pub fn of(a: &Assumptions) -> Self {
        let in_life = a.requests_per_day.saturating_mul(a.stack_days);
        let in_wait = u128::from(a.requests_per_day) * u128::from(a.pack_seconds)
            / (SECONDS_PER_DAY * u128::from(a.nodes.max(1)));
        let in_bytes = a.pack_bytes / a.record_bytes().max(1);
        Self {
            requests_per_stack: (a.stack_tokens / a.tokens().max(1)).min(in_life).max(1),
            records_per_pack: u64::try_from(in_wait)
                .unwrap_or(u64::MAX)
                .min(in_bytes)
                .min(a.pack_records)
                .max(1),
        }
    }
}

/// What a month costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The lines, in the order of [`Kind::ALL`].
    pub lines: [(Kind, Usd); 8],
    /// The sum of all lines.
    pub total: Usd,
    /// The sum of those that are the chain's.
    pub chain: Usd,
}

impl Bill {
    /// Whether the chain's share is below so many thousandths.
    #[must_use]
    pub fn chain_below(&self, permille: u64) -> bool {
        match (
            self.chain.pico().checked_mul(PERMILLE),
            self.total.pico().checked_mul(u128::from(permille)),
        ) {
            (Some(chain), Some(bound)) => chain < bound,
            // a bill that large can't come from figures within their limits
            _ => false,
        }
    }

    /// The amount of one line.
    #[must_use]
    pub fn line(&self, kind: Kind) -> Usd {
        let found = self.lines.iter().find(|(other, _)| *other == kind);
        found.map_or(Usd::ZERO, |(_, cost)| *cost)
    }
}

/// Requests in a month.
pub(crate) fn requests_per_month(a: &Assumptions) -> u128 {
    u128::from(a.requests_per_day) * u128::from(DAYS_PER_MONTH)
}

/// The bill of a month under a plan.
///
/// # Errors
/// If the figures are too large together, or a pack is larger than a blob can be.
pub fn bill(a: &Assumptions, plan: Plan) -> Result<Bill, CostError> {
    let month = requests_per_month(a);
    let compute = match a.basis {
        Basis::Tokens => token_price(a, month, a.input_tokens, a.output_tokens)?,
        Basis::Gpu => gpu_price(a, month, a.input_tokens, a.output_tokens)?,
    };
    let fee = u128::from(a.protocol_fee_permille);
    let (nodes, protocol) = match a.basis {
        // the fee is taken out of what is paid for tokens
        Basis::Tokens => {
            let fee = compute.scaled(&[fee], &[PERMILLE])?;
            let nodes = compute.pico().saturating_sub(fee.pico());
            (Usd::from_pico(nodes), fee)
        }
        // so that GPUs are paid in full, the fee comes on top; it is below 1000 by its limit
        Basis::Gpu => {
            let rest = PERMILLE.checked_sub(fee).ok_or(CostError::Overflow)?;
            (compute, compute.scaled(&[fee], &[rest])?)
        }
    };
    let stacks = u128::from(plan.requests_per_stack);
    let packs = u128::from(plan.records_per_pack);
    let mut lines = [
        (Kind::Compute, nodes),
        (Kind::Audits, audits(a, month, plan.requests_per_stack)?),
        (Kind::ProtocolFee, protocol),
        (
            Kind::StackTransactions,
            a.sui_transaction
                .scaled(&[month, a.stack_transactions.into()], &[stacks])?,
        ),
        (
            Kind::AuditTransactions,
            a.sui_transaction
                .scaled(&[month, audit_transactions(a)], &[stacks, PERMILLE])?,
        ),
        (
            Kind::PackTransactions,
            a.sui_transaction
                .scaled(&[month, pack_transactions(a)], &[packs])?,
        ),
        (Kind::Storage, storage_price(a, month, plan)?),
        (Kind::GatewayFee, Usd::ZERO),
    ];
    let before = lines
        .iter()
        .try_fold(Usd::ZERO, |sum, (_, cost)| sum.plus(*cost))?;
    let gateway = before.scaled(&[a.gateway_fee_permille.into()], &[PERMILLE])?;
    if let Some(last) = lines.last_mut() {
        last.1 = gateway;
    }
    let chain = lines
        .iter()
        .filter(|(kind, _)| kind.is_chain())
        .try_fold(Usd::ZERO, |sum, (_, cost)| sum.plus(*cost))?;
    Ok(Bill {
        lines,
        total: before.plus(gateway)?,
        chain,
    })
}

/// So many requests at the prices of tokens.
fn token_price(a: &Assumptions, requests: u128, i: u64, o: u64) -> Result<Usd, CostError> {
    let one = a.input_price.scaled(&[i.into()], &[])?;
    one.plus(a.output_price.scaled(&[o.into()], &[])?)?
        .scaled(&[requests], &[MILLION])
}

/// So many requests at the price of the GPUs that are rented for them.
pub(crate) fn gpu_price(a: &Assumptions, requests: u128, i: u64, o: u64) -> Result<Usd, CostError> {
    let (busy, per) = gpu_time(a, i, o);
    a.gpu_hour.scaled(
        &[requests, busy, PERMILLE],
        &[per, SECONDS_PER_HOUR, a.utilisation_permille.into()],
    )
}

/// The GPU seconds of a request as a fraction: `i / a + o / b = (i b + o a) / (a b)`.
pub(crate) fn gpu_time(a: &Assumptions, i: u64, o: u64) -> (u128, u128) {
    let (input, output) = (
        u128::from(a.input_tokens_per_second),
        u128::from(a.output_tokens_per_second),
    );
    // each factor is below 2^24 by its limits
    (
        u128::from(i) * output + u128::from(o) * input,
        input * output,
    )
}

/// What attesters compute: a prefill over prompt and answer for each answer that is checked.
fn audits(a: &Assumptions, month: u128, requests_per_stack: u64) -> Result<Usd, CostError> {
    let one = match a.basis {
        Basis::Tokens => token_price(a, 1, a.tokens(), 0)?,
        Basis::Gpu => gpu_price(a, 1, a.tokens(), 0)?,
    };
    let samples = a.audit_samples.min(requests_per_stack);
    one.scaled(
        &[
            month,
            a.audit_permille.into(),
            a.audit_attesters.into(),
            samples.into(),
        ],
        &[requests_per_stack.into(), PERMILLE],
    )
}

/// Transactions of a stack's audit, in thousandths: a draw for each; if it hits, a commitment and an
/// opening of each attester, and one that ends it.
fn audit_transactions(a: &Assumptions) -> u128 {
    match u128::from(a.audit_permille) {
        0 => 0,
        p => PERMILLE + p * (2 * u128::from(a.audit_attesters) + 1),
    }
}

/// Transactions of a pack, renewals included.
fn pack_transactions(a: &Assumptions) -> u128 {
    u128::from(a.pack_transactions) + u128::from(storage::renewals(epochs(a)))
}

fn epochs(a: &Assumptions) -> u64 {
    storage::epochs(a.retention_days, a.walrus_epoch_days)
}

/// What Walrus bills for the packs.
fn storage_price(a: &Assumptions, month: u128, plan: Plan) -> Result<Usd, CostError> {
    let size = plan
        .records_per_pack
        .checked_mul(a.record_bytes())
        .ok_or(CostError::Overflow)?;
    let units = storage::units(storage::encoded_length(a.walrus_shards, size)?);
    let days = u128::from(epochs(a)) * u128::from(a.walrus_epoch_days);
    // a year's price of what is kept, in 365ths
    let kept = a.walrus_gb_year.scaled(&[days], &[])?;
    let written = a.walrus_gb_write.scaled(&[DAYS_PER_YEAR], &[])?;
    kept.plus(written)?.scaled(
        &[month, units.into(), UNIT.into()],
        &[plan.records_per_pack.into(), GB, DAYS_PER_YEAR],
    )
}
