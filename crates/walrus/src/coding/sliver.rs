//! Slivers: what a shard keeps of a blob.

use super::{
    axis::Axis,
    error::CodingError,
    hash::{Forest, LEAF, hash_each},
    lanes::Lanes,
    node::Node,
    params::Params,
    reed_solomon::Extender,
};
use crate::wire::{Reader, WireError, put_length};
use std::fmt;

/// A row or a column of the matrix, without what can be computed from it.
///
/// BCS: `uleb(length) data | symbol size u16 le | index u16 le`; the axis isn't part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sliver {
    /// Whether it is a row (primary) or a column (secondary).
    pub axis: Axis,
    /// Which row or column.
    pub index: u16,
    /// Bytes of a symbol.
    pub symbol_size: u16,
    /// The symbols, one after the other.
    pub data: Vec<u8>,
}

impl fmt::Debug for Sliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            axis,
            index,
            symbol_size,
            data,
        } = self;
        write!(
            f,
            "{axis} sliver {index}: {} bytes in symbols of {symbol_size}",
            data.len()
        )
    }
}

impl Sliver {
    /// Its bytes in BCS.
    #[must_use]
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.data.len() + 9);
        put_length(&mut bytes, self.data.len());
        bytes.extend_from_slice(&self.data);
        bytes.extend_from_slice(&self.symbol_size.to_le_bytes());
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes
    }

    /// Reads a sliver of the given axis. What it says isn't checked against any blob.
    ///
    /// # Errors
    /// If the bytes aren't a sliver.
    pub fn from_bcs(axis: Axis, bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let length = reader.length(bytes.len())?;
        let data = reader.take(length)?.to_vec();
        let (symbol_size, index) = (reader.u16()?, reader.u16()?);
        reader.end()?;
        Ok(Self {
            axis,
            index,
            symbol_size,
            data,
        })
    }

    /// Whether it has the shape of a sliver of a blob of `size` bytes.
    ///
    /// # Errors
    /// If it hasn't.
    pub fn check_shape(&self, params: Params, size: u64) -> Result<(), CodingError> {
        let symbol = params.symbol_size(size)?;
        let bytes = usize::from(symbol) * self.axis.symbols(params);
        let fits = self.symbol_size == symbol && self.data.len() == bytes;
        (fits && self.index < params.shards())
            .then_some(())
            .ok_or(CodingError::Shape {
                axis: self.axis,
                index: self.index,
            })
    }

    /// Its symbol at a place below the number that it stores.
    pub(crate) fn symbol(&self, place: usize) -> &[u8] {
        let size = usize::from(self.symbol_size);
        &self.data[place * size..(place + 1) * size]
    }

    /// All `n` symbols, one after the other, each behind the tag of a leaf. The shape must have
    /// been checked.
    pub(crate) fn expand(&self, params: Params) -> Result<Vec<u8>, CodingError> {
        let (n, symbols) = (params.n(), self.axis.symbols(params));
        let symbol = usize::from(self.symbol_size);
        let stride = symbol + 1;
        let mut expanded = vec![LEAF; n * stride];
        for place in 0..symbols {
            expanded[place * stride + 1..(place + 1) * stride].copy_from_slice(self.symbol(place));
        }
        let mut extender = Extender::new(Lanes { symbol, count: 1 }, symbols, n - symbols)?;
        for piece in extender.pieces() {
            extender.load(&piece, |place, _| self.symbol(place))?;
            extender.store(&piece, &mut expanded, |index, _| {
                (symbols + index) * stride + 1
            })?;
        }
        Ok(expanded)
    }

    /// The level of leaves of its tree.
    pub(crate) fn leaves(&self, expanded: &[u8]) -> Forest {
        let stride = usize::from(self.symbol_size) + 1;
        let mut forest = Forest::new(1, expanded.len() / stride);
        let inputs = expanded.chunks_exact(stride).enumerate();
        hash_each(inputs, |place, hash| forest.set(0, place, hash));
        forest
    }

    /// Its hash: the Merkle root over all `n` symbols of its row or column.
    ///
    /// # Errors
    /// If it hasn't the shape of a sliver of a blob of `size` bytes.
    pub fn hash(&self, params: Params, size: u64) -> Result<Node, CodingError> {
        self.check_shape(params, size)?;
        let expanded = self.expand(params)?;
        Ok(self.leaves(&expanded).roots()[0])
    }
}
