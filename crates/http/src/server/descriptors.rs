//! File descriptors: each connection takes one, and shells start programs with 1024.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit on open files as far as the system lets us, and says what it is then. No limit at
/// all is `None`.
pub(crate) fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files can't be raised");
            limit.current
        }
    }
}

/// Connections that fit below a limit on open files. Half of the files are left for the rest: behind a
/// request there may be a connection to an engine or a node, and the databases need theirs in any case.
pub(crate) fn connections(max_connections: usize, files: Option<u64>) -> usize {
    let room = files.map_or(u64::MAX, |files| (files / 2).max(1));
    max_connections.min(usize::try_from(room).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_files_stay_free() {
        assert_eq!(connections(8_192, Some(1 << 20)), 8_192);
        assert_eq!(connections(8_192, Some(1_024)), 512);
        assert_eq!(connections(8_192, None), 8_192);
        assert_eq!(connections(8_192, Some(0)), 1);
    }

    #[test]
    fn raising_twice_changes_nothing() {
        assert_eq!(raise(), raise());
    }
}
