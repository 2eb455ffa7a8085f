//! What can be wrong with a model's files.

use std::path::PathBuf;

use crate::{shards::ShardsError, unsupported::Unsupported};

/// Why a model couldn't be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file couldn't be read.
    #[error("can't read {path}")]
    Io {
        /// Where the file is.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// A file isn't there.
    #[error("the model's folder has no {0}")]
    Missing(String),
    /// A configuration file isn't the JSON that it should be.
    #[error("{file} is malformed")]
    Json {
        /// Name of the file.
        file: String,
        /// Where the text departs from what it should be.
        source: serde_json::Error,
    },
    /// How positions are stretched can be read, and can't be.
    #[error("rope scaling: {0}")]
    Rope(RopeFault),
    /// It can't be told which files have the weights.
    #[error("the weights can't be found")]
    Shards(#[source] ShardsError),
    /// The model is of a kind that the engine doesn't compute.
    #[error("unsupported: {0}")]
    Unsupported(Unsupported),
    /// A file of weights isn't one.
    #[error("{file} isn't a file of tensors")]
    Header {
        /// Name of the file.
        file: String,
        /// What is wrong with its header.
        source: HeaderError,
    },
    /// A tensor is missing, or another one than the configuration says.
    #[error("tensor {name} {fault}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What is wrong with it.
        fault: TensorFault,
    },
    /// A tensor couldn't be read from its file.
    #[error("can't read tensor {name}")]
    Unreadable {
        /// Name of the tensor.
        name: String,
        /// The system's own error.
        source: std::io::Error,
    },
    /// There is no tokenizer that can be read.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// There is no memory for the weights.
    #[error("no memory for the weights")]
    Memory(#[source] std::io::Error),
    /// A thread couldn't be started.
    #[error("can't start a thread")]
    Thread(#[source] std::io::Error),
}

/// How a tensor differs from what the configuration says of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorFault {
    /// No file has a tensor of the name.
    #[error("isn't in the checkpoint")]
    Absent,
    /// It has other dimensions.
    #[error("has shape {found:?}, not {expected:?}")]
    Shape {
        /// As its file says.
        found: Vec<usize>,
        /// As follows from the configuration.
        expected: Vec<usize>,
    },
    /// Its numbers are of a type that the engine doesn't read; this is the type.
    #[error("has type {0:?}; f32, f16 and bf16 are known")]
    Type(safetensors::Dtype),
}

/// What is wrong with how a model's positions are stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RopeFault {
    /// A number is missing, or isn't above zero.
    #[error("it lacks a positive {0}")]
    Lacks(&'static str),
    /// Each factor alone may be sound and their quotients not: every answer would be nonsense.
    #[error("its factors give no angles")]
    NoAngles,
}

impl From<Unsupported> for LoadError {
    fn from(what: Unsupported) -> Self {
        Self::Unsupported(what)
    }
}

impl From<RopeFault> for LoadError {
    fn from(fault: RopeFault) -> Self {
        Self::Rope(fault)
    }
}

/// What is wrong with the header of a safetensors file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// It ends too early, or couldn't be read.
    #[error("its header can't be read")]
    Io(#[from] std::io::Error),
    /// It says that it is longer than the file, or than any header may be.
    #[error("the header is longer than allowed")]
    TooLong,
    /// It isn't the JSON that it should be.
    #[error("its header is malformed")]
    Json(#[from] serde_json::Error),
    /// Its tensors take more or fewer bytes than the file has.
    #[error("the file's length doesn't fit its header")]
    Length,
}

/// Why there is no tokenizer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The file isn't there.
    #[error("there is no tokenizer.json")]
    Absent,
    /// The file isn't a tokenizer.
    #[error("tokenizer.json is malformed")]
    Tokenizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file breaks off, or its parts contradict each other.
    #[error("tokenizer.json breaks off or contradicts itself")]
    Contradicts,
    /// The file that names the special tokens isn't the JSON that it should be.
    #[error("tokenizer_config.json is malformed")]
    Config(#[source] serde_json::Error),
}
