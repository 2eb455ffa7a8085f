//! Loads a folder by the engine that computes its kind of model.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::bert::{Bert, MODEL_TYPE};
use crate::checkpoint::{Source, json};
use crate::load_error::LoadError;
use crate::{Embedded, EmbeddedOptions, Engine};

#[derive(Deserialize)]
struct Kind {
    model_type: String,
}

/// The model of a Hugging Face folder: one that talks, or, if it is a BERT, one that embeds.
///
/// # Errors
/// If a file is missing or broken, or the model is of a kind that isn't computed here.
pub fn open(path: &Path, options: EmbeddedOptions) -> Result<Arc<dyn Engine>, LoadError> {
    let config = Source::Folder(path.to_owned()).required("config.json")?;
    let kind: Kind = json("config.json", &config)?;
    Ok(if kind.model_type == MODEL_TYPE {
        Arc::new(Bert::open(path, options)?)
    } else {
        Arc::new(Embedded::open(path, options)?)
    })
}
