//! Standard output that may be a pipe whose reader goes away, as `head` does. Then the command ends
//! without a word, as other tools do that the system stops by SIGPIPE: Rust programs ignore this
//! signal, so that a write fails instead. A write that fails otherwise, as on a full disk, is an error.

use std::{
    io::{ErrorKind, Write},
    sync::{Arc, OnceLock},
};
use tokio::sync::Notify;

/// What a shell reports of a program that SIGPIPE (13) ended: 128 + 13.
const SIGPIPE_STATUS: u8 = 141;
/// What the program ends with where its output can't be written, though somebody would read it.
const UNWRITTEN_STATUS: u8 = 1;

/// Standard output, until a write fails.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the program ends with, once a write has failed.
    lost: OnceLock<u8>,
    told: Notify,
}

impl Pipe {
    /// Writes all of it now. Nothing is written once a write has failed.
    pub(super) fn write(&self, bytes: &[u8]) {
        if self.lost().is_some() {
            return;
        }
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        if let Err(error) = written {
            // a full disk is worth a word; nobody misses what nobody reads
            let status = match error.kind() {
                ErrorKind::BrokenPipe => SIGPIPE_STATUS,
                _ => {
                    let _ = writeln!(std::io::stderr(), "error: cannot write the output: {error}");
                    UNWRITTEN_STATUS
                }
            };
            // another write may have failed at the same time, for the same reason
            let _ = self.state.lost.set(status);
            self.state.told.notify_one();
        }
    }

    /// What the program ends with, once a write has failed.
    pub(super) fn lost(&self) -> Option<u8> {
        self.state.lost.get().copied()
    }

    /// Returns once a write has failed.
    pub(super) async fn closed(&self) {
        while self.lost().is_none() {
            self.state.told.notified().await;
        }
    }
}
