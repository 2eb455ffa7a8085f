//! A blob seen as a matrix of symbols.

use super::{error::CodingError, params::Params};

/// `p` rows of `s` symbols, row by row, filled up with zeros.
#[derive(Debug)]
pub(crate) struct Matrix<'a> {
    blob: &'a [u8],
    pub(crate) params: Params,
    /// Bytes of a symbol.
    pub(crate) symbol: usize,
    /// The symbol in which the blob ends, filled up.
    last: Vec<u8>,
    zero: Vec<u8>,
}

impl<'a> Matrix<'a> {
    pub(crate) fn new(params: Params, blob: &'a [u8]) -> Result<Self, CodingError> {
        let symbol = usize::from(params.symbol_size(blob.len() as u64)?);
        let mut last = blob[blob.len() / symbol * symbol..].to_vec();
        last.resize(symbol, 0);
        Ok(Self {
            blob,
            params,
            symbol,
            last,
            zero: vec![0; symbol],
        })
    }

    /// Rows that hold any of the blob; all below are zero.
    pub(crate) fn filled_rows(&self) -> usize {
        self.blob
            .len()
            .div_ceil(self.params.secondary() * self.symbol)
    }

    /// The symbol in a row and a column of the source.
    pub(crate) fn get(&self, row: usize, column: usize) -> &[u8] {
        let start = (row * self.params.secondary() + column) * self.symbol;
        match self.blob.get(start..start + self.symbol) {
            Some(symbol) => symbol,
            None if start < self.blob.len() => &self.last,
            None => &self.zero,
        }
    }

    /// A row of the source, filled up.
    pub(crate) fn row(&self, row: usize) -> Vec<u8> {
        let bytes = self.params.secondary() * self.symbol;
        let start = (row * bytes).min(self.blob.len());
        let mut symbols = self.blob[start..(start + bytes).min(self.blob.len())].to_vec();
        symbols.resize(bytes, 0);
        symbols
    }

    pub(crate) fn zero(&self) -> &[u8] {
        &self.zero
    }
}
