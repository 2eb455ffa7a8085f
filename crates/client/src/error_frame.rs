//! Whether a stream ended with its node's own error: `data: {"error": …}` is a node's last word where an
//! answer couldn't be brought to its end. There is no receipt then, and none is missing. Pure: bytes go in
//! as they arrive.

/// How the line of such a frame begins.
const BEGINNING: &[u8] = b"data: {\"error\":";

/// Follows a stream's lines.
#[derive(Clone, Debug)]
pub(crate) struct ErrorFrames {
    /// Bytes of the present line that fit the beginning; none once one didn't.
    fits: Option<usize>,
    /// The last line that says something is an error.
    last: bool,
}

impl Default for ErrorFrames {
    fn default() -> Self {
        Self {
            fits: Some(0),
            last: false,
        }
    }
}

impl ErrorFrames {
    /// Takes in the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            for &byte in line {
                let Some(fits) = self.fits.filter(|_| byte != b'\n') else {
                    break;
                };
                self.last = false;
                self.fits = match BEGINNING.get(fits) {
                    Some(&expected) if expected == byte => Some(fits + 1),
                    _ => None,
                };
                if fits + 1 == BEGINNING.len() && self.fits.is_some() {
                    (self.last, self.fits) = (true, None);
                }
            }
            if line.ends_with(b"\n") {
                self.fits = Some(0);
            }
        }
    }

    /// Whether the last line that said something was an error.
    pub(crate) fn is_last(&self) -> bool {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ERROR: &str = "data: {\"error\":{\"code\":\"unavailable\"}}\n\n";

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
