//! Tensors of a checkpoint, from files or from the binary itself, each read once and hashed.
//!
//! Nothing is mapped: a tensor is read, packed and forgotten, so loading takes little more memory
//! than the packed model, and a file that changes under a running node changes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::de::DeserializeOwned;

use crate::fingerprint::{digest, new_state};
use crate::load_error::{HeaderError, LoadError, TensorFault};
use crate::shards::{self, ShardsError};
use crate::unsupported::Unsupported;

/// Longest header of a safetensors file, as its own library has it.
const MAX_HEADER_BYTES: u64 = 100_000_000;
const REVISION_TAG: &[u8] = b"atoma/engine/revision/v1";

/// A model's files that lie elsewhere than in a folder, such as sealed ones: they are read and never written.
pub trait ModelFiles: std::fmt::Debug + Send + Sync {
    /// The names of all; of those in folders below, with the folder's name and a slash before them.
    fn names(&self) -> Vec<String>;

    /// A file from its beginning; none if there is none of the name.
    ///
    /// # Errors
    /// If it can't be read.
    fn open(&self, name: &str) -> std::io::Result<Option<Box<dyn ReadSeek>>>;
}

/// An open file.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// Where a model's files are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Folder(PathBuf),
    Builtin(&'static [(&'static str, &'static [u8])]),
    Given(Arc<dyn ModelFiles>),
}

impl Source {
    /// A small file, or none.
    pub(crate) fn file(&self, name: &str) -> Result<Option<Vec<u8>>, LoadError> {
        let Some(mut file) = self.open(name)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| {
            let path = name.into();
            LoadError::Io { path, source }
        })?;
        Ok(Some(bytes))
    }

    /// A file that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<Vec<u8>, LoadError> {
        self.file(name)?
            .ok_or_else(|| LoadError::Missing(name.to_owned()))
    }

    /// Names of the files, without those in folders below.
    fn names(&self) -> Result<Vec<String>, LoadError> {
        match self {
            Self::Folder(folder) => {
                let io = |source| LoadError::Io {
                    path: folder.clone(),
                    source,
                };
                let entries = std::fs::read_dir(folder).map_err(io)?;
                let name = |entry: std::io::Result<std::fs::DirEntry>| {
                    let name = entry.map_err(io)?.file_name();
                    Ok(name.to_string_lossy().into_owned())
                };
                entries.map(name).collect()
            }
            Self::Builtin(files) => Ok(files.iter().map(|(name, _)| (*name).to_owned()).collect()),
            Self::Given(files) => {
                let names = files.names().into_iter();
                Ok(names.filter(|name| !name.contains('/')).collect())
            }
        }
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn ReadSeek>>, LoadError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                match File::open(&path) {
                    Ok(file) => Ok(Some(Box::new(file))),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(LoadError::Io { path, source }),
                }
            }
            Self::Builtin(files) => {
                let file = files.iter().find(|(n, _)| *n == name);
                Ok(file.map(|(_, bytes)| Box::new(std::io::Cursor::new(*bytes)) as _))
            }
            Self::Given(files) => files.open(name).map_err(|source| {
                let path = name.into();
                LoadError::Io { path, source }
            }),
        }
    }
}

/// A tensor as stored.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: Dtype,
    bytes: Vec<u8>,
}

impl Tensor {
    /// Element `i` in row-major order; f16 and bf16 widen exactly.
    #[inline]
    pub(crate) fn at(&self, i: usize) -> f32 {
        let two = || u16::from_le_bytes([self.bytes[2 * i], self.bytes[2 * i + 1]]);
        match self.dtype {
            Dtype::BF16 => f32::from_bits(u32::from(two()) << 16),
            Dtype::F16 => widen_f16(two()),
            _ => {
                let b = &self.bytes[4 * i..4 * i + 4];
                f32::from_le_bytes([b[0], b[1], b[2], b[3]])
            }
        }
    }

