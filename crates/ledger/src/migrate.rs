//! Taking objects over to the newest version of an upgraded package: it is announced first, and nothing goes over
//! before its notice is over.

use crate::{
    ExecuteError, Ledger,
    build::{Migration, Move, Work},
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
    /// Announces that the package's newest version will be the only one, by the administrator's right; `false` if the
    /// database is of that version already. Said again, it changes nothing.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins don't reach, or the answer can't be read.
    pub fn announce_version<'a>(
        &'a self,
        key: &'a SigningKey,
        admin_cap: ObjectId,
    ) -> BoxFuture<'a, Result<bool, ExecuteError>> {
        Box::pin(self.migrate(key, Move::Announce { cap: admin_cap }))
    }

    /// Takes the database over to the package's newest version, which anyone may once its notice is over; `false` if
    /// it is of that already. Old versions of the package stop with it.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins don't reach, or the answer can't be read.
    pub fn migrate_db<'a>(
        &'a self,
        key: &'a SigningKey,
    ) -> BoxFuture<'a, Result<bool, ExecuteError>> {
        Box::pin(self.migrate(key, Move::Db))
    }

    /// Takes nodes, tasks or stacks over to the package's newest version, which anyone may once the database is; says
    /// how many weren't of it already.
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
                if self.migrate(key, Move::Objects(batch)).await? {
                    taken += batch.len();
                    continue;
                }
                // all or none: one of them is current
                for one in batch {
                    let one = Move::Objects(slice::from_ref(one));
                    taken += usize::from(self.migrate(key, one).await?);
                }
            }
            Ok(taken)
        })
    }

    async fn migrate(&self, key: &SigningKey, what: Move<'_>) -> Result<bool, ExecuteError> {
        let work = Work::Migrate(Migration {
            deployment: &self.deployment,
            what,
        });
        match self.run(key, &work).await {
            Ok(_) => Ok(true),
            Err(e) if e.abort_code() == Some(AbortCode::WrongVersion.code()) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
