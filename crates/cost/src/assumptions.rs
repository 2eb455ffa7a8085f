//! Everything that a cost rests on, with defaults and limits.

use crate::{
    error::CostError,
    prices::{Prices, Web2Price},
    usd::Usd,
};
use serde::{Deserialize, Serialize};

/// The model unless told otherwise.
const DEFAULT_MODEL: &str = "llama-3.1-70b";

/// What the compute line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// What nodes charge for tokens.
    Tokens,
    /// What nodes pay for GPUs.
    Gpu,
}

impl std::str::FromStr for Basis {
    type Err = CostError;
    fn from_str(text: &str) -> Result<Self, CostError> {
        match text {
            "tokens" => Ok(Self::Tokens),
            "gpu" => Ok(Self::Gpu),
            _ => Err(CostError::Basis),
        }
    }
}

/// The figures of a question. The names are those of the file and, with dashes, of the flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumptions {
    /// Which model: its token prices and its speed are the defaults of those below.
    pub model: String,
    /// What the compute line is: the price of tokens, or of the GPUs that make them.
    pub basis: Basis,
    /// Requests that come in a day.
    pub requests_per_day: u64,
    /// Input tokens of a request.
    pub input_tokens: u64,
    /// Output tokens of a request.
    pub output_tokens: u64,
    /// What a million input tokens cost.
    pub input_price: Usd,
    /// What a million output tokens cost.
    pub output_price: Usd,
    /// What an hour of a GPU costs.
    pub gpu_hour: Usd,
    /// Input tokens that a busy GPU takes in a second.
    pub input_tokens_per_second: u64,
    /// Output tokens that a busy GPU gives in a second.
    pub output_tokens_per_second: u64,
    /// How much of its time a rented GPU is busy, thousandths.
    pub utilisation_permille: u64,
    /// What a transaction on the ledger costs.
    pub sui_transaction: Usd,
    /// Tokens that a stack pays for.
    pub stack_tokens: u64,
    /// Transactions in the life of a stack: acquire, settle, claim, close.
    pub stack_transactions: u64,
    /// The longest life of a stack, days.
    pub stack_days: u64,
    /// Nodes that share the requests; each fills packs of its own.
    pub nodes: u64,
    /// Bytes of a record beside its text: header, receipt, two signatures, framing.
    pub record_overhead: u64,
    /// Bytes of text that a token is.
    pub bytes_per_token: u64,
    /// A pack is closed when it has so many bytes.
    pub pack_bytes: u64,
    /// A pack is closed when it has so many records.
    pub pack_records: u64,
    /// A pack is closed when it is so old, in seconds.
    pub pack_seconds: u64,
    /// Transactions that store a pack: register, certify.
    pub pack_transactions: u64,
    /// How long evidence is kept, days.
    pub retention_days: u64,
    /// What keeping a billed GB (10^9 bytes) for a year costs.
    pub walrus_gb_year: Usd,
    /// What writing a billed GB costs, once.
    pub walrus_gb_write: Usd,
    /// Shards of the storage network.
    pub walrus_shards: u16,
    /// How long the storage network's epoch is, in days.
    pub walrus_epoch_days: u64,
    /// How likely a settled stack is audited, thousandths.
    pub audit_permille: u64,
    /// Attesters of an audit.
    pub audit_attesters: u64,
    /// Answers that each of them checks.
    pub audit_samples: u64,
    /// The protocol's part of what nodes are paid, thousandths.
    pub protocol_fee_permille: u64,
    /// What a gateway adds to everything, thousandths.
    pub gateway_fee_permille: u64,
    /// The chain's share that is looked for, thousandths.
    pub target_permille: u64,
    /// What other providers charge, beside which the result is set.
    pub web2: Vec<Web2Price>,
}

/// Dollars and millionths of them.
const fn micro(micro: u128) -> Usd {
    Usd::from_pico(micro * 1_000_000)
}

