//! Other weights than a model's: rounded to few bits, or moved a little, as after some steps of training.

use super::kind::Cheat;
use atoma_engine::{EmbeddedOptions, Engine, LoadError, builtin};
use std::{borrow::Cow, io, path::Path, sync::Arc};

/// Bytes before a safetensors file's header: its length.
const LENGTH: usize = 8;
/// How the header calls weights of two bytes. All weights of a file are of one type here.
const BF16: &[u8] = b"\"BF16\"";
/// Weights are rounded in groups of so many, each with a scale of its own.
const GROUP: usize = 64;

/// The engine with the weights of a cheat, whose files are put into the folder: the built-in model's, or those of
/// another folder.
pub(super) fn load(
    cheat: Cheat,
    model: Option<&Path>,
    folder: &Path,
) -> Result<Arc<dyn Engine>, LoadError> {
    let written = write(cheat, model, folder);
    written.map_err(|source| LoadError::Io {
        path: folder.into(),
        source,
    })?;
    atoma_engine::open(folder, EmbeddedOptions::default())
}

fn write(cheat: Cheat, model: Option<&Path>, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, bytes) in files(model)? {
        let mut bytes = bytes.into_owned();
        if name.ends_with(".safetensors") {
            change(cheat, &mut bytes);
        }
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// A model's files, by their names.
fn files(model: Option<&Path>) -> io::Result<Vec<(String, Cow<'static, [u8]>)>> {
    let Some(folder) = model else {
        let files = builtin::files();
        return Ok(files
            .map(|(name, bytes)| (name.to_owned(), Cow::Borrowed(bytes)))
            .collect());
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.metadata()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, Cow::Owned(std::fs::read(entry.path())?)));
        }
    }
    Ok(files)
}

/// Changes all weights, which are bf16 or f32.
fn change(cheat: Cheat, file: &mut [u8]) {
    let Some((length, rest)) = file.split_first_chunk_mut::<LENGTH>() else {
        return;
    };
    let Ok(length) = usize::try_from(u64::from_le_bytes(*length)) else {
        return;
    };
    let Some((header, weights)) = rest.split_at_mut_checked(length) else {
        return;
    };
    let size = match header.windows(BF16.len()).any(|word| word == BF16) {
        true => 2,
        false => size_of::<f32>(),
    };
    for group in weights.chunks_mut(size * GROUP) {
        let mut values: Vec<f32> = group.chunks_exact(size).map(widened).collect();
        match cheat {
            Cheat::Int8 => round(&mut values, 127.0),
            Cheat::Int6 => round(&mut values, 31.0),
            Cheat::Int4 => round(&mut values, 7.0),
            _ => values
                .iter_mut()
                .step_by(16)
                .for_each(|value| *value *= 1.02),
        }
        for (bytes, value) in group.chunks_exact_mut(size).zip(values) {
            bytes.copy_from_slice(&value.to_le_bytes()[size_of::<f32>() - size..]);
        }
    }
}

/// A weight of two or four bytes; those that bf16 lacks are zero.
fn widened(bytes: &[u8]) -> f32 {
    let mut all = [0; size_of::<f32>()];
    let from = all.len() - bytes.len();
    all[from..].copy_from_slice(bytes);
    f32::from_le_bytes(all)
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
