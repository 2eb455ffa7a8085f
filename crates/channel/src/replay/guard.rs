//! Memory and store together.

use super::{
    store::SeenStore,
    window::{Admitted, ReplayWindow, Seen},
};
use crate::fault::Fault;
use atoma_types::TimestampMs;
use parking_lot::Mutex;

/// Asks this replica's memory, then the store that all replicas share.
#[derive(Debug)]
pub struct ReplayGuard<S> {
    window: Mutex<ReplayWindow>,
    store: S,
}

/// Why a request isn't admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError<E> {
    /// It may not be answered.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Nobody can say whether it was seen, so it isn't answered. Whoever asks must seal anew: this request stays
    /// refused here.
    #[error("cannot tell whether the request was seen before")]
    Store(#[source] E),
}

impl<S: SeenStore> ReplayGuard<S> {
    /// A guard over this replica's memory and the common store.
    #[must_use]
    pub fn new(window: ReplayWindow, store: S) -> Self {
        Self {
            window: Mutex::new(window),
            store,
        }
    }

    /// The store that all replicas share.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Admits a request if no replica has; durable when it returns.
    ///
    /// # Errors
    /// If it isn't alive or isn't new, or the store can't be asked.
    pub async fn admit(
        &self,
        seen: Seen,
        now: TimestampMs,
    ) -> Result<Admitted, AdmitError<S::Error>> {
        let admitted = self.window.lock().admit(&seen, now)?;
        match self.store.claim(seen).await {
            Ok(true) => Ok(admitted),
            Ok(false) => Err(Fault::Replayed.into()),
            Err(error) => Err(AdmitError::Store(error)),
        }
    }

    /// Has the store forget what has long expired; to be called now and then.
    ///
    /// # Errors
    /// If the store can't.
    pub async fn forget(&self, now: TimestampMs) -> Result<(), S::Error> {
        self.store.forget(S::forgettable(now)).await
    }
}
