//! Where blocking work runs: on threads, or in the task that asks for it.

use std::{
    future::{Future, Ready, ready},
    io,
    pin::Pin,
    task::{Context, Poll},
    thread,
};
use tokio::task::{JoinError, JoinHandle};

/// Whether there are threads beside tokio's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// Blocking work runs on tokio's pool of blocking threads, writers and the like on threads of
    /// their own.
    #[default]
    Real,
    /// All work runs in the task that asks for it, before it is told to wait. A part that has a
    /// thread of its own otherwise does that thread's work as it is asked.
    InLine,
}

/// Work that goes on beside its starter. Dropping this doesn't stop it.
#[derive(Debug)]
pub struct Worker(Running);

#[derive(Debug)]
enum Running {
    Thread(thread::JoinHandle<()>),
    Task(JoinHandle<()>),
}

/// The work ended in a panic, which was reported where it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a thread has panicked")]
pub struct WorkerPanicked;

/// The outcome of blocking work: a future. Dropping it doesn't stop the work.
#[derive(Debug)]
pub struct Blocking<T>(Inner<T>);

#[derive(Debug)]
enum Inner<T> {
    Task(JoinHandle<T>),
    Done(Ready<T>),
}

impl Threads {
    /// Starts `work`, which may block, at once. Real threads need a tokio runtime around the caller.
    /// The future fails only if `work` panics on its thread or the runtime is shut down before it runs.
    pub fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Blocking<T> {
        Blocking(match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that has blocking threads"
            )]
            Self::Real => Inner::Task(tokio::task::spawn_blocking(work)),
            Self::InLine => Inner::Done(ready(work())),
        })
    }

    /// Lets `work`, which may block, go on by itself: on a thread called `name`, which has tokio's timers
    /// but neither its sockets nor its other tasks, or as a task.
    ///
    /// # Errors
    /// Where the operating system gives no thread.
    pub fn work(
        self,
        name: &str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Worker> {
        Ok(Worker(match self {
            Self::Real => {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()?;
                Running::Thread(self.spawn(name, move || runtime.block_on(work))?)
            }
            Self::InLine => Running::Task(tokio::spawn(work)),
        }))
    }

    /// Starts a thread called `name`.
    ///
    /// # Errors
    /// Where the operating system gives no thread.
    ///
    /// # Panics
    /// [In line](Self::InLine), where there are none: the caller has another way then.
    pub fn spawn<T: Send + 'static>(
        self,
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<thread::JoinHandle<T>> {
        assert!(self == Self::Real, "a thread {name} in a run without any");
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that starts threads"
        )]
        thread::Builder::new().name(name.to_owned()).spawn(work)
    }
}

impl Worker {
    /// Waits for the end of the work.
    ///
    /// # Errors
    /// If it panicked.
    pub async fn join(self) -> Result<(), WorkerPanicked> {
        let ended = match self.0 {
            Running::Thread(thread) => {
                let joined = Threads::Real.blocking(move || thread.join().is_ok()).await;
                joined.is_ok_and(|ended| ended)
            }
            Running::Task(task) => task.await.is_ok(),
        };
        if ended { Ok(()) } else { Err(WorkerPanicked) }
    }
}

impl<T> Future for Blocking<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Inner::Task(task) => Pin::new(task).poll(cx),
            Inner::Done(done) => Pin::new(done).poll(cx).map(Ok),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn blocking_work_runs_elsewhere_or_here() {
        let here = thread::current().id();
        let id = || thread::current().id();
        assert_ne!(Threads::Real.blocking(id).await.unwrap(), here);
        assert_eq!(Threads::InLine.blocking(id).await.unwrap(), here);
    }

    #[tokio::test]
    async fn work_goes_on_beside_its_starter() {
        for threads in [Threads::Real, Threads::InLine] {
            let (asked, mut questions) = tokio::sync::mpsc::unbounded_channel();
            let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
            let work = async move {
                while let Some(question) = questions.recv().await {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                    answered.send(question + 1).unwrap();
                }
            };
            let worker = threads.work("adder", work).unwrap();
            asked.send(1).unwrap();
            assert_eq!(answers.recv().await, Some(2));
            drop(asked);
            worker.join().await.unwrap();
            let panics = threads.work("panics", async { panic!("as told") }).unwrap();
            assert_eq!(panics.join().await, Err(WorkerPanicked));
        }
    }

    #[test]
    fn a_thread_has_its_name() {
        let name = || thread::current().name().map(str::to_owned);
        let thread = Threads::Real.spawn("writer", name).unwrap();
        assert_eq!(thread.join().unwrap().as_deref(), Some("writer"));
    }
}
