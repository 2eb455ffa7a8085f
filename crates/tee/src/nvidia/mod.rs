//! NVIDIA GPUs and NVSwitches: reports signed in the device, manifests signed by NVIDIA that say
//! what its firmware measures, and whether devices sit on one board.

mod board;
mod canonical;
mod device;
mod evidence;
mod manifest;
mod measured;
mod report;

pub use crate::fault::{BoardFault, DeviceFault, ManifestFault};
pub use board::{Board, one_board};
pub use device::{Device, DeviceKind};
pub use evidence::{DeviceEvidence, ManifestBytes};
pub use manifest::{Manifest, ManifestEdition};
pub use measured::compare;

/// A report's layout.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_report(bytes: &[u8]) {
    if let Ok(report) = report::Report::read(bytes) {
        assert_eq!(report.signed.len() + report.signature.len(), bytes.len());
    }
}
