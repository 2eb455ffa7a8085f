//! Evidence of GPUs and switches under a root of our own.

use super::{AT, AnswerSays, Authority, CertificateOf, Kind, SigningKey, der};
use crate::{nvidia::DeviceEvidence, octets::Octets, x509::Pin};

/// A maker of GPUs and switches.
#[derive(Debug)]
pub struct DeviceMaker {
    root: Authority,
    identity: Authority,
    provisioner: Authority,
}

/// What a device is, and says.
#[derive(Clone, Debug)]
pub struct DeviceClaims {
    /// Its name up to the part that made the key: `GH100 A01 GSP`, `LS_10 A01 FSP`.
    pub name: String,
    /// The chip's id, as it stands in the report.
    pub chip: [u8; 8],
    /// The driver; none for a switch.
    pub driver: Option<String>,
    /// The firmware's version as it stands in the report: eight bytes for a GPU.
    pub firmware: Vec<u8>,
    /// A GPU's switches, or a switch's GPUs.
    pub neighbours: Vec<[u8; 8]>,
    /// The links are protected.
    pub protected_pcie: bool,
    /// The digest of the firmware that answers.
    pub firmware_id: [u8; 48],
    /// What it measures, from index 1.
    pub measured: Vec<[u8; 48]>,
}

/// Measurements of a GPU.
const BLOCKS: usize = 64;
/// Serial numbers of GPUs begin with this.
const GPU_SERIAL: u8 = 0x41;
const SWITCH_SERIAL: u8 = 0x50;

impl DeviceClaims {
    /// A GPU on the board of `switches`.
    #[must_use]
    pub fn gpu(chip: u8, switches: &[u8]) -> Self {
        Self {
            name: "GH100 A01 GSP".to_owned(),
            chip: [chip; 8],
            driver: Some("550.1".to_owned()),
            firmware: vec![5, 0, 0x5e, 0, 0x96, 0, 0, 0],
            neighbours: switches.iter().map(|switch| [*switch; 8]).collect(),
            protected_pcie: true,
            firmware_id: [0xf1; 48],
            measured: (0..BLOCKS).map(|i| [i as u8; 48]).collect(),
        }
    }

    /// A switch with these GPUs.
    #[must_use]
    pub fn switch(chip: u8, gpus: &[u8]) -> Self {
        Self {
            name: "LS_10 A01 FSP".to_owned(),
            driver: None,
            firmware: b"96.10.55.00.01".to_vec(),
            ..Self::gpu(chip, gpus)
        }
    }

    /// The version of [`DeviceClaims::gpu`]'s firmware, as manifests write it.
    pub const GPU_FIRMWARE: &'static str = "00.5E.00.05.96";
}

impl DeviceMaker {
    /// A new maker.
    #[must_use]
    pub fn new() -> Self {
        let named = |name| CertificateOf {
            name,
            ..CertificateOf::default()
        };
        let root = Authority::root(SigningKey::p384(), &named("Device Identity CA"));
        let answered = |name, serial| CertificateOf {
            serial,
            extensions: vec![(vec![0x2b, 6, 1, 5, 5, 7, 1, 1], der::sequence(&[]))],
            ..named(name)
        };
        let identity = root.issue(SigningKey::p384(), &answered("GH100 Identity", &[0x21]));
        let provisioner =
            identity.issue(SigningKey::p384(), &answered("GH100 Provisioner", &[0x22]));
        Self {
            root,
            identity,
            provisioner,
        }
    }

    /// The pin of its root.
    #[must_use]
    pub fn pin(&self) -> Pin {
        self.root.pin()
    }

    /// A device's evidence for `nonce`.
    #[must_use]
    pub fn evidence(&self, claims: &DeviceClaims, nonce: Octets<32>) -> DeviceEvidence {
        let kind = match claims.driver {
            Some(_) => GPU_SERIAL,
            None => SWITCH_SERIAL,
        };
        let fused = self.provisioner.issue(
            SigningKey::p384(),
            &CertificateOf {
                name: &format!("{} BROM", claims.name),
                serial: &[&[kind], &claims.chip[..]].concat(),
                ..CertificateOf::default()
            },
        );
        let sha384 = der::oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2]);
        let measured = der::sequence(&[&sha384, &der::octets(&claims.firmware_id)]);
        let leaf = fused.issue(
            SigningKey::p384(),
            &CertificateOf {
                name: &format!("{} FMC LF", claims.name),
                kind: Kind::Leaf,
                extensions: vec![(vec![0x67, 0x81, 5, 5, 4, 1], der::sequence(&[&measured]))],
                ..CertificateOf::default()
            },
        );
        let mut report = write(claims, nonce);
        report.extend(leaf.key.sign(&report));
        let chain = [&leaf, &fused, &self.provisioner, &self.identity, &self.root];
        let chain: Vec<_> = chain
            .iter()
            .map(|one| {
                one.certificate
                    .clone()
                    .try_into()
                    .expect("a short certificate")
            })
            .collect();
        let answers: Vec<_> = self
            .answers(AnswerSays::Good)
            .into_iter()
            .map(|answer| answer.try_into().expect("a short answer"))
            .collect();
        DeviceEvidence {
            report: report.try_into().expect("a short report"),
            chain: chain.try_into().expect("a short chain"),
            answers: answers.try_into().expect("two answers"),
        }
    }

    /// Answers about the two certificates that name who answers; `says` of the lower one.
    #[must_use]
    pub fn answers(&self, says: AnswerSays) -> [Vec<u8>; 2] {
        let (from, until) = (AT - 3_600, AT + 86_400);
        let identity = &self.identity.serial;
        let provisioner = &self.provisioner.serial;
        [
            self.root.answer(identity, AnswerSays::Good, from, until),
            self.identity.answer(provisioner, says, from, until),
        ]
    }
}

impl Default for DeviceMaker {
    fn default() -> Self {
        Self::new()
    }
}

/// A report up to its signature.
fn write(claims: &DeviceClaims, nonce: Octets<32>) -> Vec<u8> {
    let mut record = Vec::new();
    for (i, value) in claims.measured.iter().enumerate() {
        record.extend([i as u8 + 1, 1, 51, 0, 1, 48, 0]);
        record.extend(value);
    }
    let mut fields = Vec::new();
    let mut field = |kind: u16, data: &[u8]| {
        fields.extend(kind.to_le_bytes());
        fields.extend((data.len() as u16).to_le_bytes());
        fields.extend(data);
    };
    let neighbours = claims.neighbours.concat();
    field(6, &claims.firmware);
    match &claims.driver {
        Some(driver) => {
            field(3, &[driver.as_bytes(), &[0]].concat());
            field(22, &neighbours);
        }
        None => {
            field(22, &claims.chip);
            field(26, &neighbours);
        }
    }
    field(11, &[0xaa]);
    field(20, &claims.firmware_id);
    field(21, &[if claims.protected_pcie { 0xaa } else { 0x55 }]);
    let length = (record.len() as u32).to_le_bytes();
    [
        &[0x11, 0xe0, 0x01, 0xff][..],
        &nonce.0,
        &[0, 0x11, 0x60, 0, 0, claims.measured.len() as u8],
        &length[..3],
        &record,
        &[0x5a; 32],
        &(fields.len() as u16).to_le_bytes(),
        &fields,
    ]
    .concat()
}
