//! Bounds and frames of the ledger's lists: from where to where, in which direction, and how the
//! last frame says why it is the last.

use super::{cursor, invalid};
use crate::store::Place;
use std::cmp::{max, min};
use sui_rpc::proto::sui::rpc::v2 as pb;
use tonic::Status;

/// Items of a response that asks for no number.
const DEFAULT_LIMIT: u32 = 100;
/// Items of a response at most.
const MAX_LIMIT: u32 = 1_000;
/// Rows read for one response: a filter that matches little doesn't hold a reader for ever.
pub(super) const SCAN_LIMIT: usize = 20_000;

/// What a request asks for, in terms of places. Both bounds are exclusive.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) after: Place,
    pub(super) before: Place,
    pub(super) descending: bool,
    pub(super) limit: usize,
    /// Why a scan that reaches its bound is over, and its watermark there.
    end: (pb::QueryEndReason, pb::Watermark),
}

/// What bounds a request: checkpoints, and cursors of answers before.
struct Bounds {
    start: Option<u64>,
    end: Option<u64>,
    after: Option<Place>,
    before: Option<Place>,
    /// Where `start` and `end` are.
    lowest: Place,
    highest: Place,
}

impl Bounds {
    fn end_descending(&self, to: Place) -> (pb::QueryEndReason, pb::Watermark) {
        match self.after {
            Some(after) if after >= self.lowest => (
                pb::QueryEndReason::CursorBound,
                cursor::watermark(after, after.0.checked_add(1).filter(|c| *c <= to.0)),
            ),
            _ => (
                pb::QueryEndReason::CheckpointBound,
                cursor::watermark(self.lowest, Some(self.start.unwrap_or(0))),
            ),
        }
    }

    fn end_ascending(&self, from: Place, tip: u64) -> (pb::QueryEndReason, pb::Watermark) {
        if let Some(before) = self.before
            && before <= self.highest
        {
            let watermark = cursor::watermark(before, before.0.checked_sub(1));
            return (pb::QueryEndReason::CursorBound, watermark);
        }
        let reached = self.end.is_some_and(|end| end.saturating_sub(1) <= tip);
        let reason = if reached {
            pb::QueryEndReason::CheckpointBound
        } else {
            pb::QueryEndReason::LedgerTip
        };
        // a watermark never goes back behind where the client already is
        let at = max(self.highest, from);
        (reason, cursor::watermark(at, Some(self.highest.0)))
    }
}

impl Range {
    /// Reads a request. `tip` is the last sealed checkpoint.
    pub(super) fn new(
        start: Option<u64>,
        end: Option<u64>,
        options: Option<&pb::QueryOptions>,
        tip: u64,
    ) -> Result<Self, Status> {
        let place = |bytes: &Option<bytes::Bytes>| bytes.as_deref().map(cursor::decode).transpose();
        let (after, before, limit, ordering) = match options {
            None => (None, None, None, None),
            Some(options) => (
                place(&options.after)?,
                place(&options.before)?,
                options.limit,
                options.ordering,
            ),
        };
        let descending = match ordering.map(pb::Ordering::try_from) {
            None | Some(Ok(pb::Ordering::Ascending)) => false,
            Some(Ok(pb::Ordering::Descending)) => true,
            Some(_) => return Err(invalid("ordering", "unknown")),
        };
        if let (Some(start), Some(end)) = (start, end)
            && start >= end
        {
            return Err(invalid("end_checkpoint", "it must be above the start"));
        }
        let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let lowest = match start {
            None | Some(0) => cursor::START,
            Some(start) => cursor::end_of(start - 1),
        };
        let highest = match end {
            Some(end) => cursor::end_of(min(end.saturating_sub(1), tip)),
            None => cursor::end_of(tip),
        };
        let from = max(lowest, after.unwrap_or(cursor::START));
        let to = min(highest, before.unwrap_or(highest));
        let bounds = Bounds {
            start,
            end,
            after,
            before,
            lowest,
            highest,
        };
        let finish = if descending {
            bounds.end_descending(to)
        } else {
            bounds.end_ascending(from, tip)
        };
        Ok(Self {
            after: from,
            before: to,
            descending,
            limit: limit as usize,
            end: finish,
        })
    }

    /// The watermark of an item: checkpoints before its own are covered.
    pub(super) fn at(&self, place: Place) -> pb::Watermark {
        let covered = if self.descending {
            place.0.checked_add(1).filter(|c| *c < self.before.0)
        } else {
            place.0.checked_sub(1).filter(|c| *c >= self.after.0)
        };
        cursor::watermark(place, covered)
    }

    /// The last frame's reason and watermark, where nothing cut the scan short.
    pub(super) fn end(&self) -> (pb::QueryEnd, pb::Watermark) {
        (query_end(self.end.0), self.end.1.clone())
    }

    /// The rest of the range after a place.
    pub(super) fn narrowed(&self, place: Place) -> (Place, Place) {
        if self.descending {
            (self.after, place)
        } else {
            (place, self.before)
        }
    }
}

/// The mark on a last frame.
pub(super) fn query_end(reason: pb::QueryEndReason) -> pb::QueryEnd {
    let mut end = pb::QueryEnd::default();
    end.reason = Some(reason as i32);
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(range: &Range) -> pb::QueryEndReason {
        pb::QueryEndReason::try_from(range.end().0.reason.unwrap()).unwrap()
    }

    #[test]
    fn ends_say_why() {
        let range = Range::new(None, Some(4), None, 9).unwrap();
        assert_eq!(reason(&range), pb::QueryEndReason::CheckpointBound);
        assert_eq!(range.end().1.checkpoint, Some(3));
        assert_eq!(
            (range.after, range.before),
            (cursor::START, cursor::end_of(3))
        );
        let range = Range::new(None, Some(40), None, 9).unwrap();
        assert_eq!(reason(&range), pb::QueryEndReason::LedgerTip);
        assert_eq!(range.end().1.checkpoint, Some(9));
        let mut options = pb::QueryOptions::default();
        options.before = Some(cursor::encode((2, 1, 0)));
        let range = Range::new(None, None, Some(&options), 9).unwrap();
        assert_eq!(reason(&range), pb::QueryEndReason::CursorBound);
        assert_eq!(range.end().1.checkpoint, Some(1));
        assert!(Range::new(Some(3), Some(3), None, 9).is_err());
    }

    #[test]
    fn a_watermark_covers_the_checkpoints_before() {
        let range = Range::new(Some(2), None, None, 9).unwrap();
        assert_eq!(range.at((2, 0, 0)).checkpoint, Some(1));
        assert_eq!(range.at((5, 0, 0)).checkpoint, Some(4));
        let mut options = pb::QueryOptions::default();
        options.after = Some(cursor::encode((5, 1, 0)));
        let range = Range::new(None, None, Some(&options), 9).unwrap();
        assert_eq!(range.at((5, 2, 0)).checkpoint, None);
        assert_eq!(range.at((6, 0, 0)).checkpoint, Some(5));
    }
}
