//! Genuine evidence of the makers' own hardware, from a folder that `ATOMA_TEE_EVIDENCE` names; none is
//! kept here. What is looked for in it, each where it is there:
//!
//! * `snp/NAME_attestation_report.bin` beside `NAME_vcek.pem`, `NAME_ask.pem`, `NAME_ark.pem`
//! * `nvidia/NAMEAttestationReport.txt` (hex) beside `NAMECertChain.txt` (PEM); lists in NVIDIA's JSON
//!   (`*evidence*.json`, `multi_gpu*.json`); manifests (`*.xml`, `*.swidtag`)
//! * `tdx/NAME.quote` beside `NAME.json`, and `NAME.events` if there is a log: the quote without padding,
//!   Intel's statements in the form that dcap-qvl writes (with `judge_at`, seconds since 1970), the log in
//!   dstack's form
//! * `nitro/NAME.cose`, and `NAME.time` with the time to judge it at, in seconds since 1970
//!
//! What is found is told on stdout, one line a piece: `--no-capture` shows it.

use atoma_tee::{
    Fault, Roots,
    bounded::{Bytes, List},
    nitro::NitroEvidence,
    nvidia::{Device, DeviceEvidence, Manifest, compare, one_board},
    octets::Octets,
    snp::{SnpEvidence, SnpGuest},
    tdx::{Event, EventLog, FIRMWARE_EVENT, IntelChain, TdxCollateral, TdxEvidence},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// 18 November 2026.
const NOW: i64 = 1_795_000_000;

/// The folder of one maker, if there is one.
fn folder(maker: &str) -> Option<PathBuf> {
    let Some(all) = std::env::var_os("ATOMA_TEE_EVIDENCE") else {
        println!("skipped: ATOMA_TEE_EVIDENCE names no folder with genuine evidence");
        return None;
    };
    let folder = PathBuf::from(all).join(maker);
    if !folder.is_dir() {
        println!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The files of a folder whose names end so, in order.
fn files(folder: &Path, end: &str) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(end)?.to_owned();
            Some((name, path))
        })
        .collect();
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn base64(text: &str) -> Vec<u8> {
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(dense).unwrap()
}

fn pem(text: &str) -> Vec<Vec<u8>> {
    text.split("-----BEGIN CERTIFICATE-----")
        .skip(1)
        .map(|part| base64(part.split("-----END").next().unwrap()))
        .collect()
}

fn tell<T>(name: &str, what: Result<T, Fault>, say: impl Fn(&T) -> String) {
    match what {
        Ok(fact) => println!("{name}: holds, {}", say(&fact)),
        Err(fault) => println!("{name}: refused, {}", fault.code()),
    }
}

fn snp(report: &[u8], certificates: &[Vec<u8>; 3]) -> Result<SnpGuest, Fault> {
    let [chip, intermediate, root] = certificates.clone();
    let evidence = SnpEvidence {
        report: report.to_vec().try_into().unwrap(),
        chip: chip.try_into().unwrap(),
        intermediate: intermediate.try_into().unwrap(),
        root: root.try_into().unwrap(),
        revocations: None,
    };
    evidence.verify(&Roots::pinned().snp, NOW)
}

#[test]
fn snp_reports_hold_and_no_flipped_byte_does() {
    let Some(folder) = folder("snp") else { return };
    for (name, path) in files(&folder, "_attestation_report.bin") {
        let report = fs::read(path).unwrap();
        let certificates = ["vcek", "ask", "ark"]
            .map(|kind| pem(&text(&folder.join(format!("{name}_{kind}.pem")))).remove(0));
        let good = snp(&report, &certificates);
        tell(&name, good.clone(), |guest| {
            let SnpGuest {
                product,
                certified,
                policy,
                platform,
                ..
            } = guest;
            format!("{product}, {certified}, {policy:?}, {platform:?}")
        });
        if good.is_err() {
            continue;
        }
        let flipped = |bytes: &[u8], at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1;
            bytes
        };
        let reports = (0..report.len())
            .filter(|at| snp(&flipped(&report, *at), &certificates).is_ok())
            .count();
        let mut certified = 0;
        for i in 0..3 {
            certified += (0..certificates[i].len())
                .filter(|at| {
                    let mut changed = certificates.clone();
                    changed[i] = flipped(&certificates[i], *at);
                    snp(&report, &changed).is_ok()
                })
                .count();
        }
        assert_eq!((reports, certified), (0, 0), "{name}");
    }
}

