//! Standard output that may be a pipe whose reader goes away, as `head` does. Then the command ends
//! without a word, as other tools do that the system stops by SIGPIPE: Rust programs ignore this
//! signal, so that a write fails instead.

use std::{
    io::{ErrorKind, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// What a shell reports of a program that SIGPIPE (13) ended: 128 + 13.
pub(crate) const SIGPIPE_STATUS: u8 = 141;

/// Standard output, until its reader is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    closed: AtomicBool,
    told: Notify,
}

impl Pipe {
    /// Writes all of it now. Nothing is written once a write has failed.
    pub(super) fn write(&self, bytes: &[u8]) {
        if self.is_closed() {
            return;
        }
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        if let Err(error) = written {
            // a full disk is worth a word; nobody misses what nobody reads
            if error.kind() != ErrorKind::BrokenPipe {
                let _ = writeln!(std::io::stderr(), "error: cannot write the output: {error}");
            }
            self.state.closed.store(true, Ordering::Release);
            self.state.told.notify_one();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.closed.load(Ordering::Acquire)
    }

    /// Returns once a write has failed.
    pub(super) async fn closed(&self) {
        while !self.is_closed() {
            self.state.told.notified().await;
        }
    }
}
