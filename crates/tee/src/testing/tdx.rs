//! TDX quotes under roots of our own, with statements about the platform in Intel's form.

use super::{Authority, CertificateOf, Kind, SigningKey, der};
use crate::{
    bounded::Bytes,
    crypto::{sha256, sha384},
    octets::{Measurement, Octets},
    roots::Roots,
    tdx::{Event, FIRMWARE_EVENT, IntelChain, TdxCollateral, TdxEvidence, pem},
};

/// A maker of platforms with one of them.
#[derive(Debug)]
pub struct TdxMaker {
    /// The root of all its certificates.
    pub root: Authority,
    /// Signs platforms' certificates.
    pub authority: Authority,
    /// The platform's key.
    pub platform: Authority,
    /// Signs statements about platforms.
    pub signer: Authority,
}

/// What a guest claims.
#[derive(Clone, Debug)]
pub struct TdxClaims {
    /// The guest's attributes.
    pub attributes: u64,
    /// Its virtual firmware.
    pub mrtd: Measurement,
    /// What was measured while it started, and since.
    pub events: Vec<Event>,
    /// What the guest had put in.
    pub report_data: Octets<64>,
    /// What the maker says of the platform: `UpToDate`.
    pub status: &'static str,
    /// The statements hold from then on, as RFC 3339.
    pub issued: &'static str,
    /// And until then.
    pub next_update: &'static str,
}

/// SEPT_VE_DISABLE, which a guest must have.
const ATTRIBUTES: u64 = 1 << 28;
const SGX: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 13, 1];
const FMSPC: [u8; 6] = [0x90, 0xc0, 0x6f, 0, 0, 0];
/// The platform's name.
const PPID: [u8; 16] = [0x99; 16];
const SVN: u8 = 5;
const PCE_SVN: u8 = 13;
const QE_SIGNER: [u8; 32] = [0xdc; 32];
const QE_VENDOR: [u8; 16] = [
    0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
];
const LIST_FROM: i64 = 1_790_000_000;
const LIST_UNTIL: i64 = 1_800_000_000;

impl Default for TdxClaims {
    fn default() -> Self {
        Self {
            attributes: ATTRIBUTES,
            mrtd: Octets([0x30; 48]),
            events: TdxMaker::events(&[0xcc; 32]),
            report_data: Octets([0; 64]),
            status: "UpToDate",
            issued: "2026-11-01T00:00:00Z",
            next_update: "2026-12-01T00:00:00Z",
        }
    }
}

impl TdxMaker {
    /// A new maker.
    #[must_use]
    pub fn new() -> Self {
        let named = |name| CertificateOf {
            name,
            ..CertificateOf::default()
        };
        let root = Authority::root(SigningKey::p256(), &named("SGX Root"));
        let authority = root.issue(
            SigningKey::p256(),
            &CertificateOf {
                kind: Kind::Authority(Some(0)),
                serial: &[2],
                ..named("PCK Platform CA")
            },
        );
        let platform = authority.issue(
            SigningKey::p256(),
            &CertificateOf {
                kind: Kind::Leaf,
                serial: &[3],
                extensions: vec![(SGX.to_vec(), platform_extension())],
                ..named("PCK")
            },
        );
        let signer = root.issue(
            SigningKey::p256(),
            &CertificateOf {
                kind: Kind::Leaf,
                serial: &[4],
                ..named("TCB Signing")
            },
        );
        Self {
            root,
            authority,
            platform,
            signer,
        }
    }

    /// The roots under which its quotes hold.
    #[must_use]
    pub fn roots(&self) -> Roots {
        Roots {
            intel: self.root.pin(),
            ..super::no_roots()
        }
    }

    /// What a guest measures that runs `compose`: an event of the firmware for each of the first three
    /// registers, then those at run time.
    #[must_use]
    pub fn events(compose: &[u8]) -> Vec<Event> {
        let firmware = |register: u8| Event {
            register,
            kind: FIRMWARE_EVENT,
            digest: Octets([0x40 + register; 48]),
            name: Bytes::default(),
            payload: Bytes::default(),
        };
        let at_run_time = |name, payload| Event::at_run_time(name, payload).expect("a short event");
        vec![
            firmware(0),
            firmware(1),
            firmware(2),
            at_run_time("app-id", &[0xa1; 20]),
            at_run_time("compose-hash", compose),
            at_run_time("system-ready", &[]),
        ]
    }

