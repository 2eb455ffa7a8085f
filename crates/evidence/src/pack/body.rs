//! The bodies of a request and its answer, as they lie in a record.

use super::{
    MAX_BODY, MAX_SEAL,
    error::{PackError, within},
    salted::wiped,
};
use bytes::Bytes;
use std::{cell::RefCell, fmt};
use zstd::{bulk::Compressor, zstd_safe::get_frame_content_size};

/// zstd's own default: higher levels take several times as long for a few percent of JSON.
const LEVEL: i32 = 3;
/// Below, a frame's own head eats up what there is to gain.
const COMPRESS_FROM: usize = 128;
/// The most bytes that a body has in a record.
pub(super) const MAX_STORED: usize = MAX_BODY + MAX_SEAL;

thread_local! {
    /// Its working memory is worth more than most bodies.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// How a body lies in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The body isn't in the record; only its hash stands in the signed messages.
    Absent,
    /// The body is in the record, readable by everybody.
    Open,
    /// As one zstd frame.
    Compressed,
    /// Sealed for some: bytes that a pack doesn't look into.
    Sealed,
}

impl Form {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Absent => 0,
            Self::Open => 1,
            Self::Compressed => 2,
            Self::Sealed => 3,
        }
    }

    pub(super) fn from_code(code: u8) -> Result<Self, PackError> {
        match code {
            0 => Ok(Self::Absent),
            1 => Ok(Self::Open),
            2 => Ok(Self::Compressed),
            3 => Ok(Self::Sealed),
            _ => Err(PackError::Format("an unknown form of a body")),
        }
    }
}

/// A body: absent, open or sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    form: Form,
    /// Bytes that it has when it isn't compressed.
    size: usize,
    stored: Bytes,
}

impl Body {
    /// None: it is kept elsewhere or not at all.
    #[must_use]
    pub const fn absent() -> Self {
        Self {
            form: Form::Absent,
            size: 0,
            stored: Bytes::new(),
        }
    }

    /// For everyone to read; compressed where that makes it shorter.
    ///
    /// # Errors
    /// Above [`MAX_BODY`].
    pub fn open(bytes: impl Into<Bytes>) -> Result<Self, PackError> {
        let bytes = bytes.into();
        within("a body", bytes.len(), MAX_BODY)?;
        let size = bytes.len();
        let shorter = Some(&bytes)
            .filter(|bytes| bytes.len() >= COMPRESS_FROM)
            .and_then(|bytes| compress(bytes))
            .filter(|compressed| compressed.len() < size);
        Ok(match shorter {
            Some(compressed) => Self {
                form: Form::Compressed,
                size,
                stored: compressed.into(),
            },
            None => Self {
                form: Form::Open,
                size,
                stored: bytes,
            },
        })
    }

    /// Sealed by others, for others.
    ///
    /// # Errors
    /// Above [`MAX_BODY`] and [`MAX_SEAL`] together.
    pub fn sealed(bytes: impl Into<Bytes>) -> Result<Self, PackError> {
        let stored = bytes.into();
        within("a sealed body", stored.len(), MAX_STORED)?;
        Ok(Self {
            form: Form::Sealed,
            size: stored.len(),
            stored,
        })
    }

    /// What a record says, held to the rules.
    pub(super) fn from_parts(form: Form, size: usize, stored: Bytes) -> Result<Self, PackError> {
        let good = match form {
            Form::Absent => size == 0 && stored.is_empty(),
            Form::Open => size == stored.len() && size <= MAX_BODY,
            Form::Compressed => stored.len() < size && size <= MAX_BODY,
            Form::Sealed => size == stored.len() && size <= MAX_STORED,
        };
        if !good {
            return Err(PackError::Format("the sizes of a body don't fit its form"));
        }
        Ok(Self { form, size, stored })
    }

    /// How it lies in the record.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Its size in bytes: open and plain, or sealed.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The bytes in the record.
    #[must_use]
    pub fn stored(&self) -> &Bytes {
        &self.stored
    }

    /// The plain bytes; `None` if it is absent or sealed.
    ///
    /// # Errors
    /// If it was compressed and doesn't give as many bytes as the record says. No more than these
    /// are ever made.
    pub fn plain(&self) -> Result<Option<Bytes>, PackError> {
        match self.form {
            Form::Absent | Form::Sealed => Ok(None),
            Form::Open => Ok(Some(self.stored.clone())),
            Form::Compressed => decompress(&self.stored, self.size).map(Some),
        }
    }

    /// The sealed bytes; `None` if it is absent or open.
    #[must_use]
    pub fn sealed_bytes(&self) -> Option<&Bytes> {
        (self.form == Form::Sealed).then_some(&self.stored)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} body of {} bytes", self.form, self.size)
    }
}

/// `None` if zstd can't, which only a lack of memory makes: then it stays as it is.
fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Compressor::new(LEVEL).ok();
        }
        slot.as_mut()?.compress(bytes).ok()
    })
}

/// The frame must state `size` before anything is reserved for it, and zstd stops there.
fn decompress(stored: &[u8], size: usize) -> Result<Bytes, PackError> {
    let stated = get_frame_content_size(stored).map_err(|_| PackError::Compression)?;
    if stated != Some(size as u64) {
        return Err(PackError::Compression);
    }
    let plain = zstd::bulk::decompress(stored, size).map_err(|_| PackError::Compression)?;
    (plain.len() == size)
        .then(|| wiped(plain))
        .ok_or(PackError::Compression)
}
