//! Signed manifests under a root of our own. They are written in their canonical form, so that what
//! is signed can be told without an XML library.

use super::{Authority, CertificateOf, Kind, SigningKey};
use crate::{crypto::sha384, x509::Pin};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{collections::BTreeMap, fmt::Write};

/// A signer of manifests.
#[derive(Debug)]
pub struct ManifestMaker {
    root: Authority,
    signer: Authority,
}

/// What a manifest says.
#[derive(Clone, Debug)]
pub struct ManifestClaims {
    /// `GPU` or `SWITCH`.
    pub edition: &'static str,
    /// The chip that it is for, such as `GH100`.
    pub product: &'static str,
    /// Of driver or firmware.
    pub version: String,
    /// Values by index from 0; all others aren't active.
    pub golden: BTreeMap<u8, Vec<[u8; 48]>>,
}

const SWID: &str = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
const VALUES: &str = "http://www.w3.org/2001/04/xmlenc#sha384";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const C14N: &str = "http://www.w3.org/2006/12/xml-c14n11";
const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
const RESOURCES: u8 = 64;

impl ManifestMaker {
    /// A new signer, whose certificate ends at `until`, in seconds since 1970.
    #[must_use]
    pub fn new(until: i64) -> Self {
        let root = Authority::root(
            SigningKey::p384(),
            &CertificateOf {
                name: "Manifest Root",
                ..CertificateOf::default()
            },
        );
        let signer = root.issue(
            SigningKey::p384(),
            &CertificateOf {
                name: "Manifest Signer",
                kind: Kind::Leaf,
                until,
                ..CertificateOf::default()
            },
        );
        Self { root, signer }
    }

    /// The pin of its root.
    #[must_use]
    pub fn pin(&self) -> Pin {
        self.root.pin()
    }

    /// A signed manifest.
    #[must_use]
    pub fn write(&self, claims: &ManifestClaims) -> Vec<u8> {
        let (head, tail) = body(claims);
        let digest = sha384(&[head.as_bytes(), tail.as_bytes()]);
        let info = signed_info(&STANDARD.encode(digest.0));
        let scope = format!(
            " xmlns=\"{SWID}\" xmlns:ds=\"{DSIG}\" xmlns:ns0=\"{SWID}\" xmlns:ns2=\"{VALUES}\""
        );
        let canonical = info.replacen("<ds:SignedInfo", &format!("<ds:SignedInfo{scope}"), 1);
        let signature = STANDARD.encode(self.signer.key.sign(canonical.as_bytes()));
        let certificates: String = [&self.signer, &self.root]
            .iter()
            .map(|one| STANDARD.encode(&one.certificate))
            .map(|text| format!("<ds:X509Certificate>{text}</ds:X509Certificate>"))
            .collect();
        format!(
            "{head}<ds:Signature xmlns:ds=\"{DSIG}\">{info}<ds:SignatureValue>{signature}\
             </ds:SignatureValue><ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data>\
             </ds:KeyInfo></ds:Signature>{tail}"
        )
        .into_bytes()
    }
}

/// The document before and behind its signature.
fn body(claims: &ManifestClaims) -> (String, &'static str) {
    let ManifestClaims {
        edition,
        product,
        version,
        golden,
    } = claims;
    let mut text = format!(
        "<SoftwareIdentity xmlns=\"{SWID}\" xmlns:ns0=\"{SWID}\" xmlns:ns2=\"{VALUES}\" \
         name=\"{product}\" tagId=\"1\">\n<ns0:Meta colloquialVersion=\"{version}\" \
         edition=\"{edition}\" product=\"{product}\"></ns0:Meta>\n<ns0:Payload>"
    );
    for index in 0..RESOURCES {
        let none = vec![[0; 48]];
        let (active, values) = match golden.get(&index) {
            Some(values) => ("True", values),
            None => ("False", &none),
        };
        let mut hashes = String::new();
        for (i, value) in values.iter().enumerate() {
            let value = hex::encode(value);
            write!(hashes, " ns2:Hash{i}=\"{value}\"").expect("text grows");
        }
        let count = values.len();
        write!(
            text,
            "\n<ns0:Resource active=\"{active}\" alternatives=\"{count}\" index=\"{index}\" \
             name=\"Measurement_{index}\" size=\"48\" type=\"Measurement\"{hashes}></ns0:Resource>"
        )
        .expect("text grows");
    }
    text.push_str("\n</ns0:Payload>\n");
    (text, "</SoftwareIdentity>")
}

fn signed_info(digest: &str) -> String {
    let empty =
        |name: &str, algorithm: &str| format!("<ds:{name} Algorithm=\"{algorithm}\"></ds:{name}>");
    [
        "<ds:SignedInfo>".to_owned(),
        empty("CanonicalizationMethod", C14N),
        empty("SignatureMethod", &format!("{MORE}ecdsa-sha384")),
        "<ds:Reference URI=\"\"><ds:Transforms>".to_owned(),
        empty("Transform", &format!("{DSIG}enveloped-signature")),
        empty("Transform", C14N),
        "</ds:Transforms>".to_owned(),
        empty("DigestMethod", &format!("{MORE}sha384")),
        format!("<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"),
    ]
    .concat()
}
