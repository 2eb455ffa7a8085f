//! Taking objects over to the newest version of an upgraded package.

use crate::{
    ExecuteError, Ledger,
    build::{Migration, Work},
};
use atoma_keys::SigningKey;
use atoma_types::{
    ObjectId,
    chain::{AbortCode, ObjectKind},
};
use futures::future::BoxFuture;
use std::slice;

/// Objects taken over in one transaction.
const MIGRATED_AT_ONCE: usize = 100;

impl Ledger {
    /// Takes the database over to the package's newest version; `false` if it is of that already. Old
    /// versions of the package stop with it.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins don't reach, or the answer can't be read.
    pub fn migrate_db<'a>(
        &'a self,
        key: &'a SigningKey,
        admin_cap: ObjectId,
    ) -> BoxFuture<'a, Result<bool, ExecuteError>> {
        Box::pin(async move {
            let db = self.deployment.db;
            self.migrate(key, Some((db, admin_cap)), &[]).await
        })
    }

    /// Takes nodes, tasks or stacks over to the package's newest version, which anyone may; says how many
    /// weren't of it already.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins don't reach, or the answer can't be read.
    pub fn migrate_objects<'a>(
        &'a self,
        key: &'a SigningKey,
        objects: &'a [(ObjectKind, ObjectId)],
    ) -> BoxFuture<'a, Result<usize, ExecuteError>> {
        Box::pin(async move {
            let mut taken = 0;
            for batch in objects.chunks(MIGRATED_AT_ONCE) {
                if self.migrate(key, None, batch).await? {
                    taken += batch.len();
                    continue;
                }
                // all or none: one of them is current
                for one in batch {
                    taken += usize::from(self.migrate(key, None, slice::from_ref(one)).await?);
                }
            }
            Ok(taken)
        })
    }

    async fn migrate(
        &self,
        key: &SigningKey,
        db: Option<(ObjectId, ObjectId)>,
        others: &[(ObjectKind, ObjectId)],
    ) -> Result<bool, ExecuteError> {
        let work = Work::Migrate(Migration {
            deployment: &self.deployment,
            db,
            others,
        });
        match self.run(key, &work).await {
            Ok(_) => Ok(true),
            Err(e) if e.abort_code() == Some(AbortCode::WrongVersion.code()) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
