//! A key, and the sizes of what one is wrapped in.

use zeroize::Zeroizing;

/// Bytes of an encapsulated key.
pub(crate) const ENCAPSULATED: usize = 1_120;
/// Bytes of a wrapped content key: the key and a tag.
pub(crate) const WRAPPED: usize = 48;

/// 32 bytes that encrypt.
pub(crate) type Key = Zeroizing<[u8; 32]>;