impl Assumptions {
    /// The defaults, for a model.
    ///
    /// # Errors
    /// If nothing is known of the model.
    pub fn for_model(model: Option<&str>) -> Result<Self, CostError> {
        let prices = Prices::built_in()?;
        let model = prices.of(model.unwrap_or(DEFAULT_MODEL))?.clone();
        Ok(Self {
            model: model.model,
            basis: Basis::Tokens,
            requests_per_day: 1_000_000,
            input_tokens: 1_000,
            output_tokens: 500,
            input_price: model.input_price,
            output_price: model.output_price,
            // overview: $2.5 to $3
            gpu_hour: micro(2_750_000),
            input_tokens_per_second: model.input_tokens_per_second,
            output_tokens_per_second: model.output_tokens_per_second,
            utilisation_permille: 500,
            // overview: 0.01 SUI, about $0.02
            sui_transaction: micro(20_000),
            stack_tokens: 100_000_000,
            stack_transactions: 4,
            stack_days: 90,
            nodes: 1,
            record_overhead: 1_024,
            bytes_per_token: 4,
            pack_bytes: 64 << 20,
            pack_records: 65_536,
            pack_seconds: 3_600,
            pack_transactions: 2,
            retention_days: 30,
            // overview: about $0.5, before launch
            walrus_gb_year: micro(500_000),
            // a fifth of an epoch's storage, as in Walrus's own sample of prices
            walrus_gb_write: micro(3_836),
            walrus_shards: 1_000,
            walrus_epoch_days: 14,
            audit_permille: 10,
            audit_attesters: 3,
            audit_samples: 32,
            protocol_fee_permille: 10,
            gateway_fee_permille: 0,
            target_permille: 10,
            web2: prices.web2,
        })
    }

    /// Whether each figure is within its limits.
    ///
    /// # Errors
    /// The first that isn't.
    pub fn check(&self) -> Result<(), CostError> {
        /// A year for a stack or a wait, ten for evidence: longer is a slip of the keyboard.
        const YEAR_DAYS: u64 = 366;
        const YEAR_SECONDS: u64 = YEAR_DAYS * 86_400;
        /// More than the world asks for today.
        const REQUESTS: u64 = 1_000_000_000_000;
        /// Ten times the longest context there is.
        const TOKENS: u64 = 10_000_000;
        /// A stack's units in the contract: 2^50.
        const UNITS: u64 = 1 << 50;
        let limits = [
            ("requests_per_day", self.requests_per_day, 1, REQUESTS),
            ("input_tokens", self.input_tokens, 0, TOKENS),
            ("output_tokens", self.output_tokens, 0, TOKENS),
            ("input_tokens + output_tokens", self.tokens(), 1, 2 * TOKENS),
            (
                "input_tokens_per_second",
                self.input_tokens_per_second,
                1,
                TOKENS,
            ),
            (
                "output_tokens_per_second",
                self.output_tokens_per_second,
                1,
                TOKENS,
            ),
            ("utilisation_permille", self.utilisation_permille, 1, 1_000),
            ("stack_tokens", self.stack_tokens, 1, UNITS),
            ("stack_transactions", self.stack_transactions, 0, 1_000),
            ("stack_days", self.stack_days, 1, YEAR_DAYS),
            ("nodes", self.nodes, 1, 1_000_000),
            ("record_overhead", self.record_overhead, 1, 1 << 20),
            ("bytes_per_token", self.bytes_per_token, 0, 1_000),
            ("pack_bytes", self.pack_bytes, 1, 1 << 40),
            ("pack_records", self.pack_records, 1, 1 << 40),
            ("pack_seconds", self.pack_seconds, 1, YEAR_SECONDS),
            ("pack_transactions", self.pack_transactions, 0, 1_000),
            ("retention_days", self.retention_days, 0, 10 * YEAR_DAYS),
            ("walrus_shards", self.walrus_shards.into(), 4, 1_000),
            ("walrus_epoch_days", self.walrus_epoch_days, 1, YEAR_DAYS),
            ("audit_permille", self.audit_permille, 0, 1_000),
            ("audit_attesters", self.audit_attesters, 1, 1_000),
            ("audit_samples", self.audit_samples, 1, 1_000_000),
            ("protocol_fee_permille", self.protocol_fee_permille, 0, 999),
            ("gateway_fee_permille", self.gateway_fee_permille, 0, 10_000),
            ("target_permille", self.target_permille, 1, 1_000),
        ];
        for (name, value, min, max) in limits {
            if !(min..=max).contains(&value) {
                return Err(CostError::OutOfRange {
                    name,
                    value,
                    min,
                    max,
                });
            }
        }
        Ok(())
    }

    /// Tokens of a request.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Bytes of a record in a pack. Text isn't taken as compressed: an upper bound.
    #[must_use]
    pub fn record_bytes(&self) -> u64 {
        self.tokens()
            .saturating_mul(self.bytes_per_token)
            .saturating_add(self.record_overhead)
    }
}
