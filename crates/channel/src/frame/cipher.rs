//! Encrypts and decrypts frames, each once and in order.

use super::{
    cut::{FRAME_HEAD, FrameHead, Kind, TAG},
    sequence::Sequence,
};
use crate::{
    fault::{Fault, Result},
    message_key::{MessageKey, NONCE},
};
use atoma_types::hash::Hash32;
use aws_lc_rs::aead::{Aad, Nonce};
use std::fmt;

const BOUND: usize = 32 + FRAME_HEAD;

/// Encrypts the frames of one message.
pub(crate) struct FrameSealer {
    key: MessageKey,
    binding: Hash32,
    sequence: Sequence,
}

/// Decrypts the frames of one message, each of which the caller has seen to be the next.
pub(crate) struct FrameOpener {
    key: MessageKey,
    binding: Hash32,
}

fn nonce(base: &[u8; NONCE], index: u32) -> Nonce {
    let mut nonce = *base;
    for (byte, counter) in nonce[NONCE - 4..].iter_mut().zip(index.to_be_bytes()) {
        *byte ^= counter;
    }
    Nonce::assume_unique_for_key(nonce)
}

fn bound(binding: &Hash32, head: FrameHead) -> Aad<[u8; BOUND]> {
    let mut bound = [0; BOUND];
    bound[..32].copy_from_slice(&binding.0);
    bound[32..].copy_from_slice(&head.to_bytes());
    Aad::from(bound)
}

// === impl FrameSealer ===

impl FrameSealer {
    pub(crate) fn new(key: MessageKey, binding: Hash32) -> Self {
        Self {
            key,
            binding,
            sequence: Sequence::default(),
        }
    }

    /// Appends a frame whose text `write` appends.
    ///
    /// # Errors
    /// After the last frame, and after the most frames that a message has: no nonce is used twice.
    pub(crate) fn seal(
        &mut self,
        kind: Kind,
        write: impl FnOnce(&mut Vec<u8>),
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let start = out.len();
        out.extend_from_slice(&[0; FRAME_HEAD]);
        let text = out.len();
        write(out);
        let head = FrameHead {
            length: out.len() - text + TAG,
            index: self.sequence.next(),
            kind,
        };
        let sealed = self.sequence.take(head).and_then(|()| {
            self.key
                .cipher
                .seal_in_place_separate_tag(
                    nonce(&self.key.base, head.index),
                    bound(&self.binding, head),
                    &mut out[text..],
                )
                .map_err(|_| Fault::FrameLength)
        });
        match sealed {
            Ok(tag) => {
                out[start..text].copy_from_slice(&head.to_bytes());
                out.extend_from_slice(tag.as_ref());
                Ok(())
            }
            Err(fault) => {
                // no text of a frame that wasn't sealed stays there
                out[start..].fill(0);
                out.truncate(start);
                Err(fault)
            }
        }
    }

    /// Appends the receipt, in clear.
    pub(crate) fn append_receipt(&mut self, receipt: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let head = FrameHead {
            length: receipt.len(),
            index: self.sequence.next(),
            kind: Kind::Receipt,
        };
        self.sequence.take(head)?;
        out.extend_from_slice(&head.to_bytes());
        out.extend_from_slice(receipt);
        Ok(())
    }
}

// === impl FrameOpener ===

impl FrameOpener {
    pub(crate) fn new(key: MessageKey, binding: Hash32) -> Self {
        Self { key, binding }
    }

    /// Decrypts in place and gives the text's part of `content`. That the frame is the one that comes next was seen
    /// before ([`Sequence`]).
    pub(crate) fn open<'a>(&self, head: FrameHead, content: &'a mut [u8]) -> Result<&'a mut [u8]> {
        self.key
            .cipher
            .open_in_place(
                nonce(&self.key.base, head.index),
                bound(&self.binding, head),
                content,
            )
            .map_err(|_| Fault::FrameForged)
    }
}

impl fmt::Debug for FrameSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameSealer").finish_non_exhaustive()
    }
}

impl fmt::Debug for FrameOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameOpener").finish_non_exhaustive()
    }
}
