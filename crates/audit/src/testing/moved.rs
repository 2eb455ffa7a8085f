//! A model whose numbers are close to another's and not equal, as those of a server with arithmetic of its own are.

use atoma_engine::{EmbeddedOptions, Engine, LoadError, WeightType, builtin};
use serde_json::{Value, json};
use std::{borrow::Cow, collections::BTreeMap, fs, io, path::Path, sync::Arc};

/// Bytes before a safetensors file's header: its length.
const LENGTH: usize = 8;
/// Where weights may begin.
const ALIGNMENT: usize = 64;

/// How the numbers come to be others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arithmetic {
    /// They don't: the weights are only kept as f32.
    Same,
    /// The weights are rounded to bf16: those of the built-in model are already.
    Rounded,
    /// Each weight is moved by about so much of itself; the seed says which way.
    Moved(f32, u64),
}

/// A model that computes so: the built-in one, or that of a folder with one file of weights.
///
/// # Errors
/// If its files can't be read, written or loaded.
pub fn moved(
    model: Option<&Path>,
    arithmetic: Arithmetic,
    options: EmbeddedOptions,
) -> Result<Arc<dyn Engine>, LoadError> {
    let unusable = |source| LoadError::Io {
        path: model.unwrap_or(Path::new(builtin::NAME)).into(),
        source,
    };
    let folder = tempfile::tempdir().map_err(unusable)?;
    write_moved(model, arithmetic, folder.path()).map_err(unusable)?;
    let weights = match arithmetic {
        Arithmetic::Rounded => WeightType::Bf16,
        Arithmetic::Same | Arithmetic::Moved(..) => WeightType::F32,
    };
    let options = EmbeddedOptions {
        weights: Some(weights),
        ..options
    };
    atoma_engine::open(folder.path(), options)
}

/// Writes the files of such a model, whose weights are f32 then, whatever they were.
///
/// # Errors
/// If its files can't be read or written.
pub fn write_moved(model: Option<&Path>, arithmetic: Arithmetic, folder: &Path) -> io::Result<()> {
    for (name, bytes) in files(model)? {
        let bytes = match name.ends_with(".safetensors") {
            true => Cow::Owned(changed(&bytes, arithmetic)?),
            false => bytes,
        };
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

fn files(model: Option<&Path>) -> io::Result<Vec<(String, Cow<'static, [u8]>)>> {
    let Some(folder) = model else {
        let files = builtin::files();
        return Ok(files
            .map(|(name, bytes)| (name.to_owned(), Cow::Borrowed(bytes)))
            .collect());
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.metadata()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, Cow::Owned(fs::read(entry.path())?)));
        }
    }
    Ok(files)
}

/// The file with all weights as f32, moved.
fn changed(file: &[u8], arithmetic: Arithmetic) -> io::Result<Vec<u8>> {
    let odd = || io::Error::other("no file of weights");
    let (length, rest) = file.split_first_chunk::<LENGTH>().ok_or_else(odd)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| odd())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(odd)?;
    let header: BTreeMap<String, Value> = serde_json::from_slice(header)?;
    let (mut tensors, mut out) = (serde_json::Map::new(), Vec::new());
    let mut moves = match arithmetic {
        Arithmetic::Moved(by, seed) => Some((by, Noise(seed.wrapping_mul(2).wrapping_add(3)))),
        Arithmetic::Same | Arithmetic::Rounded => None,
    };
    for (name, tensor) in header.iter().filter(|(name, _)| *name != "__metadata__") {
        let offset = |at: usize| {
            tensor["data_offsets"][at]
                .as_u64()
                .map(|offset| offset as usize)
        };
        let (from, until) = offset(0).zip(offset(1)).ok_or_else(odd)?;
        let size = match tensor["dtype"].as_str() {
            Some("BF16") => 2,
            Some("F32") => size_of::<f32>(),
            _ => return Err(odd()),
        };
        let begin = out.len();
        for bytes in data.get(from..until).ok_or_else(odd)?.chunks_exact(size) {
            let mut value = widened(bytes);
            if let Some((by, noise)) = &mut moves {
                value *= 1.0 + *by * noise.next();
            }
            out.extend(value.to_le_bytes());
        }
        let place =
            json!({ "dtype": "F32", "shape": tensor["shape"], "data_offsets": [begin, out.len()] });
        tensors.insert(name.clone(), place);
    }
    let mut header = serde_json::to_vec(&tensors)?;
    header.resize(
        (header.len() + LENGTH).next_multiple_of(ALIGNMENT) - LENGTH,
        b' ',
    );
    let length = (header.len() as u64).to_le_bytes();
    Ok([&length[..], &header, &out].concat())
}

/// A weight of two or four bytes; those that bf16 lacks are zero.
fn widened(bytes: &[u8]) -> f32 {
    let mut all = [0; size_of::<f32>()];
    let from = all.len() - bytes.len();
    all[from..].copy_from_slice(bytes);
    f32::from_le_bytes(all)
}

/// Numbers that are roughly normal: sums of four uniform ones, scaled to unit variance.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bits = z ^ (z >> 31);
        let sum: u32 = (0..4).map(|i| (bits >> (16 * i)) as u32 & 0xffff).sum();
        (sum as f32 / 65_535.0 - 2.0) * 3f32.sqrt()
    }
}
