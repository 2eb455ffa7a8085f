//! Other weights than the built-in model's: rounded to few bits, or moved a little, as after some steps of training.

use super::kind::Cheat;
use atoma_engine::{EmbeddedOptions, Engine, LoadError, builtin};
use std::{path::Path, sync::Arc};

/// Bytes before a safetensors file's header: its length.
const LENGTH: usize = 8;
/// Weights are rounded in groups of so many, each with a scale of its own.
const GROUP: usize = 64;

/// The engine with the weights of a cheat, whose files are put into the folder.
pub(super) fn load(cheat: Cheat, folder: &Path) -> Result<Arc<dyn Engine>, LoadError> {
    let failed = |source| LoadError::Io {
        path: folder.into(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, bytes) in builtin::files() {
        let mut bytes = bytes.to_vec();
        if name.ends_with(".safetensors") {
            change(cheat, &mut bytes);
        }
        std::fs::write(folder.join(name), bytes).map_err(failed)?;
    }
    atoma_engine::open(folder, EmbeddedOptions::default())
}

/// Changes all weights, which are bf16.
fn change(cheat: Cheat, file: &mut [u8]) {
    let Some((length, _)) = file.split_first_chunk::<LENGTH>() else {
        return;
    };
    let header = u64::from_le_bytes(*length) as usize;
    let Some(weights) = file.get_mut(LENGTH.saturating_add(header)..) else {
        return;
    };
    for group in weights.chunks_mut(2 * GROUP) {
        let mut values: Vec<f32> = group.chunks_exact(2).map(bf16).collect();
        match cheat {
            Cheat::Int8 => round(&mut values, 127.0),
            Cheat::Int4 => round(&mut values, 7.0),
            _ => values
                .iter_mut()
                .step_by(16)
                .for_each(|value| *value *= 1.02),
        }
        for (bytes, value) in group.chunks_exact_mut(2).zip(values) {
            let [_, _, low, high] = value.to_le_bytes();
            bytes.copy_from_slice(&[low, high]);
        }
    }
}

fn bf16(bytes: &[u8]) -> f32 {
    f32::from_le_bytes([0, 0, bytes[0], bytes[1]])
}

/// To whole numbers up to `most`, times the group's scale.
fn round(values: &mut [f32], most: f32) {
    let largest = values
        .iter()
        .fold(0.0_f32, |largest, value| largest.max(value.abs()));
    if largest > 0.0 {
        let scale = largest / most;
        for value in values {
            *value = (*value / scale).round() * scale;
        }
    }
}
