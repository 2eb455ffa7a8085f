//! What the log says about a request can be found by the id that its user sees.

use crate::common::{Network, User};
use atoma_types::http::REQUEST_ID;
use http::StatusCode;
use parking_lot::Mutex;
use std::{io, sync::Arc};
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn with(&self, words: &[&str]) -> bool {
        let text = String::from_utf8(self.0.lock().clone()).unwrap();
        let mut lines = text.lines();
        lines.any(|line| words.iter().all(|word| line.contains(word)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_found_by_the_id_that_its_user_sees() {
    let lines = Lines::default();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(lines.clone())
        .init();
    let network = Network::start(&[1_000_000]).await;
    let gateway = network.gateway(network.config()).await;

    let answer = User::new(&gateway, &network.key).chat(2, false).await;
    assert_eq!(answer.status, StatusCode::OK);
    let id = answer.headers[REQUEST_ID].to_str().unwrap();
    let span = format!("user_request{{id={id}");
    assert!(lines.with(&[&span, "bought a stack"]));

    let poor = User::new(&gateway, &network.poor).chat(2, false).await;
    assert_eq!(poor.status, StatusCode::PAYMENT_REQUIRED);
    let id = poor.headers[REQUEST_ID].to_str().unwrap();
    let span = format!("user_request{{id={id}");
    assert!(lines.with(&[&span, "refused", "insufficient_quota"]));
    for key in [&network.key, &network.poor] {
        assert!(!lines.with(&[key.reveal()]), "a secret is in the log");
    }
    gateway.shutdown().await;
}