fn device(report: &[u8], chain: Vec<Vec<u8>>, nonce: Option<Octets<32>>) -> Result<Device, Fault> {
    let asked = Octets(report[4..36].try_into().unwrap());
    let chain: Vec<_> = chain
        .into_iter()
        .map(|der| der.try_into().unwrap())
        .collect();
    let evidence = DeviceEvidence {
        report: report.to_vec().try_into().unwrap(),
        chain: chain.try_into().unwrap(),
        answers: List::default(),
    };
    let nonce = nonce.unwrap_or(asked);
    Device::verify(&evidence, Roots::pinned().nvidia_devices, nonce, NOW)
}

fn say(device: &Device) -> String {
    let Device {
        product,
        driver,
        firmware,
        protected_pcie,
        ..
    } = device;
    format!("{product}, driver {driver:?}, firmware {firmware}, protected {protected_pcie}")
}

#[test]
fn nvidia_reports_hold_where_they_should() {
    let Some(folder) = folder("nvidia") else {
        return;
    };
    let manifests = manifests(&folder);
    for (name, path) in files(&folder, "AttestationReport.txt") {
        let report = hex::decode(text(&path).trim()).unwrap();
        let chain = pem(&text(&folder.join(format!("{name}CertChain.txt"))));
        let good = device(&report, chain.clone(), None);
        tell(&name, good.clone(), say);
        let Ok(good) = good else { continue };
        tell(
            &format!("{name} measures"),
            compare(&good, &manifests),
            |()| "as signed".to_owned(),
        );
        let invalid = folder.join(format!("{name}AttestationReportInvalidSignature.txt"));
        if invalid.is_file() {
            let report = hex::decode(text(&invalid).trim()).unwrap();
            let code = device(&report, chain.clone(), None).map_err(|fault| fault.code());
            assert_eq!(code, Err("device_signature"), "{name}");
        }
        let flipped = (0..report.len()).filter(|at| {
            let mut report = report.clone();
            report[*at] ^= 1;
            device(&report, chain.clone(), None).is_ok()
        });
        assert_eq!(flipped.count(), 0, "{name}");
    }
    for (name, path) in files(&folder, ".json") {
        if !name.contains("evidence") && !name.contains("multi_gpu") {
            continue;
        }
        let list: Vec<Value> = serde_json::from_str(&text(&path)).unwrap();
        let devices: Result<Vec<Device>, Fault> = list.iter().map(element).collect();
        tell(&name, devices.clone(), |all| {
            all.iter().map(say).collect::<Vec<_>>().join("; ")
        });
        if let Ok(devices) = devices {
            tell(&format!("{name} board"), one_board(&devices), |board| {
                format!("{board:?}")
            });
        }
    }
}

/// An element of NVIDIA's own lists.
fn element(one: &Value) -> Result<Device, Fault> {
    let get = |key: &str| one[key].as_str().unwrap();
    let chain = String::from_utf8(base64(get("certificate"))).unwrap();
    device(
        &base64(get("evidence")),
        pem(&chain),
        get("nonce").parse().ok(),
    )
}

/// Every manifest that holds now, or held on 3 July 2024.
fn manifests(folder: &Path) -> Vec<Manifest> {
    let root = Roots::pinned().nvidia_manifests;
    let all = [files(folder, ".xml"), files(folder, ".swidtag")].concat();
    let mut good = Vec::new();
    for (name, path) in all {
        let xml = fs::read(path).unwrap();
        let now = Manifest::verify(&xml, root, NOW);
        tell(&name, now.clone(), |manifest| {
            format!("{} {}", manifest.product, manifest.version)
        });
        let then = now.or_else(|_| Manifest::verify(&xml, root, 1_720_000_000));
        good.extend(then.ok());
    }
    good
}

