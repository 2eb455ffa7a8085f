//! The user's client, with its receipts in the data folder.

use crate::settings::Settings;
use anyhow::Result;
use atoma_client::{Client, ClientConfig, Confidential};
use atoma_walrus::client::WalrusClient;
use std::path::PathBuf;

/// Opens it for the acting key; with a Walrus, requests can be stored there before they are sent.
pub(crate) async fn open(settings: &Settings, walrus: Option<WalrusClient>) -> Result<Client> {
    open_sealing(settings, walrus, None).await
}

/// The same; with a policy all its requests are sealed.
pub(crate) async fn open_sealing(
    settings: &Settings,
    walrus: Option<WalrusClient>,
    confidential: Option<Confidential>,
) -> Result<Client> {
    let config = ClientConfig {
        data_dir: Some(client_folder(settings)),
        walrus,
        confidential,
        ..ClientConfig::default()
    };
    // the ledger first: its error says what to do
    let ledger = settings.ledger().await?;
    Ok(Client::with_ledger(ledger, settings.key()?, config)?)
}

/// Where receipts, bounds and stacks are kept.
pub(crate) fn client_folder(settings: &Settings) -> PathBuf {
    settings.home.join("client")
}
