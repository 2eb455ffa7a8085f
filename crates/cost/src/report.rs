//! A bill with everything that people want to know about it.

use crate::{
    assumptions::Assumptions,
    calculate::{self, Bill, Kind, Plan, bill, gpu_price, gpu_time, requests_per_month},
    error::CostError,
    prices::Web2Price,
    storage,
    threshold::{Thresholds, fill_seconds, thresholds},
    usd::Usd,
};
use serde::Serialize;

/// Batches of the grid, in records.
const GRID_RECORDS: [u64; 5] = [1, 64, 1_024, 8_192, 65_536];
/// Stacks of the grid, in tokens.
const GRID_TOKENS: [u64; 4] = [1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// All that `atoma cost` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What it rests on.
    pub assumptions: Assumptions,
    /// How much there is of everything.
    pub volume: Volume,
    /// Where the money goes.
    pub lines: Vec<Item>,
    /// What everything together costs.
    pub total: Amounts,
    /// What of it the ledger and storage cost.
    pub chain: Amounts,
    /// Their part of the total, millionths.
    pub chain_share_ppm: u64,
    /// From where on that is below the target.
    pub thresholds: Thresholds,
    /// That share for other batches and stacks.
    pub grid: Vec<Cell>,
    /// The GPUs behind it.
    pub gpu: Gpu,
    /// What others would charge.
    pub web2: Vec<Comparison>,
}

/// How much there is of everything in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Requests in a month.
    pub requests_per_month: u128,
    /// Tokens in a month.
    pub tokens_per_month: u128,
    /// Bytes of a record.
    pub record_bytes: u64,
    /// Requests that a stack pays for and records in a pack.
    #[serde(flatten)]
    pub plan: Plan,
    /// Bytes of a pack.
    pub pack_bytes: u64,
    /// Bytes that Walrus bills for it.
    pub pack_encoded_bytes: u64,
    /// How long one node needs to fill it, seconds.
    pub pack_fill_seconds: u64,
    /// Epochs it is paid for.
    pub epochs: u64,
}

/// An amount three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Amounts {
    /// The amount for one request.
    pub per_request: Usd,
    /// The amount for a million tokens.
    pub per_million_tokens: Usd,
    /// The amount for a month of 30 days.
    pub per_month: Usd,
}

/// A line of the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What the line is for.
    pub kind: Kind,
    /// What the line comes to.
    #[serde(flatten)]
    pub cost: Amounts,
    /// Part of the total, millionths.
    pub share_ppm: u64,
    /// Whether it is the chain's.
    pub chain: bool,
}

/// The chain's share under another plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Records in a pack.
    pub records_per_pack: u64,
    /// Tokens of a stack.
    pub stack_tokens: u64,
    /// Part of the total, millionths; none if no blob holds such a pack.
    pub chain_share_ppm: Option<u64>,
}

/// What nodes rent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// GPUs on average, thousandths.
    pub count_milli: u64,
    /// Their rent in a month.
    pub per_month: Usd,
    /// The rent as part of what nodes get, millionths.
    pub share_of_compute_ppm: u64,
}

/// Somebody else's bill for the same tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// What the provider charges.
    #[serde(flatten)]
    pub price: Web2Price,
    /// What the workload would cost there.
    pub cost: Amounts,
    /// Ours as part of theirs, millionths.
    pub ours_ppm: u64,
}

impl Report {
    /// A line as part of what the chain costs, millionths.
    #[must_use]
    pub fn part_of_chain_ppm(&self, item: &Item) -> u64 {
        ppm(item.cost.per_month, self.chain.per_month)
    }
}

/// Answers what a workload costs.
///
/// # Errors
/// If a figure is outside its limits, or they are too large together.
pub fn report(a: &Assumptions) -> Result<Report, CostError> {
    a.check()?;
    let plan = Plan::of(a);
    let bill = bill(a, plan)?;
    let lines = bill.lines.iter().map(|(kind, cost)| {
        Ok(Item {
            kind: *kind,
            cost: amounts(a, *cost)?,
            share_ppm: ppm(*cost, bill.total),
            chain: kind.is_chain(),
        })
    });
    Ok(Report {
        volume: volume(a, plan)?,
        lines: lines.collect::<Result<_, CostError>>()?,
        total: amounts(a, bill.total)?,
        chain: amounts(a, bill.chain)?,
        chain_share_ppm: ppm(bill.chain, bill.total),
        thresholds: thresholds(a, plan)?,
        grid: grid(a)?,
        gpu: gpu(a, &bill)?,
        web2: web2(a, &bill)?,
        assumptions: a.clone(),
    })
}

