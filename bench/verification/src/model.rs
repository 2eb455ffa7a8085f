//! The model that the study is about.

use anyhow::{Context, Result};
use atoma_engine::{EmbeddedOptions, Engine, builtin};
use std::{path::PathBuf, sync::Arc};

/// The built-in model, or a folder's.
#[derive(Clone, Debug, Default)]
pub struct Model(pub Option<PathBuf>);

impl Model {
    pub(crate) fn open(&self, options: EmbeddedOptions) -> Result<Arc<dyn Engine>> {
        Ok(match &self.0 {
            None => Arc::new(builtin::load_with(options)?),
            Some(folder) => atoma_engine::open(folder, options)
                .with_context(|| format!("cannot open {}", folder.display()))?,
        })
    }
}
