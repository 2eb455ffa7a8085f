//! What a client accepts: a file of its own, never the node's. Each platform's rules stand in a file of
//! theirs, with the judge of evidence that is known to be true.

mod chips;
mod devices;
mod file;
mod missing;
mod nitro;
mod release;
mod snp;
mod software;
mod tdx;

pub use crate::fault::PolicyFault;
pub use devices::DevicePolicy;
pub(crate) use devices::judge as judge_devices;
pub use file::{Policy, ReadPolicyError};
pub use missing::Missing;
pub(crate) use nitro::judge as judge_nitro;
pub use nitro::{NitroMeasurements, NitroPolicy};
pub use release::Release;
pub(crate) use snp::judge as judge_snp;
pub use snp::{SnpPolicy, SnpProductPolicy};
pub use software::SoftwarePolicy;
pub(crate) use software::judge as judge_software;
pub(crate) use tdx::judge as judge_tdx;
pub use tdx::{TdxMeasurements, TdxPolicy};
