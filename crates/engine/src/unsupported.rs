//! What the engine doesn't compute.

use crate::Isa;

/// What about a model makes that the engine doesn't compute it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// Kernels that the processor can't run.
    #[error("{0:?} on this processor")]
    Processor(Isa),
    /// A model of another architecture; its name, and those that are known.
    #[error("model type {found:?}; known are {known}, and bert for embeddings")]
    ModelType {
        /// As `config.json` says.
        found: String,
        /// The names that are known.
        known: String,
    },
    /// Weights of fewer bits; by which method, where the file says.
    #[error("quantised weights{}; f32, f16 and bf16 are known", of(.0.as_deref()))]
    Quantised(Option<String>),
    /// A function between layers that isn't computed.
    #[error("activation {0:?}")]
    Activation(String),
    /// A size of nothing, or beyond reason.
    #[error("{name} {size}")]
    Size {
        /// The size's name in `config.json`.
        name: &'static str,
        /// As it is there.
        size: usize,
    },
    /// The number that keeps a norm from dividing by zero is none.
    #[error("{name} {value}")]
    Epsilon {
        /// The number's name in `config.json`.
        name: &'static str,
        /// As it is there.
        value: f64,
    },
    /// Positions that turn some components of a head and not others.
    #[error("rotation of a part of a head")]
    PartialRotation,
    /// Positions that turn neighbouring components instead of halves.
    #[error("rotation of neighbours")]
    NeighbourRotation,
    /// Positions that turn otherwise in each kind of layer.
    #[error("a rotation for each kind of layer")]
    RotationByLayer,
    /// A way to stretch positions that isn't known.
    #[error("rope scaling {0:?}")]
    RopeScaling(String),
    /// Sizes of attention heads that don't go into each other.
    #[error("heads don't divide into key heads or head size is odd")]
    Heads,
    /// An encoder whose width isn't a multiple of its heads.
    #[error("a hidden size that heads don't divide")]
    HiddenSize,
    /// A BERT that is trained to write.
    #[error("a BERT that decodes")]
    Decoder,
    /// Positions that aren't a table.
    #[error("position embeddings {0:?}")]
    Positions(String),
    /// Longer texts than there are places, or none.
    #[error("texts of {tokens} tokens with {places} places")]
    TextLength {
        /// As the folder says.
        tokens: usize,
        /// As the encoder has.
        places: usize,
    },
    /// The folder wants a text before every text.
    #[error("a prompt {0:?} before every text")]
    DefaultPrompt(String),
    /// A step between encoder and vector that isn't known.
    #[error("a step {kind} in the folder {path:?}")]
    Step {
        /// The step's class.
        kind: String,
        /// The folder that describes it.
        path: String,
    },
    /// A way to make one vector of many that isn't known; all that are set.
    #[error("pooling {0:?}; known are mean, cls and max")]
    Pooling(Vec<String>),
    /// A tensor that the engine wouldn't use: it would compute another model than was trained.
    #[error("a model with a tensor {0}")]
    Tensor(String),
}

fn of(method: Option<&str>) -> String {
    method.map_or_else(String::new, |method| format!(" ({method})"))
}
