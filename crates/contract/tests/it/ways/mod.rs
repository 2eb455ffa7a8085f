//! Each way to be refused.

pub(crate) mod audits;
mod codes;
pub(crate) mod good;
pub(crate) mod leases;
pub(crate) mod market;
pub(crate) mod tickets;

/// Scenes of refusals, for the tape.
pub(crate) const TALES: &[crate::attacks::Tale] = &[
    ("market", market::scenes),
    ("leases", leases::scenes),
    ("tickets", tickets::scenes),
    ("audits", audits::scenes),
];
