//! The owner's side: sealing a model's files.

use super::{
    file_binding, file_key, frames_of,
    head::SealedModel,
    key::ModelKey,
    manifest::{Manifest, ModelFile},
};
use crate::{
    fault::{Fault, Result},
    frame::{FrameSealer, Kind},
    limits::MODEL_CHUNK_BYTES,
};
use atoma_runtime::Random;
use atoma_types::hash::Hasher;
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

/// Seals one model. Its files were looked at before; each is looked at again when it is sealed.
#[derive(Debug)]
pub struct ModelSealer {
    model: SealedModel,
    files: Vec<ModelFile>,
    key: ModelKey,
}

/// A file couldn't be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealFileError {
    /// It can't be read, or what is sealed of it can't be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It isn't what it was when it was looked at, or there is no such file.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ModelSealer {
    /// Draws a new key for these files; `random` must be good for keys.
    ///
    /// # Errors
    /// As [`Manifest::new`].
    pub fn new(files: Vec<ModelFile>, random: &dyn Random) -> Result<Self> {
        let manifest = Manifest::new(files)?;
        let key = ModelKey::generate(random);
        Ok(Self {
            model: SealedModel::seal(&manifest, &key)?,
            files: manifest.files().collect(),
            key,
        })
    }

    /// The head, which names the model.
    #[must_use]
    pub fn model(&self) -> &SealedModel {
        &self.model
    }

    /// The files in their places.
    #[must_use]
    pub fn files(&self) -> &[ModelFile] {
        &self.files
    }

    /// The key. Handle with care.
    #[must_use]
    pub fn key(&self) -> &ModelKey {
        &self.key
    }

    /// Seals the file in this place.
    ///
    /// # Errors
    /// [`Fault::ModelFile`] if it isn't the file that was looked at. What was written then is worth nothing.
    pub fn seal_file(
        &self,
        place: u32,
        mut clear: impl Read,
        mut out: impl Write,
    ) -> std::result::Result<(), SealFileError> {
        let file = self.files.get(place as usize).ok_or(Fault::ModelFiles)?;
        let key = file_key(&self.key, place)?;
        let mut frames = FrameSealer::new(key, file_binding(self.model.id(), place));
        let mut hasher = Hasher::new();
        let mut chunk = Zeroizing::new(vec![0; MODEL_CHUNK_BYTES]);
        let mut sealed = Vec::new();
        let (count, mut left) = (frames_of(file.size), file.size);
        for index in 0..count {
            let length = left.min(MODEL_CHUNK_BYTES as u64) as usize;
            left -= length as u64;
            let chunk = &mut chunk[..length];
            clear
                .read_exact(chunk)
                .map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => SealFileError::Fault(Fault::ModelFile),
                    _ => error.into(),
                })?;
            hasher.update(chunk);
            let kind = match index + 1 == count {
                true => Kind::Last,
                false => Kind::More,
            };
            sealed.clear();
            frames.seal(kind, |out| out.extend_from_slice(chunk), &mut sealed)?;
            out.write_all(&sealed)?;
        }
        let grown = clear.read(&mut [0])? > 0;
        if grown || hasher.finish() != file.hash {
            return Err(Fault::ModelFile.into());
        }
        Ok(())
    }
}
