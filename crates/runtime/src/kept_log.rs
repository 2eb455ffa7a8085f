//! A log that a test reads.

use parking_lot::Mutex;
use std::{io, sync::Arc};
use tracing_subscriber::filter::LevelFilter;

/// Keeps what is written to it; clones write to the same.
#[derive(Clone, Debug, Default)]
pub struct KeptLog(Arc<Mutex<Vec<u8>>>);

impl KeptLog {
    /// What all threads of this program say from now on, from `DEBUG` upwards.
    ///
    /// # Panics
    /// If the program has a log already.
    #[must_use]
    pub fn of_program() -> Self {
        let log = Self::default();
        let written = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(move || written.clone())
            .init();
        log
    }

    /// What `work` says in this thread, from `INFO` upwards, and what it returns.
    pub fn during<T>(work: impl FnOnce() -> T) -> (String, T) {
        let log = Self::default();
        let written = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || written.clone())
            .finish();
        let done = tracing::subscriber::with_default(subscriber, work);
        (log.text(), done)
    }

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
