//! The key that a model is sealed with.

use crate::key::Key;
use atoma_runtime::Random;
use std::fmt;
use zeroize::Zeroizing;

/// The content key of one sealed model: whoever has it and the sealed files has the model. Wiped when dropped.
pub struct ModelKey(Key);

impl ModelKey {
    /// A new one; `random` must be good for keys.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(Key::new(random.bytes()))
    }

    /// The one of 32 secret bytes, as its owner has kept them.
    #[must_use]
    pub fn from_secret(secret: &Zeroizing<[u8; 32]>) -> Self {
        Self(secret.clone())
    }

    /// The 32 secret bytes, for whoever keeps or wraps them. Handle with care.
    #[must_use]
    pub fn secret(&self) -> &Zeroizing<[u8; 32]> {
        &self.0
    }
}

impl fmt::Debug for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelKey")
    }
}
