//! Which Walrus a command talks to.

use crate::{settings::Settings, values::web_url};
use anyhow::{Context, Result};
use atoma_walrus::client::{ClientConfig, WalrusClient};
use clap::Args;
use url::Url;

/// Where a store listens unless told otherwise: Walrus's own default.
pub(super) const DEFAULT_LISTEN: &str = "127.0.0.1:31415";
/// Shards of a store of one's own.
pub(super) const DEFAULT_SHARDS: u16 = 10;

/// Flags that name a Walrus other than the one of the network in use.
#[derive(Debug, Args)]
pub(crate) struct WalrusNetwork {
    /// The publisher's URL (default: the network's, or a store on this machine).
    #[arg(long, env = "ATOMA_WALRUS_PUBLISHER", value_name = "URL", value_parser = web_url)]
    publisher: Option<Url>,
    /// The aggregator's URL (default: the network's, or a store on this machine).
    #[arg(long, env = "ATOMA_WALRUS_AGGREGATOR", value_name = "URL", value_parser = web_url)]
    aggregator: Option<Url>,
    /// Shards of the network: 1000 on Mainnet and Testnet. Ids depend on it (default: the network's, or 10).
    #[arg(long, env = "ATOMA_WALRUS_SHARDS", value_name = "N")]
    shards: Option<u16>,
}

impl WalrusNetwork {
    /// What a flag says, else the network in use, else a store on this machine.
    pub(crate) fn client(&self, settings: &Settings) -> Result<WalrusClient> {
        let network = settings.network.as_ref();
        let known = network.and_then(|(_, profile)| profile.walrus.clone());
        let local = || Url::parse(&format!("http://{DEFAULT_LISTEN}"));
        let (publisher, aggregator) = match &known {
            // a network without a public publisher can still be read from
            Some(known) => {
                let url = |text: &String| Url::parse(text).context("a Walrus URL of the network");
                let publisher = known.publisher.as_ref().map(url).transpose()?;
                (publisher, known.aggregator.as_ref().map(url).transpose()?)
            }
            None => (Some(local()?), Some(local()?)),
        };
        let publisher = self.publisher.clone().or(publisher);
        let aggregator = self.aggregator.clone().or(aggregator);
        let aggregator = aggregator.context("the network names no aggregator: --aggregator")?;
        let shards = known.and_then(|known| known.shards);
        let shards = self.shards.or(shards).unwrap_or(DEFAULT_SHARDS);
        let config = ClientConfig::new(publisher, aggregator, shards);
        Ok(WalrusClient::new(config)?)
    }
}
