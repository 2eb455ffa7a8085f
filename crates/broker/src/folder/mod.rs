//! Sealed models as folders.
//!
//! ```text
//! model.sealed   the head
//! 0000.sealed    the first file of its manifest
//! 0001.sealed    the next one, and so on
//! ```
//!
//! The names of the clear files stand in the manifest, which is sealed. How long each file is shows.

mod error;
mod open;
mod seal;
mod walk;

pub use error::SealFolderError;
pub use open::{OpenFolder, ReadFolderError, SealedFolder};
pub use seal::{Sealed, seal_folder};

/// The file with the head.
const HEAD: &str = "model.sealed";

/// The file that is in this place of the manifest.
fn file_name(place: u32) -> String {
    format!("{place:04}.sealed")
}
