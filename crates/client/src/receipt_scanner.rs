//! Where the receipt is in a stream. Pure: bytes go in as they arrive, in whatever pieces. No event is
//! read here (that is `atoma_http::client::Events`): every byte is hashed where it lies, and one line
//! looked for.
//!
//! The receipt is a comment line, `: atoma-receipt <text>`, at the end of the stream. The hash it
//! vouches for covers every byte before that line. After it comes an empty line, `data: [DONE]`
//! and another empty line, and nothing else: those bytes are covered by no hash, so any others
//! would be words that the node never signed. Behind the receipt's text may stand a space and a second
//! record's.

use atoma_types::{
    hash::{Hash32, Hasher},
    http::RECEIPT_COMMENT,
};

/// Longer than any receipt's text with a second record's.
const MAX_RECEIPT_TEXT: usize = 4_096;
/// What follows a receipt's line.
const END: &[u8] = b"\ndata: [DONE]\n\n";

/// Follows a stream's bytes.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    hasher: Hasher,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// At a line's beginning; so many bytes of the comment's prefix have matched, and aren't
    /// hashed yet.
    LineStart(usize),
    InLine,
    /// In the receipt's line.
    Receipt(Vec<u8>),
    /// After it; so many bytes of the end have come.
    After {
        text: String,
        end: usize,
    },
    Spoilt,
}

impl Default for State {
    fn default() -> Self {
        Self::LineStart(0)
    }
}

/// What the stream came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Of all bytes before the receipt's line.
    pub hash: Hash32,
    /// The receipt's text.
    pub receipt: String,
}

/// Why a stream has no usable receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanError {
    /// There is none, or it is cut off.
    Missing,
    /// It is followed by something else than the end.
    Trailing,
}

impl Scanner {
    /// Whose hash goes on from what `hasher` has taken in: the beginning of a commitment.
    #[must_use]
    pub fn over(hasher: Hasher) -> Self {
        Self {
            hasher,
            ..Self::default()
        }
    }

    /// Takes in the next bytes. True once the receipt's line is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        self.feed_to(bytes, |_| ())
    }

    /// The same; what the hash covers goes to `covered`, too, as soon as that is clear.
    pub fn feed_to(&mut self, mut bytes: &[u8], mut covered: impl FnMut(&[u8])) -> bool {
        let prefix = RECEIPT_COMMENT.as_bytes();
        while !bytes.is_empty() {
            match &mut self.state {
                State::LineStart(matched) => {
                    if bytes[0] == prefix[*matched] {
                        *matched += 1;
                        bytes = &bytes[1..];
                        if *matched == prefix.len() {
                            self.state = State::Receipt(Vec::new());
                        }
                    } else {
                        self.hasher.update(&prefix[..*matched]);
                        covered(&prefix[..*matched]);
                        self.state = State::InLine;
                    }
                }
                State::InLine => {
                    let end = bytes.iter().position(|&byte| byte == b'\n');
                    let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                    self.hasher.update(line);
                    covered(line);
                    if end.is_some() {
                        self.state = State::LineStart(0);
                    }
                    bytes = rest;
                }
                State::Receipt(text) => {
                    let end = bytes.iter().position(|&byte| byte == b'\n');
                    let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    text.extend_from_slice(line);
                    if text.len() > MAX_RECEIPT_TEXT {
                        self.state = State::Spoilt;
                        return false;
                    }
                    if end.is_some() {
                        // a text that isn't UTF-8 is no receipt either
                        let text = String::from_utf8_lossy(text).into_owned();
                        self.state = State::After { text, end: 0 };
                        bytes = &rest[1..];
                    } else {
                        bytes = rest;
                    }
                }
                State::After { end, .. } => {
                    let expected = &END[*end..];
                    if bytes.len() > expected.len() || !expected.starts_with(bytes) {
                        self.state = State::Spoilt;
                        return false;
                    }
                    *end += bytes.len();
                    bytes = &[];
                }
                State::Spoilt => return false,
            }
        }
        matches!(self.state, State::After { .. })
    }

    /// What has come so far: the receipt, if its line is complete and nothing wrong follows it.
    ///
    /// # Errors
    /// If there is no whole line, or anything follows it that must not.
    pub fn scanned(&self) -> Result<Scanned, ScanError> {
        match &self.state {
            State::After { text, .. } => Ok(Scanned {
                hash: self.hasher.finish(),
                receipt: text.clone(),
            }),
            State::Spoilt => Err(ScanError::Trailing),
            State::LineStart(_) | State::InLine | State::Receipt(_) => Err(ScanError::Missing),
        }
    }

    /// Whether the stream is whole: receipt, end mark and nothing else.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::After { end, .. } if end == END.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &str =
        "data: {\"a\":1}\n\n: at ease\n: atoma-receip\n\ndata: : atoma-receipt no\n\n";

    fn stream(end: &str) -> Vec<u8> {
        format!("{BODY}: atoma-receipt QUJD\n{end}").into_bytes()
    }

    fn scan(bytes: &[u8], pieces: usize) -> Scanner {
        let mut scanner = Scanner::default();
        for piece in bytes.chunks(pieces) {
            scanner.feed(piece);
        }
        scanner
    }

    #[test]
    fn finds_the_receipt_however_the_stream_is_cut() {
        let whole = stream("\ndata: [DONE]\n\n");
        for pieces in 1..=whole.len() {
            let scanner = scan(&whole, pieces);
            let scanned = scanner.scanned().unwrap();
            assert_eq!(scanned.receipt, "QUJD");
            assert_eq!(scanned.hash, Hash32::of(BODY.as_bytes()));
            assert!(scanner.is_complete());
            let (mut scanner, mut covered) = (Scanner::default(), Vec::new());
            for piece in whole.chunks(pieces) {
                scanner.feed_to(piece, |bytes| covered.extend_from_slice(bytes));
            }
            assert_eq!(covered, BODY.as_bytes());
        }
        for length in 0..whole.len() {
            assert!(!scan(&whole[..length], 7).is_complete());
        }
    }

    #[test]
    fn nothing_unsigned_may_follow() {
        for end in [
            "\ndata: [DONE]\n\nx",
            "\ndata: {}\n\n",
            "data: [DONE]\n\n",
            "\n\n",
        ] {
            let spoilt = scan(&stream(end), 5);
            assert_eq!(spoilt.scanned(), Err(ScanError::Trailing), "{end:?}");
        }
        assert_eq!(scan(BODY.as_bytes(), 5).scanned(), Err(ScanError::Missing));
        let endless = [b": atoma-receipt ".as_slice(), &[b'A'; 5_000]].concat();
        assert!(scan(&endless, 100).scanned().is_err());
    }

    proptest! {
        #[test]
        fn streams_without_a_receipt_hash_whole(text in "[a: \\n-]{0,200}", pieces in 1..50usize) {
            prop_assume!(!text.contains(RECEIPT_COMMENT));
            let scanner = scan(text.as_bytes(), pieces);
            prop_assert_eq!(scanner.scanned(), Err(ScanError::Missing));
            // end the last line, so that nothing is withheld
            let mut ended = scan(text.as_bytes(), pieces);
            ended.feed(b"x\n: atoma-receipt Q\n");
            let hash = Hash32::of(format!("{text}x\n").as_bytes());
            prop_assert_eq!(ended.scanned().map(|s| s.hash), Ok(hash));
        }
    }
}