    /// All elements as f32, row by row.
    pub(crate) fn to_vec(&self) -> Vec<f32> {
        (0..self.shape.iter().product())
            .map(|i| self.at(i))
            .collect()
    }
}

/// IEEE half to single precision, subnormals included.
fn widen_f16(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(half >> 10) & 0x1f, u32::from(half & 0x3ff));
    match exponent {
        0 => {
            let magnitude = fraction as f32 * f32::from_bits(0x3380_0000); // 2^-24
            f32::from_bits(sign | magnitude.to_bits())
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

struct Place {
    file: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    begin: u64,
    bytes: usize,
}

/// The tensors of a model and the digest over those that were read.
pub(crate) struct Checkpoint {
    files: Vec<Box<dyn ReadSeek>>,
    places: BTreeMap<String, Place>,
    digests: BTreeMap<String, [u8; 32]>,
}

impl Checkpoint {
    /// Reads the headers of the files that hold the weights.
    pub(crate) fn open(source: &Source) -> Result<Self, LoadError> {
        let index = source.file(shards::INDEX)?;
        let names = shards::choose(&source.names()?, index.as_deref());
        let names = names.map_err(|error| match error {
            ShardsError::Missing(name) => LoadError::Missing(name),
            other => LoadError::Shards(other),
        })?;
        if names.is_empty() {
            return Err(LoadError::Missing(shards::WHOLE.to_owned()));
        }
        let mut checkpoint = Self {
            files: Vec::new(),
            places: BTreeMap::new(),
            digests: BTreeMap::new(),
        };
        for name in names {
            let file = source.open(&name)?;
            let mut file = file.ok_or_else(|| LoadError::Missing(name.clone()))?;
            let header = read_header(&mut file);
            let (begin, metadata) =
                header.map_err(|source| LoadError::Header { file: name, source })?;
            let tensors: BTreeMap<_, _> = metadata.tensors().into_iter().collect();
            for (tensor, info) in tensors {
                let place = Place {
                    file: checkpoint.files.len(),
                    dtype: info.dtype,
                    shape: info.shape.clone(),
                    begin: begin + info.data_offsets.0 as u64,
                    bytes: info.data_offsets.1 - info.data_offsets.0,
                };
                checkpoint.places.insert(tensor, place);
            }
            checkpoint.files.push(file);
        }
        checkpoint.name_as_in_a_model();
        Ok(checkpoint)
    }

    /// Models that were saved without their head have names without `model.`.
    fn name_as_in_a_model(&mut self) {
        if self.has("model.embed_tokens.weight") || !self.has("embed_tokens.weight") {
            return;
        }
        let places = std::mem::take(&mut self.places).into_iter();
        let renamed = places.map(|(name, place)| match name.starts_with("lm_head.") {
            true => (name, place),
            false => (format!("model.{name}"), place),
        });
        self.places = renamed.collect();
    }

    /// Refuses a checkpoint with tensors that nobody asked for: the engine would compute another
    /// model than was trained. `is_idle` knows those that change nothing.
    pub(crate) fn all_used_but(&self, is_idle: impl Fn(&str) -> bool) -> Result<(), Unsupported> {
        let names = self.places.keys();
        let unused = names.filter(|name| !self.digests.contains_key(*name) && !is_idle(name));
        match unused.min() {
            None => Ok(()),
            Some(name) => Err(Unsupported::Tensor(name.clone())),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// True when every matrix is stored in bf16.
    pub(crate) fn is_bf16(&self) -> bool {
        let mut matrices = self.places.values().filter(|p| p.shape.len() == 2);
        matrices.all(|p| p.dtype == Dtype::BF16)
    }

    /// Reads a tensor and checks its shape.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let fail = |fault| LoadError::Tensor {
            name: name.to_owned(),
            fault,
        };
        let place = self.places.get(name);
        let place = place.ok_or_else(|| fail(TensorFault::Absent))?;
        if place.shape != shape {
            return Err(fail(TensorFault::Shape {
                found: place.shape.clone(),
                expected: shape.to_vec(),
            }));
        }
        if ![Dtype::F32, Dtype::F16, Dtype::BF16].contains(&place.dtype) {
            return Err(fail(TensorFault::Type(place.dtype)));
        }
        let unreadable = |source| LoadError::Unreadable {
            name: name.to_owned(),
            source,
        };
        let mut bytes = vec![0; place.bytes];
        let file = &mut self.files[place.file];
        file.seek(SeekFrom::Start(place.begin))
            .map_err(unreadable)?;
        file.read_exact(&mut bytes).map_err(unreadable)?;
        let mut state = new_state();
        state
            .update(format!("{name}\0{:?}\0{shape:?}\0", place.dtype).as_bytes())
            .update(&bytes);
        self.digests.insert(name.to_owned(), digest(&state));
        Ok(Tensor {
            shape: shape.to_vec(),
            dtype: place.dtype,
            bytes,
        })
    }

    /// One digest over the tensors that were read, by name, and the given files.
    pub(crate) fn revision(&self, files: &[(&str, Option<&[u8]>)]) -> [u8; 32] {
        let mut state = new_state();
        state.update(REVISION_TAG);
        for (name, tensor) in &self.digests {
            state.update(name.as_bytes()).update(&[0]).update(tensor);
        }
        for (name, bytes) in files {
            state
                .update(name.as_bytes())
                .update(&[0, u8::from(bytes.is_some())]);
            if let Some(bytes) = bytes {
                state
                    .update(&(bytes.len() as u64).to_le_bytes())
                    .update(bytes);
            }
        }
        digest(&state)
    }
}

/// Where the data begin, and what they are.
fn read_header(file: &mut dyn ReadSeek) -> Result<(u64, Metadata), HeaderError> {
    let total = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES.min(total) {
        return Err(HeaderError::TooLong);
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header)?;
    // Deserialising checks that offsets are contiguous and fit shapes and types.
    let metadata: Metadata = serde_json::from_slice(&header)?;
    // A header may claim as many data as a number can count.
    if (8 + length).checked_add(metadata.data_len() as u64) != Some(total) {
        return Err(HeaderError::Length);
    }
    Ok((8 + length, metadata))
}

/// Where a file's data begin and how many there are; none if it is no such file.
#[cfg(feature = "fuzzing")]
pub(crate) fn header_length(bytes: &[u8]) -> Option<(u64, u64)> {
    let (start, metadata) = read_header(&mut std::io::Cursor::new(bytes)).ok()?;
    Some((start, metadata.data_len() as u64))
}

/// Reads a file's text as JSON.
pub(crate) fn json<T: DeserializeOwned>(file: &str, text: &[u8]) -> Result<T, LoadError> {
    serde_json::from_slice(text).map_err(|source| LoadError::Json {
        file: file.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_widen_exactly() {
        for (half, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x0001, 5.960_464_5e-8f32)] {
            assert_eq!(widen_f16(half), value);
        }
        assert_eq!(widen_f16(0x8000).to_bits(), (-0.0f32).to_bits());
        assert_eq!(widen_f16(0x7bff), 65_504.0);
        assert!(widen_f16(0x7c00).is_infinite() && widen_f16(0x7e00).is_nan());
    }

    #[test]
    fn headers_that_lie_are_refused() {
        for bytes in [
            &b""[..],
            &[255; 8],
            &[4, 0, 0, 0, 0, 0, 0, 0, b'{', b'}', b' ', b' ', 1],
        ] {
            assert!(read_header(&mut std::io::Cursor::new(bytes)).is_err());
        }
        let most = u64::MAX;
        let header =
            format!(r#"{{"a":{{"dtype":"U8","shape":[{most}],"data_offsets":[0,{most}]}}}}"#);
        let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        assert!(read_header(&mut std::io::Cursor::new(file)).is_err());
    }
}
