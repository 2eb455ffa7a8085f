//! The secret half of a sealing key.

use crate::{fault::Result, key::Key, xwing::Secret};
use atoma_runtime::Random;
use std::fmt;

/// The secret of one sealing key of a keyset: made within the guest, never taken out of it, wiped when dropped. There is
/// no way to read it, to copy it or to print it.
pub struct SealingSecret {
    pub(crate) secret: Secret,
}

impl SealingSecret {
    /// A new one; `random` must be good for keys.
    ///
    /// # Errors
    /// Never: 32 bytes are a secret.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        Self::from_seed(&Key::new(random.bytes()))
    }

    /// The one of 32 secret bytes, as the X-Wing draft makes it of them. For a guest that is given its seed by a key
    /// broker: replicas that share a seed must share a [`SeenStore`](crate::SeenStore).
    ///
    /// # Errors
    /// Never: 32 bytes are a secret.
    pub fn from_seed(seed: &Key) -> Result<Self> {
        let secret = Secret::of(seed)?;
        Ok(Self { secret })
    }

    /// What stands in the keyset, 1,216 bytes.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        self.secret.public_key().to_vec()
    }
}

impl fmt::Debug for SealingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingSecret").finish_non_exhaustive()
    }
}
