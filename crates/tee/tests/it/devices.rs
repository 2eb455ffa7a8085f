//! GPUs, switches and their manifests.

use crate::{
    bundles::judge_by,
    flips::{accepted_by, changed_at},
};
use atoma_tee::{
    Bundle, Policy, Roots, Tier, Verdict,
    bundle::PlatformEvidence,
    nvidia::{Device, DeviceEvidence, ManifestBytes},
    octets::Octets,
    snp::SnpProduct,
    testing::{
        self, AT, AnswerSays, DeviceClaims, DeviceMaker, ManifestClaims, ManifestMaker, SnpClaims,
        SnpMaker,
    },
};
use std::collections::BTreeMap;

/// A machine with GPUs, and everybody who vouches for it.
struct Machine {
    processor: SnpMaker,
    devices: DeviceMaker,
    manifests: ManifestMaker,
}

const RULES: &str = "\n[devices]\nmin_gpus = 1\nproducts = [\"GH100\", \"LS10\"]\n";
/// Far beyond all samples.
const LATER: i64 = AT + 1_000_000;

impl Machine {
    fn new() -> Self {
        Self {
            processor: SnpMaker::new(SnpProduct::Genoa),
            devices: DeviceMaker::new(),
            manifests: ManifestMaker::new(LATER),
        }
    }

    fn roots(&self) -> Roots {
        Roots {
            nvidia_devices: self.devices.pin(),
            nvidia_manifests: self.manifests.pin(),
            ..self.processor.roots()
        }
    }

    /// A bundle in which these devices answer with the guest's nonce.
    fn bundle(&self, devices: &[DeviceClaims], manifests: Vec<Vec<u8>>) -> Bundle {
        let nonce = self.processor.bundle(&SnpClaims::default()).device_nonce();
        self.bundle_asked_with(nonce, devices, manifests)
    }

    fn bundle_asked_with(
        &self,
        nonce: Octets<32>,
        devices: &[DeviceClaims],
        manifests: Vec<Vec<u8>>,
    ) -> Bundle {
        let devices = devices
            .iter()
            .map(|claims| self.devices.evidence(claims, nonce));
        let manifests: Vec<ManifestBytes> = manifests
            .into_iter()
            .map(|xml| xml.try_into().unwrap())
            .collect();
        testing::bundle(devices.collect(), manifests, |report_data| {
            let claims = SnpClaims {
                report_data,
                ..SnpClaims::default()
            };
            PlatformEvidence::Snp(self.processor.evidence(&claims))
        })
    }

    /// Manifests for all that [`DeviceClaims::gpu`] measures.
    fn gpu_manifests(&self) -> Vec<Vec<u8>> {
        vec![
            self.manifests.write(&driver_manifest()),
            self.manifests.write(&firmware_manifest()),
        ]
    }

    fn judge(&self, bundle: &Bundle) -> Verdict {
        judge_by(bundle, &self.roots(), &policy(RULES))
    }

    fn refused(&self, devices: &[DeviceClaims]) -> Vec<&'static str> {
        self.judge(&self.bundle(devices, self.gpu_manifests()))
            .refusals()
    }
}

fn policy(rules: &str) -> Policy {
    Policy::from_toml(&format!("{}{rules}", testing::policy_text())).unwrap()
}

fn golden(indices: impl IntoIterator<Item = u8>) -> BTreeMap<u8, Vec<[u8; 48]>> {
    let allowed = |index: u8| (index, vec![[0xee; 48], [index; 48]]);
    indices.into_iter().map(allowed).collect()
}

fn driver_manifest() -> ManifestClaims {
    ManifestClaims {
        edition: "GPU",
        product: "GH100",
        version: "550.1".to_owned(),
        golden: golden(21..=40),
    }
}

fn firmware_manifest() -> ManifestClaims {
    ManifestClaims {
        version: DeviceClaims::GPU_FIRMWARE.to_owned(),
        golden: golden(1..=12),
        ..driver_manifest()
    }
}

fn gpus(count: u8) -> Vec<DeviceClaims> {
    (1..=count)
        .map(|chip| DeviceClaims::gpu(chip, &[0xa, 0xb]))
        .collect()
}

#[test]
fn eight_gpus_of_one_board_are_accepted() {
    let machine = Machine::new();
    let verdict = machine.judge(&machine.bundle(&gpus(8), machine.gpu_manifests()));
    assert_eq!(verdict.refusals(), [""; 0]);
    assert_eq!(verdict.tier, Some(Tier::Manifests));
    assert!(verdict.checks.iter().any(|check| check.name == "one board"));
}

