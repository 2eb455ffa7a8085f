//! A log that a test reads.

use parking_lot::Mutex;
use std::{io, sync::Arc};

/// Keeps what is written to it; clones write to the same. Give `move || log.clone()` to a subscriber.
#[derive(Clone, Debug, Default)]
pub struct KeptLog(Arc<Mutex<Vec<u8>>>);

impl KeptLog {
    /// What was written so far.
    ///
    /// # Panics
    /// If it isn't UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).expect("logs are text")
    }

    /// Whether some line has all these words.
    #[must_use]
    pub fn has_line_with(&self, words: &[&str]) -> bool {
        let text = self.text();
        let mut lines = text.lines();
        lines.any(|line| words.iter().all(|word| line.contains(word)))
    }
}

impl io::Write for KeptLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
