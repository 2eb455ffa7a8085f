//! The dated price list that is part of the program.

use crate::{error::CostError, usd::Usd};
use serde::{Deserialize, Serialize};

/// The list, with its sources.
const LIST: &str = include_str!("../prices.toml");

/// What a model costs and how fast it runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPrices {
    /// The model's name, as `atoma cost --model` takes it.
    pub model: String,
    /// What a million input tokens cost.
    pub input_price: Usd,
    /// What a million output tokens cost.
    pub output_price: Usd,
    /// Input tokens that one GPU takes in a second.
    pub input_tokens_per_second: u64,
    /// Output tokens that one GPU gives in a second.
    pub output_tokens_per_second: u64,
}

/// What somebody else charges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web2Price {
    /// The provider's name, as the report shows it.
    pub name: String,
    /// The model that it is charged for.
    pub model: String,
    /// What a million input tokens cost.
    pub input_price: Usd,
    /// What a million output tokens cost.
    pub output_price: Usd,
    /// The day on which the price was read, as `2026-11-23`.
    pub date: String,
}

/// Models and what others charge for them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Models that a workload can name.
    pub model: Vec<ModelPrices>,
    /// What other providers charge.
    pub web2: Vec<Web2Price>,
}

impl Prices {
    /// The list of this program.
    ///
    /// # Errors
    /// If it is broken; a test says that it isn't.
    pub fn built_in() -> Result<Self, CostError> {
        Ok(toml::from_str(LIST)?)
    }

    /// The prices of a model.
    ///
    /// # Errors
    /// If there are none.
    pub fn of(&self, model: &str) -> Result<&ModelPrices, CostError> {
        let found = self.model.iter().find(|prices| prices.model == model);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.model.iter().map(|m| m.model.as_str()).collect();
            CostError::UnknownModel {
                model: model.to_owned(),
                known: known.join(", "),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        let prices = Prices::built_in().unwrap();
        for web2 in &prices.web2 {
            assert!(prices.of(&web2.model).is_ok(), "{web2:?}");
            assert_eq!(web2.date.len(), "2026-11-22".len());
        }
        let unknown = prices.of("abc").unwrap_err();
        assert_eq!(unknown.code(), "unknown_model");
        assert!(unknown.to_string().contains("llama-3.1-70b"));
    }
}
