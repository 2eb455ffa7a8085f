//! A sealed request as somebody reads it who has no key: a gateway, a forwarder, a node's host.

use super::head::RequestHead;
use crate::{
    fault::{Fault, Result},
    frame::{Kind, Sequence, TAG, cut},
    key::WRAPPED,
    limits::{CHUNK_BYTES, MAX_HEAD_BYTES, SMALLEST_BUCKET_BYTES},
    padding::largest_bucket,
    tags::REQUEST_TAG,
};
use atoma_tee::octets::Octets;
use atoma_types::hash::Hash32;

const LENGTH: usize = 4;

/// A sealed request's parts. That it has the right form says nothing of whether it was changed: only a recipient can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRequest<'a> {
    head: RequestHead,
    bytes: &'a [u8],
    /// Where the head ends.
    head_end: usize,
}

impl<'a> SealedRequest<'a> {
    /// Whether a body claims to be a sealed request. A node that takes sealed requests alone refuses all others.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(&REQUEST_TAG)
    }

    /// Reads the whole request, to its last frame.
    ///
    /// # Errors
    /// [`Fault::NotSealed`] for anything else, and a reason of its own for each way to be malformed.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let rest = bytes.strip_prefix(&REQUEST_TAG).ok_or(Fault::NotSealed)?;
        let (length, rest) = rest.split_first_chunk().ok_or(Fault::Truncated)?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_HEAD_BYTES {
            return Err(Fault::RequestForm);
        }
        let head = rest.get(..length).ok_or(Fault::Truncated)?;
        let head: RequestHead = bcs::from_bytes(head).map_err(|_| Fault::RequestForm)?;
        head.check()?;
        let read = Self {
            head,
            bytes,
            head_end: REQUEST_TAG.len() + LENGTH + length,
        };
        if bytes.len() < read.frames_start() {
            return Err(Fault::Truncated);
        }
        read.check_frames()?;
        Ok(read)
    }

    /// What the client says openly.
    #[must_use]
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The hash of the whole request, which its answer is bound to.
    #[must_use]
    pub fn hash(&self) -> Hash32 {
        Hash32::of(self.bytes)
    }

    fn frames_start(&self) -> usize {
        self.head_end + WRAPPED * self.head.recipients.len()
    }

    /// What the wrapped keys are bound to.
    pub(crate) fn head_hash(&self) -> Hash32 {
        Hash32::of(&self.bytes[..self.head_end])
    }

    /// What the frames are bound to.
    pub(crate) fn binding(&self) -> Hash32 {
        Hash32::of(&self.bytes[..self.frames_start()])
    }

    pub(crate) fn frames(&self) -> &'a [u8] {
        &self.bytes[self.frames_start()..]
    }

    /// The wrapped key of the recipient in this place.
    pub(crate) fn wrapped(&self, place: usize) -> Option<Octets<WRAPPED>> {
        let wrapped = self.bytes.get(self.head_end..self.frames_start())?;
        let wrapped = wrapped.as_chunks::<WRAPPED>().0.get(place)?;
        Some(Octets(*wrapped))
    }

    /// Whole chunks, then one that is no longer; one alone has a bucket's size.
    fn check_frames(&self) -> Result<()> {
        let mut sequence = Sequence::default();
        let mut rest = self.frames();
        let mut text = 0;
        while !sequence.ended() {
            let (head, content) = cut(&mut rest)?;
            // refusals are answers
            if head.kind == Kind::Refusal {
                return Err(Fault::FrameKind);
            }
            sequence.take(head)?;
            let length = content.len().checked_sub(TAG).ok_or(Fault::FrameLength)?;
            let alone = head.index == 0 && head.kind == Kind::Last;
            let bucket = alone && length.is_power_of_two() && length >= SMALLEST_BUCKET_BYTES;
            if length > CHUNK_BYTES || !(bucket || length == CHUNK_BYTES) {
                return Err(Fault::FrameLength);
            }
            text += length;
            if text > largest_bucket() {
                return Err(Fault::TooLong);
            }
        }
        if !rest.is_empty() {
            return Err(Fault::AfterEnd);
        }
        Ok(())
    }
}
