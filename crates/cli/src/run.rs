//! Running one part of a network until it is told to stop.

use crate::{
    config_file::ConfigFile,
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::Result;
use atoma_types::chain::Deployment;
use serde_json::json;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Returns when the user presses Ctrl-C or the system sends SIGTERM.
pub(crate) async fn told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        biased;
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Puts away what was running, for as long as `most` allows. Told to stop again, it ends at once: every store
/// survives even `kill -9`.
pub(crate) async fn put_away(
    away: impl Future<Output = ()>,
    most: Option<Duration>,
    output: &Output,
) {
    let too_long = async {
        match most {
            Some(most) => tokio::time::sleep(most).await,
            None => std::future::pending().await,
        }
    };
    let again = async {
        // without signals there is only kill -9
        if told_to_stop().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = away => {}
        () = too_long => output.note("stopped before everything had ended: it took too long"),
        () = again => output.note("stopped at once"),
    }
}

/// Says that a part is up, waits until it shall stop.
pub(crate) async fn until_stopped(output: &Output, facts: Facts) -> Result<()> {
    ready(output, facts);
    told_to_stop().await
}

/// Says that a part is up, and how it is stopped.
pub(crate) fn ready(output: &Output, facts: Facts) {
    // a step's name is for programs
    let mut all = Facts::new();
    if output.is_json() {
        all.push(("step", json!("ready")));
    }
    all.extend(facts);
    output.object(all);
    output.say("press Ctrl-C to stop; a second time, to stop at once");
}

/// A configuration that names no ledger means the network in use: its URL is set here, the place of
/// the package there is returned for the configuration that the file gives.
pub(crate) fn default_ledger(file: &mut ConfigFile, settings: &Settings) -> Option<Deployment> {
    if file.has("ledger") {
        return None;
    }
    let config = settings.ledger_config();
    file.set("ledger", config.url);
    config.deployment
}