#[test]
fn switches_that_know_the_gpus_are_accepted_with_them() {
    let machine = Machine::new();
    let all = [1, 2];
    let mut devices = gpus(2);
    devices.extend([
        DeviceClaims::switch(0xa, &all),
        DeviceClaims::switch(0xb, &all),
    ]);
    let switch = ManifestClaims {
        edition: "SWITCH",
        product: "LS10",
        version: "96.10.55.00.01".to_owned(),
        golden: golden(0..=30),
    };
    let mut manifests = machine.gpu_manifests();
    manifests.push(machine.manifests.write(&switch));
    let judged = |devices: &[DeviceClaims]| {
        machine
            .judge(&machine.bundle(devices, manifests.clone()))
            .refusals()
    };
    assert_eq!(judged(&devices), [""; 0]);
    devices[3] = DeviceClaims::switch(0xb, &[1, 9]);
    assert_eq!(judged(&devices), ["board_unknown_gpu"]);
    devices[3] = DeviceClaims::switch(0xc, &all);
    assert_eq!(judged(&devices), ["board_switches"]);
}

#[test]
fn gpu_of_another_board() {
    let machine = Machine::new();
    let mut devices = gpus(3);
    devices[2] = DeviceClaims::gpu(9, &[0xa, 0xc]);
    assert_eq!(machine.refused(&devices), ["board_other"]);
    // one that names no switches, beside some that do
    devices[2] = DeviceClaims::gpu(9, &[]);
    assert_eq!(machine.refused(&devices), ["board_other"]);
}

#[test]
fn one_gpu_twice() {
    let machine = Machine::new();
    let mut devices = gpus(3);
    devices[2] = devices[0].clone();
    assert_eq!(machine.refused(&devices), ["board_chip_twice"]);
}

/// Outside protected-PCIe mode nothing says where a GPU is but who asked it.
#[test]
fn untied_gpus_are_refused_or_a_lower_tier() {
    let machine = Machine::new();
    let mut devices = gpus(2);
    for gpu in &mut devices {
        gpu.protected_pcie = false;
    }
    assert_eq!(machine.refused(&devices), ["policy_untied"]);
    let lax = policy(&RULES.replace("min_gpus", "untied = \"lowers_tier\"\nmin_gpus"));
    let bundle = machine.bundle(&devices, machine.gpu_manifests());
    let verdict = judge_by(&bundle, &machine.roots(), &lax);
    assert_eq!(verdict.refusals(), ["policy_tier"]);
    // one alone is tied to nothing, and needs not be
    assert_eq!(machine.refused(&devices[..1]), [""; 0]);
}

#[test]
fn devices_asked_by_somebody_else_are_refused() {
    let machine = Machine::new();
    let bundle = machine.bundle_asked_with(Octets([1; 32]), &gpus(1), machine.gpu_manifests());
    assert_eq!(
        machine.judge(&bundle).refusals(),
        ["device_nonce", "policy_gpus"]
    );
}

#[test]
fn devices_that_the_policy_has_no_rules_for_are_refused() {
    let machine = Machine::new();
    let bundle = machine.bundle(&gpus(1), machine.gpu_manifests());
    let verdict = judge_by(&bundle, &machine.roots(), &testing::policy());
    assert_eq!(verdict.refusals(), ["policy_devices"]);
    let few = policy(&RULES.replace("min_gpus = 1", "min_gpus = 2"));
    let verdict = judge_by(&bundle, &machine.roots(), &few);
    assert_eq!(verdict.refusals(), ["policy_gpus"]);
    let others = policy(&RULES.replace("GH100", "GB100"));
    let verdict = judge_by(&bundle, &machine.roots(), &others);
    assert_eq!(verdict.refusals(), ["policy_device_product"]);
    let drivers = policy(&format!("{RULES}drivers = [\"550.2\"]\n"));
    let verdict = judge_by(&bundle, &machine.roots(), &drivers);
    assert_eq!(verdict.refusals(), ["policy_driver"]);
}

