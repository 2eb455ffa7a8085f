//! From which batch and which stack on the chain costs next to nothing.

use crate::{
    assumptions::Assumptions,
    calculate::{Plan, bill},
    error::CostError,
    storage,
};
use serde::Serialize;

/// The largest batch looked at: a pack of that many records is far beyond 64 MB.
const MAX_RECORDS: u64 = 1 << 16;
/// The largest stack looked at, in requests, as a power of two: more than a contract's units can buy.
const MAX_STACK_LOG: u32 = 50;

/// The bounds, each with everything else as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Thresholds {
    /// From so many records in a pack on, whatever the number, up to the largest looked at; none if not
    /// even that is enough.
    pub records_per_pack: Option<u64>,
    /// The bytes of such a pack.
    pub pack_bytes: Option<u64>,
    /// How long one node needs to fill it, seconds.
    pub fill_seconds: Option<u64>,
    /// From so many requests in a stack on.
    pub requests_per_stack: Option<u64>,
    /// The tokens of such a stack.
    pub stack_tokens: Option<u64>,
}

/// Looks for them.
///
/// # Errors
/// If the figures are too large together.
pub fn thresholds(a: &Assumptions, plan: Plan) -> Result<Thresholds, CostError> {
    let records = records(a, plan)?;
    let requests = requests(a, plan)?;
    Ok(Thresholds {
        records_per_pack: records,
        pack_bytes: records.map(|n| n.saturating_mul(a.record_bytes())),
        fill_seconds: records.map(|n| fill_seconds(a, n)),
        requests_per_stack: requests,
        stack_tokens: requests.map(|q| q.saturating_mul(a.tokens())),
    })
}

/// How long one node needs for so many records.
pub(crate) fn fill_seconds(a: &Assumptions, records: u64) -> u64 {
    let seconds =
        u128::from(records) * 86_400 * u128::from(a.nodes) / u128::from(a.requests_per_day.max(1));
    u64::try_from(seconds).unwrap_or(u64::MAX)
}

/// Downwards to the first batch that is too small. One by one, as the price of a batch has steps.
fn records(a: &Assumptions, plan: Plan) -> Result<Option<u64>, CostError> {
    let fits = storage::max_blob(a.walrus_shards) / a.record_bytes().max(1);
    let most = MAX_RECORDS.min(fits);
    let mut enough = None;
    for records_per_pack in (1..=most).rev() {
        let plan = Plan {
            records_per_pack,
            ..plan
        };
        if !bill(a, plan)?.chain_below(a.target_permille) {
            break;
        }
        enough = Some(records_per_pack);
    }
    Ok(enough)
}

/// The last power of two that is too small, then the bound between it and the next.
fn requests(a: &Assumptions, plan: Plan) -> Result<Option<u64>, CostError> {
    let below = |requests_per_stack: u64| {
        let plan = Plan {
            requests_per_stack,
            ..plan
        };
        bill(a, plan).map(|bill| bill.chain_below(a.target_permille))
    };
    let mut low = None;
    for log in (0..=MAX_STACK_LOG).rev() {
        if !below(1 << log)? {
            low = Some(log);
            break;
        }
    }
    let Some(low) = low else { return Ok(Some(1)) };
    if low == MAX_STACK_LOG {
        return Ok(None);
    }
    // below(bad) is false, below(good) is true
    let (mut bad, mut good) = (1_u64 << low, 1_u64 << (low + 1));
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if below(middle)? {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Ok(Some(good))
}
