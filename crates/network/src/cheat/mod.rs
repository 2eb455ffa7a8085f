//! Nodes that cheat, for the demo and the tests: engines that say they are the network's and do something else. No
//! node's configuration can name one.
//!
//! * [`Cheat`] lists what a node may do.
//! * [`cheating`] makes such an engine: it changes what is asked, or what is told of the answer.
//! * `weights` makes other weights of a model's.

mod engine;
mod kind;
mod weights;

pub use kind::{Cheat, UnknownCheat};

use atoma_engine::{Engine, LoadError};
use engine::Cheating;
use std::{path::Path, sync::Arc};

/// An engine that cheats in this way with the honest one, which computes with the built-in model; `folder` is for
/// weights of its own.
///
/// # Errors
/// If those can't be made or loaded.
pub fn cheating(
    cheat: Cheat,
    honest: &Arc<dyn Engine>,
    folder: &Path,
) -> Result<Arc<dyn Engine>, LoadError> {
    cheating_with(cheat, honest, None, folder)
}

/// The same with an honest engine of another model, whose files are in a folder.
///
/// # Errors
/// If its weights can't be made or loaded.
pub fn cheating_with(
    cheat: Cheat,
    honest: &Arc<dyn Engine>,
    model: Option<&Path>,
    folder: &Path,
) -> Result<Arc<dyn Engine>, LoadError> {
    let computes = match cheat {
        Cheat::OtherCheckpoint | Cheat::Int8 | Cheat::Int6 | Cheat::Int4 => {
            weights::load(cheat, model, folder)?
        }
        _ => honest.clone(),
    };
    Ok(Arc::new(Cheating::new(honest.clone(), computes, cheat)))
}
