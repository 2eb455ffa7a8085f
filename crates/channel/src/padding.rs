//! How long a text looks. Each text has one padded form, and a reader refuses every other.
//!
//! ```text
//! request  length u32 le ‖ text ‖ zeros, as long as its bucket; then cut into frames
//! answer   content 1 (0 text, 1 error) ‖ length u32 le ‖ bytes ‖ zeros, for each frame
//! ```

use crate::{
    fault::{Fault, Result},
    limits::{
        ANSWER_BLOCK_BYTES, CHUNK_BYTES, EVEN_FRAME_BYTES, MAX_ANSWER_FRAME_BYTES,
        MAX_REQUEST_BYTES, SMALLEST_BUCKET_BYTES,
    },
};
use serde::{Deserialize, Serialize};

const LENGTH: usize = 4;
const CONTENT: usize = 1;

/// What a frame of an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text = 0,
    /// Stands in the last frame alone.
    Error = 1,
}

/// How an answer's frames are padded. BCS: 1 byte, 0 blocks, 1 even.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Padding {
    /// To multiples of 256 bytes: who watches the stream sees roughly how much came when.
    #[default]
    Blocks,
    /// To 4 KiB each, whatever is in it: who watches sees when something came, and how many frames in all.
    Even,
}

impl Padding {
    /// The most bytes of text in one frame.
    pub(crate) fn most(self) -> usize {
        let frame = match self {
            Self::Blocks => MAX_ANSWER_FRAME_BYTES,
            Self::Even => EVEN_FRAME_BYTES,
        };
        frame - CONTENT - LENGTH
    }

    fn padded(self, length: usize) -> usize {
        match self {
            Self::Blocks => (CONTENT + LENGTH + length).next_multiple_of(ANSWER_BLOCK_BYTES),
            Self::Even => EVEN_FRAME_BYTES,
        }
    }

    /// Whether a frame's padded text may have this length.
    pub(crate) fn allows(self, padded: usize) -> bool {
        match self {
            Self::Blocks => {
                padded > 0
                    && padded <= MAX_ANSWER_FRAME_BYTES
                    && padded.is_multiple_of(ANSWER_BLOCK_BYTES)
            }
            Self::Even => padded == EVEN_FRAME_BYTES,
        }
    }

    /// Appends the padded form of one frame's content, which is at most [`most`](Self::most) long.
    pub(crate) fn pad(self, content: Content, bytes: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.push(content as u8);
        push_length(bytes.len(), out);
        out.extend_from_slice(bytes);
        out.resize(start + self.padded(bytes.len()), 0);
    }

    /// What a frame's padded text holds, and where.
    pub(crate) fn unpad(self, padded: &[u8]) -> Result<(Content, std::ops::Range<usize>)> {
        let (content, rest) = padded.split_first().ok_or(Fault::Padding)?;
        let content = match content {
            0 => Content::Text,
            1 => Content::Error,
            _ => return Err(Fault::FrameKind),
        };
        let length = length_of(rest)?;
        if self.padded(length) != padded.len() {
            return Err(Fault::Padding);
        }
        Ok((content, CONTENT + LENGTH..CONTENT + LENGTH + length))
    }
}

/// How long a request's text looks: the next power of two from 1 KiB to 64, beyond that whole chunks.
fn bucket(length: usize) -> usize {
    let least = (LENGTH + length).max(SMALLEST_BUCKET_BYTES);
    if least <= CHUNK_BYTES {
        least.next_power_of_two()
    } else {
        least.next_multiple_of(CHUNK_BYTES)
    }
}

/// The most bytes that a request's text is padded to.
pub(crate) fn largest_bucket() -> usize {
    bucket(MAX_REQUEST_BYTES)
}

/// A request's text in its padded form.
pub(crate) fn pad_request(text: &[u8]) -> Result<Vec<u8>> {
    if text.len() > MAX_REQUEST_BYTES {
        return Err(Fault::TooLong);
    }
    let bucket = bucket(text.len());
    let mut padded = Vec::with_capacity(bucket);
    push_length(text.len(), &mut padded);
    padded.extend_from_slice(text);
    padded.resize(bucket, 0);
    Ok(padded)
}

/// Takes the padding off.
pub(crate) fn unpad_request(padded: &mut Vec<u8>) -> Result<()> {
    let length = length_of(padded)?;
    if length > MAX_REQUEST_BYTES || bucket(length) != padded.len() {
        return Err(Fault::Padding);
    }
    padded.truncate(LENGTH + length);
    padded.drain(..LENGTH);
    Ok(())
}

fn push_length(length: usize, out: &mut Vec<u8>) {
    // every text is shorter than 4 GiB by its own limit
    out.extend_from_slice(&(length as u32).to_le_bytes());
}

/// The length that stands first, where there are so many bytes behind it and zeros alone behind these.
fn length_of(padded: &[u8]) -> Result<usize> {
    let (length, rest) = padded.split_first_chunk().ok_or(Fault::Padding)?;
    let length = u32::from_le_bytes(*length) as usize;
    let zeros = rest.get(length..).ok_or(Fault::Padding)?;
    // all of them in any case: that takes a vector of bytes at a time
    if zeros.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(Fault::Padding);
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_few_sizes() {
        let sizes = [
            (0, 1 << 10),
            (1_020, 1 << 10),
            (1_021, 2 << 10),
            (3_000, 4 << 10),
            ((64 << 10) - 4, 64 << 10),
            ((64 << 10) - 3, 128 << 10),
            ((128 << 10) - 3, 192 << 10),
        ];
        for (length, padded) in sizes {
            assert_eq!(bucket(length), padded, "{length}");
        }
        assert!(pad_request(&vec![0; MAX_REQUEST_BYTES + 1]).is_err());
    }

    #[test]
    fn a_text_has_one_padded_form() {
        let padded = pad_request(b"text").unwrap();
        let read = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            unpad_request(&mut bytes).map(|()| bytes)
        };
        assert_eq!(read(&padded).as_deref(), Ok(&b"text"[..]));
        let mut longer = padded.clone();
        longer.resize(2 << 10, 0);
        assert_eq!(read(&longer), Err(Fault::Padding));
        let mut filled = padded.clone();
        filled[1_023] = 1;
        assert_eq!(read(&filled), Err(Fault::Padding));
        let mut long = padded;
        long[3] = 0xff;
        assert_eq!(read(&long), Err(Fault::Padding));
        assert_eq!(read(&[0; 3]), Err(Fault::Padding));
    }

    #[test]
    fn frames_of_an_answer_look_alike() {
        for padding in [Padding::Blocks, Padding::Even] {
            for length in [0, 1, 251, 252, 1_000, padding.most()] {
                let mut padded = Vec::new();
                padding.pad(Content::Text, &vec![7; length], &mut padded);
                assert!(padding.allows(padded.len()), "{padding:?} {length}");
                let (content, place) = padding.unpad(&padded).unwrap();
                assert_eq!((content, place.len()), (Content::Text, length));
                padded.extend_from_slice(&[0; ANSWER_BLOCK_BYTES]);
                assert_eq!(padding.unpad(&padded), Err(Fault::Padding));
            }
        }
    }
}
