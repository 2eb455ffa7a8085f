//! Transactions on their way, kept on disk until their outcome is known.
//!
//! A program that is killed after it has sent a transaction doesn't know whether it was executed. Paying again might
//! pay twice, and other transactions with the same coins might lock them until the epoch ends. So each signed
//! transaction is on disk, readable by its owner alone, before it is sent, and the next run finishes it: looks for
//! it, and where it isn't found submits the very same bytes, until the ledger has executed it or says no, at the
//! latest when its last epoch is over.
//!
//! One file for each, named by the digest, in a folder for each network. Its program holds the system's lock on it,
//! so that others leave it alone for as long as that lives. A file that isn't whole was never sent.

use atoma_runtime::files;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use sui_sdk_types::{Digest, SignedTransaction};

/// Far above any transaction with its signatures: Sui takes 128 KiB.
const MAX_BYTES: u64 = 256 * 1_024;
/// Ends of the files' names.
const ENDING: &str = "transaction";

/// A folder of transactions on their way.
#[derive(Debug)]
pub(crate) struct InFlight {
    folder: PathBuf,
    /// Those of this program, with their locks.
    held: Mutex<HashMap<Digest, File>>,
}

impl InFlight {
    /// The folder, which is made when there is something to keep.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            held: Mutex::default(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(format!("{digest}.{ENDING}"))
    }

    /// Puts a transaction on disk, if it isn't there already. When this returns, it may be sent.
    pub(crate) fn keep(&self, digest: Digest, signed: &SignedTransaction) -> io::Result<()> {
        if self.held.lock().contains_key(&digest) {
            return Ok(());
        }
        let path = self.path(digest);
        files::create_folder(&self.folder)?;
        let written = write(&path, signed).and_then(|file| {
            files::sync_folder(&self.folder)?;
            Ok(file)
        });
        match written {
            Ok(file) => {
                self.held.lock().insert(digest, file);
                Ok(())
            }
            Err(error) => {
                // it is not sent; what is left of the file says nothing to anybody
                let _ = fs::remove_file(&path);
                Err(error)
            }
        }
    }

    /// Its outcome is known. Should the file come back after a crash, it is looked for once more.
    pub(crate) fn forget(&self, digest: Digest) -> io::Result<()> {
        let held = self.held.lock().remove(&digest);
        match held {
            Some(_) => fs::remove_file(self.path(digest)),
            None => Ok(()),
        }
    }

    /// What programs left that live no more. From here on it is this one's.
    pub(crate) fn take_over(&self) -> io::Result<Vec<(Digest, SignedTransaction)>> {
        let mut taken = Vec::new();
        let mut paths = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(taken),
            entries => entries?,
        };
        for entry in entries {
            paths.push(entry?.path());
        }
        paths.sort();
        for path in paths {
            if path.extension().is_none_or(|ending| ending != ENDING) {
                continue;
            }
            let Some((file, bytes)) = read_unheld(&path)? else {
                continue;
            };
            let signed = bcs::from_bytes::<SignedTransaction>(&bytes).ok();
            let signed = signed.map(|signed| (signed.transaction.digest(), signed));
            match signed.filter(|(digest, _)| self.path(*digest) == path) {
                Some((digest, signed)) => {
                    self.held.lock().insert(digest, file);
                    taken.push((digest, signed));
                }
                // its program was killed while it wrote, and so before it sent
                None => fs::remove_file(&path)?,
            }
        }
        Ok(taken)
    }
}

/// A new file, locked before there is anything in it.
fn write(path: &Path, signed: &SignedTransaction) -> io::Result<File> {
    let bytes = bcs::to_bytes(signed).map_err(io::Error::other)?;
    let mut options = files::private_file();
    let mut file = options.write(true).create_new(true).open(path)?;
    file.lock()?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// A file that no living program holds, and what is in it.
fn read_unheld(path: &Path) -> io::Result<Option<(File, Vec<u8>)>> {
    let file = match File::open(path) {
        // its program has just learnt the outcome
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // gone since it was opened: another program has finished it
    if !path.exists() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    (&file).take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(Some((file, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;
    use sui_sdk_types::{
        GasPayment, ProgrammableTransaction, Transaction, TransactionExpiration, TransactionKind,
    };

    fn signed(budget: u64) -> (Digest, SignedTransaction) {
        let transaction = Transaction {
            kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
                inputs: Vec::new(),
                commands: Vec::new(),
            }),
            sender: Address::ZERO,
            gas_payment: GasPayment {
                objects: Vec::new(),
                owner: Address::ZERO,
                price: 1,
                budget,
            },
            expiration: TransactionExpiration::None,
        };
        let signed = SignedTransaction {
            transaction,
            signatures: Vec::new(),
        };
        (signed.transaction.digest(), signed)
    }

    #[test]
    fn what_is_kept_is_taken_over_by_the_next_program_only() {
        let folder = tempfile::tempdir().unwrap();
        let open = || InFlight::new(folder.path().join("network"));
        let first = open();
        let (one, two) = (signed(1), signed(2));
        for (digest, signed) in [&one, &two] {
            first.keep(*digest, signed).unwrap();
            // again is no matter
            first.keep(*digest, signed).unwrap();
        }
        first.forget(two.0).unwrap();
        first.forget(two.0).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(first.folder()), 0o700);
            assert_eq!(mode(&first.path(one.0)), 0o600);
        }
        // it lives
        assert_eq!(open().take_over().unwrap(), []);
        drop(first);
        let second = open();
        assert_eq!(second.take_over().unwrap(), std::slice::from_ref(&one));
        assert_eq!(open().take_over().unwrap(), []);
        second.forget(one.0).unwrap();
        drop(second);
        assert_eq!(open().take_over().unwrap(), []);
    }

    #[test]
    fn a_file_that_is_not_whole_was_never_sent() {
        let folder = tempfile::tempdir().unwrap();
        let kept = InFlight::new(folder.path().to_owned());
        let (digest, signed) = signed(1);
        let bytes = bcs::to_bytes(&signed).unwrap();
        for whole in 0..bytes.len() {
            fs::write(kept.path(digest), &bytes[..whole]).unwrap();
            assert_eq!(kept.take_over().unwrap(), []);
            assert!(!kept.path(digest).exists());
        }
        fs::write(kept.path(digest), &bytes).unwrap();
        assert_eq!(kept.take_over().unwrap().len(), 1);
        // whatever else lies there stays
        let other = folder.path().join("notes.txt");
        fs::write(&other, "mine").unwrap();
        kept.take_over().unwrap();
        assert!(other.exists());
    }
}
