//! Which of the ledger's blobs this store registered, in one SQLite file. The ledger alone says what
//! they are; the file says where to look, and keeps what the ledger doesn't: certificates, names and
//! values, and to whom an object goes once it is certified.
//!
//! An object is entered before anybody is told of it, and leaves the operator's hands only after that.
//! So what is missing here after a crash is still the operator's own, and is entered when the registry
//! is opened.

use crate::WalrusLocalnetError;
use atoma_runtime::Threads;
use atoma_store::{Durability, Kind, SharedConnection, Unmarked};
use atoma_walrus::{
    BlobId, ObjectId,
    committee::{BlsSignature, Certificate, Confirmation},
    store::RegistryError,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::{collections::BTreeMap, path::Path};

/// The list's file, in the store's folder.
const KIND: Kind = Kind {
    name: "a local Walrus's list of blobs",
    file: "registered.sqlite",
    former_file: Some("ledger.db"),
    mark: Kind::mark(*b"atWl"),
    version: 1,
    tables: "
        CREATE TABLE blobs (
            object BLOB PRIMARY KEY, blob_id BLOB NOT NULL, send_to BLOB, attributes TEXT NOT NULL,
            signers BLOB, message BLOB, signature BLOB
        ) WITHOUT ROWID;
        CREATE INDEX blobs_by_blob ON blobs (blob_id);
    ",
    upgrades: &[],
    unmarked: &[Unmarked {
        user_version: 0,
        table: "blobs",
        version: 1,
    }],
    durability: Durability::Full,
};
const COLUMNS: &str = "object, blob_id, send_to, attributes";

/// One object that the store registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) object: ObjectId,
    pub(crate) blob_id: BlobId,
    /// Whose it becomes with its certificate, if not the operator's.
    pub(crate) send_to: Option<ObjectId>,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// The file that lists what this store registered.
#[derive(Clone, Debug)]
pub(crate) struct Index(SharedConnection);

impl Index {
    pub(crate) fn open(folder: &Path, threads: Threads) -> Result<Self, WalrusLocalnetError> {
        let connection = KIND.open(&KIND.in_folder(folder)?)?;
        Ok(Self(SharedConnection::new(connection, threads)))
    }

    /// Enters an object, unless it is there.
    pub(crate) async fn add(&self, entry: Entry) -> Result<(), RegistryError> {
        self.run(move |connection| {
            let attributes =
                serde_json::to_string(&entry.attributes).map_err(RegistryError::unavailable)?;
            let insert = format!("INSERT OR IGNORE INTO blobs ({COLUMNS}) VALUES (?, ?, ?, ?)");
            let send_to = entry.send_to.map(ObjectId::into_inner);
            connection
                .execute(
                    &insert,
                    params![
                        entry.object.as_bytes(),
                        entry.blob_id.0,
                        send_to,
                        attributes
                    ],
                )
                .map_err(RegistryError::unavailable)?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn remove(&self, objects: Vec<ObjectId>) -> Result<(), RegistryError> {
        self.run(move |connection| {
            let all = connection
                .transaction()
                .map_err(RegistryError::unavailable)?;
            for object in objects {
                all.execute("DELETE FROM blobs WHERE object = ?", [object.as_bytes()])
                    .map_err(RegistryError::unavailable)?;
            }
            all.commit().map_err(RegistryError::unavailable)
        })
        .await
    }

    pub(crate) async fn get(&self, object: ObjectId) -> Result<Option<Entry>, RegistryError> {
        let query = format!("SELECT {COLUMNS} FROM blobs WHERE object = ?");
        Ok(self.select(query, Some(object.into_inner())).await?.pop())
    }

    pub(crate) async fn of_blob(&self, blob: BlobId) -> Result<Vec<Entry>, RegistryError> {
        let query = format!("SELECT {COLUMNS} FROM blobs WHERE blob_id = ?");
        self.select(query, Some(blob.0)).await
    }

    pub(crate) async fn all(&self) -> Result<Vec<Entry>, RegistryError> {
        self.select(format!("SELECT {COLUMNS} FROM blobs"), None)
            .await
    }

    pub(crate) async fn keep_certificate(
        &self,
        object: ObjectId,
        certificate: Certificate,
    ) -> Result<(), RegistryError> {
        self.run(move |connection| {
            let set = "UPDATE blobs SET signers = ?, message = ?, signature = ? WHERE object = ?";
            let signature = certificate.signature.to_bytes();
            let message = certificate.message.to_bytes();
            connection
                .execute(
                    set,
                    params![certificate.signers, message, signature, object.as_bytes()],
                )
                .map_err(RegistryError::unavailable)?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn certificate(
        &self,
        object: ObjectId,
    ) -> Result<Option<Certificate>, RegistryError> {
        self.run(move |connection| {
            let query = "SELECT signers, message, signature FROM blobs
                WHERE object = ? AND signature IS NOT NULL";
            let parts = |row: &Row<'_>| {
                let (message, signature): (Vec<u8>, [u8; 96]) = (row.get(1)?, row.get(2)?);
                Ok((row.get(0)?, message, signature))
            };
            let row = connection
                .query_row(query, [object.as_bytes()], parts)
                .optional();
            row.map_err(RegistryError::unavailable)?
                .map(|(signers, message, signature)| {
                    Ok(Certificate {
                        signers,
                        message: Confirmation::from_bytes(&message)
                            .map_err(RegistryError::unavailable)?,
                        signature: BlsSignature::from_bytes(&signature)
                            .map_err(RegistryError::unavailable)?,
                    })
                })
                .transpose()
        })
        .await
    }

    async fn select(
        &self,
        query: String,
        key: Option<[u8; 32]>,
    ) -> Result<Vec<Entry>, RegistryError> {
        self.run(move |connection| {
            let mut statement = connection
                .prepare_cached(&query)
                .map_err(RegistryError::unavailable)?;
            let key = rusqlite::params_from_iter(key);
            let rows = statement
                .query_map(key, entry)
                .map_err(RegistryError::unavailable)?;
            rows.collect::<Result<_, _>>()
                .map_err(RegistryError::unavailable)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        self.0.run(work).await
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let attributes: String = row.get(3)?;
    Ok(Entry {
        object: ObjectId::new(row.get(0)?),
        blob_id: BlobId(row.get(1)?),
        send_to: row.get::<_, Option<_>>(2)?.map(ObjectId::new),
        attributes: serde_json::from_str(&attributes).unwrap_or_default(),
    })
}
