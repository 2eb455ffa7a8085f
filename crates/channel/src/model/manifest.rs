//! What a sealed model's files are.

use crate::{
    fault::{Fault, Result},
    limits::{MAX_MANIFEST_BYTES, MAX_MODEL_FILE_BYTES, MAX_MODEL_FILES, MAX_MODEL_NAME_BYTES},
};
use atoma_tee::bounded::{Bytes, List};
use atoma_types::hash::Hash32;
use serde::{Deserialize, Serialize};

/// A sealed model's files, by their names; it is sealed with them.
///
/// # BCS
/// ```text
/// files  ULEB128 count, 1 to 1,024, then of each, names rising:
///   name  ULEB128 length, at most 255, then UTF-8: parts between slashes, none of them empty, "." or ".."
///   size   8  u64 le, bytes of the clear file
///   hash  32  BLAKE2b-256 of the clear file
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    files: List<Entry, MAX_MODEL_FILES>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    name: Bytes<MAX_MODEL_NAME_BYTES>,
    size: u64,
    hash: Hash32,
}

/// One clear file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Its name in the folder: of a file in a folder below, with that one's name and a slash before it.
    pub name: String,
    /// Bytes of its content.
    pub size: u64,
    /// BLAKE2b-256 of its content.
    pub hash: Hash32,
}

impl Manifest {
    /// Of files in any order.
    ///
    /// # Errors
    /// [`Fault::ModelFiles`] for none, too many, a name twice or one that isn't plain, and [`Fault::ModelTooLong`].
    pub fn new(mut files: Vec<ModelFile>) -> Result<Self> {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let entry = |file: ModelFile| -> Result<Entry> {
            Ok(Entry {
                name: file
                    .name
                    .into_bytes()
                    .try_into()
                    .map_err(|_| Fault::ModelFiles)?,
                size: file.size,
                hash: file.hash,
            })
        };
        let entries = files.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
        let manifest = Self {
            files: entries.try_into().map_err(|_| Fault::ModelFiles)?,
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads one; it has one form.
    ///
    /// # Errors
    /// [`Fault::ModelForm`] for anything else, and as [`new`](Self::new).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let manifest: Self = bcs::from_bytes(bytes).map_err(|_| Fault::ModelForm)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest's bytes.
    ///
    /// # Panics
    /// Never: a manifest can always be written.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bcs::to_bytes(self).expect("a manifest has BCS")
    }

    /// The files, in their places.
    pub fn files(&self) -> impl Iterator<Item = ModelFile> {
        self.files.iter().map(|entry| ModelFile {
            name: String::from_utf8_lossy(&entry.name).into_owned(),
            size: entry.size,
            hash: entry.hash,
        })
    }

    /// The place of the file with this name.
    #[must_use]
    pub fn place_of(&self, name: &str) -> Option<u32> {
        let found = self
            .files
            .binary_search_by(|entry| entry.name[..].cmp(name.as_bytes()));
        u32::try_from(found.ok()?).ok()
    }

    fn check(&self) -> Result<()> {
        let rising = self
            .files
            .windows(2)
            .all(|two| two[0].name[..] < two[1].name[..]);
        let plain = self.files.iter().all(|entry| is_plain(&entry.name));
        if self.files.is_empty() || !rising || !plain {
            return Err(Fault::ModelFiles);
        }
        let longest = self.files.iter().map(|entry| entry.size).max();
        let short = longest.is_some_and(|size| size <= MAX_MODEL_FILE_BYTES);
        if !short || self.to_bytes().len() > MAX_MANIFEST_BYTES {
            return Err(Fault::ModelTooLong);
        }
        Ok(())
    }
}

/// A name that stays within its folder, whoever reads it.
fn is_plain(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    name.split('/').all(is_part) && !name.contains(|c: char| c == '\\' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> ModelFile {
        ModelFile {
            name: name.to_owned(),
            size: 7,
            hash: Hash32([1; 32]),
        }
    }

    #[test]
    fn files_are_named_once_plainly_and_in_order() {
        let manifest = Manifest::new(vec![file("b/config.json"), file("a")]).unwrap();
        let names: Vec<String> = manifest.files().map(|file| file.name).collect();
        assert_eq!(names, ["a", "b/config.json"]);
        assert_eq!(manifest.place_of("b/config.json"), Some(1));
        assert_eq!(manifest.place_of("b"), None);
        assert_eq!(Manifest::from_bytes(&manifest.to_bytes()), Ok(manifest));
        let wrong = [
            "", ".", "..", "../a", "a/..", "/a", "a/", "a//b", "a\\b", "a\nb",
        ];
        for name in wrong {
            let refused = Manifest::new(vec![file("a"), file(name)]);
            assert_eq!(refused, Err(Fault::ModelFiles), "{name:?}");
        }
        let long = "a".repeat(MAX_MODEL_NAME_BYTES + 1);
        assert_eq!(Manifest::new(vec![file(&long)]), Err(Fault::ModelFiles));
        let twice = Manifest::new(vec![file("a"), file("a")]);
        assert_eq!(twice, Err(Fault::ModelFiles));
        assert_eq!(Manifest::new(Vec::new()), Err(Fault::ModelFiles));
    }

    #[test]
    fn a_manifest_is_bounded() {
        let many = |count: usize| (0..count).map(|i| file(&format!("{i:04}"))).collect();
        assert!(Manifest::new(many(MAX_MODEL_FILES)).is_ok());
        let refused = Manifest::new(many(MAX_MODEL_FILES + 1));
        assert_eq!(refused, Err(Fault::ModelFiles));
        let mut long = file("a");
        long.size = MAX_MODEL_FILE_BYTES + 1;
        assert_eq!(Manifest::new(vec![long]), Err(Fault::ModelTooLong));
        // the order is part of the one form
        let mut swapped = Manifest::new(vec![file("a"), file("b")]).unwrap();
        let mut entries = swapped.files.to_vec();
        entries.swap(0, 1);
        swapped.files = entries.try_into().unwrap();
        let read = Manifest::from_bytes(&swapped.to_bytes());
        assert_eq!(read, Err(Fault::ModelFiles));
        let mut longer = Manifest::new(vec![file("a")]).unwrap().to_bytes();
        longer.push(0);
        assert_eq!(Manifest::from_bytes(&longer), Err(Fault::ModelForm));
    }
}
