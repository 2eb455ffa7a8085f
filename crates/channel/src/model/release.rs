//! A model's key on its way from its owner's broker to a guest.
//!
//! ```text
//! released key  "atoma/modkey/v1" and a zero 16 ‖ encapsulated key 1,120 ‖ wrapped key 48
//! info          "atoma/modkey/v1", 0 ‖ keyset's digest 32 ‖ key id u32 le
//! bound         "atoma/modkey/v1", 0 ‖ model's id 32 ‖ release 32 ‖ nonce 32
//! ```
//!
//! HPKE as for requests. Who wrapped it isn't said: the model's head commits to its key, so that another one opens nothing.

use super::key::ModelKey;
use crate::{
    fault::{Fault, Result},
    hpke::{Unwrapping, Wrapping},
    key::{ENCAPSULATED, WRAPPED},
    recipient::VerifiedKeyset,
    secret::SealingSecret,
    tags::MODEL_KEY_TAG,
};
use atoma_runtime::Random;
use atoma_tee::{
    Keyset,
    octets::{Digest, Octets},
};
use atoma_types::{TimestampMs, hash::Hash32};

/// What a key is released for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTerms {
    /// The sealed model's id.
    pub model: Hash32,
    /// The release that the guest runs.
    pub release: Digest,
    /// The broker's nonce, which the guest's evidence answers.
    pub nonce: Octets<32>,
}

impl KeyTerms {
    fn bound(&self) -> Vec<u8> {
        let Self {
            model,
            release,
            nonce,
        } = self;
        [&MODEL_KEY_TAG[..], &model.0, &release.0, &nonce.0].concat()
    }
}

/// Wraps a model's key for a guest whose keyset a policy has accepted. `random` must be good for keys.
///
/// # Errors
/// If the keyset doesn't count now, or its key can't be used.
pub fn release_key(
    key: &ModelKey,
    to: &VerifiedKeyset,
    terms: &KeyTerms,
    now: TimestampMs,
    random: &dyn Random,
) -> Result<Vec<u8>> {
    to.counts_at(now)?;
    let (mut wrapping, encapsulated) =
        Wrapping::new(&to.key, &MODEL_KEY_TAG, to.digest, to.key_id, random)?;
    let wrapped = wrapping.wrap(key.secret(), &terms.bound())?;
    Ok([&MODEL_KEY_TAG[..], &encapsulated.0, &wrapped.0].concat())
}

/// Opens what was released, with the secret of the keyset's one key. That it is the model's key, its head tells
/// ([`SealedModel::open`](super::SealedModel::open)).
///
/// # Errors
/// [`Fault::KeyForm`] for what isn't such, and [`Fault::WrappedKey`] for what was released to others or for something
/// else.
pub fn open_key(
    released: &[u8],
    keyset: &Keyset,
    secret: &SealingSecret,
    terms: &KeyTerms,
) -> Result<ModelKey> {
    let rest = released
        .strip_prefix(&MODEL_KEY_TAG)
        .ok_or(Fault::KeyForm)?;
    let (encapsulated, wrapped) = rest
        .split_first_chunk::<ENCAPSULATED>()
        .ok_or(Fault::KeyForm)?;
    let wrapped: [u8; WRAPPED] = wrapped.try_into().map_err(|_| Fault::KeyForm)?;
    let [key] = &keyset.sealing_keys[..] else {
        return Err(Fault::SealingKey);
    };
    let encapsulated = Octets(*encapsulated);
    let secret = &secret.secret;
    let unwrapping = Unwrapping::new(
        secret,
        &MODEL_KEY_TAG,
        keyset.digest(),
        key.id,
        &encapsulated,
    )?;
    let key = unwrapping.unwrap(&Octets(wrapped), &terms.bound())?;
    Ok(ModelKey::from_secret(&key))
}
