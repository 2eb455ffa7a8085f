//! Evidence under roots of our own, judged whole.

mod bundles;
mod devices;
mod flips;
mod genuine;
mod golden;
mod nitro;
mod snp;
mod software;
mod tdx;
