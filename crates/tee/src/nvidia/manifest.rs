//! NVIDIA's reference manifests (RIM): a SWID tag with an enveloped XML signature, in the one
//! profile that NVIDIA writes. The values are read from the tree whose digest was checked.
//!
//! XML has many forms of one document; which one was used is pinned by the guest's statement, which
//! covers the digest of a manifest's bytes.

use super::{ManifestFault, canonical::canonical};
use crate::{
    crypto::{Scheme, sha256, sha384},
    fault::Result,
    limits::MAX_MANIFEST_BYTES,
    octets::Digest,
    x509::{Chain, Links, Pin},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use roxmltree::{Document, Node, ParsingOptions};
use std::collections::BTreeMap;

/// What a manifest is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestEdition {
    /// A GPU's driver or firmware.
    Gpu,
    /// A switch's firmware.
    Switch,
}

/// A manifest whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// What it is for.
    pub edition: ManifestEdition,
    /// The product: `GH100`.
    pub product: String,
    /// Of driver or firmware.
    pub version: String,
    /// The values allowed at each measurement, counted from 0; only those that it is for.
    pub golden: BTreeMap<u8, Vec<Vec<u8>>>,
    /// When the first certificate expires, in seconds since 1970.
    pub not_after: i64,
}

const SWID: &str = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const SHA384_VALUE: &str = "http://www.w3.org/2001/04/xmlenc#sha384";
const CANONICAL: &str = "http://www.w3.org/2006/12/xml-c14n11";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const ECDSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
const SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#sha384";
/// Elements, texts and attributes; a switch's manifest has about 300.
const MAX_NODES: u32 = 10_000;
/// Levels of elements: root, signature, and five below.
const MAX_DEPTH: usize = 9;
/// Values allowed for one measurement.
const MAX_ALTERNATIVES: u8 = 64;

impl Manifest {
    /// Checks a manifest's signature and chain at `at`, seconds since 1970.
    ///
    /// # Errors
    /// The first thing that doesn't hold.
    pub fn verify(xml: &[u8], root: Pin, at: i64) -> Result<Self> {
        if xml.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestFault::Xml.into());
        }
        let text = std::str::from_utf8(xml).map_err(|_| ManifestFault::Xml)?;
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(text, options);
        let document = document.map_err(|_| ManifestFault::Xml)?;
        let top = document.root_element();
        if !top.has_tag_name((SWID, "SoftwareIdentity")) {
            return Err(ManifestFault::Shape.into());
        }
        for node in document.descendants() {
            if node.is_comment() || node.is_pi() || node.ancestors().count() > MAX_DEPTH {
                return Err(ManifestFault::Shape.into());
            }
        }
        let signature = only_signature(top)?;
        let (chain, signer) = check_signature(top, signature)?;
        let chain = chain.iter().map(|der| &der[..]);
        let chain = Chain::check(chain, root, &mut Links::default(), at)?;
        if !chain.leaf().may_sign_reports() || !signer.signed_by(&chain) {
            return Err(ManifestFault::Signature.into());
        }
        let meta = child(top, "Meta")?;
        let edition = match attribute(meta, "edition") {
            Some("GPU") => ManifestEdition::Gpu,
            Some("SWITCH") => ManifestEdition::Switch,
            _ => return Err(ManifestFault::Shape.into()),
        };
        let named = |name| {
            let value = attribute(meta, name).ok_or(ManifestFault::Shape)?;
            Result::Ok(value.to_owned())
        };
        Ok(Self {
            digest: sha256(xml),
            edition,
            product: named("product")?,
            version: named("colloquialVersion")?,
            golden: golden(child(top, "Payload")?)?,
            not_after: chain.not_after(),
        })
    }
}

/// What the leaf has to have signed.
struct Signed {
    message: String,
    signature: Vec<u8>,
}

impl Signed {
    fn signed_by(&self, chain: &Chain<'_>) -> bool {
        let message = self.message.as_bytes();
        let leaf = chain.leaf();
        leaf.has_signed_report(Scheme::P384Fixed, message, &self.signature)
    }
}

/// The one signature, the last element.
fn only_signature<'a, 'i>(top: Node<'a, 'i>) -> Result<Node<'a, 'i>> {
    let is_signature = |node: &Node<'_, '_>| node.has_tag_name((SIGNATURE, "Signature"));
    let count = top.descendants().filter(is_signature).count();
    match top.last_element_child() {
        Some(last) if count == 1 && is_signature(&last) => Ok(last),
        _ => Err(ManifestFault::Unsigned.into()),
    }
}