    /// The registers that events lead to, computed apart from the verifier.
    #[must_use]
    pub fn registers(events: &[Event]) -> [Measurement; 4] {
        let mut registers = [Octets([0; 48]); 4];
        for event in events {
            let register = &mut registers[usize::from(event.register) % 4];
            *register = sha384(&[&register.0, &event.digest.0]);
        }
        registers
    }

    /// A quote with everything to check it by.
    #[must_use]
    pub fn evidence(&self, claims: &TdxClaims) -> TdxEvidence {
        let bytes = |raw: Vec<u8>| raw.try_into().expect("a short part");
        TdxEvidence {
            quote: self.quote(claims).try_into().expect("a short quote"),
            collateral: TdxCollateral {
                root_revocations: bytes(self.root.revoke(&[], LIST_FROM, LIST_UNTIL)),
                platform_revocations: self
                    .authority
                    .revoke(&[], LIST_FROM, LIST_UNTIL)
                    .try_into()
                    .expect("a short list"),
                platform_issuers: self.chain(&self.authority),
                signers: self.chain(&self.signer),
                ..self.statements(claims)
            },
            events: claims.events.clone().try_into().expect("few events"),
        }
    }

    fn chain(&self, first: &Authority) -> IntelChain {
        let one = |authority: &Authority| {
            let der = authority.certificate.clone();
            der.try_into().expect("a short certificate")
        };
        vec![one(first), one(&self.root)].try_into().expect("two")
    }

    fn statements(&self, claims: &TdxClaims) -> TdxCollateral {
        let TdxClaims {
            status,
            issued,
            next_update,
            ..
        } = claims;
        let zeros = "00".repeat(48);
        let components = format!("[{}]", vec![format!("{{\"svn\":{SVN}}}"); 16].join(","));
        let fmspc = hex::encode(FMSPC);
        let dates = format!(
            "\"issueDate\":\"{issued}\",\"nextUpdate\":\"{next_update}\",\"tcbEvaluationDataNumber\":17"
        );
        let level = format!("\"tcbDate\":\"2026-01-01T00:00:00Z\",\"tcbStatus\":\"{status}\"");
        let good = "\"tcbDate\":\"2026-01-01T00:00:00Z\",\"tcbStatus\":\"UpToDate\"";
        let module = format!(
            "\"mrsigner\":\"{zeros}\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\""
        );
        let tcb_info = format!(
            "{{\"id\":\"TDX\",\"version\":3,{dates},\"fmspc\":\"{fmspc}\",\"pceId\":\"0000\",\"tcbType\":0,\
             \"tdxModule\":{{{module}}},\
             \"tdxModuleIdentities\":[{{\"id\":\"TDX_{SVN:02}\",{module},\"tcbLevels\":[{{\"tcb\":{{\"isvsvn\":{SVN}}},{good}}}]}}],\
             \"tcbLevels\":[{{\"tcb\":{{\"sgxtcbcomponents\":{components},\"pcesvn\":{PCE_SVN},\"tdxtcbcomponents\":{components}}},{level}}}]}}"
        );
        let signer = hex::encode(QE_SIGNER);
        let qe_identity = format!(
            "{{\"id\":\"TD_QE\",\"version\":2,{dates},\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",\
             \"attributes\":\"11000000000000000000000000000000\",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",\
             \"mrsigner\":\"{signer}\",\"isvprodid\":2,\"tcbLevels\":[{{\"tcb\":{{\"isvsvn\":4}},{good}}}]}}"
        );
        let signature = |text: &str| {
            let signature = self.signer.key.sign(text.as_bytes());
            Octets(signature.try_into().expect("64 bytes"))
        };
        TdxCollateral {
            tcb_info_signature: signature(&tcb_info),
            qe_identity_signature: signature(&qe_identity),
            tcb_info: tcb_info.into_bytes().try_into().expect("a short text"),
            qe_identity: qe_identity.into_bytes().try_into().expect("a short text"),
            root_revocations: Bytes::default(),
            platform_revocations: Bytes::default(),
            platform_issuers: IntelChain::default(),
            signers: IntelChain::default(),
        }
    }

