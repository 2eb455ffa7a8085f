//! Events of the package's database: its parameters, and that it is one for development.

use crate::TimestampMs;
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

/// From when everything may go over to a new version of the rules; the database carries no trace of it that this version
/// reads. A program of the version before is of no use from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionAnnounced {
    /// The rules' new version.
    pub version: u64,
    /// The first moment at which the database, and after it any object, goes over.
    pub from_ms: TimestampMs,
}
