//! Places in the ledger's order as the opaque cursors that clients keep.

use crate::store::Place;
use bytes::Bytes;
use sui_rpc::proto::sui::rpc::v2 as pb;
use tonic::Status;

/// Three big-endian numbers: cursors sort as places do.
const BYTES: usize = 24;

/// Before everything: genesis has no events, and a transaction itself stands at `(checkpoint,
/// position, 1)`.
pub(super) const START: Place = (0, 0, 0);

/// The place after everything in a checkpoint.
pub(super) fn end_of(checkpoint: u64) -> Place {
    // SQLite's largest integer: compared there too
    (checkpoint, i64::MAX as u64, i64::MAX as u64)
}

/// A place as a cursor.
pub(super) fn encode(place: Place) -> Bytes {
    let mut bytes = Vec::with_capacity(BYTES);
    for number in [place.0, place.1, place.2] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.into()
}

/// A cursor as a place.
pub(super) fn decode(bytes: &[u8]) -> Result<Place, Status> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    match (numbers, rest) {
        ([a, b, c], []) => Ok((
            u64::from_be_bytes(*a),
            u64::from_be_bytes(*b),
            u64::from_be_bytes(*c),
        )),
        _ => Err(Status::invalid_argument("not a cursor of this ledger")),
    }
}

/// A watermark: where a scan stands and which checkpoint it has covered.
pub(super) fn watermark(place: Place, covered: Option<u64>) -> pb::Watermark {
    let mut watermark = pb::Watermark::default();
    watermark.cursor = Some(encode(place));
    watermark.checkpoint = covered;
    watermark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_sort() {
        let places = [START, (0, 1, 2), end_of(0), (1, 0, 0), end_of(7)];
        for pair in places.windows(2) {
            assert!(encode(pair[0]) < encode(pair[1]));
            assert_eq!(decode(&encode(pair[1])).unwrap(), pair[1]);
        }
        assert!(decode(b"short").is_err());
    }
}
