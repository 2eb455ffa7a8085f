//! Events of the package's database: its parameters, and that it is one for development.

use serde::{Deserialize, Serialize};

/// A parameter was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamSet {
    /// The parameter's name, one of [`Params::NAMES`](crate::chain::Params::NAMES).
    pub name: String,
    /// Its new value.
    pub value: u64,
}

/// The database is one for development.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevelopmentSet {
    /// That it is: in Move no event is without a field.
    pub development: bool,
}
