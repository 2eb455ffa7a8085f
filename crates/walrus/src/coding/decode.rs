//! From slivers back to the blob.

use super::{
    axis::Axis,
    encode::metadata_of,
    error::CodingError,
    lanes::Lanes,
    metadata::BlobMetadata,
    params::Params,
    reed_solomon::{Received, restore},
    sliver::Sliver,
};

/// Checks each sliver against the metadata and decodes; then the blob is the metadata's, for its id
/// is recomputed. Either axis will do, slivers of both may be given.
///
/// # Errors
/// If neither axis has enough good slivers; [`CodingError::WrongId`] if the blob was never encoded
/// correctly, so that slivers contradict each other.
pub fn decode(metadata: &BlobMetadata, slivers: &[Sliver]) -> Result<Vec<u8>, CodingError> {
    let params = metadata.params();
    let good: Vec<&Sliver> = slivers
        .iter()
        .filter(|sliver| metadata.verify_sliver(sliver).is_ok())
        .collect();
    let of = |axis: Axis| {
        good.iter()
            .copied()
            .filter(move |sliver| sliver.axis == axis)
    };
    let blob = match decode_primary(params, metadata.size(), of(Axis::Primary)) {
        Err(CodingError::TooFew { .. }) => {
            decode_secondary(params, metadata.size(), of(Axis::Secondary))?
        }
        other => other?,
    };
    if metadata_of(params, &blob)?.blob_id() != metadata.blob_id() {
        return Err(CodingError::WrongId);
    }
    Ok(blob)
}

/// The blob from any `p` primary slivers. Their hashes aren't checked, only their shapes; rows of
/// the source are copied, others cost a decoding.
///
/// # Errors
/// If there are too few, or one has another shape.
pub fn decode_primary<'a>(
    params: Params,
    size: u64,
    slivers: impl IntoIterator<Item = &'a Sliver>,
) -> Result<Vec<u8>, CodingError> {
    let (received, symbol) = received(params, size, Axis::Primary, slivers)?;
    let lanes = Lanes {
        symbol,
        count: params.secondary(),
    };
    let restored = restore(lanes, params.primary(), params.n(), &received)?;
    let row_bytes = lanes.symbol * lanes.count;
    let mut blob = vec![0; params.primary() * row_bytes];
    for (row, bytes) in all(&received, &restored) {
        if row < params.primary() {
            blob[row * row_bytes..(row + 1) * row_bytes].copy_from_slice(bytes);
        }
    }
    cut(blob, size)
}

/// The blob from any `s` secondary slivers, likewise.
///
/// # Errors
/// If there are too few, or one has another shape.
pub fn decode_secondary<'a>(
    params: Params,
    size: u64,
    slivers: impl IntoIterator<Item = &'a Sliver>,
) -> Result<Vec<u8>, CodingError> {
    let (received, symbol) = received(params, size, Axis::Secondary, slivers)?;
    let (p, s) = (params.primary(), params.secondary());
    let lanes = Lanes { symbol, count: p };
    let restored = restore(lanes, s, params.n(), &received)?;
    let mut blob = vec![0; p * s * symbol];
    for (column, bytes) in all(&received, &restored) {
        if column < s {
            for (row, bytes) in bytes.chunks_exact(symbol).enumerate() {
                let at = (row * s + column) * symbol;
                blob[at..at + symbol].copy_from_slice(bytes);
            }
        }
    }
    cut(blob, size)
}

fn received<'a>(
    params: Params,
    size: u64,
    axis: Axis,
    slivers: impl IntoIterator<Item = &'a Sliver>,
) -> Result<(Vec<Received<'a>>, usize), CodingError> {
    let mut received = Vec::new();
    for sliver in slivers {
        sliver.check_shape(params, size)?;
        if sliver.axis != axis {
            return Err(CodingError::Shape {
                axis: sliver.axis,
                index: sliver.index,
            });
        }
        received.push((usize::from(sliver.index), sliver.data.as_slice()));
    }
    Ok((received, usize::from(params.symbol_size(size)?)))
}

fn all<'a>(
    received: &'a [Received<'a>],
    restored: &'a [(usize, Vec<u8>)],
) -> impl Iterator<Item = (usize, &'a [u8])> {
    let restored = restored.iter().map(|(i, bytes)| (*i, bytes.as_slice()));
    received.iter().copied().chain(restored)
}

fn cut(mut blob: Vec<u8>, size: u64) -> Result<Vec<u8>, CodingError> {
    // the shape was checked, so the size fits the matrix and with it the memory
    let size = usize::try_from(size).map_err(|_| CodingError::WrongId)?;
    blob.truncate(size);
    Ok(blob)
}
