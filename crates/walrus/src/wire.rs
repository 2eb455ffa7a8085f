//! Reading of foreign bytes (BCS and the like): total, never allocating for a length that the
//! bytes don't have. Integers are little-endian.

/// Why bytes can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// They end too early.
    #[error("the bytes end too early")]
    TooShort,
    /// They go on after the end.
    #[error("there are bytes left over")]
    TooLong,
    /// A length isn't in its shortest form, or exceeds its limit.
    #[error("a length is out of bounds")]
    Length,
    /// A tag or a version that isn't known.
    #[error("unknown tag {0}")]
    Tag(u8),
    /// Text that isn't UTF-8.
    #[error("a text isn't UTF-8")]
    Text,
    /// A value that contradicts another.
    #[error("the values contradict each other")]
    Inconsistent,
}

/// What is left to read. A read that fails takes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins at the first of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`WireError::TooShort`] if fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(WireError::TooShort)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`WireError::TooShort`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(WireError::TooShort)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`WireError::TooShort`] if none is left.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes, the lower first.
    ///
    /// # Errors
    /// [`WireError::TooShort`] if fewer are left.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes, the lowest first.
    ///
    /// # Errors
    /// [`WireError::TooShort`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, the lowest first.
    ///
    /// # Errors
    /// [`WireError::TooShort`] if fewer are left.
    pub fn u64(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Takes the byte `tag`.
    ///
    /// # Errors
    /// [`WireError::Tag`] if the next byte is another.
    pub fn tag(&mut self, tag: u8) -> Result<(), WireError> {
        let found = self.u8()?;
        (found == tag).then_some(()).ok_or(WireError::Tag(found))
    }

    /// A BCS length: ULEB128 in its shortest form, at most `max`.
    ///
    /// # Errors
    /// [`WireError::Length`] if it isn't that, [`WireError::TooShort`] if the bytes end before it.
    pub fn length(&mut self, max: usize) -> Result<usize, WireError> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(WireError::Length);
                }
                let value = usize::try_from(value).map_err(|_| WireError::Length)?;
                return (value <= max).then_some(value).ok_or(WireError::Length);
            }
        }
        Err(WireError::Length)
    }

    /// A BCS string of at most `max` bytes.
    ///
    /// # Errors
    /// As [`length`](Self::length) and [`take`](Self::take); [`WireError::Text`] if it isn't UTF-8.
    pub fn text(&mut self, max: usize) -> Result<&'a str, WireError> {
        let length = self.length(max)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| WireError::Text)
    }

    /// All that wasn't read.
    #[must_use]
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`WireError::TooLong`] if bytes are left.
    pub fn end(self) -> Result<(), WireError> {
        self.0.is_empty().then_some(()).ok_or(WireError::TooLong)
    }
}

/// Appends a BCS length.
pub fn put_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a BCS string.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lengths_go_round(length in 0_usize..=u32::MAX as usize) {
            let mut bytes = Vec::new();
            put_length(&mut bytes, length);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.length(usize::MAX), Ok(length));
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
            let mut reader = Reader::new(&bytes);
            let _ = reader.length(9);
            let _ = reader.text(9);
            let _ = reader.u64();
        }
    }

    #[test]
    fn long_forms_of_a_length_are_refused() {
        let length = |bytes: &[u8]| Reader::new(bytes).length(usize::MAX);
        assert_eq!(length(&[0x80, 0]), Err(WireError::Length));
        assert_eq!(length(&[0xff; 6]), Err(WireError::Length));
        assert_eq!(Reader::new(&[5]).length(4), Err(WireError::Length));
    }
}
