//! Tensors of a checkpoint as the kernels take them.

use super::kern::{Matrix, Weight};
use crate::checkpoint::Checkpoint;
use crate::load_error::LoadError;

/// One tensor of a row.
pub(crate) fn vector(
    checkpoint: &mut Checkpoint,
    name: &str,
    len: usize,
) -> Result<Vec<f32>, LoadError> {
    Ok(checkpoint.take(name, &[len])?.to_vec())
}

/// Linear layers, given by name and rows, one above the other as one matrix, with a bias if any of them
/// has one.
pub(crate) fn matrix<T: Weight>(
    checkpoint: &mut Checkpoint,
    parts: &[(impl AsRef<str>, usize)],
    cols: usize,
) -> Result<Matrix<T>, LoadError> {
    let rows = parts.iter().map(|(_, rows)| rows).sum();
    let mut packed = Matrix::zeros(rows, cols).map_err(LoadError::Memory)?;
    let mut bias: Option<Vec<f32>> = None;
    let mut first = 0;
    for (name, rows_here) in parts {
        let name = name.as_ref();
        let tensor = checkpoint.take(&format!("{name}.weight"), &[*rows_here, cols])?;
        packed.fill(first, *rows_here, |row, col| tensor.at(row * cols + col));
        let bias_name = format!("{name}.bias");
        if checkpoint.has(&bias_name) {
            let part = vector(checkpoint, &bias_name, *rows_here)?;
            let bias = bias.get_or_insert_with(|| vec![0.0; rows]);
            bias[first..first + rows_here].copy_from_slice(&part);
        }
        first += rows_here;
    }
    if let Some(bias) = bias {
        packed.set_bias(bias);
    }
    Ok(packed)
}
