//! So many requests at once, so many waiting, the rest refused.

use super::error::ApiError;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(super) struct Admission {
    running: Arc<Semaphore>,
    present: Arc<Semaphore>,
}

/// Given back when the request is over.
#[derive(Debug)]
pub(super) struct Admitted {
    _running: OwnedSemaphorePermit,
    _present: OwnedSemaphorePermit,
}

impl Admission {
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(running)),
            present: Arc::new(Semaphore::new(running.saturating_add(waiting))),
        }
    }

    pub(super) async fn enter(&self) -> Result<Admitted, ApiError> {
        let present = self.present.clone().try_acquire_owned();
        let present = present.map_err(|_| ApiError::Overloaded)?;
        let running = self.running.clone().acquire_owned().await;
        Ok(Admitted {
            // never closed
            _running: running.map_err(|_| ApiError::Overloaded)?,
            _present: present,
        })
    }
}
