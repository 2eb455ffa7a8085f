//! Keys of a network's parties, kept in its folder so that a network that starts again has the same ones.

use crate::NetworkError;
use atoma_keys::{SigningKey, read_private};
use atoma_runtime::Random;
use atoma_runtime::files::write_private;
use std::path::Path;

/// The key in a private file, made at first use from `random`.
///
/// # Errors
/// If the file can't be read or written, or holds something else.
pub fn stored_key(path: &Path, random: &dyn Random) -> Result<SigningKey, NetworkError> {
    let wrong = |source| NetworkError::Key {
        path: path.to_owned(),
        source,
    };
    let file = |source| NetworkError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(text) = read_private(path).map_err(file)? {
        return SigningKey::from_suiprivkey(text.trim()).map_err(wrong);
    }
    let key = SigningKey::generate(random);
    write_private(path, key.to_suiprivkey().map_err(wrong)?.as_bytes()).map_err(file)?;
    Ok(key)
}
