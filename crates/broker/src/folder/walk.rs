//! A model's folder: which files are in it, and what they are.

use super::error::SealFolderError;
use atoma_channel::{limits::MAX_MODEL_FILES, model::ModelFile};
use atoma_types::hash::Hasher;
use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

/// Folders below a model's: those of sentence-transformers and of templates lie in the first.
const MAX_DEPTH: usize = 3;
/// What is read of a file at a time.
const PIECE_BYTES: usize = 1 << 20;

/// All files of a folder but hidden ones, by name; links to files are followed, for hubs' folders are full of them.
pub(super) fn files(folder: &Path) -> Result<Vec<String>, SealFolderError> {
    let mut names = Vec::new();
    collect(folder, "", 0, &mut names)?;
    names.sort();
    Ok(names)
}

fn collect(
    folder: &Path,
    before: &str,
    depth: usize,
    names: &mut Vec<String>,
) -> Result<(), SealFolderError> {
    let io = |source| SealFolderError::Io {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name
            .to_str()
            .ok_or_else(|| SealFolderError::Name(path.clone()))?;
        if name.starts_with('.') {
            continue;
        }
        let name = format!("{before}{name}");
        if entry.file_type().map_err(io)?.is_dir() {
            if depth >= MAX_DEPTH {
                return Err(SealFolderError::Depth(path));
            }
            collect(&path, &format!("{name}/"), depth + 1, names)?;
            continue;
        }
        let what = fs::metadata(&path).map_err(|source| SealFolderError::Io {
            path: path.clone(),
            source,
        })?;
        if !what.is_file() {
            return Err(SealFolderError::Kind(path));
        }
        names.push(name);
        if names.len() > MAX_MODEL_FILES {
            return Err(SealFolderError::Many);
        }
    }
    Ok(())
}

/// What a file is.
pub(super) fn look(folder: &Path, name: String) -> Result<ModelFile, SealFolderError> {
    let path = folder.join(&name);
    let io = |source| SealFolderError::Io {
        path: path.clone(),
        source,
    };
    let mut file = File::open(&path).map_err(io)?;
    let (mut hasher, mut size) = (Hasher::new(), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = file.read(&mut piece).map_err(io)?;
        if count == 0 {
            break;
        }
        hasher.update(&piece[..count]);
        size += count as u64;
    }
    Ok(ModelFile {
        name,
        size,
        hash: hasher.finish(),
    })
}
