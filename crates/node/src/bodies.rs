//! Bodies on their way into the log.

use bytes::Bytes;
use std::fmt;

/// What was asked and what was sent. Cheap to fill: the pieces are shared, not copied.
pub(crate) struct Bodies {
    /// For everyone to read, by the user's wish; sealed otherwise.
    pub open: bool,
    pub request: Bytes,
    answer: Vec<Bytes>,
}

impl Bodies {
    pub(crate) fn new(request: Bytes, open: bool) -> Self {
        Self {
            open,
            request,
            answer: Vec::new(),
        }
    }

    /// The next bytes that are sent.
    pub(crate) fn sending(&mut self, bytes: &Bytes) {
        self.answer.push(bytes.clone());
    }

    /// All that was sent.
    pub(crate) fn answer(&self) -> Bytes {
        match self.answer.as_slice() {
            [] => Bytes::new(),
            [whole] => whole.clone(),
            pieces => pieces.concat().into(),
        }
    }

    /// Bytes of both.
    pub(crate) fn size(&self) -> u64 {
        let pieces = self.answer.iter().map(Bytes::len).sum::<usize>();
        (self.request.len() + pieces) as u64
    }
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bodies({} bytes)", self.size())
    }
}
