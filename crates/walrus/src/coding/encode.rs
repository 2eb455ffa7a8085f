//! From a blob to its metadata and slivers.
//!
//! First the rows of the source are extended. Then columns are taken in batches: extended, each
//! symbol hashed, the hashes put into the trees of their columns (which the batch completes) and
//! into subtrees of all rows. A batch has a power of two of columns, so that its subtrees are nodes
//! of the rows' trees; these are completed at the end.

use super::{
    axis::Axis,
    error::CodingError,
    hash::{Forest, LEAF, NOTHING, hash_each, inner, leaf, leaves_of_two_bytes},
    lanes::Lanes,
    matrix::Matrix,
    metadata::{BlobMetadata, PairHashes},
    node::Node,
    params::Params,
    reed_solomon::Extender,
    sliver::Sliver,
};
use parking_lot::Mutex;
use rayon::prelude::*;
use std::ops::Range;

/// Symbols and hashes of a batch, in bytes: fits into a core's second cache.
const BATCH_BYTES: usize = 1_500_000;
/// Wider batches pack no better.
const MAX_WIDTH: usize = 64;
/// Source bytes of the rows that are extended together.
const ROW_GROUP_BYTES: usize = 32 * 1024;
/// Batches per thread between two writes of their symbols into the primary slivers.
const WAVE: usize = 2;
/// From so many symbols on, a table of all two-byte leaves is cheaper than hashing each.
const TABLE_FROM: usize = 1 << 17;

/// Everything that storage nodes get of a blob.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// What the blob id commits to.
    pub metadata: BlobMetadata,
    /// The slivers, by pair.
    pub pairs: Vec<SliverPair>,
}

/// What one shard keeps of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliverPair {
    /// Row `i` of the matrix of symbols.
    pub primary: Sliver,
    /// Column `n-1-i` of the matrix of symbols.
    pub secondary: Sliver,
}

/// Encodes a blob into slivers and metadata.
///
/// # Errors
/// If the blob is too large.
pub fn encode(params: Params, blob: &[u8]) -> Result<Encoded, CodingError> {
    let matrix = Matrix::new(params, blob)?;
    let (hashes, mut rows, mut columns) = run(&matrix, true)?;
    let metadata = BlobMetadata::new(params, blob.len() as u64, hashes)?;
    // both are even `u16`s by construction of the parameters
    let symbol_size = matrix.symbol as u16;
    let pairs = rows
        .iter_mut()
        .zip(columns.iter_mut().rev())
        .zip(0..params.shards())
        .map(|((row, column), pair)| SliverPair {
            primary: Sliver {
                axis: Axis::Primary,
                index: pair,
                symbol_size,
                data: std::mem::take(row),
            },
            secondary: Sliver {
                axis: Axis::Secondary,
                index: params.shards() - 1 - pair,
                symbol_size,
                data: std::mem::take(column),
            },
        })
        .collect();
    Ok(Encoded { metadata, pairs })
}

/// The metadata alone (and with it the blob id), in less memory.
///
/// # Errors
/// If the blob is too large.
pub fn metadata_of(params: Params, blob: &[u8]) -> Result<BlobMetadata, CodingError> {
    let (hashes, ..) = run(&Matrix::new(params, blob)?, false)?;
    BlobMetadata::new(params, blob.len() as u64, hashes)
}

/// Rows as they are stored, columns as they are stored; empty where they aren't kept.
type Slivers = Vec<Vec<u8>>;

/// The hashes of all pairs, and where they are kept the rows and the columns.
type Coded = (Vec<PairHashes>, Slivers, Slivers);

fn run(matrix: &Matrix<'_>, keep: bool) -> Result<Coded, CodingError> {
    let n = matrix.params.n();
    let parity = extend_rows(matrix)?;
    let width = batch_width(n, matrix.symbol);
    let batches: Vec<Range<usize>> = (0..n)
        .step_by(width)
        .map(|start| start..n.min(start + width))
        .collect();
    // memory is used again by the next batch
    let free: Mutex<Vec<Scratch>> = Mutex::default();
    let take = || free.lock().pop();
    let encode_batch = |columns: &Range<usize>| {
        let mut scratch = take().unwrap_or_default();
        let batch = Batch {
            matrix,
            parity: &parity,
            columns: columns.clone(),
            whole: batches.len() == 1,
            levels: width.ilog2(),
        };
        let output = batch.run(keep, &mut scratch);
        free.lock().push(scratch);
        output
    };
    let mut joined = Joined::new(matrix, batches.len(), keep);
    let wave = WAVE * rayon::current_num_threads();
    for (first, ranges) in (0..).step_by(wave).zip(batches.chunks(wave)) {
        let done: Vec<BatchOutput> = match ranges {
            [only] => vec![encode_batch(only)?],
            several => several
                .par_iter()
                .map(encode_batch)
                .collect::<Result<_, _>>()?,
        };
        for (place, output) in (first..).zip(done) {
            joined.add(place, output);
        }
    }
    Ok(joined.finish())
}

