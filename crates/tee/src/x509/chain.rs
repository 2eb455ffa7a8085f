//! From a leaf to a pinned root.

use super::{Certificate, CertificateFault};
use crate::{crypto::sha256, fault::Result, limits::MAX_CHAIN, octets::Digest};
use std::collections::BTreeSet;

/// A root that is trusted: the SHA-256 of its certificate in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin(pub Digest);

impl Pin {
    /// Whether `certificate` is this very root.
    pub(crate) fn is(self, certificate: &[u8]) -> bool {
        sha256(certificate) == self.0
    }
}

/// A chain that holds: leaf first, the root last.
#[derive(Clone, Debug)]
pub(crate) struct Chain<'a>(Vec<Certificate<'a>>);

/// Pairs of certificates of which one has signed the other: eight GPUs share all but two.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(BTreeSet<Digest>);

impl Links {
    /// Whether `parent` has signed `child`, now or when asked before.
    fn hold(&mut self, parent: &Certificate<'_>, child: &Certificate<'_>) -> bool {
        let both = [sha256(parent.raw).0, sha256(child.raw).0].concat();
        let name = sha256(&both);
        if self.0.contains(&name) {
            return true;
        }
        let holds = parent.has_signed(child);
        if holds {
            self.0.insert(name);
        }
        holds
    }
}

impl<'a> Chain<'a> {
    /// Checks a chain, leaf first, at a time in seconds since 1970: its end is `root` itself, each
    /// is signed by the next, which may sign it, and all are valid at that time.
    pub(crate) fn check(
        certificates: impl IntoIterator<Item = &'a [u8]>,
        root: Pin,
        links: &mut Links,
        at: i64,
    ) -> Result<Self> {
        let mut chain = Vec::new();
        for raw in certificates {
            if chain.len() == MAX_CHAIN {
                return Err(CertificateFault::Length.into());
            }
            chain.push(Certificate::read(raw)?);
        }
        let last = chain.last().ok_or(CertificateFault::Length)?;
        if !root.is(last.raw) {
            return Err(CertificateFault::Root.into());
        }
        for (below, pair) in chain.windows(2).enumerate() {
            let (child, parent) = (&pair[0], &pair[1]);
            if child.issuer != parent.subject {
                return Err(CertificateFault::Issuer.into());
            }
            if !parent.may_sign_certificates(below) {
                return Err(CertificateFault::MayNotSign.into());
            }
            if !links.hold(parent, child) {
                return Err(CertificateFault::Signature.into());
            }
        }
        chain.iter().try_for_each(|one| one.valid_at(at))?;
        Ok(Self(chain))
    }

    /// The certificate at the beginning.
    pub(crate) fn leaf(&self) -> &Certificate<'a> {
        &self.0[0]
    }

    /// All certificates, leaf first.
    pub(crate) fn certificates(&self) -> &[Certificate<'a>] {
        &self.0
    }

    /// When the first of them expires, in seconds since 1970.
    pub(crate) fn not_after(&self) -> i64 {
        let ends = self.0.iter().map(|one| one.not_after);
        ends.min().unwrap_or(i64::MIN)
    }
}
