//! The model inside the binary, so that nothing has to be downloaded.

use crate::checkpoint::Source;
use crate::embedded::{Embedded, EmbeddedOptions};
use crate::load_error::LoadError;

/// The name it is served under.
pub const NAME: &str = "atoma-tiny";

/// The one place that says which folder of `models/` it is.
macro_rules! model_file {
    ($file:literal) => {
        (
            $file,
            include_bytes!(concat!("../../../models/atoma-tiny/", $file)),
        )
    };
}

static FILES: &[(&str, &[u8])] = &[
    model_file!("config.json"),
    model_file!("generation_config.json"),
    model_file!("model.safetensors"),
    model_file!("tokenizer.json"),
    model_file!("tokenizer_config.json"),
];

/// Loads it with the usual options.
///
/// # Errors
/// If the processor cannot run it; the files themselves are held by tests.
pub fn load() -> Result<Embedded, LoadError> {
    load_with(EmbeddedOptions::default())
}

/// Loads the built-in model with options of the caller.
///
/// # Errors
/// If the options do not fit the model or the processor.
pub fn load_with(options: EmbeddedOptions) -> Result<Embedded, LoadError> {
    Embedded::from_source(&Source::Builtin(FILES), NAME, options)
}

/// Its files, by their names in a folder.
pub fn files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied()
}

/// One of its files.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn file(name: &str) -> Option<&'static [u8]> {
    FILES
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, bytes)| *bytes)
}
