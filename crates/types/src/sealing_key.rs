//! The key that requests to a node will be sealed to. It stands on the ledger, and nothing uses it yet.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A public X25519 key, 32 bytes; any are one. BCS: 32 bytes. JSON: hex.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealingKey(#[serde(with = "crate::text_bytes")] pub [u8; 32]);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", hex::encode(self.0))
    }
}