/// Checks the document's digest; gives the chain and what its leaf must have signed.
fn check_signature(top: Node<'_, '_>, node: Node<'_, '_>) -> Result<(Vec<Vec<u8>>, Signed)> {
    let [info, value, key] = elements(node, ["SignedInfo", "SignatureValue", "KeyInfo"])?;
    let names = ["CanonicalizationMethod", "SignatureMethod", "Reference"];
    let [method, scheme, reference] = elements(info, names)?;
    let names = ["Transforms", "DigestMethod", "DigestValue"];
    let [transforms, digest_method, digest] = elements(reference, names)?;
    let [first, second] = elements(transforms, ["Transform", "Transform"])?;
    let algorithms = [
        (method, CANONICAL),
        (scheme, ECDSA_SHA384),
        (first, ENVELOPED),
        (second, CANONICAL),
        (digest_method, SHA384),
    ];
    let as_they_are = algorithms
        .iter()
        .all(|(node, name)| attribute(*node, "Algorithm") == Some(name) && !node.has_children());
    if !as_they_are || attribute(reference, "URI") != Some("") {
        return Err(ManifestFault::Algorithm.into());
    }
    let [data] = elements(key, ["X509Data"])?;
    let mut chain = Vec::new();
    for one in data.children().filter(Node::is_element) {
        if !one.has_tag_name((SIGNATURE, "X509Certificate")) {
            return Err(ManifestFault::Shape.into());
        }
        chain.push(base64(one)?);
    }
    let document = canonical(top, Some(node));
    if base64(digest)? != sha384(&[document.as_bytes()]).0 {
        return Err(ManifestFault::Digest.into());
    }
    let signed = Signed {
        message: canonical(info, None),
        signature: base64(value)?,
    };
    Ok((chain, signed))
}

/// The values of all active measurements.
fn golden(payload: Node<'_, '_>) -> Result<BTreeMap<u8, Vec<Vec<u8>>>> {
    let mut seen = BTreeMap::new();
    for resource in payload.children().filter(Node::is_element) {
        let number = |name| {
            let text = attribute(resource, name).ok_or(ManifestFault::Resource)?;
            text.parse::<u8>().map_err(|_| ManifestFault::Resource)
        };
        let (index, size) = (number("index")?, usize::from(number("size")?));
        let count = number("alternatives")?;
        if !resource.has_tag_name((SWID, "Resource")) || count > MAX_ALTERNATIVES {
            return Err(ManifestFault::Resource.into());
        }
        let value = |i| {
            let name = format!("Hash{i}");
            let text = resource.attribute((SHA384_VALUE, name.as_str()))?;
            hex::decode(text).ok().filter(|value| value.len() == size)
        };
        let values: Option<Vec<Vec<u8>>> = (0..count).map(value).collect();
        let values = values.ok_or(ManifestFault::Resource)?;
        let active = match attribute(resource, "active") {
            Some("True") if !values.is_empty() => true,
            Some("False") => false,
            _ => return Err(ManifestFault::Resource.into()),
        };
        if seen.insert(index, (active, values)).is_some() {
            return Err(ManifestFault::Resource.into());
        }
    }
    let golden: BTreeMap<_, _> = seen
        .into_iter()
        .filter_map(|(index, (active, values))| active.then_some((index, values)))
        .collect();
    if golden.is_empty() {
        return Err(ManifestFault::Empty.into());
    }
    Ok(golden)
}

/// The only child element of this name.
fn child<'a, 'i>(parent: Node<'a, 'i>, name: &str) -> Result<Node<'a, 'i>> {
    let mut found = parent
        .children()
        .filter(|node| node.has_tag_name((SWID, name)));
    match (found.next(), found.next()) {
        (Some(node), None) => Ok(node),
        _ => Err(ManifestFault::Shape.into()),
    }
}

/// An attribute in no namespace; the tree's own look-up takes any.
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let mut all = node.attributes();
    let found = all.find(|one| one.namespace().is_none() && one.name() == name);
    found.map(|one| one.value())
}

/// Exactly these child elements of the signature, in this order, and no text but blanks.
fn elements<'a, 'i, const N: usize>(
    parent: Node<'a, 'i>,
    names: [&str; N],
) -> Result<[Node<'a, 'i>; N]> {
    let blank = |node: Node<'_, '_>| node.text().unwrap_or_default().trim().is_empty();
    if !parent.children().filter(Node::is_text).all(blank) {
        return Err(ManifestFault::Shape.into());
    }
    let found: Vec<_> = parent.children().filter(Node::is_element).collect();
    let found: [Node<'a, 'i>; N] = found.try_into().map_err(|_| ManifestFault::Shape)?;
    let named = |(node, name): (&Node<'_, '_>, &str)| node.has_tag_name((SIGNATURE, name));
    if !found.iter().zip(names).all(named) {
        return Err(ManifestFault::Shape.into());
    }
    Ok(found)
}

/// An element's text, base64 with line breaks.
fn base64(node: Node<'_, '_>) -> Result<Vec<u8>> {
    let only_text = node.children().count() == 1 && node.children().all(|child| child.is_text());
    if !only_text {
        return Err(ManifestFault::Base64.into());
    }
    let text = node.text().unwrap_or_default();
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD
        .decode(dense)
        .map_err(|_| ManifestFault::Base64.into())
}
