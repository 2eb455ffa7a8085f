//! The networks that a data folder knows, without a ledger: stacks of a network that is gone (a
//! devnet that was started anew) are of no use any more, but they are still somebody's money.

use crate::{ClientError, store::all_kept};
use atoma_types::{NetworkId, StackId};
use std::path::Path;

/// A network of which a client keeps something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownNetwork {
    /// The network id of its ledger.
    pub network: NetworkId,
    /// The stacks that were bought or opened on it and not seen closed, of any wallet.
    pub stacks: Vec<StackId>,
    /// Those that have been seen closed.
    pub closed: Vec<StackId>,
}

/// The networks of which a client keeps something in its data folder, in the order of their ids.
/// Makes nothing, and may be asked while programs use the folder.
///
/// # Errors
///
/// If a file can't be read, or a newer version has written it.
pub fn known_networks(folder: &Path) -> Result<Vec<KnownNetwork>, ClientError> {
    let kept = all_kept(folder)?.into_iter();
    kept.map(|(network, kept)| {
        Ok(KnownNetwork {
            network,
            stacks: kept.stacks()?,
            closed: kept.closed_stacks()?,
        })
    })
    .collect()
}
