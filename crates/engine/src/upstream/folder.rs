//! What the folder with the model's tokenizer says, beside servers that have the model itself.

use std::io::ErrorKind;
use std::path::Path;

use crate::text::TextModel;
use crate::{LoadError, SamplingDefaults};

const ADVICE: &str = "generation_config.json";

/// Tokenizer and chat template.
///
/// # Errors
/// If there is no tokenizer, or it can't be read.
pub(super) fn text(folder: &Path) -> Result<TextModel, LoadError> {
    Ok(TextModel::new(|name| {
        std::fs::read(folder.join(name)).ok()
    })?)
}

/// What the model's makers say of sampling, OpenAI's values where they say nothing. It is read here and
/// written out to every server: vLLM reads the same file, llama.cpp has values of its own, and requests must
/// mean the same on each of them.
///
/// # Errors
/// If the file is there and can't be read.
pub(super) fn advice(folder: &Path) -> Result<SamplingDefaults, LoadError> {
    let path = folder.join(ADVICE);
    match std::fs::read(&path) {
        Ok(text) => SamplingDefaults::parse(&text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(SamplingDefaults::default()),
        Err(source) => Err(LoadError::Io { path, source }),
    }
}