#[test]
fn a_measurement_that_no_manifest_allows_is_refused() {
    let machine = Machine::new();
    let mut gpu = DeviceClaims::gpu(1, &[]);
    gpu.measured[22] = [0xdd; 48];
    assert_eq!(machine.refused(&[gpu.clone()]), ["manifest_differs"]);
    // an index that no manifest is for
    gpu.measured[22] = [22; 48];
    gpu.measured[50] = [0xdd; 48];
    assert_eq!(machine.refused(&[gpu.clone()]), [""; 0]);
    gpu.measured.truncate(30);
    assert_eq!(machine.refused(&[gpu]), ["manifest_block_missing"]);
}

#[test]
fn a_report_beside_another_devices_chain_is_refused() {
    let machine = Machine::new();
    let bundle = machine.bundle(&gpus(1), machine.gpu_manifests());
    let mut other = bundle.clone();
    // the report of one key beside the chain of another
    let stranger = Machine::new();
    let nonce = bundle.device_nonce();
    let mut evidence = bundle.devices[0].clone();
    evidence.report = stranger.devices.evidence(&gpus(1)[0], nonce).report;
    other.devices = vec![evidence].try_into().unwrap();
    let refusals = machine.judge(&other).refusals();
    assert!(refusals.contains(&"device_signature"), "{refusals:?}");
}

#[test]
fn answers_about_certificates_are_heard() {
    let machine = Machine::new();
    let nonce = machine
        .processor
        .bundle(&SnpClaims::default())
        .device_nonce();
    let with = |answers: Vec<Vec<u8>>| {
        let mut evidence = machine.devices.evidence(&gpus(1)[0], nonce);
        let answers: Vec<_> = answers
            .into_iter()
            .map(|one| one.try_into().unwrap())
            .collect();
        evidence.answers = answers.try_into().unwrap();
        let manifests = machine.gpu_manifests().into_iter();
        let manifests = manifests.map(|xml| xml.try_into().unwrap()).collect();
        let bundle = testing::bundle(vec![evidence], manifests, |report_data| {
            let claims = SnpClaims {
                report_data,
                ..SnpClaims::default()
            };
            PlatformEvidence::Snp(machine.processor.evidence(&claims))
        });
        machine.judge(&bundle).refusals()[..]
            .first()
            .copied()
            .unwrap_or("")
    };
    let says = |says| machine.devices.answers(says).to_vec();
    assert_eq!(with(says(AnswerSays::Good)), "");
    assert_eq!(with(says(AnswerSays::Revoked(6))), "ocsp_on_hold");
    assert_eq!(with(says(AnswerSays::Revoked(1))), "ocsp_revoked");
    assert_eq!(with(says(AnswerSays::Unknown)), "ocsp_unknown");
    let one = says(AnswerSays::Good).remove(0);
    assert_eq!(with(vec![one.clone()]), "policy_device_revocations");
    let strangers = DeviceMaker::new().answers(AnswerSays::Good).to_vec();
    assert_eq!(with(strangers), "ocsp_responder");
    for at in (0..one.len()).step_by(7) {
        let mut changed = one.clone();
        changed[at] ^= 1;
        assert_ne!(
            with(vec![changed, says(AnswerSays::Good).remove(1)]),
            "",
            "{at}"
        );
    }
}

#[test]
fn missing_manifests_are_refused_or_a_lower_tier() {
    let machine = Machine::new();
    let bundle = machine.bundle(&gpus(1), Vec::new());
    assert_eq!(machine.judge(&bundle).refusals(), ["manifest_missing"]);
    let lax = policy(&RULES.replace("min_gpus", "manifests_missing = \"lowers_tier\"\nmin_gpus"));
    let verdict = judge_by(&bundle, &machine.roots(), &lax);
    assert_eq!(verdict.tier, Some(Tier::Attested));
}

#[test]
fn manifests_that_say_two_things_are_refused() {
    let machine = Machine::new();
    let judged = |manifests: Vec<Vec<u8>>| {
        machine
            .judge(&machine.bundle(&gpus(1), manifests))
            .refusals()
    };
    let twice = [machine.gpu_manifests(), machine.gpu_manifests()].concat();
    assert_eq!(judged(twice), ["manifest_twice"]);
    let overlap = ManifestClaims {
        golden: golden(12..=22),
        ..firmware_manifest()
    };
    let overlap = machine.manifests.write(&overlap);
    let driver = machine.manifests.write(&driver_manifest());
    assert_eq!(judged(vec![driver, overlap]), ["manifest_overlap"]);
}

