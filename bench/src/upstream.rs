//! The instant upstream as a process of its own, so that its work isn't counted.

use anyhow::Result;
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use std::time::Duration;

pub(crate) async fn run(pause_ms: Option<u64>) -> Result<()> {
    let options = InstantOptions {
        pause: pause_ms.map(Duration::from_millis),
        ..InstantOptions::default()
    };
    let upstream = InstantUpstream::start(options).await?;
    println!("{}", serde_json::json!({ "url": upstream.url() }));
    // until the benchmark kills it
    std::future::pending().await
}