/// A log in dstack's form; of the firmware's events the digests alone.
fn events(path: &Path) -> EventLog {
    let Ok(text) = fs::read_to_string(path) else {
        return EventLog::default();
    };
    let log: Vec<Value> = serde_json::from_str(&text).unwrap();
    let event = |one: &Value| {
        let bytes = |key: &str| hex::decode(one[key].as_str().unwrap()).unwrap();
        if one["imr"] == 3 {
            let name = one["event"].as_str().unwrap();
            return Event::at_run_time(name, &bytes("event_payload")).unwrap();
        }
        let mut digest = bytes("digest");
        digest.resize(48, 0);
        Event {
            register: one["imr"].as_u64().unwrap().try_into().unwrap(),
            kind: FIRMWARE_EVENT,
            digest: Octets(digest.try_into().unwrap()),
            name: Bytes::default(),
            payload: Bytes::default(),
        }
    };
    log.iter()
        .map(event)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

fn tdx(folder: &Path, name: &str, quote: Vec<u8>) -> (TdxEvidence, Value) {
    let collateral: Value =
        serde_json::from_str(&text(&folder.join(format!("{name}.json")))).unwrap();
    let get = |key: &str| collateral[key].as_str().unwrap();
    let chain = |key: &str| -> IntelChain {
        let chain = pem(get(key)).into_iter().map(|der| der.try_into().unwrap());
        chain.collect::<Vec<_>>().try_into().unwrap()
    };
    let list = |key: &str| hex::decode(get(key)).unwrap().try_into().unwrap();
    let evidence = TdxEvidence {
        quote: quote.try_into().unwrap(),
        collateral: TdxCollateral {
            root_revocations: list("root_ca_crl"),
            platform_revocations: list("pck_crl"),
            platform_issuers: chain("pck_crl_issuer_chain"),
            signers: chain("tcb_info_issuer_chain"),
            tcb_info: get("tcb_info").as_bytes().to_vec().try_into().unwrap(),
            tcb_info_signature: get("tcb_info_signature").parse().unwrap(),
            qe_identity: get("qe_identity").as_bytes().to_vec().try_into().unwrap(),
            qe_identity_signature: get("qe_identity_signature").parse().unwrap(),
        },
        events: events(&folder.join(format!("{name}.events"))),
    };
    (evidence, collateral)
}

/// Without a log, a quote that holds is refused for its registers (`tdx_event_log`), and for nothing before.
#[test]
fn tdx_quotes_hold_up_to_their_logs() {
    let Some(folder) = folder("tdx") else { return };
    for (name, path) in files(&folder, ".quote") {
        let quote = fs::read(path).unwrap();
        let (evidence, collateral) = tdx(&folder, &name, quote);
        let at = collateral["judge_at"].as_i64().unwrap_or(NOW);
        let verdict = evidence.verify(Roots::pinned().intel, at);
        tell(&name, verdict, |guest| {
            let compose = guest.compose.as_ref().map(hex::encode);
            let (status, open) = (&guest.status, &guest.advisories);
            format!("{status} {open:?}, {}, compose {compose:?}", guest.set_up)
        });
    }
}

#[test]
fn nitro_documents_hold_in_their_time() {
    let Some(folder) = folder("nitro") else {
        return;
    };
    for (name, path) in files(&folder, ".cose") {
        let document = fs::read(path).unwrap().try_into().unwrap();
        let evidence = NitroEvidence { document };
        let root = Roots::pinned().nitro;
        let at = fs::read_to_string(folder.join(format!("{name}.time")));
        let at = at.map_or(NOW, |text| text.trim().parse().unwrap());
        tell(&name, evidence.verify(root, at), |guest| {
            format!("{}, debug {}", guest.module, guest.debug())
        });
    }
}
