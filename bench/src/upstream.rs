//! The instant upstream as a process of its own, so that its work isn't counted.

use anyhow::Result;
use atoma_engine::testing::{InstantOptions, InstantUpstream};

pub(crate) async fn run() -> Result<()> {
    let upstream = InstantUpstream::start(InstantOptions::default()).await?;
    println!("{}", serde_json::json!({ "url": upstream.url() }));
    // until the benchmark kills it
    std::future::pending().await
}
