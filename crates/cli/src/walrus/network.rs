//! Which Walrus a command talks to.

use crate::{profiles::Walrus, settings::Settings, values::web_url};
use anyhow::{Context, Result};
use atoma_walrus::client::{ClientConfig, WalrusClient};
use clap::Args;
use url::Url;

/// Where a store listens unless told otherwise: Walrus's own default.
pub(super) const DEFAULT_LISTEN: &str = "127.0.0.1:31415";
/// Shards of a store of one's own.
pub(super) const DEFAULT_SHARDS: u16 = 10;

/// Flags that name a Walrus to read from other than that of the network in use.
#[derive(Debug, Default, Args)]
pub(crate) struct WalrusReading {
    /// The aggregator's URL (default: the network's, or a store on this machine).
    #[arg(long, env = "ATOMA_WALRUS_AGGREGATOR", value_name = "URL", value_parser = web_url)]
    aggregator: Option<Url>,
    /// Shards of the network: 1000 on Mainnet and Testnet. Ids depend on it (default: the network's, or 10).
    #[arg(long, env = "ATOMA_WALRUS_SHARDS", value_name = "N")]
    shards: Option<u16>,
}

/// Flags that name a Walrus other than the one of the network in use.
#[derive(Debug, Args)]
pub(crate) struct WalrusNetwork {
    /// The publisher's URL (default: the network's, or a store on this machine).
    #[arg(long, env = "ATOMA_WALRUS_PUBLISHER", value_name = "URL", value_parser = web_url)]
    publisher: Option<Url>,
    #[command(flatten)]
    reading: WalrusReading,
}

impl WalrusReading {
    /// Where to read: what a flag says, else the network in use, else a store on this machine.
    pub(crate) fn config(&self, settings: &Settings) -> Result<ClientConfig> {
        let known = match known(settings) {
            Some(known) => url(known.aggregator.as_ref())?,
            None => Some(local()?),
        };
        let aggregator = settings.unbeaten("aggregator", &self.aggregator).or(known);
        let aggregator = aggregator.context("the network names no aggregator: --aggregator")?;
        Ok(ClientConfig::new(None, aggregator, self.shards(settings)))
    }

    /// How many shards it has.
    pub(crate) fn shards(&self, settings: &Settings) -> u16 {
        let known = known(settings).and_then(|known| known.shards);
        let shards = settings.unbeaten("shards", &self.shards).or(known);
        shards.unwrap_or(DEFAULT_SHARDS)
    }
}

impl WalrusNetwork {
    /// What a flag says, else the network in use, else a store on this machine.
    pub(crate) fn client(&self, settings: &Settings) -> Result<WalrusClient> {
        let known = match known(settings) {
            // a network without a public publisher can still be read from
            Some(known) => url(known.publisher.as_ref())?,
            None => Some(local()?),
        };
        let mut config = self.reading.config(settings)?;
        config.publisher = settings.unbeaten("publisher", &self.publisher).or(known);
        Ok(WalrusClient::new(config)?)
    }
}

/// Shards of the network in use, if they are known.
pub(super) fn known_shards(settings: &Settings) -> Option<u16> {
    known(settings)?.shards
}

/// The Walrus of the network in use.
fn known(settings: &Settings) -> Option<&Walrus> {
    let (_, profile) = settings.network.as_ref()?;
    profile.walrus.as_ref()
}

fn url(text: Option<&String>) -> Result<Option<Url>> {
    let parsed = text.map(|text| Url::parse(text)).transpose();
    parsed.context("a Walrus URL of the network")
}

fn local() -> Result<Url> {
    Ok(Url::parse(&format!("http://{DEFAULT_LISTEN}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::Profile;

    #[test]
    fn flags_win_over_the_network_and_the_network_over_this_machine() {
        let reading = |shards, aggregator: Option<&str>| WalrusReading {
            aggregator: aggregator.map(|url| url.parse().unwrap()),
            shards,
        };
        let read = |reading: WalrusReading, settings: &Settings| {
            let config = reading.config(settings).unwrap();
            (config.aggregators[0].to_string(), config.shards)
        };
        let nothing = Settings::default();
        let here = (format!("http://{DEFAULT_LISTEN}/"), DEFAULT_SHARDS);
        assert_eq!(read(reading(None, None), &nothing), here);
        let mut profile = Profile::at("http://ledger");
        profile.walrus = Some(Walrus {
            aggregator: Some("https://of.the.network".to_owned()),
            shards: Some(1_000),
            ..Walrus::default()
        });
        let mut settings = Settings::default();
        settings.network = Some(("mine".to_owned(), profile));
        let of_network = ("https://of.the.network/".to_owned(), 1_000);
        assert_eq!(read(reading(None, None), &settings), of_network);
        let other = reading(Some(7), Some("https://other"));
        assert_eq!(read(other, &settings), ("https://other/".to_owned(), 7));
    }
}