/// NVIDIA has replaced manifests without a new version: a policy names those that don't count.
#[test]
fn older_manifest_of_the_same_version() {
    let machine = Machine::new();
    let bundle = machine.bundle(&gpus(1), machine.gpu_manifests());
    let digest = sha256(&bundle.manifests[0]);
    let rules = format!("{RULES}refused_manifests = [\"{digest}\"]\n");
    let verdict = judge_by(&bundle, &machine.roots(), &policy(&rules));
    assert_eq!(verdict.refusals(), ["policy_manifest", "manifest_missing"]);
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    hex::encode(digest.as_ref())
}

/// A blank inside a tag leaves a manifest's meaning and signature alone, and yet it is another.
#[test]
fn manifest_bytes_are_pinned() {
    let machine = Machine::new();
    let mut bundle = machine.bundle(&gpus(1), machine.gpu_manifests());
    let text = String::from_utf8(bundle.manifests[0].to_vec()).unwrap();
    let other = text.replacen("\" active=", "\"\n active=", 1);
    let other = match other == text {
        true => text.replacen(" active=", "\n active=", 1),
        false => other,
    };
    assert_ne!(other, text);
    let manifests: Vec<ManifestBytes> = vec![
        other.into_bytes().try_into().unwrap(),
        bundle.manifests[1].clone(),
    ];
    bundle.manifests = manifests.try_into().unwrap();
    assert_eq!(machine.judge(&bundle).refusals(), ["bundle_report_data"]);
}

#[test]
fn a_changed_foreign_or_expired_manifest_is_refused() {
    let machine = Machine::new();
    let judged = |xml: Vec<u8>| {
        let manifests = vec![xml, machine.manifests.write(&firmware_manifest())];
        machine
            .judge(&machine.bundle(&gpus(1), manifests))
            .refusals()
    };
    let good = String::from_utf8(machine.manifests.write(&driver_manifest())).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        judged(good.replacen(from, to, 1).into_bytes())[0]
    };
    assert_eq!(
        changed("active=\"False\"", "active=\"True\""),
        "manifest_digest"
    );
    assert_eq!(
        changed("ecdsa-sha384", "ecdsa-sha256"),
        "manifest_algorithm"
    );
    assert_eq!(changed("URI=\"\"", "URI=\"#1\""), "manifest_algorithm");
    assert_eq!(
        changed("<ns0:Payload>", "<!-- --><ns0:Payload>"),
        "manifest_shape"
    );
    assert_eq!(changed("<SoftwareIdentity", "<Software"), "manifest_xml");
    assert_eq!(
        changed("<SoftwareIdentity", "<!DOCTYPE a><SoftwareIdentity"),
        "manifest_xml"
    );
    let foreign = ManifestMaker::new(LATER).write(&driver_manifest());
    assert_eq!(judged(foreign)[0], "certificate_root");
    let expired = ManifestMaker::new(AT - 1);
    let roots = Roots {
        nvidia_manifests: expired.pin(),
        ..machine.roots()
    };
    let manifests = vec![
        expired.write(&driver_manifest()),
        expired.write(&firmware_manifest()),
    ];
    let bundle = machine.bundle(&gpus(1), manifests);
    let verdict = judge_by(&bundle, &roots, &policy(RULES));
    assert_eq!(verdict.refusals()[0], "certificate_expired");
}

/// Those of the processor's evidence are another test's.
#[test]
fn no_flipped_byte_of_device_evidence_is_accepted() {
    let machine = Machine::new();
    let bundle = machine.bundle(&gpus(1), machine.gpu_manifests());
    let rules = policy(RULES);
    let judged = |changed: &Bundle| {
        let devices_alone = changed.platform == bundle.platform;
        devices_alone && judge_by(changed, &machine.roots(), &rules).accepted()
    };
    assert_eq!(accepted_by(&bundle, judged), [0; 0]);
}

/// Apart from the statement, too: a changed report holds for nobody. Every third byte.
#[test]
fn no_flipped_byte_of_a_report_holds_by_itself() {
    let machine = Machine::new();
    let nonce = Octets([7; 32]);
    let evidence = machine.devices.evidence(&gpus(1)[0], nonce);
    let root = machine.devices.pin();
    let holds = |one: &DeviceEvidence| Device::verify(one, root, nonce, AT).is_ok();
    assert!(holds(&evidence));
    for place in (0..evidence.report.len()).step_by(3) {
        let mut changed = evidence.clone();
        changed.report = changed_at(&evidence.report, place).try_into().unwrap();
        assert!(!holds(&changed), "{place}");
    }
}
