//! Sealing a model's folder.

use super::{HEAD, error::SealFolderError, file_name, walk};
use crate::key_file::KeyFile;
use atoma_channel::model::{ModelSealer, SealFileError};
use atoma_runtime::Random;
use atoma_types::hash::Hash32;
use std::{
    fs::{self, File},
    io::{self, BufReader, Write},
    path::Path,
};

/// A folder that was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Names the sealed model.
    pub model: Hash32,
    /// Files that were sealed.
    pub files: usize,
    /// Their bytes in clear.
    pub bytes: u64,
}

/// Seals all files of `folder` into the new folder `sealed`, under a new key that goes into the new file `key_file`. The
/// head is written last: what was left halfway is no sealed model. `random` must be good for keys.
///
/// # Errors
/// If anything can't be read or written, is there already, or changes while it is sealed.
pub fn seal_folder(
    folder: &Path,
    sealed: &Path,
    key_file: &Path,
    random: &dyn Random,
) -> Result<Sealed, SealFolderError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        |source| SealFolderError::Io { path, source }
    };
    for model in [folder, sealed] {
        if lies_in(key_file, model).map_err(io(key_file))? {
            return Err(SealFolderError::KeyPlace(key_file.to_owned()));
        }
    }
    let names = walk::files(folder)?;
    let look = |name| walk::look(folder, name);
    let files = names.into_iter().map(look).collect::<Result<_, _>>()?;
    let sealer = ModelSealer::new(files, random).map_err(|source| SealFolderError::Seal {
        path: folder.to_owned(),
        source,
    })?;
    match fs::create_dir(sealed) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(SealFolderError::Exists(sealed.to_owned()));
        }
        made => made.map_err(io(sealed))?,
    }
    let model = sealer.model().id();
    if let Err(error) = KeyFile::write(model, sealer.key(), key_file) {
        // it is empty, and of no use
        let _ = fs::remove_dir(sealed);
        return Err(error.into());
    }
    for (place, file) in (0..).zip(sealer.files()) {
        seal_file(
            &sealer,
            place,
            &folder.join(&file.name),
            &sealed.join(file_name(place)),
        )?;
    }
    let head = sealed.join(HEAD);
    write_new(&head, |out| out.write_all(sealer.model().as_bytes())).map_err(io(&head))?;
    File::open(sealed)
        .and_then(|folder| folder.sync_all())
        .map_err(io(sealed))?;
    Ok(Sealed {
        model,
        files: sealer.files().len(),
        bytes: sealer.files().iter().map(|file| file.size).sum(),
    })
}

/// Whether a file that may not be there yet lies in a folder that may not be, either.
fn lies_in(file: &Path, folder: &Path) -> io::Result<bool> {
    // what is there is looked up, so that a link doesn't hide it
    let found = |path: &Path| {
        let path = std::path::absolute(path)?;
        let there = path.ancestors().find_map(|part| {
            let found = part.canonicalize().ok()?;
            Some(found.join(path.strip_prefix(part).ok()?))
        });
        Ok::<_, io::Error>(there.unwrap_or(path))
    };
    Ok(found(file)?.starts_with(found(folder)?))
}

fn seal_file(
    sealer: &ModelSealer,
    place: u32,
    clear: &Path,
    sealed: &Path,
) -> Result<(), SealFolderError> {
    let io = |path: &Path, source| SealFolderError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(clear).map_err(|source| io(clear, source))?;
    let mut refused = None;
    let written = write_new(sealed, |out| {
        match sealer.seal_file(place, BufReader::new(file), out) {
            Err(SealFileError::Io(error)) => Err(error),
            Err(SealFileError::Fault(fault)) => {
                refused = Some(fault);
                Ok(())
            }
            other => other.map_err(io::Error::other),
        }
    });
    written.map_err(|source| io(sealed, source))?;
    match refused {
        Some(source) => Err(SealFolderError::Seal {
            path: clear.to_owned(),
            source,
        }),
        None => Ok(()),
    }
}

/// Writes a file where there is none, and makes it durable.
fn write_new(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    write(&mut file)?;
    file.sync_all()
}
