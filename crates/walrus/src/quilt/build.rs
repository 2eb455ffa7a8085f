//! Making a quilt: many small blobs in one.

use super::{
    PREFIX, Tags, VERSION,
    error::QuiltError,
    index::{MAX_INDEX_COLUMNS, MAX_TEXT, QuiltIndex, QuiltPatch, put_tags},
};
use crate::{coding::Params, wire::put_text};

/// Bit of the mask: the patch has tags.
pub(super) const HAS_TAGS: u8 = 1;

/// A blob to be put into a quilt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuiltBlob {
    /// Its name, unique in the quilt. ASCII names sort alike in all implementations.
    pub identifier: String,
    /// Pairs of key and value that were stored with it.
    pub tags: Tags,
    /// The bytes that were stored.
    pub data: Vec<u8>,
}

/// A quilt's bytes and what is where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuiltLayout {
    /// The blob to store.
    pub bytes: Vec<u8>,
    /// Its table of contents.
    pub index: QuiltIndex,
    /// Bytes of a symbol.
    pub symbol_size: u16,
}

/// Puts blobs into a quilt for `params.shards()` shards.
///
/// # Errors
/// If there are none or too many, two have the same name, or they don't fit.
pub fn build(params: Params, mut blobs: Vec<QuiltBlob>) -> Result<QuiltLayout, QuiltError> {
    let (rows, columns) = (params.primary(), params.secondary());
    sort(&mut blobs, columns)?;
    let headers = blobs.iter().map(header).collect::<Result<Vec<_>, _>>()?;
    let mut index = QuiltIndex {
        patches: blobs
            .iter()
            .map(|blob| QuiltPatch {
                identifier: blob.identifier.clone(),
                tags: blob.tags.clone(),
                start: 0,
                end: 0,
            })
            .collect(),
    };
    let mut sizes = vec![index.to_bytes().len()];
    sizes.extend(
        headers
            .iter()
            .zip(&blobs)
            .map(|(h, blob)| h.len() + blob.data.len()),
    );
    let symbol = symbol_size(&sizes, rows, columns)?;
    let column_bytes = usize::from(symbol) * rows;
    // at most `columns`, a `u16`, by the choice of the symbol size
    let width = |size: usize| size.div_ceil(column_bytes) as u16;
    let mut next = width(sizes[0]);
    for (patch, size) in index.patches.iter_mut().zip(&sizes[1..]) {
        patch.start = next;
        next += width(*size);
        patch.end = next;
    }
    let mut matrix = Columns {
        bytes: vec![0; column_bytes * columns],
        symbol: usize::from(symbol),
        rows,
        columns,
    };
    matrix.write(0, &[&index.to_bytes()]);
    for ((patch, head), blob) in index.patches.iter().zip(&headers).zip(&blobs) {
        matrix.write(usize::from(patch.start), &[head, &blob.data]);
    }
    Ok(QuiltLayout {
        bytes: matrix.bytes,
        index,
        symbol_size: symbol,
    })
}

/// Sorts blobs by their names, if they can be in one quilt.
fn sort(blobs: &mut [QuiltBlob], columns: usize) -> Result<(), QuiltError> {
    if blobs.is_empty() {
        return Err(QuiltError::Empty);
    }
    if blobs.len() >= columns {
        return Err(QuiltError::TooMany {
            found: blobs.len(),
            most: columns - 1,
        });
    }
    blobs.sort_by(|a, b| a.identifier.cmp(&b.identifier));
    let mut pairs = blobs.windows(2);
    match pairs.find(|pair| pair[0].identifier == pair[1].identifier) {
        Some(pair) => Err(QuiltError::Duplicate(pair[0].identifier.clone())),
        None => Ok(()),
    }
}

/// What stands before a blob's bytes.
fn header(blob: &QuiltBlob) -> Result<Vec<u8>, QuiltError> {
    let too_long = || QuiltError::TooLong(blob.identifier.clone());
    let sized = |out: &mut Vec<u8>, text: &[u8]| -> Result<(), QuiltError> {
        let size = u16::try_from(text.len()).map_err(|_| too_long())?;
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(text);
        Ok(())
    };
    if blob.identifier.is_empty() || blob.identifier.len() > MAX_TEXT {
        return Err(QuiltError::Identifier(blob.identifier.clone()));
    }
    let mut identifier = Vec::new();
    put_text(&mut identifier, &blob.identifier);
    let mask = if blob.tags.is_empty() { 0 } else { HAS_TAGS };
    let mut out = vec![VERSION, 0, 0, 0, 0, mask];
    sized(&mut out, &identifier)?;
    if mask != 0 {
        let mut tags = Vec::new();
        put_tags(&mut tags, &blob.tags);
        sized(&mut out, &tags)?;
    }
    let length = out.len() - PREFIX - 1 + blob.data.len();
    let length = u32::try_from(length).map_err(|_| QuiltError::TooLarge)?;
    out[1..PREFIX].copy_from_slice(&length.to_le_bytes());
    Ok(out)
}

/// The smallest even symbol with which everything (the index first) fits into the columns.
fn symbol_size(sizes: &[usize], rows: usize, columns: usize) -> Result<u16, QuiltError> {
    let total: usize = sizes.iter().sum();
    let fits = |symbol: usize| {
        let needed: usize = sizes.iter().map(|size| size.div_ceil(symbol * rows)).sum();
        needed <= columns
    };
    let mut low = total
        .div_ceil(rows * columns)
        .max(sizes[0].div_ceil(rows * MAX_INDEX_COLUMNS))
        .max(PREFIX.div_ceil(rows));
    // with this each of the blobs gets its share of whole columns
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let mut high = largest.div_ceil(columns / sizes.len() * rows).max(low);
    while low < high {
        let middle = low.midpoint(high);
        if fits(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    u16::try_from(low.next_multiple_of(2)).map_err(|_| QuiltError::TooLarge)
}

/// A matrix of symbols, stored row by row and written column by column.
struct Columns {
    bytes: Vec<u8>,
    symbol: usize,
    rows: usize,
    columns: usize,
}

impl Columns {
    fn write(&mut self, first: usize, parts: &[&[u8]]) {
        let mut place = 0;
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                let (column, within) = (place / self.symbol, place % self.symbol);
                let (row, column) = (column % self.rows, first + column / self.rows);
                let count = rest.len().min(self.symbol - within);
                let at = (row * self.columns + column) * self.symbol + within;
                self.bytes[at..at + count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                place += count;
            }
        }
    }
}
