//! Whether a stream ended with its node's own error: `data: {"error": {"message": …}}` is a node's last word
//! where an answer couldn't be brought to its end. There is no receipt then, and none is missing. A frame
//! that only looks like one (no object, no message) tells a user nothing, so it is none. Pure: bytes go in as
//! they arrive.

use serde::Deserialize;

/// How the line of such a frame begins.
const BEGINNING: &[u8] = b"data: {\"error\":";
/// What is before its JSON.
const FIELD: &[u8] = b"data: ";
/// A longer line is no error: nodes' own are a sentence.
const MAX_LINE: usize = 16 << 10;

/// What such a frame must have.
#[derive(Deserialize)]
struct Frame {
    error: Said,
}

#[derive(Deserialize)]
struct Said {
    message: String,
}

/// Follows a stream's lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorFrames {
    /// The present line, as far as it may be an error; none once it can't be.
    line: Candidate,
    /// The last line that said something and is complete is an error.
    last: bool,
}

#[derive(Clone, Debug)]
enum Candidate {
    /// May be an error; empty at a line's beginning.
    Maybe(Vec<u8>),
    /// Says something else.
    Other,
}

impl Default for Candidate {
    fn default() -> Self {
        Self::Maybe(Vec::new())
    }
}

impl ErrorFrames {
    /// Takes in the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, ends) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            self.line.add(text);
            if ends {
                if self.line.says_something() {
                    self.last = self.line.is_error();
                }
                self.line = Candidate::default();
            }
        }
    }

    /// Whether the last line that said something was an error.
    pub(crate) fn is_last(&self) -> bool {
        match self.line.says_something() {
            true => self.line.is_error(),
            false => self.last,
        }
    }
}

impl Candidate {
    fn add(&mut self, text: &[u8]) {
        let Self::Maybe(line) = self else {
            return;
        };
        // most lines are something else from their first bytes on, and aren't copied
        let matched = line.len().min(BEGINNING.len());
        let fits = BEGINNING[matched..]
            .iter()
            .zip(text)
            .all(|(expected, byte)| expected == byte);
        if !fits || line.len() + text.len() > MAX_LINE {
            *self = Self::Other;
            return;
        }
        line.extend_from_slice(text);
    }

    fn says_something(&self) -> bool {
        match self {
            Self::Maybe(line) => !line.is_empty(),
            Self::Other => true,
        }
    }

    /// Whether it is an error with a message for people.
    fn is_error(&self) -> bool {
        let Self::Maybe(line) = self else {
            return false;
        };
        let json = line.strip_prefix(FIELD).unwrap_or_default();
        let read = serde_json::from_slice::<Frame>(json);
        read.is_ok_and(|frame| !frame.error.message.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ERROR: &str =
        "data: {\"error\":{\"message\":\"the engine stopped\",\"code\":\"unavailable\"}}\n\n";

    fn of(pieces: &[&str]) -> bool {
        let mut frames = ErrorFrames::default();
        pieces
            .iter()
            .for_each(|piece| frames.feed(piece.as_bytes()));
        frames.is_last()
    }

    #[test]
    fn only_an_error_that_comes_last_is_a_nodes_last_word() {
        let word =
            "data: {\"choices\":[{\"delta\":{\"content\":\"data: {\\\"error\\\":1}\"}}]}\n\n";
        assert!(of(&[ERROR]) && of(&[word, ERROR]));
        assert!(!of(&[]) && !of(&[word]) && !of(&[ERROR, word]));
        assert!(!of(&[ERROR, ": atoma-receipt x\n\ndata: [DONE]\n\n"]));
        assert!(!of(&["data: {\"errors\":1}\n\n"]));
    }

    #[test]
    fn a_frame_that_says_nothing_to_a_user_is_no_nodes_last_word() {
        for frame in [
            "null",
            "{}",
            "{\"code\":\"unavailable\"}",
            "{\"message\":null}",
            "{\"message\":\"\"}",
            "{\"message\":\" \"}",
            "{\"message\":7}",
            "\"gone\"",
            "{\"message\":\"cut off",
        ] {
            let frame = format!("data: {{\"error\":{frame}}}\n\n");
            assert!(!of(&[&frame]), "{frame}");
            assert!(!of(&[ERROR, &frame]), "{frame}");
            assert!(of(&[&frame, ERROR]), "{frame}");
        }
        let long = "x".repeat(MAX_LINE);
        let long = format!("data: {{\"error\":{{\"message\":\"{long}\"}}}}\n\n");
        assert!(!of(&[&long]));
        assert!(of(&[ERROR.trim_end()]), "without its line's end");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_are_cut(cuts in prop::collection::vec(1..9usize, 1..40)) {
            let text = format!("data: {{}}\n\n{ERROR}");
            let (mut frames, mut rest) = (ErrorFrames::default(), text.as_bytes());
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*cut));
                frames.feed(now);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert!(frames.is_last());
        }
    }
}
