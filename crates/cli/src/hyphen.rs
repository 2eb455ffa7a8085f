//! Ids of blobs that begin with a hyphen, as one of 64 does: on a command line they look like options.
//! They are moved to its end, behind the `--` after which nothing is an option.

use atoma_walrus::{BlobId, quilt::QuiltPatchId};
use std::ffi::{OsStr, OsString};

/// The words of a command line, those last that are ids and look like options.
pub(crate) fn ids_last(words: Vec<OsString>) -> Vec<OsString> {
    if words.iter().any(|word| word == "--") {
        return words;
    }
    let (ids, mut words): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| is_id(word));
    if !ids.is_empty() {
        words.push("--".into());
        words.extend(ids);
    }
    words
}

fn is_id(word: &OsStr) -> bool {
    let text = word.to_str().filter(|text| text.starts_with('-'));
    text.is_some_and(|text| text.parse::<BlobId>().is_ok() || text.parse::<QuiltPatchId>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Args;
    use clap::CommandFactory;

    const ID: &str = "-4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk";

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn every_command_takes_an_id_that_begins_with_a_hyphen() {
        for typed in [
            &["atoma", "verify", ID, "--offline"][..],
            &["atoma", "verify", "--seq", "2", ID, "a", ID],
            &["atoma", "walrus", "read", ID, "-o", "file"],
            &["atoma", "walrus", "status", ID],
            &["atoma", "walrus", "quilt", "list", ID],
        ] {
            let typed = words(typed);
            assert!(Args::command().try_get_matches_from(&typed).is_err());
            let matches = Args::command().try_get_matches_from(ids_last(typed));
            matches.unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn what_only_looks_like_an_id_stays_where_it_is() {
        for typed in [
            &["atoma", "verify", "-4hsZGQ1oCktdzeg", "--nonsense"][..],
            &["atoma", "verify", "--", ID, "--offline"],
        ] {
            assert_eq!(ids_last(words(typed)), words(typed));
        }
    }
}
