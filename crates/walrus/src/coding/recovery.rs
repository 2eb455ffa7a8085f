//! Repair of one sliver from single symbols of others, without the blob.
//!
//! Row `r` and column `c` share a symbol. So a lost column comes back from `p` rows' symbols at its
//! place, and a lost row from `s` columns' symbols. Each symbol comes with a proof that it is part
//! of the sliver it was taken from.

use super::{
    axis::Axis, error::CodingError, lanes::Lanes, merkle::MerkleProof, metadata::BlobMetadata,
    reed_solomon::restore, sliver::Sliver,
};

/// A symbol of one sliver, given for the repair of another that crosses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySymbol {
    /// The axis of the sliver it was taken from.
    pub axis: Axis,
    /// The sliver it was taken from.
    pub source: u16,
    /// Its place there: the sliver of the other axis that it helps to repair.
    pub target: u16,
    /// The bytes of the symbol.
    pub symbol: Vec<u8>,
    /// That it stands there.
    pub proof: MerkleProof,
}

impl RecoverySymbol {
    /// Takes from `sliver` the symbol where it crosses sliver `target` of the other axis.
    ///
    /// # Errors
    /// If the sliver hasn't the blob's shape, or the target is out of range.
    pub fn new(metadata: &BlobMetadata, sliver: &Sliver, target: u16) -> Result<Self, CodingError> {
        let params = metadata.params();
        sliver.check_shape(params, metadata.size())?;
        let shape = || CodingError::Shape {
            axis: sliver.axis.other(),
            index: target,
        };
        let expanded = sliver.expand(params)?;
        let stride = usize::from(sliver.symbol_size) + 1;
        let place = usize::from(target);
        let symbol = expanded
            .get(place * stride + 1..(place + 1) * stride)
            .ok_or_else(shape)?;
        Ok(Self {
            axis: sliver.axis,
            source: sliver.index,
            target,
            symbol: symbol.to_vec(),
            proof: MerkleProof::new(sliver.leaves(&expanded), place),
        })
    }

    /// Whether it is the blob's.
    ///
    /// # Errors
    /// If it isn't.
    pub fn verify(&self, metadata: &BlobMetadata) -> Result<(), CodingError> {
        let params = metadata.params();
        let size = params.symbol_size(metadata.size())?;
        let place = usize::from(self.target);
        let good = self.symbol.len() == usize::from(size)
            && self.proof.fits(params)
            && metadata
                .hash_of(self.axis, self.source)
                .is_some_and(|root| self.proof.proves(root, &self.symbol, place, params.n()));
        good.then_some(()).ok_or(CodingError::Hash {
            axis: self.axis,
            index: self.source,
        })
    }
}

/// Gives sliver `index` of `axis` back from symbols of slivers that cross it; others among
/// `symbols` and those that aren't the blob's are passed over. The result is checked.
///
/// # Errors
/// If there are too few symbols.
pub fn recover_sliver(
    metadata: &BlobMetadata,
    axis: Axis,
    index: u16,
    symbols: &[RecoverySymbol],
) -> Result<Sliver, CodingError> {
    let params = metadata.params();
    let symbol_size = params.symbol_size(metadata.size())?;
    let good: Vec<(usize, &[u8])> = symbols
        .iter()
        .filter(|symbol| symbol.axis == axis.other() && symbol.target == index)
        .filter(|symbol| symbol.verify(metadata).is_ok())
        .map(|symbol| (usize::from(symbol.source), symbol.symbol.as_slice()))
        .collect();
    let lanes = Lanes {
        symbol: usize::from(symbol_size),
        count: 1,
    };
    let count = axis.symbols(params);
    let restored = restore(lanes, count, params.n(), &good)?;
    let mut data = vec![0; count * lanes.symbol];
    let restored = restored
        .iter()
        .map(|(place, bytes)| (*place, bytes.as_slice()));
    for (place, bytes) in good.iter().copied().chain(restored) {
        if place < count {
            data[place * lanes.symbol..(place + 1) * lanes.symbol].copy_from_slice(bytes);
        }
    }
    let sliver = Sliver {
        axis,
        index,
        symbol_size,
        data,
    };
    metadata.verify_sliver(&sliver)?;
    Ok(sliver)
}
