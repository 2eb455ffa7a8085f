//! Where a frame begins and ends.

use crate::fault::{Fault, Result};

/// Bytes before a frame's content.
pub(crate) const FRAME_HEAD: usize = 9;
/// Bytes of AES-GCM's tag.
pub(crate) const TAG: usize = 16;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An encrypted frame that others follow.
    More = 0,
    /// The last that is encrypted.
    Last = 1,
    /// Not encrypted: the receipt, behind the last.
    Receipt = 2,
    /// The only one of an answer that is a refusal: encrypted, and no receipt follows.
    Refusal = 3,
}

/// What stands in clear before a frame's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    /// Bytes of the content.
    pub(crate) length: usize,
    /// Which frame of the message it is, from 0 on.
    pub(crate) index: u32,
    /// What it is.
    pub(crate) kind: Kind,
}

impl FrameHead {
    pub(crate) fn to_bytes(self) -> [u8; FRAME_HEAD] {
        let mut bytes = [0; FRAME_HEAD];
        // a frame is far below 4 GiB
        bytes[..4].copy_from_slice(&(self.length as u32).to_le_bytes());
        bytes[4..8].copy_from_slice(&self.index.to_le_bytes());
        bytes[8] = self.kind as u8;
        bytes
    }

    /// Reads the head of the first frame of `input`; `None` while it isn't all there.
    pub(crate) fn read(input: &[u8]) -> Result<Option<Self>> {
        let Some(bytes) = input.first_chunk::<FRAME_HEAD>() else {
            return Ok(None);
        };
        let [l0, l1, l2, l3, i0, i1, i2, i3, kind] = *bytes;
        let kind = match kind {
            0 => Kind::More,
            1 => Kind::Last,
            2 => Kind::Receipt,
            3 => Kind::Refusal,
            _ => return Err(Fault::FrameKind),
        };
        Ok(Some(Self {
            length: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
            index: u32::from_le_bytes([i0, i1, i2, i3]),
            kind,
        }))
    }
}

/// Takes one whole frame off the front of a message that is all there.
///
/// # Errors
/// [`Fault::Truncated`] where the frame isn't all there.
pub(crate) fn cut<'a>(input: &mut &'a [u8]) -> Result<(FrameHead, &'a [u8])> {
    let head = FrameHead::read(input)?.ok_or(Fault::Truncated)?;
    let rest = &input[FRAME_HEAD..];
    let (content, rest) = rest.split_at_checked(head.length).ok_or(Fault::Truncated)?;
    *input = rest;
    Ok((head, content))
}
