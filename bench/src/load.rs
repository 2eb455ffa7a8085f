//! A closed-loop load: each connection sends its next request when the last answer is complete.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

/// A request ready to be sent.
pub(crate) type Prepared = hyper::Request<Full<Bytes>>;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Answers with status 200.
    pub(crate) ok: usize,
    /// All others, by the first bad answer's text.
    pub(crate) failed: usize,
    /// The first bad answer.
    pub(crate) first_failure: Option<String>,
    /// From sending to the first byte of the body, sorted.
    pub(crate) first_byte: Vec<Duration>,
    /// From sending to the last byte, sorted.
    pub(crate) total: Vec<Duration>,
    /// How long all of it took.
    pub(crate) wall: Duration,
}

impl Outcome {
    /// A quantile of sorted durations, in microseconds.
    pub(crate) fn micros(sorted: &[Duration], quantile: f64) -> u128 {
        Self::quantile(sorted, quantile).as_micros()
    }

    /// A quantile of sorted durations.
    pub(crate) fn quantile(sorted: &[Duration], quantile: f64) -> Duration {
        // an index within the list: quantiles are between 0 and 1
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let index = ((sorted.len().saturating_sub(1)) as f64 * quantile) as usize;
        sorted.get(index).copied().unwrap_or_default()
    }
}

/// A connection without delays.
pub(crate) async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("no answer at {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends the requests that `prepare` makes (by number, from 0) over so many connections.
pub(crate) async fn run(
    address: &str,
    connections: usize,
    requests: usize,
    prepare: impl Fn(usize) -> Prepared + Send + Sync + 'static,
) -> Result<Outcome> {
    let prepare = Arc::new(prepare);
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..connections {
        let (prepare, next) = (Arc::clone(&prepare), Arc::clone(&next));
        let mut sender = connect(address).await?;
        workers.push(tokio::spawn(async move {
            let mut mine = Outcome::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return Ok::<_, anyhow::Error>(mine);
                }
                one(&mut sender, prepare(number), &mut mine).await?;
            }
        }));
    }
    let mut outcome = Outcome::default();
    for worker in workers {
        let mine = worker.await??;
        outcome.ok += mine.ok;
        outcome.failed += mine.failed;
        outcome.first_byte.extend(mine.first_byte);
        outcome.total.extend(mine.total);
        outcome.first_failure = outcome.first_failure.or(mine.first_failure);
    }
    outcome.wall = started.elapsed();
    outcome.first_byte.sort_unstable();
    outcome.total.sort_unstable();
    ensure!(
        outcome.failed == 0,
        "{} of {requests} requests failed: {}",
        outcome.failed,
        outcome.first_failure.unwrap_or_default()
    );
    Ok(outcome)
}

async fn one(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Prepared,
    outcome: &mut Outcome,
) -> Result<()> {
    sender.ready().await?;
    let started = Instant::now();
    let response = sender.send_request(request).await?;
    let good = response.status() == 200;
    let mut body = response.into_body();
    let mut text = Vec::new();
    let mut first = None;
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            first.get_or_insert_with(|| started.elapsed());
            if !good {
                text.extend_from_slice(data);
            }
        }
    }
    if good {
        outcome.ok += 1;
        outcome.first_byte.push(first.unwrap_or_default());
        outcome.total.push(started.elapsed());
    } else {
        outcome.failed += 1;
        outcome
            .first_failure
            .get_or_insert_with(|| String::from_utf8_lossy(&text).into_owned());
    }
    Ok(())
}
