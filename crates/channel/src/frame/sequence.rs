//! Which frame may come next.

use super::cut::{FrameHead, Kind};
use crate::{
    fault::{Fault, Result},
    limits::MAX_FRAMES,
};

/// Where in a message one is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sequence {
    next: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// The last encrypted frame has come.
    Ended,
    /// The receipt has come, too, or none can.
    Closed,
}

impl Sequence {
    /// Takes the next frame, if it is that.
    pub(crate) fn take(&mut self, head: FrameHead) -> Result<()> {
        if head.index < self.next {
            return Err(Fault::FrameRepeated);
        }
        self.state = match (self.state, head.kind) {
            (State::Open, Kind::More) => State::Open,
            (State::Open, Kind::Last) => State::Ended,
            (State::Ended, Kind::Receipt) => State::Closed,
            (State::Open, Kind::Refusal) if self.next == 0 => State::Closed,
            (State::Open, Kind::Receipt | Kind::Refusal) => return Err(Fault::FrameKind),
            (State::Ended | State::Closed, _) => return Err(Fault::AfterEnd),
        };
        if head.index > self.next {
            return Err(Fault::FrameMissing);
        }
        if self.next >= MAX_FRAMES {
            return Err(Fault::FramesFull);
        }
        self.next += 1;
        Ok(())
    }

    /// The index of the frame that comes next.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Whether the last encrypted frame has come.
    pub(crate) fn ended(&self) -> bool {
        self.state != State::Open
    }

    /// Whether nothing more may come.
    pub(crate) fn closed(&self) -> bool {
        self.state == State::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(index: u32, kind: Kind) -> FrameHead {
        FrameHead {
            length: 0,
            index,
            kind,
        }
    }

    #[test]
    fn frames_come_in_order_and_end_once() {
        use Kind::{Last, More, Receipt, Refusal};
        type Frames = &'static [(u32, Kind)];
        let plays: [(Frames, Result<()>); 13] = [
            (&[(0, More), (1, Last), (2, Receipt)], Ok(())),
            (&[(0, Last)], Ok(())),
            (&[(0, More), (0, More)], Err(Fault::FrameRepeated)),
            (&[(0, More), (2, More)], Err(Fault::FrameMissing)),
            (&[(1, More)], Err(Fault::FrameMissing)),
            (&[(0, Receipt)], Err(Fault::FrameKind)),
            (&[(0, Refusal)], Ok(())),
            (&[(0, More), (1, Refusal)], Err(Fault::FrameKind)),
            (&[(0, Refusal), (1, Receipt)], Err(Fault::AfterEnd)),
            (&[(0, Refusal), (1, More)], Err(Fault::AfterEnd)),
            (&[(0, Last), (1, More)], Err(Fault::AfterEnd)),
            (&[(0, Last), (0, Last)], Err(Fault::FrameRepeated)),
            (
                &[(0, Last), (1, Receipt), (2, Receipt)],
                Err(Fault::AfterEnd),
            ),
        ];
        for (frames, expected) in plays {
            let mut sequence = Sequence::default();
            let mut play = frames.iter();
            let played = play.try_for_each(|(index, kind)| sequence.take(head(*index, *kind)));
            assert_eq!(played, expected, "{frames:?}");
        }
    }

    #[test]
    fn a_message_has_an_end_of_its_frames() {
        let mut sequence = Sequence {
            next: MAX_FRAMES - 1,
            state: State::Open,
        };
        assert_eq!(sequence.take(head(MAX_FRAMES - 1, Kind::More)), Ok(()));
        let full = sequence.take(head(MAX_FRAMES, Kind::More));
        assert_eq!(full, Err(Fault::FramesFull));
    }
}