/// What the batches have come to, in their order.
struct Joined<'a> {
    matrix: &'a Matrix<'a>,
    /// The trees of the rows, without rows that are zero by padding.
    rows: Forest,
    /// The hashes of the columns.
    columns: Vec<Node>,
    primary: Slivers,
    secondary: Slivers,
}

impl<'a> Joined<'a> {
    fn new(matrix: &'a Matrix<'a>, batches: usize, keep: bool) -> Self {
        let params = matrix.params;
        let (n, p, s) = (params.n(), params.primary(), params.secondary());
        let row = |row| {
            if row < p {
                matrix.row(row)
            } else {
                Vec::with_capacity(s * matrix.symbol)
            }
        };
        let kept_rows = if keep { n } else { 0 };
        Self {
            matrix,
            rows: Forest::new(n - (p - matrix.filled_rows()), batches),
            columns: Vec::with_capacity(n),
            primary: (0..kept_rows).map(row).collect(),
            secondary: Vec::new(),
        }
    }

    /// Takes in the batch at a place, the next one.
    fn add(&mut self, place: usize, output: BatchOutput) {
        for (tree, hash) in output.rows.iter().enumerate() {
            self.rows.set(tree, place, hash);
        }
        self.columns.extend(output.columns);
        self.secondary.extend(output.slivers);
        let params = self.matrix.params;
        let (n, p) = (params.n(), params.primary());
        let pieces = output.recovery_rows.len() / (n - p);
        if pieces > 0 {
            let rows = self.primary[p..].iter_mut();
            rows.zip(output.recovery_rows.chunks_exact(pieces))
                .for_each(|(row, piece)| row.extend_from_slice(piece));
        }
    }

    fn finish(mut self) -> Coded {
        let (n, p) = (self.matrix.params.n(), self.matrix.params.primary());
        let filled = self.matrix.filled_rows();
        let mut rows = self.rows.roots();
        if filled < p {
            let root = root_of_zeros(self.matrix, n);
            rows.splice(filled..filled, std::iter::repeat_n(root, p - filled));
        }
        let pairs = rows.into_iter().zip(self.columns.into_iter().rev());
        let hashes = pairs.map(|(primary, secondary)| PairHashes { primary, secondary });
        (hashes.collect(), self.primary, self.secondary)
    }
}

/// The hash of a row in which nothing is.
fn root_of_zeros(matrix: &Matrix<'_>, n: usize) -> Node {
    let zero = leaf(matrix.zero());
    let mut tree = Forest::new(1, n);
    (0..n).for_each(|i| tree.set(0, i, &zero));
    tree.roots()[0]
}

/// Columns of a batch: a power of two.
fn batch_width(n: usize, symbol: usize) -> usize {
    let column = n * (symbol + size_of::<Node>());
    let most = (BATCH_BYTES / column).clamp(1, MAX_WIDTH);
    (1 << most.ilog2()).min(n.next_power_of_two())
}

/// The recovery symbols of the filled rows of the source, row by row.
fn extend_rows(matrix: &Matrix<'_>) -> Result<Vec<u8>, CodingError> {
    let (n, s, symbol) = (matrix.params.n(), matrix.params.secondary(), matrix.symbol);
    let row_bytes = (n - s) * symbol;
    let mut parity = vec![0; matrix.filled_rows() * row_bytes];
    let group = (ROW_GROUP_BYTES / symbol).clamp(1, MAX_WIDTH / 2);
    let extend = |(first, out): (usize, &mut [u8])| -> Result<(), CodingError> {
        let count = out.len() / row_bytes;
        let mut extender = Extender::new(Lanes { symbol, count }, s, n - s)?;
        for piece in extender.pieces() {
            extender.load(&piece, |column, row| {
                matrix.get(first * group + row, column)
            })?;
            extender.store(&piece, out, |index, row| row * row_bytes + index * symbol)?;
        }
        Ok(())
    };
    let group_bytes = group * row_bytes;
    if parity.len() <= group_bytes {
        if !parity.is_empty() {
            extend((0, &mut parity))?;
        }
    } else {
        parity
            .par_chunks_mut(group_bytes)
            .enumerate()
            .try_for_each(extend)?;
    }
    Ok(parity)
}

/// Some columns, to be extended and hashed.
struct Batch<'a> {
    matrix: &'a Matrix<'a>,
    parity: &'a [u8],
    columns: Range<usize>,
    /// These are all columns there are.
    whole: bool,
    /// Levels of the rows' subtrees.
    levels: u32,
}

struct BatchOutput {
    /// The hashes of the columns.
    columns: Vec<Node>,
    /// The nodes of the rows' trees above these columns, without rows that are zero by padding.
    rows: Vec<Node>,
    /// The secondary slivers, column by column.
    slivers: Slivers,
    /// The source columns of rows `p..n`, row by row.
    recovery_rows: Vec<u8>,
}

/// Memory of a batch.
#[derive(Default)]
struct Scratch {
    /// All symbols of the columns, column by column. What padding keeps zero is never written to.
    symbols: Vec<u8>,
    columns: Forest,
    rows: Forest,
}

