//! A sealed model's head: what names it, and what its key opens.

use super::{
    file::SealedFile, file_binding, file_key, key::ModelKey, manifest::Manifest, sealed_size,
};
use crate::{
    fault::{Fault, Result},
    frame::{FRAME_HEAD, FrameOpener, FrameSealer, Kind, Sequence, TAG, cut},
    limits::{CHUNK_BYTES, MAX_MANIFEST_BYTES},
    message_key::MessageKey,
    tags::MODEL_TAG,
};
use atoma_tee::octets::{Digest, Octets};
use atoma_types::hash::Hash32;
use std::io::{self, Read, Seek, SeekFrom};
use zeroize::Zeroizing;

/// Tag and commitment.
const CLEAR: usize = MODEL_TAG.len() + 32;
/// The longest head: that of the longest manifest.
const MAX_BYTES: usize =
    CLEAR + MAX_MANIFEST_BYTES + MAX_MANIFEST_BYTES.div_ceil(CHUNK_BYTES) * (FRAME_HEAD + TAG);

/// A sealed model as somebody has it who has no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedModel {
    bytes: Vec<u8>,
    commitment: Digest,
}

/// A sealed model whose key is there: what its files are, and how to read them.
#[derive(Debug)]
pub struct OpenModel {
    id: Hash32,
    manifest: Manifest,
    key: ModelKey,
}

impl SealedModel {
    /// The most bytes that a head has.
    pub const MAX_BYTES: usize = MAX_BYTES;

    /// Reads a head, which has one form.
    ///
    /// # Errors
    /// [`Fault::ModelForm`] for anything else, and a reason of its own for each way to be cut wrongly.
    pub fn read(bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() > MAX_BYTES || !bytes.starts_with(&MODEL_TAG) {
            return Err(Fault::ModelForm);
        }
        let commitment = bytes.get(MODEL_TAG.len()..CLEAR).ok_or(Fault::Truncated)?;
        let commitment = Octets(commitment.try_into().map_err(|_| Fault::Truncated)?);
        check_frames(&bytes[CLEAR..])?;
        Ok(Self { bytes, commitment })
    }

    /// Seals a manifest.
    pub(super) fn seal(manifest: &Manifest, key: &ModelKey) -> Result<Self> {
        let message = MessageKey::derive(key.secret(), &MODEL_TAG, &MODEL_TAG)?;
        let commitment = message.commitment;
        let mut bytes = [&MODEL_TAG[..], &commitment.0].concat();
        let mut frames = FrameSealer::new(message, Hash32::of(&bytes));
        let text = Zeroizing::new(manifest.to_bytes());
        let mut chunks = text.chunks(CHUNK_BYTES).peekable();
        while let Some(chunk) = chunks.next() {
            let kind = match chunks.peek() {
                Some(_) => Kind::More,
                None => Kind::Last,
            };
            frames.seal(kind, |out| out.extend_from_slice(chunk), &mut bytes)?;
        }
        Ok(Self { bytes, commitment })
    }

    /// Names the sealed model: nothing of it can be changed without another name, or another key's owner.
    #[must_use]
    pub fn id(&self) -> Hash32 {
        Hash32::of(&self.bytes)
    }

    /// The head's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Opens it with its key.
    ///
    /// # Errors
    /// [`Fault::ModelKey`] for another key than its own, and as [`Manifest::from_bytes`].
    pub fn open(&self, key: ModelKey) -> Result<OpenModel> {
        let message = MessageKey::derive(key.secret(), &MODEL_TAG, &MODEL_TAG)?;
        if !message.is_committed_to(&self.commitment) {
            return Err(Fault::ModelKey);
        }
        let opener = FrameOpener::new(message, Hash32::of(&self.bytes[..CLEAR]));
        let mut rest = &self.bytes[CLEAR..];
        let mut manifest = Zeroizing::new(Vec::with_capacity(rest.len()));
        // their order was seen when the head was read
        while !rest.is_empty() {
            let (head, sealed) = cut(&mut rest)?;
            let start = manifest.len();
            manifest.extend_from_slice(sealed);
            let text = opener.open(head, &mut manifest[start..])?.len();
            manifest.truncate(start + text);
        }
        Ok(OpenModel {
            id: self.id(),
            manifest: Manifest::from_bytes(&manifest)?,
            key,
        })
    }
}

/// Whole chunks, then one that is no longer and not empty.
fn check_frames(mut rest: &[u8]) -> Result<()> {
    let mut sequence = Sequence::default();
    let mut length = 0;
    while !sequence.ended() {
        let (head, content) = cut(&mut rest)?;
        if !matches!(head.kind, Kind::More | Kind::Last) {
            return Err(Fault::FrameKind);
        }
        sequence.take(head)?;
        let text = content.len().checked_sub(TAG).ok_or(Fault::FrameLength)?;
        let fits = match head.kind {
            Kind::More => text == CHUNK_BYTES,
            _ => (1..=CHUNK_BYTES).contains(&text),
        };
        length += text;
        if !fits || length > MAX_MANIFEST_BYTES {
            return Err(Fault::FrameLength);
        }
    }
    match rest.is_empty() {
        true => Ok(()),
        false => Err(Fault::AfterEnd),
    }
}

impl OpenModel {
    /// Names the sealed model.
    #[must_use]
    pub fn id(&self) -> Hash32 {
        self.id
    }

    /// What its files are.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads the file in this place from its sealed bytes, part by part: nothing is decrypted that isn't asked for.
    ///
    /// # Errors
    /// If there is no such file, it has another length than it must have, or it can't be read.
    pub fn file<R: Read + Seek>(&self, place: u32, mut sealed: R) -> io::Result<SealedFile<R>> {
        let file = self.manifest.files().nth(place as usize);
        let file = file.ok_or_else(|| io::Error::other(Fault::ModelFiles))?;
        if sealed.seek(SeekFrom::End(0))? != sealed_size(file.size) {
            return Err(io::Error::other(Fault::ModelFileLength));
        }
        let key = file_key(&self.key, place).map_err(io::Error::other)?;
        let opener = FrameOpener::new(key, file_binding(self.id, place));
        Ok(SealedFile::new(sealed, opener, file.size))
    }
}
