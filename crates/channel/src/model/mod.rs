//! Sealed models: a folder's files, each encrypted by itself, under one random key that is given to attested nodes alone.
//!
//! ```text
//! head       tag 16  "atoma/sealmdl/v1"
//!            commitment 32  to the content key
//!            frames  of the manifest, bound to BLAKE2b-256 of all before them
//! id         BLAKE2b-256 of the head: names the sealed model
//! manifest   BCS, see [`Manifest`]: names, sizes and hashes of the clear files
//! a file     frames, each but the last of 1 MiB, bound to BLAKE2b-256 of "atoma/sealmdl/v1" ‖ id ‖ its place u32 le
//! keys       manifest: HKDF-SHA256(salt the tag, the content key, info the tag)
//!            a file:   HKDF-SHA256(salt the tag ‖ its place u32 le, the content key, info the tag)
//! ```
//!
//! Frames, keys and the commitment are those of sealed requests. A file's frames have one length each, which follows from the
//! manifest: so every part of a file is where it must be, and can be read alone. Nothing that stands in clear decides how
//! anything is decrypted.
//!
//! The key travels from its owner's broker to a guest as [`release_key`] makes it.

mod file;
mod head;
mod key;
mod manifest;
mod release;
mod seal;

pub use file::SealedFile;
pub use head::{OpenModel, SealedModel};
pub use key::ModelKey;
pub use manifest::{Manifest, ModelFile};
pub use release::{KeyTerms, open_key, release_key};
pub use seal::{ModelSealer, SealFileError};

use crate::{
    fault::Result,
    frame::{FRAME_HEAD, TAG},
    limits::MODEL_CHUNK_BYTES,
    message_key::MessageKey,
    tags::MODEL_TAG,
};
use atoma_types::hash::Hash32;

/// Bytes of a whole frame of a file.
const FRAME_BYTES: u64 = (FRAME_HEAD + MODEL_CHUNK_BYTES + TAG) as u64;

/// Frames of a file of so many bytes: one at least.
fn frames_of(size: u64) -> u64 {
    size.div_ceil(MODEL_CHUNK_BYTES as u64).max(1)
}

/// Bytes of a sealed file whose clear one has so many.
fn sealed_size(size: u64) -> u64 {
    size + frames_of(size) * (FRAME_HEAD + TAG) as u64
}

/// The key of the file in this place.
fn file_key(key: &ModelKey, place: u32) -> Result<MessageKey> {
    let salt = [&MODEL_TAG[..], &place.to_le_bytes()].concat();
    MessageKey::derive(key.secret(), &salt, &MODEL_TAG)
}

/// What the frames of the file in this place are bound to.
fn file_binding(id: Hash32, place: u32) -> Hash32 {
    Hash32::of_parts(&[&MODEL_TAG, &id.0, &place.to_le_bytes()])
}
