//! Who may find what others have computed.

use std::fmt;

/// Requests share keys and values of equal beginnings only within one domain.
///
/// How much of a prompt came from the cache is in the receipt, and in the time that an answer takes: with
/// one cache for all, whoever asks a prompt learns whether somebody else has asked it. A domain never
/// changes an answer, only what it costs. [`CacheDomain::SHARED`] is for callers who trust one another.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CacheDomain([u8; 32]);

impl CacheDomain {
    /// The one that all are in who name none.
    pub const SHARED: Self = Self([0; 32]);

    /// Of 32 bytes that an outsider can't guess.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What a server outside gets as `cache_salt`; nothing for the shared domain.
    pub(crate) fn salt(&self) -> Option<String> {
        (*self != Self::SHARED).then(|| hex::encode(self.0))
    }
}

/// Whoever knows a domain's bytes can ask a server in it: logs don't show them.
impl fmt::Debug for CacheDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheDomain(..)")
    }
}
