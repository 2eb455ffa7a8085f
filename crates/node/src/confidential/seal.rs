//! What an answer to a sealed request goes through on its way out.

use atoma_channel::AnswerSealer;
use atoma_types::{
    message::{Receipt, Signed},
    refusal::Refusal,
};
use bytes::Bytes;
use parking_lot::Mutex;
use std::{fmt, sync::Arc};

/// Seals one answer. Clones share it: whoever ends the request says so, in words that only the asker can read.
#[derive(Clone)]
pub(crate) struct Seal(Arc<Mutex<AnswerSealer>>);

impl Seal {
    pub(super) fn new(sealer: AnswerSealer) -> Self {
        Self(Arc::new(Mutex::new(sealer)))
    }

    /// Text of which more follows. Empty behind the end.
    pub(crate) fn text(&self, text: &[u8]) -> Bytes {
        self.sealed(|sealer, out| sealer.text(text, out))
    }

    /// The last text.
    pub(crate) fn end(&self, text: &[u8]) -> Bytes {
        self.sealed(|sealer, out| sealer.finish(text, out))
    }

    /// The words that the answer failed. None behind the end.
    pub(crate) fn fail(&self, refusal: &Refusal) -> Option<Bytes> {
        let (status, words) = (refusal.code.status(), refusal.to_json());
        let sealed = self.sealed(|sealer, out| sealer.fail(status, words.as_bytes(), out));
        (!sealed.is_empty()).then_some(sealed)
    }

    /// The receipt behind the end.
    pub(crate) fn receipt(&self, receipt: &Signed<Receipt>) -> Bytes {
        self.sealed(|sealer, out| sealer.receipt(&receipt.to_bytes(), out))
    }

    /// What is refused (behind the end) leaves nothing: whoever asked then finds the answer unfinished.
    fn sealed(
        &self,
        seal: impl FnOnce(&mut AnswerSealer, &mut Vec<u8>) -> Result<(), atoma_channel::Fault>,
    ) -> Bytes {
        let mut out = Vec::new();
        match seal(&mut self.0.lock(), &mut out) {
            Ok(()) => out.into(),
            Err(fault) => {
                tracing::warn!(code = fault.code(), "an answer cannot be sealed");
                Bytes::new()
            }
        }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}
