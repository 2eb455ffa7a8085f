//! How many requests may be worked on at once, and the end of admission when the node drains.

use atoma_types::refusal::{Refusal, RefusalCode};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(crate) struct ConcurrencyLimit {
    permits: Arc<Semaphore>,
    size: u32,
    draining: AtomicBool,
}

impl ConcurrencyLimit {
    pub(crate) fn new(size: usize) -> Self {
        // the semaphore's own limit is far above what memory holds
        let size = u32::try_from(size).unwrap_or(u32::MAX).max(1);
        let permits = Arc::new(Semaphore::new(size as usize));
        Self {
            permits,
            size,
            draining: AtomicBool::new(false),
        }
    }

    /// A place for one request, held as long as the permit lives.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        if self.is_draining() {
            let message = "the node is shutting down; use another";
            return Err(Refusal::new(RefusalCode::Unavailable, message));
        }
        self.permits.clone().try_acquire_owned().map_err(|_| {
            Refusal::new(
                RefusalCode::Overloaded,
                "too many requests at once; try again",
            )
        })
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Admits nothing more.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Waits until nothing is running. Only meaningful while draining.
    pub(crate) async fn idle(&self) {
        // the semaphore is never closed
        let _ = self.permits.acquire_many(self.size).await;
    }

    /// How many requests may run at once.
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// How many requests are running.
    pub(crate) fn running(&self) -> usize {
        (self.size as usize).saturating_sub(self.permits.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn full_means_overloaded_and_draining_means_unavailable() {
        let concurrency = ConcurrencyLimit::new(1);
        let permit = concurrency.enter().unwrap();
        assert_eq!(
            concurrency.enter().unwrap_err().code,
            RefusalCode::Overloaded
        );
        concurrency.drain();
        assert_eq!(
            concurrency.enter().unwrap_err().code,
            RefusalCode::Unavailable
        );
        assert_eq!(concurrency.running(), 1);
        drop(permit);
        concurrency.idle().await;
    }
}
