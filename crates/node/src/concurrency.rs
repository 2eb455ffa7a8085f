//! How many requests may be worked on at once, and the end of admission and of work when the node drains.

use atoma_types::refusal::{Refusal, RefusalCode};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};

#[derive(Debug)]
pub(crate) struct ConcurrencyLimit {
    permits: Arc<Semaphore>,
    size: u32,
    draining: AtomicBool,
    retired: AtomicBool,
    /// Ends work that nobody's connection holds any more.
    stop: CancellationToken,
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
            retired: AtomicBool::new(false),
            stop: CancellationToken::new(),
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

    /// Admits nothing more, and nothing is done for anyone: another process has the node's keys and signs the
    /// receipts now.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
        self.drain();
    }

    /// Whether no receipt may be begun any more, not even for what another node computes.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    /// Computes what is paid for even if its user leaves, until the node stops: then nothing. A task of its
    /// own, which must hold the request's permit.
    pub(crate) async fn outlive<T, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send + 'static,
    {
        let work = self.stop.clone().run_until_cancelled_owned(work);
        match tokio::spawn(work).await {
            Ok(Some(done)) => done,
            Ok(None) => Err(Refusal::new(
                RefusalCode::Unavailable,
                "the node is shutting down; use another",
            )),
            Err(_) => Err(Refusal::new(RefusalCode::Internal, "the work broke off")),
        }
    }

    /// Whoever drops it stops what outlives its connection.
    pub(crate) fn stopper(&self) -> DropGuard {
        self.stop.clone().drop_guard()
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

    #[tokio::test]
    async fn work_outlives_who_waits_for_it_and_ends_with_the_node() {
        let concurrency = Arc::new(ConcurrencyLimit::new(1));
        let stopper = concurrency.stopper();
        let work = |permit: OwnedSemaphorePermit, until: tokio::sync::oneshot::Receiver<()>| {
            let concurrency = concurrency.clone();
            Box::pin(async move {
                let work = async move {
                    let _permit = permit;
                    let _ = until.await;
                    Ok(())
                };
                concurrency.outlive(work).await
            })
        };
        let (end, until) = tokio::sync::oneshot::channel();
        let mut waiting = work(concurrency.enter().unwrap(), until);
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        drop(waiting);
        tokio::task::yield_now().await;
        assert_eq!(concurrency.running(), 1, "it goes on");
        end.send(()).unwrap();
        concurrency.idle().await;

        let (_never, until) = tokio::sync::oneshot::channel();
        let waiting = work(concurrency.enter().unwrap(), until);
        drop(stopper);
        assert_eq!(waiting.await.unwrap_err().code, RefusalCode::Unavailable);
        concurrency.idle().await;
    }
}
