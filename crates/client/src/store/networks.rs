//! The networks of which a data folder keeps something.

use super::{
    kept::Kept,
    kind::{KIND, folder_of},
};
use atoma_store::OpenError;
use atoma_types::NetworkId;
use std::{fs, io, path::Path};

/// Opens what is kept of each network under a data folder, in the order of their ids. Makes no
/// file.
pub(crate) fn all_kept(root: &Path) -> Result<Vec<(NetworkId, Kept)>, OpenError> {
    let unreadable = |source| OpenError::Io {
        path: root.to_owned(),
        source,
    };
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut networks = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        networks.extend(
            name.to_str()
                .and_then(|name| name.parse::<NetworkId>().ok()),
        );
    }
    networks.sort_unstable();
    let mut kept = Vec::new();
    for network in networks {
        let place = KIND.in_folder(&folder_of(root, network))?;
        let is_there = match KIND.check(&place) {
            // of an earlier version: brought up to date, as whoever uses that network would
            Err(OpenError::TooOld { .. }) => KIND.open(&place).map(|_| true),
            checked => checked,
        };
        if is_there? {
            kept.push((network, Kept::new(&place)));
        }
    }
    Ok(kept)
}
