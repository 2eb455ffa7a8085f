//! A registry in one SQLite file.

use super::{
    error::StoreError,
    registry::{
        Answer, BlobObject, EncodingType, MAX_EPOCHS_AHEAD, NewBlob, OWN_REGISTRY, Registry,
        RegistryError, StorageResource,
    },
};
use crate::{
    BlobId, ObjectId,
    committee::{BlsSignature, Certificate, Confirmation},
};
use atoma_runtime::Runtime;
use atoma_store::{Durability, Kind, SharedConnection, Stopped, Unmarked};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::{path::Path, sync::Arc, time::Duration};

/// The registry's file.
const KIND: Kind = Kind {
    name: "a registry of blobs",
    file: "walrus.sqlite",
    former_file: Some("registry.db"),
    mark: Kind::mark(*b"atWa"),
    version: 1,
    tables: "
        CREATE TABLE clock (
            only INTEGER PRIMARY KEY CHECK (only = 0), epoch INTEGER NOT NULL,
            since_ms INTEGER NOT NULL
        );
        CREATE TABLE blobs (
            id BLOB PRIMARY KEY, blob_id BLOB NOT NULL, size INTEGER NOT NULL,
            registered_epoch INTEGER NOT NULL, certified_epoch INTEGER, deletable INTEGER NOT NULL,
            storage_id BLOB NOT NULL, start_epoch INTEGER NOT NULL, end_epoch INTEGER NOT NULL,
            storage_size INTEGER NOT NULL, owner BLOB, shared BLOB, attributes TEXT NOT NULL,
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
const COLUMNS: &str = "id, blob_id, size, registered_epoch, certified_epoch, deletable, storage_id,
    start_epoch, end_epoch, storage_size, owner, shared, attributes";
/// Epoch 0 would read like "never".
const FIRST_EPOCH: u32 = 1;

/// The registry of a store that stands alone.
#[derive(Clone, Debug)]
pub struct SqliteRegistry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connection: SharedConnection,
    epoch_length: Option<Duration>,
    runtime: Runtime,
}

impl SqliteRegistry {
    /// Opens the registry in a folder, or makes it. Epochs end by the clock if they have a length,
    /// else by hand.
    ///
    /// # Errors
    /// If the file can't be used.
    pub fn open(
        folder: &Path,
        epoch_length: Option<Duration>,
        runtime: Runtime,
    ) -> Result<Self, StoreError> {
        let connection = KIND.open(&KIND.in_folder(folder)?)?;
        let first = "INSERT OR IGNORE INTO clock VALUES (0, ?, ?)";
        connection
            .execute(first, params![FIRST_EPOCH, runtime.now().0])
            .map_err(RegistryError::unavailable)?;
        Ok(Self(Arc::new(Inner {
            connection: SharedConnection::new(connection, runtime.threads),
            epoch_length,
            runtime,
        })))
    }

    /// Ends the epoch now.
    ///
    /// # Errors
    /// If the file can't be used.
    pub async fn advance_epoch(&self) -> Result<u32, RegistryError> {
        self.run(|inner, connection| {
            let epoch = inner.epoch(connection)?.saturating_add(1);
            let set = "UPDATE clock SET epoch = ?, since_ms = ?";
            connection
                .execute(set, params![epoch, inner.runtime.now().0])
                .map_err(RegistryError::unavailable)?;
            Ok(epoch)
        })
        .await
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner, &mut Connection) -> Result<T, RegistryError> + Send + 'static,
    ) -> Answer<'_, T> {
        let inner = self.0.clone();
        Box::pin(async move {
            let connection = inner.connection.clone();
            connection.run(move |db| work(&inner, db)).await
        })
    }
}

impl From<Stopped> for RegistryError {
    fn from(stopped: Stopped) -> Self {
        Self::unavailable(stopped)
    }
}

