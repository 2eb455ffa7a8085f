//! What a workload costs per request, per million tokens and per month, and where the money goes.
//!
//! Everything is a sum over a month of 30 days, computed exactly in whole picodollars and rounded up
//! once per line. With `R` requests a month of `i` input and `o` output tokens, `t = i + o`:
//!
//! ```text
//! q       requests that a stack pays for: floor(stack_tokens / t), at least 1, and no more than come
//!         in the longest life of a stack
//! N       records in a pack: the least of pack_bytes / record, pack_records, and what one node sees in
//!         pack_seconds; at least 1
//! tokens  R * (i * input_price + o * output_price) / 10^6
//! gpu     gpu_hour * R * (i / input_tokens_per_second + o / output_tokens_per_second) / 3600 / utilisation
//! compute tokens, or gpu, as the basis says
//! audits  the price of t input tokens (one prefill over prompt and answer), for each of
//!         R / q * p * k * min(s, q) answers that attesters look at
//! ledger  sui_transaction * R / q * (stack_transactions + (1 + p * (2k + 1) if p > 0))
//!       + sui_transaction * R / N * (pack_transactions + renewals)
//! storage R / N * MiB(encoded(N * record)) * (storage_price * epochs + write_price)
//! ```
//!
//! The *chain's share* is ledger and storage, of the total. Batching isn't monotone record by record,
//! as a record more can need the next size of symbol; a multiple of a batch never costs more.

mod assumptions;
mod calculate;
mod error;
mod prices;
mod report;
mod settings;
mod storage;
mod svg;
mod text;
mod threshold;
mod usd;

pub use assumptions::{Assumptions, Basis};
pub use calculate::{Bill, DAYS_PER_MONTH, Kind, Plan, bill};
pub use error::CostError;
pub use prices::{ModelPrices, Prices, Web2Price};
pub use report::{Amounts, Cell, Comparison, Gpu, Item, Report, Volume, report};
pub use settings::resolve;
pub use storage::{encoded_length, epochs, renewals, units};
pub use svg::to_svg;
pub use text::to_text;
pub use threshold::{Thresholds, thresholds};
pub use usd::Usd;
