//! Whether a stream of events says anything. Comments and empty lines keep a connection open and tell nobody
//! anything; an event whose `data` isn't blank does. Pure: bytes go in as they arrive.

/// How the line of an event begins.
const FIELD: &[u8] = b"data:";

/// Follows a stream's lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    line: LineState,
    /// Bytes since the last event that are none of one.
    idle: usize,
}

#[derive(Clone, Copy, Debug)]
enum LineState {
    /// So many bytes of the field's name have come.
    Beginning(usize),
    /// The field is there, and nothing but blanks after it.
    Blank,
    /// It says something.
    Event,
    Other,
}

impl Default for LineState {
    fn default() -> Self {
        Self::Beginning(0)
    }
}

impl Lines {
    /// Takes in the next bytes. True if an event was completed with them.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> bool {
        let mut event = false;
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.add(part);
            let is_event = matches!(self.line, LineState::Event);
            if !is_event {
                self.idle = self.idle.saturating_add(part.len());
            }
            if part.ends_with(b"\n") {
                if is_event {
                    self.idle = 0;
                    event = true;
                }
                self.line = LineState::default();
            }
        }
        event
    }

    /// Bytes since the last event that said nothing.
    pub(crate) fn idle_bytes(&self) -> usize {
        self.idle
    }
}

impl LineState {
    fn add(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            *self = match *self {
                Self::Beginning(matched) if byte == FIELD[matched] => match matched + 1 {
                    all if all == FIELD.len() => Self::Blank,
                    some => Self::Beginning(some),
                },
                Self::Beginning(_) => Self::Other,
                Self::Blank if byte.is_ascii_whitespace() => Self::Blank,
                Self::Blank => Self::Event,
                // what comes changes nothing
                Self::Event | Self::Other => return,
            };
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_data_that_says_something_is_an_event() {
        for nothing in [
            "",
            "\n\n\n",
            ":\n",
            ": at ease\n\n",
            "data:\n\n",
            "data: \r\n\n",
            "event: ping\n\n",
            "dat\n",
            "data",
            " data: x\n",
        ] {
            let mut lines = Lines::default();
            assert!(!lines.feed(nothing.as_bytes()), "{nothing:?}");
            assert_eq!(lines.idle_bytes(), nothing.len(), "{nothing:?}");
        }
        let mut lines = Lines::default();
        assert!(lines.feed(b": x\n\ndata:1\n"));
        assert_eq!(lines.idle_bytes(), 0);
        assert!(!lines.feed(b"\n: x\n"));
        assert_eq!(lines.idle_bytes(), 5);
        assert!(lines.feed(b"data: {\"a\":1}\n\n"));
        assert_eq!(lines.idle_bytes(), 1);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_are_cut(
            text in "(data: ?|: |x|\n| ){0,40}", cuts in prop::collection::vec(1..9usize, 1..40),
        ) {
            let mut whole = Lines::default();
            let found = whole.feed(text.as_bytes());
            let (mut lines, mut rest, mut events) = (Lines::default(), text.as_bytes(), false);
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*cut));
                events |= lines.feed(now);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(events, found);
        }
    }
}