impl Inner {
    fn epoch(&self, connection: &Connection) -> Result<u32, RegistryError> {
        let query = "SELECT epoch, since_ms FROM clock";
        let (epoch, since): (u32, u64) = connection
            .query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(RegistryError::unavailable)?;
        let length = self.epoch_length.map(|length| length.as_millis() as u64);
        let passed = length
            .and_then(|length| {
                self.runtime
                    .now()
                    .0
                    .saturating_sub(since)
                    .checked_div(length)
            })
            .unwrap_or(0);
        Ok(epoch.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX)))
    }

    fn live_object(
        &self,
        connection: &Connection,
        object: ObjectId,
    ) -> Result<(BlobObject, u32), RegistryError> {
        let found = load(connection, object)?.ok_or(RegistryError::NoObject(object))?;
        let epoch = self.epoch(connection)?;
        if !found.is_live(epoch) {
            return Err(RegistryError::Expired(object));
        }
        Ok((found, epoch))
    }
}

impl Registry for SqliteRegistry {
    fn place(&self) -> String {
        OWN_REGISTRY.to_owned()
    }

    fn epoch(&self) -> Answer<'_, u32> {
        self.run(|inner, connection| inner.epoch(connection))
    }

    fn register(&self, new: NewBlob) -> Answer<'_, BlobObject> {
        self.run(move |inner, connection| {
            let random_id = || ObjectId::new(inner.runtime.random.bytes());
            if new.epochs == 0 || new.epochs > MAX_EPOCHS_AHEAD {
                return Err(RegistryError::Epochs(new.epochs));
            }
            let epoch = inner.epoch(connection)?;
            let object = BlobObject {
                id: random_id(),
                registered_epoch: epoch,
                blob_id: new.blob_id,
                size: new.size,
                encoding_type: EncodingType::Rs2,
                certified_epoch: None,
                storage: StorageResource {
                    id: random_id(),
                    start_epoch: epoch,
                    end_epoch: epoch.saturating_add(new.epochs),
                    storage_size: new.encoded_length,
                },
                deletable: new.deletable,
                owner: new.owner,
                shared: new.share.then(random_id),
                attributes: new.attributes,
            };
            insert(connection, &object)?;
            Ok(object)
        })
    }

    fn certify(&self, object: ObjectId, certificate: Certificate) -> Answer<'_, BlobObject> {
        self.run(move |inner, connection| {
            let (mut found, epoch) = inner.live_object(connection, object)?;
            let message = certificate.message;
            if message.blob_id != found.blob_id || message.epoch != epoch {
                return Err(RegistryError::Certificate(object));
            }
            if found.certified_epoch.is_some() {
                return Ok(found);
            }
            let set =
                "UPDATE blobs SET certified_epoch = ?, signers = ?, message = ?, signature = ?
                WHERE id = ?";
            connection
                .execute(
                    set,
                    params![
                        epoch,
                        certificate.signers,
                        message.to_bytes(),
                        certificate.signature.to_bytes(),
                        object.as_bytes()
                    ],
                )
                .map_err(RegistryError::unavailable)?;
            found.certified_epoch = Some(epoch);
            Ok(found)
        })
    }

    fn extend(&self, object: ObjectId, epochs: u32) -> Answer<'_, BlobObject> {
        self.run(move |inner, connection| {
            let (mut found, epoch) = inner.live_object(connection, object)?;
            let end = found.storage.end_epoch.saturating_add(epochs);
            if epochs == 0 || end - epoch > MAX_EPOCHS_AHEAD {
                return Err(RegistryError::Epochs(epochs));
            }
            let set = "UPDATE blobs SET end_epoch = ? WHERE id = ?";
            connection
                .execute(set, params![end, object.as_bytes()])
                .map_err(RegistryError::unavailable)?;
            found.storage.end_epoch = end;
            Ok(found)
        })
    }

    fn delete(&self, object: ObjectId) -> Answer<'_, ()> {
        self.run(move |_, connection| {
            let found = load(connection, object)?.ok_or(RegistryError::NoObject(object))?;
            if !found.deletable && found.certified_epoch.is_some() {
                return Err(RegistryError::Permanent(object));
            }
            let delete = "DELETE FROM blobs WHERE id = ?";
            connection
                .execute(delete, [object.as_bytes()])
                .map_err(RegistryError::unavailable)?;
            Ok(())
        })
    }

    fn get(&self, object: ObjectId) -> Answer<'_, Option<BlobObject>> {
        self.run(move |_, connection| load(connection, object))
    }

    fn find(&self, blob: BlobId) -> Answer<'_, Vec<BlobObject>> {
        self.run(move |inner, connection| {
            let epoch = inner.epoch(connection)?;
            let query = format!("SELECT {COLUMNS} FROM blobs WHERE blob_id = ? AND end_epoch > ?");
            select(connection, &query, params![blob.0, epoch])
        })
    }

    fn live(&self) -> Answer<'_, Vec<BlobObject>> {
        self.run(|inner, connection| {
            let epoch = inner.epoch(connection)?;
            let query = format!("SELECT {COLUMNS} FROM blobs WHERE end_epoch > ?");
            select(connection, &query, params![epoch])
        })
    }

    fn certificate(&self, object: ObjectId) -> Answer<'_, Option<Certificate>> {
        self.run(move |_, connection| {
            let query = "SELECT signers, message, signature FROM blobs
                WHERE id = ? AND certified_epoch IS NOT NULL";
            let row = connection
                .query_row(query, [object.as_bytes()], |row| {
                    Ok((
                        row.get(0)?,
                        row.get::<_, Vec<u8>>(1)?,
                        row.get::<_, [u8; 96]>(2)?,
                    ))
                })
                .optional()
                .map_err(RegistryError::unavailable)?;
            row.map(|(signers, message, signature)| {
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
    }
}

fn insert(connection: &Connection, object: &BlobObject) -> Result<(), RegistryError> {
    let attributes =
        serde_json::to_string(&object.attributes).map_err(RegistryError::unavailable)?;
    let insert =
        format!("INSERT INTO blobs ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let storage = &object.storage;
    connection
        .execute(
            &insert,
            params![
                object.id.as_bytes(),
                object.blob_id.0,
                object.size,
                object.registered_epoch,
                object.certified_epoch,
                object.deletable,
                storage.id.as_bytes(),
                storage.start_epoch,
                storage.end_epoch,
                storage.storage_size,
                object.owner.map(ObjectId::into_inner),
                object.shared.map(ObjectId::into_inner),
                attributes
            ],
        )
        .map_err(RegistryError::unavailable)?;
    Ok(())
}

fn load(connection: &Connection, object: ObjectId) -> Result<Option<BlobObject>, RegistryError> {
    let query = format!("SELECT {COLUMNS} FROM blobs WHERE id = ?");
    Ok(select(connection, &query, params![object.as_bytes()])?.pop())
}

fn select(
    connection: &Connection,
    query: &str,
    arguments: impl rusqlite::Params,
) -> Result<Vec<BlobObject>, RegistryError> {
    let mut statement = connection
        .prepare_cached(query)
        .map_err(RegistryError::unavailable)?;
    let rows = statement
        .query_map(arguments, read)
        .map_err(RegistryError::unavailable)?;
    rows.collect::<Result<_, _>>()
        .map_err(RegistryError::unavailable)
}

fn read(row: &Row<'_>) -> rusqlite::Result<BlobObject> {
    let attributes: String = row.get(12)?;
    Ok(BlobObject {
        id: ObjectId::new(row.get(0)?),
        blob_id: BlobId(row.get(1)?),
        size: row.get(2)?,
        registered_epoch: row.get(3)?,
        encoding_type: EncodingType::Rs2,
        certified_epoch: row.get(4)?,
        deletable: row.get(5)?,
        storage: StorageResource {
            id: ObjectId::new(row.get(6)?),
            start_epoch: row.get(7)?,
            end_epoch: row.get(8)?,
            storage_size: row.get(9)?,
        },
        owner: row.get::<_, Option<_>>(10)?.map(ObjectId::new),
        shared: row.get::<_, Option<_>>(11)?.map(ObjectId::new),
        attributes: serde_json::from_str(&attributes).unwrap_or_default(),
    })
}
