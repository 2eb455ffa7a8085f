//! What the folder with the model's tokenizer says, beside servers that have the model itself.

use std::io::ErrorKind;
use std::path::Path;

use crate::text::TextModel;
use crate::{EngineError, SamplingDefaults};
use atoma_runtime::WithCauses;

const ADVICE: &str = "generation_config.json";

/// Tokenizer and chat template.
///
/// # Errors
/// If there is no tokenizer, or it can't be read.
pub(super) fn text(folder: &Path) -> Result<TextModel, EngineError> {
    TextModel::new(|name| std::fs::read(folder.join(name)).ok())
        .map_err(|error| bad(folder, &WithCauses(&error).to_string()))
}

/// What the model's makers say of sampling, OpenAI's values where they say nothing. It is read here and
/// written out to every server: vLLM reads the same file, llama.cpp has values of its own, and requests must
/// mean the same on each of them.
///
/// # Errors
/// If the file is there and can't be read.
pub(super) fn advice(folder: &Path) -> Result<SamplingDefaults, EngineError> {
    match std::fs::read(folder.join(ADVICE)) {
        Ok(text) => SamplingDefaults::parse(&text)
            .map_err(|error| bad(folder, &WithCauses(&error).to_string())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(SamplingDefaults::default()),
        Err(error) => Err(bad(folder, &format!("can't read {ADVICE}: {error}"))),
    }
}

fn bad(folder: &Path, why: &str) -> EngineError {
    EngineError::BadRequest(format!("{}: {why}", folder.display()))
}
