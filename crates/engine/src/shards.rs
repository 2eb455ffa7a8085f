//! Which of a repository's files hold a model's weights.
//!
//! Repositories keep more than one: other formats' `consolidated` files beside the shards, shards of
//! an earlier cut, an index that names files that are gone.

use std::collections::BTreeMap;

/// The weights in one file.
pub(crate) const WHOLE: &str = "model.safetensors";
/// Says which tensor is in which shard.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
const ENDING: &str = ".safetensors";

/// Why it can't be told which files hold the weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardsError {
    /// A shard that the index names isn't there, and nothing else will do.
    #[error("there is no {0}")]
    Missing(String),
    /// The index isn't the JSON that it should be.
    #[error("{INDEX} can't be read")]
    Unreadable(#[from] serde_json::Error),
    /// The index names a file by a path, which may lead out of the folder.
    #[error("shard {0:?} isn't a plain file name")]
    Outside(String),
}

/// The files to read among `names`: the whole model if it is there; else the shards that the index
/// names; else, if some of those are gone, a complete set of shards; else whatever else there is.
///
/// # Errors
/// If the index can't be read or leads out of the folder.
pub(crate) fn choose(names: &[String], index: Option<&[u8]>) -> Result<Vec<String>, ShardsError> {
    let there = |name: &String| names.contains(name);
    if there(&WHOLE.to_owned()) {
        return Ok(vec![WHOLE.to_owned()]);
    }
    let named = index.map(named).transpose()?.unwrap_or_default();
    if !named.is_empty() && named.iter().all(there) {
        return Ok(named);
    }
    let mut sets: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for name in names {
        if let Some(count) = shard_of(name) {
            sets.entry(count).or_default().push(name.clone());
        }
    }
    let complete = sets
        .into_iter()
        .find(|(count, shards)| shards.len() == *count);
    let mut chosen = complete.map(|(_, shards)| shards).unwrap_or_default();
    if let (true, Some(missing)) = (chosen.is_empty(), named.iter().find(|name| !there(name))) {
        return Err(ShardsError::Missing(missing.clone()));
    }
    if chosen.is_empty() {
        let foreign = |name: &str| name.starts_with("consolidated") || name.starts_with("adapter");
        let weights = names
            .iter()
            .filter(|name| name.ends_with(ENDING) && !foreign(name));
        chosen.extend(weights.cloned());
    }
    chosen.sort();
    Ok(chosen)
}

/// Of how many shards this is one: `model-00001-of-00003.safetensors`.
fn shard_of(name: &str) -> Option<usize> {
    let numbers = name.strip_prefix("model-")?.strip_suffix(ENDING)?;
    let (number, count) = numbers.split_once("-of-")?;
    let count: usize = count.parse().ok()?;
    (1..=count).contains(&number.parse().ok()?).then_some(count)
}

/// The files that an index names.
fn named(index: &[u8]) -> Result<Vec<String>, ShardsError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_slice(index)?;
    let mut names: Vec<String> = index.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    // A name is a file beside the index, never a path out of the folder.
    match names.iter().find(|name| name.contains(['/', '\\'])) {
        Some(name) => Err(ShardsError::Outside(name.clone())),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], index: Option<&str>) -> Result<Vec<String>, ShardsError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        choose(&names, index.map(str::as_bytes))
    }

    #[test]
    fn shards_stay_in_the_folder() {
        let index = r#"{"weight_map":{"a":"../../etc/passwd"}}"#;
        assert!(chosen(&["x.safetensors"], Some(index)).is_err());
        let index =
            r#"{"weight_map":{"a":"m-2.safetensors","b":"m-1.safetensors","c":"m-1.safetensors"}}"#;
        let names = ["m-1.safetensors", "m-2.safetensors", "m-3.safetensors"];
        assert_eq!(chosen(&names, Some(index)).unwrap(), names[..2]);
    }

    #[test]
    fn the_whole_model_beats_shards_and_files_of_other_formats_are_left() {
        let names = [
            "consolidated.safetensors",
            "model.safetensors",
            "x.safetensors",
        ];
        assert_eq!(chosen(&names, None).unwrap(), ["model.safetensors"]);
        let shards = [
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
        ];
        let names = [&["consolidated.00.safetensors"], &shards[..]].concat();
        assert_eq!(chosen(&names, None).unwrap(), shards);
        assert_eq!(
            chosen(&["consolidated.safetensors"], None).unwrap(),
            [""; 0]
        );
    }

    #[test]
    fn a_stale_index_gives_way_to_a_complete_set() {
        let stale = r#"{"weight_map":{"a":"model-00001-of-00003.safetensors"}}"#;
        let shards = [
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
        ];
        assert_eq!(chosen(&shards, Some(stale)).unwrap(), shards);
        assert_eq!(
            chosen(&["model.safetensors"], Some(stale)).unwrap(),
            ["model.safetensors"]
        );
        let gone = chosen(&["model-00002-of-00003.safetensors"], Some(stale)).unwrap_err();
        assert!(gone.to_string().contains("00001-of-00003"), "{gone}");
    }
}
