//! Loads a folder by the engine that computes its kind of model.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::bert::{Bert, MODEL_TYPE};
use crate::checkpoint::{ModelFiles, Source, json};
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
    let name = path.file_name();
    let name = name.map_or("model".into(), |name| name.to_string_lossy());
    from_source(&Source::Folder(path.to_owned()), &name, options)
}

/// The same of files that lie elsewhere than in a folder; `name` is the model's, unless the options have one.
///
/// # Errors
/// As [`open`].
pub fn open_files(
    files: Arc<dyn ModelFiles>,
    name: &str,
    options: EmbeddedOptions,
) -> Result<Arc<dyn Engine>, LoadError> {
    from_source(&Source::Given(files), name, options)
}

fn from_source(
    source: &Source,
    name: &str,
    options: EmbeddedOptions,
) -> Result<Arc<dyn Engine>, LoadError> {
    let config = source.required("config.json")?;
    let kind: Kind = json("config.json", &config)?;
    Ok(if kind.model_type == MODEL_TYPE {
        Arc::new(Bert::from_source(source, name, options)?)
    } else {
        Arc::new(Embedded::from_source(source, name, options)?)
    })
}
