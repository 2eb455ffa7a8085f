//! What a node is given to serve.

use atoma_engine::Engine;
use std::{fmt, sync::Arc};

/// A model and the engine that serves it.
#[derive(Clone)]
pub struct ServedModel {
    /// The name, as tasks have it.
    pub model: String,
    /// The engine that computes the answers for this model.
    pub engine: Arc<dyn Engine>,
}

impl fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedModel")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
