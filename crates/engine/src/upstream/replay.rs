//! A server's words without a server: for the fuzz targets.

use std::sync::Arc;

use atoma_http::client::Events;

use super::account::Account;
use super::reader::{Reader, unreadable};
use super::servers::Server;
use super::{dialect, metrics, refusal};
use crate::{AnswerDelta, EngineError};

/// What a stream came to.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) deltas: Vec<AnswerDelta>,
    /// Whether anything of an answer came.
    pub(crate) begun: bool,
    /// Tokens, by the account.
    pub(crate) output: u32,
    pub(crate) end: Result<(), EngineError>,
}

/// Reads a stream that comes in these pieces, for so many answers, and ends then.
pub(crate) fn stream(wanted: u32, pieces: &[&[u8]]) -> Replayed {
    let server = Arc::new(Server::new("http://server"));
    let mut reader = Reader::detached(server, Account::new(wanted, None));
    let mut deltas = Vec::new();
    let end = read(&mut reader, pieces, &mut deltas);
    Replayed {
        deltas,
        begun: reader.account.has_begun(),
        output: reader.account.output(),
        end,
    }
}

fn read(
    reader: &mut Reader,
    pieces: &[&[u8]],
    deltas: &mut Vec<AnswerDelta>,
) -> Result<(), EngineError> {
    let mut events = Events::default();
    for piece in pieces {
        events.push(piece).map_err(|_| unreadable())?;
        while let Some(payload) = events.next() {
            deltas.extend(reader.take(Some(payload))?);
            if reader.is_over() {
                return Ok(());
            }
        }
    }
    deltas.extend(reader.take(None)?);
    Ok(())
}

/// What a server says of itself: its models, its metrics.
pub(crate) fn about_itself(bytes: &[u8]) {
    let named = dialect::first_model(bytes);
    assert!(named.is_none_or(|name| !name.is_empty()));
    let _ = dialect::identify(bytes, "model");
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = metrics::read(text);
    }
}

/// What is made of a refusal, and of an error in a stream.
pub(crate) fn refusal(status: u16, body: &[u8]) -> EngineError {
    let _ = refusal::of_frame(body, Some(1_024));
    let path = if status.is_multiple_of(2) {
        super::EMBEDDINGS
    } else {
        ""
    };
    refusal::of_status(status, path, body, None)
}