impl Batch<'_> {
    fn run(&self, keep: bool, scratch: &mut Scratch) -> Result<BatchOutput, CodingError> {
        self.extend(&mut scratch.symbols)?;
        let (columns, rows) = self.hash(scratch);
        let symbols = &scratch.symbols;
        let mut output = BatchOutput {
            columns,
            rows,
            slivers: Vec::new(),
            recovery_rows: Vec::new(),
        };
        if keep {
            let (n, p, s) = self.sizes();
            output.slivers = (0..self.columns.len())
                .map(|lane| self.collect(symbols, p, (0..p).map(|row| (lane, row))))
                .collect();
            let source = 0..self.columns.len().min(s.saturating_sub(self.columns.start));
            let count = (n - p) * source.len();
            let places = (p..n).flat_map(|row| source.clone().map(move |lane| (lane, row)));
            output.recovery_rows = self.collect(symbols, count, places);
        }
        Ok(output)
    }

    fn sizes(&self) -> (usize, usize, usize) {
        let params = self.matrix.params;
        (params.n(), params.primary(), params.secondary())
    }

    /// Bytes from one symbol to the next: before each stands the tag with which it is hashed.
    fn stride(&self) -> usize {
        self.matrix.symbol + 1
    }

    /// Where a symbol begins, behind its tag.
    fn at(&self, lane: usize, row: usize) -> usize {
        (lane * self.matrix.params.n() + row) * self.stride() + 1
    }

    fn collect(
        &self,
        symbols: &[u8],
        count: usize,
        places: impl Iterator<Item = (usize, usize)>,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count * self.matrix.symbol);
        for (lane, row) in places {
            let at = self.at(lane, row);
            bytes.extend_from_slice(&symbols[at..at + self.matrix.symbol]);
        }
        bytes
    }

    /// Computes all symbols of the columns.
    fn extend(&self, symbols: &mut Vec<u8>) -> Result<(), CodingError> {
        let (n, p, s) = self.sizes();
        let (symbol, count) = (self.matrix.symbol, self.columns.len());
        // the tag of a leaf is zero
        symbols.resize(count * n * self.stride(), LEAF);
        for (lane, column) in self.columns.clone().enumerate() {
            for row in 0..self.matrix.filled_rows() {
                let source = if column < s {
                    self.matrix.get(row, column)
                } else {
                    &self.parity[(row * (n - s) + column - s) * symbol..][..symbol]
                };
                let at = self.at(lane, row);
                symbols[at..at + symbol].copy_from_slice(source);
            }
        }
        let mut extender = Extender::new(Lanes { symbol, count }, p, n - p)?;
        for piece in extender.pieces() {
            extender.load(&piece, |row, lane| {
                let at = self.at(lane, row);
                &symbols[at..at + symbol]
            })?;
            extender.store(&piece, symbols, |index, lane| self.at(lane, p + index))?;
        }
        Ok(())
    }

    /// The columns' hashes, and the rows' nodes above these columns.
    fn hash(&self, scratch: &mut Scratch) -> (Vec<Node>, Vec<Node>) {
        let (n, p, _) = self.sizes();
        let (filled, count) = (self.matrix.filled_rows(), self.columns.len());
        let Scratch {
            symbols,
            columns,
            rows,
        } = scratch;
        let zero_rows = filled..p;
        columns.reset(count, n);
        rows.reset(n - zero_rows.len(), count);
        let mut set = |lane: usize, row: usize, hash: &Node| {
            columns.set(lane, row, hash);
            let tree = if row < filled {
                row
            } else {
                row - zero_rows.len()
            };
            rows.set(tree, lane, hash);
        };
        let places =
            (0..count).flat_map(|lane| (0..filled).chain(p..n).map(move |row| (lane, row)));
        let message = |lane, row| &symbols[self.at(lane, row) - 1..][..self.stride()];
        if self.matrix.symbol == 2 && n * n >= TABLE_FROM {
            let table = leaves_of_two_bytes();
            for (lane, row) in places {
                let value = u16::from_le_bytes([message(lane, row)[1], message(lane, row)[2]]);
                set(lane, row, &table[usize::from(value)]);
            }
        } else {
            // both are below 1024
            let inputs = places.map(|(lane, row)| (lane << 10 | row, message(lane, row)));
            hash_each(inputs, |place, hash| set(place >> 10, place & 0x3ff, hash));
        }
        if !zero_rows.is_empty() {
            let mut zero = leaf(self.matrix.zero());
            for lane in 0..count {
                for row in zero_rows.clone() {
                    columns.set(lane, row, &zero);
                }
            }
            // nodes that have nothing but zero rows below them
            let mut known = zero_rows;
            while columns.nodes() > 1 {
                zero = inner(&zero, &zero);
                known = known.start.div_ceil(2)..known.end / 2;
                columns.up(&(known.clone(), zero));
            }
        }
        if !self.whole {
            for _ in 0..self.levels {
                rows.up(&NOTHING);
            }
        }
        (columns.roots(), rows.roots())
    }
}