fn volume(a: &Assumptions, plan: Plan) -> Result<Volume, CostError> {
    let requests = requests_per_month(a);
    let pack_bytes = plan
        .records_per_pack
        .checked_mul(a.record_bytes())
        .ok_or(CostError::Overflow)?;
    Ok(Volume {
        requests_per_month: requests,
        tokens_per_month: requests * u128::from(a.tokens()),
        record_bytes: a.record_bytes(),
        plan,
        pack_bytes,
        pack_encoded_bytes: storage::encoded_length(a.walrus_shards, pack_bytes)?,
        pack_fill_seconds: fill_seconds(a, plan.records_per_pack),
        epochs: storage::epochs(a.retention_days, a.walrus_epoch_days),
    })
}

/// A month's cost three ways.
fn amounts(a: &Assumptions, per_month: Usd) -> Result<Amounts, CostError> {
    let requests = requests_per_month(a);
    Ok(Amounts {
        per_request: per_month.scaled(&[], &[requests])?,
        per_million_tokens: per_month.scaled(&[1_000_000], &[requests, a.tokens().into()])?,
        per_month,
    })
}

/// `part / whole` in millionths, rounded down.
fn ppm(part: Usd, whole: Usd) -> u64 {
    let share = part
        .pico()
        .checked_mul(1_000_000)
        .and_then(|part| part.checked_div(whole.pico()));
    u64::try_from(share.unwrap_or(0)).unwrap_or(u64::MAX)
}

fn grid(a: &Assumptions) -> Result<Vec<Cell>, CostError> {
    let mut cells = Vec::with_capacity(GRID_RECORDS.len() * GRID_TOKENS.len());
    for records_per_pack in GRID_RECORDS {
        for stack_tokens in GRID_TOKENS {
            let plan = Plan {
                requests_per_stack: (stack_tokens / a.tokens().max(1)).max(1),
                records_per_pack,
            };
            let chain_share_ppm = match bill(a, plan) {
                Ok(bill) => Some(ppm(bill.chain, bill.total)),
                Err(CostError::PackTooLarge { .. }) => None,
                Err(other) => return Err(other),
            };
            cells.push(Cell {
                records_per_pack,
                stack_tokens,
                chain_share_ppm,
            });
        }
    }
    Ok(cells)
}

fn gpu(a: &Assumptions, bill: &Bill) -> Result<Gpu, CostError> {
    let requests = requests_per_month(a);
    let per_month = gpu_price(a, requests, a.input_tokens, a.output_tokens)?;
    let (busy, per) = gpu_time(a, a.input_tokens, a.output_tokens);
    // seconds of GPU in a month, over the seconds of a month, in thousandths of a GPU
    let month = u128::from(calculate::DAYS_PER_MONTH) * 86_400;
    let count = requests
        .checked_mul(busy)
        .and_then(|busy| busy.checked_mul(1_000_000))
        .map(|busy| busy.div_ceil(per * month * u128::from(a.utilisation_permille)))
        .ok_or(CostError::Overflow)?;
    Ok(Gpu {
        count_milli: u64::try_from(count).map_err(|_| CostError::Overflow)?,
        per_month,
        share_of_compute_ppm: ppm(per_month, bill.line(Kind::Compute)),
    })
}

fn web2(a: &Assumptions, bill: &Bill) -> Result<Vec<Comparison>, CostError> {
    let requests = requests_per_month(a);
    let same_model = a.web2.iter().filter(|price| price.model == a.model);
    same_model
        .map(|price| {
            let input = price.input_price.scaled(&[a.input_tokens.into()], &[])?;
            let output = price.output_price.scaled(&[a.output_tokens.into()], &[])?;
            let month = input.plus(output)?.scaled(&[requests], &[1_000_000])?;
            Ok(Comparison {
                price: price.clone(),
                cost: amounts(a, month)?,
                ours_ppm: ppm(bill.total, month),
            })
        })
        .collect()
}
