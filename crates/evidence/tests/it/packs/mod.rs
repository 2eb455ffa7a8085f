//! Packs: their bytes, what a crash leaves of them, and what hostile ones can't do.

mod crash;
mod golden;
mod hostile;
pub(crate) mod samples;
