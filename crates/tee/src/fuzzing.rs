//! What must hold of the parsers that this crate keeps to itself, for whatever bytes strangers send.
//! Each function panics where something doesn't; the fuzz targets of `tests/fuzz` call them. Every
//! parser is fed by itself: behind a signature no changed byte would reach it.

use crate::{
    Bundle, Policy, nitro, nvidia,
    octets::Octets,
    snp, tdx,
    x509::{Certificate, Pin, RevocationList},
};

/// A bundle. It has one form.
pub fn bundle(bytes: &[u8]) {
    if let Ok(bundle) = Bundle::from_bytes(bytes) {
        assert_eq!(bundle.to_bytes(), bytes);
    }
}

/// A certificate, and a revocation list of its own. What is read is a part of what came.
pub fn certificate(bytes: &[u8]) {
    let Ok(certificate) = Certificate::read(bytes) else {
        return;
    };
    assert_eq!(certificate.raw, bytes);
    let _ = certificate.valid_at(0);
    let _ = RevocationList::check(bytes, &certificate);
}

/// Reports of processors, devices and enclaves, without their signatures.
pub fn reports(bytes: &[u8]) {
    snp::read_report(bytes);
    nvidia::read_report(bytes);
    nitro::read_payload(bytes);
    tdx::read_quote(bytes, Pin(Octets([0; 32])));
}

/// A signed manifest: its XML is walked to the signature. No root vouches for it.
pub fn manifest(bytes: &[u8]) {
    assert!(nvidia::Manifest::verify(bytes, Pin(Octets([0; 32])), 0).is_err());
}

/// A policy file.
pub fn policy(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Policy::from_toml(text);
    }
}
