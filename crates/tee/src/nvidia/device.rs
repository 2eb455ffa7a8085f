//! From a device's evidence to what is true of it.

use super::{
    DeviceEvidence, DeviceFault,
    report::{Report, field},
};
use crate::{
    crypto::Scheme,
    der::{self, Reader, tag},
    fault::Result,
    octets::{Digest, Octets},
    x509::{Certificate, Chain, Links, Pin, check_answers},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// It computes, and has memory of its own.
    Gpu,
    /// It joins GPUs.
    Switch,
}

/// A device whose report holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// GPU or switch.
    pub kind: DeviceKind,
    /// Its product, as manifests name it: `GH100`, `LS10`.
    pub product: String,
    /// The chip: eight bytes of the serial number of the certificate that is fused into it.
    pub chip: Octets<8>,
    /// The driver's version; a switch has none.
    pub driver: Option<String>,
    /// The version of the firmware that is on the board.
    pub firmware: String,
    /// A GPU's switches, or a switch's GPUs, as it says.
    pub neighbours: BTreeSet<Octets<8>>,
    /// Whether the links between the devices are protected, and so say where they lead.
    pub protected_pcie: bool,
    /// Whether a video decoder measures itself.
    pub decoder_measures: bool,
    /// What it measures, by index from 1.
    pub measured: BTreeMap<u8, Vec<u8>>,
    /// Whether a stored answer says of every certificate that names who answers about it that it is good.
    pub revocation_checked: bool,
    /// When the first certificate or answer ends, in seconds since 1970.
    pub not_after: i64,
}

/// Attestation key, boot ROM, provisioner, identity, root.
const CHAIN: usize = 5;
/// 2.23.133.5.4.1, what a device's firmware measured before the key was made; and the form of it
/// that some firmware writes.
const FIRMWARE_OIDS: [&[u8]; 2] = [
    &[0x67, 0x81, 0x05, 0x05, 0x04, 0x01],
    &[0x67, 0x81, 0x05, 0x05, 0x04, 0x01, 0x01],
];
/// The digest within: SEQUENCE { sha384, OCTET STRING of 48 bytes }.
const FIRMWARE_HEAD: &[u8] = &[
    0x30, 0x3d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 4, 0x30,
];
/// The object identifier 2.5.4.3: the common name of a subject.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const YES: &[u8] = &[0xaa];
const NO: &[u8] = &[0x55];
const GPUS_OF_A_SWITCH: usize = 8;

impl Device {
    /// Checks chain and report at `at`, seconds since 1970: the device was asked with `nonce`. What comes
    /// back is true by NVIDIA's word; whether it is good enough is for a policy to say.
    ///
    /// # Errors
    /// The first thing that doesn't hold.
    pub fn verify(evidence: &DeviceEvidence, root: Pin, nonce: Digest, at: i64) -> Result<Self> {
        Self::verify_with(evidence, root, nonce, &mut Links::default(), at)
    }

    /// The same; links of chains that were checked before aren't checked again.
    pub(crate) fn verify_with(
        evidence: &DeviceEvidence,
        root: Pin,
        nonce: Digest,
        links: &mut Links,
        at: i64,
    ) -> Result<Self> {
        if evidence.chain.len() != CHAIN {
            return Err(DeviceFault::ChainLength.into());
        }
        let chain = evidence.chain.iter().map(|der| &der[..]);
        let chain = Chain::check(chain, root, links, at)?;
        let (leaf, fused) = (chain.leaf(), &chain.certificates()[1]);
        let report = Report::read(&evidence.report)?;
        let holds = leaf.may_sign_reports()
            && leaf.has_signed_report(Scheme::P384Fixed, report.signed, report.signature);
        if !holds {
            return Err(DeviceFault::Signature.into());
        }
        if report.nonce != nonce {
            return Err(DeviceFault::Nonce.into());
        }
        check_firmware(leaf, &report)?;
        let answers = evidence.answers.iter().map(|der| &der[..]);
        let (ends, complete) = check_answers(answers, &chain, at)?;
        let mut device = Self::read(&report, fused)?;
        device.not_after = chain.not_after().min(ends);
        device.revocation_checked = complete;
        Ok(device)
    }

