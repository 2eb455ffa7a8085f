//! Cuts a byte stream into the payloads of server-sent events, however the network cut it.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr2;

/// Longest event: far above any token, far below what would hurt.
const MAX_EVENT_BYTES: usize = 1 << 20;
/// What some programs write before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The stream isn't one of events of a sane size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than 1 MiB")]
#[non_exhaustive]
pub struct EventTooLong;

/// Collects bytes and gives the payloads of events. A payload of one line, which is the rule, is taken
/// out of the buffer as it is: nothing is allocated or copied for it.
///
/// ```
/// # use atoma_http::client::Events;
/// let mut events = Events::default();
/// events.push(b": a comment\n\ndata: {\"a\":1}\n\ndata: cut")?;
/// assert_eq!(events.next().as_deref(), Some(&b"{\"a\":1}"[..]));
/// assert_eq!(events.next(), None);
/// # Ok::<_, atoma_http::client::EventTooLong>(())
/// ```
#[derive(Debug, Default)]
pub struct Events {
    buffer: BytesMut,
    /// How much of the buffer was searched for a line end.
    searched: usize,
    /// The last line ended with a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    /// Anything was taken out of the buffer: a byte order mark stands only before that.
    begun: bool,
    /// Lines of `data` of the event being read.
    data: Option<BytesMut>,
}

impl Events {
    /// Adds what arrived. Take out the complete events after each push.
    ///
    /// # Errors
    /// If an event is longer than 1 MiB.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EventTooLong> {
        self.buffer.extend_from_slice(bytes);
        let held = self.buffer.len() + self.data.as_ref().map_or(0, BytesMut::len);
        // Complete events are taken out after each push, so what is held is one event and one read.
        if held > MAX_EVENT_BYTES + bytes.len() {
            Err(EventTooLong)
        } else {
            Ok(())
        }
    }

    /// The payload of the next complete event.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator that ends may go on here"
    )]
    pub fn next(&mut self) -> Option<Bytes> {
        loop {
            let length = self.line()?;
            let line = &self.buffer[..length];
            if line.is_empty() {
                self.buffer.advance(1);
                if let Some(data) = self.data.take() {
                    return Some(data.freeze());
                }
                continue;
            }
            // Comments, names and ids of events mean nothing here.
            let Some(value) = line.strip_prefix(b"data:") else {
                self.buffer.advance(length + 1);
                continue;
            };
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut self.data {
                // A payload of one line, which is the rule, isn't copied.
                None => {
                    let start = length - value.len();
                    let mut line = self.buffer.split_to(length + 1);
                    line.truncate(length);
                    line.advance(start);
                    self.data = Some(line);
                }
                Some(data) => {
                    data.extend_from_slice(b"\n");
                    data.extend_from_slice(value);
                    self.buffer.advance(length + 1);
                }
            }
        }
    }

    /// The length of the next complete line, without its end: a line feed, a carriage return, or both.
    /// It stands at the buffer's beginning, with one byte of its end.
    fn line(&mut self) -> Option<usize> {
        if self.after_return && !self.buffer.is_empty() {
            self.after_return = false;
            if self.buffer[0] == b'\n' {
                self.buffer.advance(1);
            }
        }
        let Some(at) = memchr2(b'\n', b'\r', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            return None;
        };
        let mut length = self.searched + at;
        self.searched = 0;
        self.after_return = self.buffer[length] == b'\r';
        if !std::mem::replace(&mut self.begun, true) && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.advance(BYTE_ORDER_MARK.len());
            length -= BYTE_ORDER_MARK.len();
        }
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(pieces: &[&[u8]]) -> Vec<Bytes> {
        let mut frames = Events::default();
        let mut events = Vec::new();
        for piece in pieces {
            frames.push(piece).unwrap();
            events.extend(std::iter::from_fn(|| frames.next()));
        }
        events
    }

    const STREAM: &[u8] =
        b": hello\n\ndata: {\"a\":1}\r\n\r\nevent: x\ndata:two\ndata: lines\n\n\ndata: [DONE]\n\ndata: cut";

    proptest! {
        #[test]
        fn events_dont_depend_on_how_the_network_cuts(cuts in prop::collection::vec(0..STREAM.len(), 0..8)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &STREAM[w[0]..w[1]]).collect();
            let expected: [&[u8]; 3] = [b"{\"a\":1}", b"two\nlines", b"[DONE]"];
            prop_assert_eq!(read(&pieces), expected);
        }
    }

    #[test]
    fn lines_end_in_all_three_ways_and_a_byte_order_mark_is_no_part_of_the_first() {
        let expected: [&[u8]; 2] = [b"a", b"b"];
        for stream in [
            "data: a\n\ndata: b\n\n",
            "data: a\r\rdata: b\r\r",
            "data: a\r\n\r\ndata: b\r\n\r\n",
            "\u{feff}data: a\n\ndata: b\n\n",
        ] {
            let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            assert_eq!(read(&bytes), expected, "{stream:?} byte by byte");
            assert_eq!(read(&[stream.as_bytes()]), expected, "{stream:?}");
        }
    }

    #[test]
    fn endless_events_are_refused() {
        let mut frames = Events::default();
        let piece = vec![b'x'; 1 << 18];
        let refused = (0..8).any(|_| {
            let refused = frames.push(&piece).is_err();
            assert!(frames.next().is_none());
            refused
        });
        assert!(refused);
    }
}
