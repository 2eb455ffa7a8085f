//! Software that acts as hardware, for development. Anybody can make such evidence of anything: it
//! shows that the rest works, and protects against nobody. A policy has to name it, every check says
//! so, and the tier is `software`.

use crate::octets::{Measurement, Octets};
use serde::{Deserialize, Serialize};

/// What such software shows.
///
/// # BCS
/// ```text
/// measurement 48   report data 64
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftwareEvidence {
    /// What it says that it started with.
    pub measurement: Measurement,
    /// Statement and freshness.
    pub report_data: Octets<64>,
}