    fn quote(&self, claims: &TdxClaims) -> Vec<u8> {
        let attestation = SigningKey::p256();
        let key = &attestation.public()[1..];
        let mut signed = [
            &[4, 0, 2, 0, 0x81, 0, 0, 0, 0, 0, 0, 0][..],
            &QE_VENDOR,
            &[0; 20],
        ]
        .concat();
        signed.extend(report(claims));
        let authentication = [0x0a; 32];
        let qe = qe_report(&sha256(&[key, &authentication].concat()).0);
        let chain: String = [&self.platform, &self.authority, &self.root]
            .iter()
            .map(|one| pem(&one.certificate))
            .collect();
        let with_length = |kind: u16, body: &[u8]| {
            let length = (body.len() as u32).to_le_bytes();
            [&kind.to_le_bytes()[..], &length, body].concat()
        };
        let inner = [
            &qe[..],
            &self.platform.key.sign(&qe),
            &(authentication.len() as u16).to_le_bytes(),
            &authentication,
            &with_length(5, chain.as_bytes()),
        ]
        .concat();
        let data = [&attestation.sign(&signed)[..], key, &with_length(6, &inner)].concat();
        [&signed[..], &(data.len() as u32).to_le_bytes(), &data].concat()
    }
}

impl Default for TdxMaker {
    fn default() -> Self {
        Self::new()
    }
}

fn report(claims: &TdxClaims) -> Vec<u8> {
    let mut report = vec![0; 584];
    let mut put = |at: usize, bytes: &[u8]| report[at..at + bytes.len()].copy_from_slice(bytes);
    put(0x00, &[SVN; 16]);
    put(0x78, &claims.attributes.to_le_bytes());
    put(0x88, &claims.mrtd.0);
    for (i, register) in TdxMaker::registers(&claims.events).iter().enumerate() {
        put(0x148 + 48 * i, &register.0);
    }
    put(0x208, &claims.report_data.0);
    report
}

/// The report of the enclave that signs quotes.
fn qe_report(hash: &[u8; 32]) -> Vec<u8> {
    let mut report = vec![0; 384];
    let mut put = |at: usize, bytes: &[u8]| report[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[SVN; 16]);
    put(48, &[0x11]);
    put(128, &QE_SIGNER);
    put(256, &2u16.to_le_bytes());
    put(258, &4u16.to_le_bytes());
    put(320, hash);
    report
}

/// What the certificate of the platform's key says of the platform.
fn platform_extension() -> Vec<u8> {
    let pair =
        |tail: &[u8], value: &[u8]| der::sequence(&[&der::oid(&[SGX, tail].concat()), value]);
    let svn = |n: u8| pair(&[2, n], &der::integer(&[SVN]));
    let mut tcb: Vec<Vec<u8>> = (1..=16).map(svn).collect();
    tcb.push(pair(&[2, 17], &der::integer(&[PCE_SVN])));
    tcb.push(pair(&[2, 18], &der::octets(&[SVN; 16])));
    let yes = [1, 1, 0xff];
    let set_up = [
        pair(&[7, 1], &yes),
        pair(&[7, 2], &yes),
        pair(&[7, 3], &yes),
    ];
    der::sequence(&[
        &pair(&[1], &der::octets(&PPID)),
        &pair(&[2], &der::element(0x30, &tcb.concat())),
        &pair(&[3], &der::octets(&[0, 0])),
        &pair(&[4], &der::octets(&FMSPC)),
        &pair(&[5], &der::element(0x0a, &[1])),
        &pair(&[6], &der::octets(&[0x66; 16])),
        &pair(&[7], &der::element(0x30, &set_up.concat())),
    ])
}
