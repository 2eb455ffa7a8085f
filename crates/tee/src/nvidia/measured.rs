//! What a device measures, held against what NVIDIA has signed.

use super::{Device, DeviceKind, Manifest, ManifestEdition, ManifestFault};
use crate::fault::Result;
use std::collections::BTreeSet;

/// The index, in manifests, of the video decoder that may be fused off.
const DECODER: u8 = 35;

/// Holds a device against the manifests of its driver and its firmware, which must both be among
/// `manifests`: every value that they have is what the device measures.
///
/// # Errors
/// A reason of [`ManifestFault`].
pub fn compare(device: &Device, manifests: &[Manifest]) -> Result<()> {
    let versions = device.driver.iter().chain([&device.firmware]);
    let mut seen = BTreeSet::new();
    for version in versions {
        let manifest = find(device, version, manifests)?;
        for (index, allowed) in &manifest.golden {
            if !seen.insert(*index) {
                return Err(ManifestFault::Overlap.into());
            }
            if *index == DECODER && !device.decoder_measures {
                continue;
            }
            // manifests count from 0, devices from 1
            let measured = index.checked_add(1).and_then(|n| device.measured.get(&n));
            let measured = measured.ok_or(ManifestFault::BlockMissing)?;
            if !allowed.contains(measured) {
                return Err(ManifestFault::Differs.into());
            }
        }
    }
    Ok(())
}

/// The one manifest for this product and version.
fn find<'a>(device: &Device, version: &str, manifests: &'a [Manifest]) -> Result<&'a Manifest> {
    let edition = match device.kind {
        DeviceKind::Gpu => ManifestEdition::Gpu,
        DeviceKind::Switch => ManifestEdition::Switch,
    };
    let mut found = manifests.iter().filter(|manifest| {
        manifest.edition == edition
            && manifest.product == device.product
            && manifest.version.eq_ignore_ascii_case(version)
    });
    let manifest = found.next().ok_or(ManifestFault::Missing)?;
    if found.next().is_some() {
        return Err(ManifestFault::Twice.into());
    }
    Ok(manifest)
}