    fn read(report: &Report<'_>, fused: &Certificate<'_>) -> Result<Self> {
        let name = common_name(fused.subject)?;
        let product = name.split(' ').next().unwrap_or_default().replace('_', "");
        let chip = match *fused.serial {
            [_, ref chip @ ..] if chip.len() == 8 => Octets::at(chip, 0),
            _ => None,
        };
        let chip = chip.ok_or(DeviceFault::Chip)?;
        let kind = match product.starts_with("LS") {
            true => DeviceKind::Switch,
            false => DeviceKind::Gpu,
        };
        let (driver, firmware, neighbours) = match kind {
            DeviceKind::Gpu => (
                Some(report.text(field::DRIVER)?.to_owned()),
                gpu_firmware(report)?,
                ids(report.field(field::SWITCH_IDS).unwrap_or_default()),
            ),
            DeviceKind::Switch => {
                let itself = report.field(field::SWITCH_IDS);
                if itself.is_some_and(|itself| itself != chip.0) {
                    return Err(DeviceFault::Chip.into());
                }
                let gpus = report.field(field::GPU_IDS).unwrap_or_default();
                let gpus = &gpus[..gpus.len().min(8 * GPUS_OF_A_SWITCH)];
                (
                    None,
                    report.text(field::FIRMWARE_VERSION)?.to_owned(),
                    ids(gpus),
                )
            }
        };
        Ok(Self {
            kind,
            product,
            chip,
            driver,
            firmware,
            neighbours,
            protected_pcie: flag(report, field::PROTECTED_PCIE, false)?,
            decoder_measures: flag(report, field::DECODER, true)?,
            measured: report
                .blocks
                .iter()
                .map(|(index, value)| (*index, value.to_vec()))
                .collect(),
            revocation_checked: false,
            not_after: i64::MAX,
        })
    }
}

/// The firmware that answers, where it says so, is the one that the key was made for.
fn check_firmware(leaf: &Certificate<'_>, report: &Report<'_>) -> Result<()> {
    let Some(reported) = report.field(field::FIRMWARE_ID).filter(|id| !id.is_empty()) else {
        return Ok(());
    };
    let value = FIRMWARE_OIDS.iter().find_map(|oid| leaf.extension(oid));
    let certified = value.and_then(|value| {
        let head = FIRMWARE_HEAD.len();
        let at = value.windows(head).position(|part| part == FIRMWARE_HEAD)?;
        value.get(at + head..at + head + 48)
    });
    if certified != Some(reported) {
        return Err(DeviceFault::Firmware.into());
    }
    Ok(())
}

/// aa is yes, 55 is no; a field that isn't there is `default`.
fn flag(report: &Report<'_>, kind: u16, default: bool) -> Result<bool> {
    match report.field(kind) {
        None => Ok(default),
        Some(YES) => Ok(true),
        Some(NO) => Ok(false),
        Some(_) => Err(DeviceFault::Field.into()),
    }
}

/// Two little-endian words: `00 01 02 03 04 ...` reads `03.02.01.00.04`.
fn gpu_firmware(report: &Report<'_>) -> Result<String> {
    let raw = report.field(field::FIRMWARE_VERSION);
    let raw = raw.ok_or(DeviceFault::FieldMissing)?;
    let [v0, v1, v2, v3, v4, _, _, _] = *raw else {
        return Err(DeviceFault::Field.into());
    };
    Ok(format!("{v3:02X}.{v2:02X}.{v1:02X}.{v0:02X}.{v4:02X}"))
}

/// Ids of eight bytes each; a link that leads nowhere has none.
fn ids(raw: &[u8]) -> BTreeSet<Octets<8>> {
    let (ids, _) = raw.as_chunks::<8>();
    ids.iter()
        .filter(|id| ![[0; 8], [0xff; 8]].contains(*id))
        .map(|id| Octets(*id))
        .collect()
}

fn common_name(name: &[u8]) -> Result<&str> {
    let mut sets = Reader::within(name)?;
    while !sets.is_empty() {
        let set = sets.expect(tag::SET)?;
        let mut pair = Reader::new(der::only(set.body, tag::SEQUENCE)?.body);
        let oid = pair.expect(tag::OID)?.body;
        let value = pair.next()?.body;
        if oid == COMMON_NAME {
            return std::str::from_utf8(value).map_err(|_| DeviceFault::Chip.into());
        }
    }
    Err(DeviceFault::Chip.into())
}
