//! Whether devices belong together. One guest's nonce in several reports shows who asked, not where
//! the devices are: whoever has a GPU elsewhere could have it asked, too. In protected-PCIe mode each
//! GPU names the switches at its links, and the links are what protects the traffic.

use super::{BoardFault, Device, DeviceKind};
use crate::fault::Result;
use std::collections::BTreeSet;

/// How much ties the devices of a bundle together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// There is at most one GPU.
    Single,
    /// Every GPU names the same switches.
    One,
    /// There are several GPUs, and nothing says that they are in one machine.
    Untied,
}

/// Checks that no device is there twice and none is of another board.
///
/// # Errors
/// A reason of [`BoardFault`].
pub fn one_board(devices: &[Device]) -> Result<Board> {
    let mut chips = BTreeSet::new();
    if !devices.iter().all(|device| chips.insert(device.chip)) {
        return Err(BoardFault::ChipTwice.into());
    }
    let of = |kind| devices.iter().filter(move |device| device.kind == kind);
    let gpus: Vec<&Device> = of(DeviceKind::Gpu).collect();
    let Some(first) = gpus.first() else {
        return Ok(Board::Single);
    };
    if gpus.iter().any(|gpu| gpu.driver != first.driver) {
        return Err(BoardFault::Driver.into());
    }
    let tied = |gpu: &Device| gpu.protected_pcie && !gpu.neighbours.is_empty();
    // where one GPU names switches, none may be without them
    let any_tied = gpus.iter().any(|gpu| tied(gpu));
    if any_tied
        && gpus
            .iter()
            .any(|gpu| !tied(gpu) || gpu.neighbours != first.neighbours)
    {
        return Err(BoardFault::OtherBoard.into());
    }
    let switches: BTreeSet<_> = of(DeviceKind::Switch).map(|switch| switch.chip).collect();
    if !switches.is_empty() {
        if first.neighbours != switches {
            return Err(BoardFault::OtherSwitches.into());
        }
        let known = |switch: &Device| gpus.iter().all(|gpu| switch.neighbours.contains(&gpu.chip));
        if !of(DeviceKind::Switch).all(known) {
            return Err(BoardFault::UnknownGpu.into());
        }
    }
    Ok(match (gpus.len(), any_tied) {
        (1, _) => Board::Single,
        (_, true) => Board::One,
        (_, false) => Board::Untied,
    })
}
