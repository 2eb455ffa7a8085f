//! The network that the tests were told to use instead of localnets of their own.

use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, LedgerConfig};
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::{Address, MicroUsdc, chain::Deployment};
use std::{collections::HashMap, path::PathBuf};

/// A ledger's URL, or the path of a `networks.toml`, whose active network is meant.
pub const NETWORK: &str = "ATOMA_TEST_NETWORK";
/// A key (`suiprivkey1...`) on that network which pays for everything; without one its faucet must give USDC too.
pub const KEY: &str = "ATOMA_TEST_KEY";
/// What a party gets for gas, in MIST: a story of one party takes a tenth of it, and what is left is lost to
/// whoever pays for the tests.
const PARTY_GAS: u64 = 600_000_000;
/// What it gets in USDC beyond a node's collateral: the stacks of a story cost cents, a bond one.
const PARTY_USDC: u64 = 500_000;

/// The network, and who pays for the tests.
#[derive(Debug)]
pub struct Elsewhere {
    /// A connection to the ledger, with its deployment.
    pub ledger: Ledger,
    /// The file that says what is known of it.
    pub file: Option<PathBuf>,
    /// Its Walrus, if one is known.
    pub walrus: Option<WalrusEndpoints>,
    /// The least that a node stakes.
    pub collateral: MicroUsdc,
    funder: Option<SigningKey>,
}

/// The part of a `networks.toml` that tests need.
#[derive(serde::Deserialize)]
struct Networks {
    active: String,
    networks: HashMap<String, Network>,
}

#[derive(serde::Deserialize)]
struct Network {
    ledger: String,
    faucet: Option<String>,
    walrus: Option<WalrusEndpoints>,
    deployment: Option<Deployment>,
}

/// Where Walrus is there.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct WalrusEndpoints {
    /// The URL of a publisher, if the network has one.
    pub publisher: Option<String>,
    /// The URL of an aggregator, if the network has one.
    pub aggregator: Option<String>,
    /// The number of shards.
    pub shards: Option<u16>,
}

impl Elsewhere {
    /// What `ATOMA_TEST_NETWORK` says, if it says anything.
    pub async fn named() -> Option<Self> {
        let named = std::env::var(NETWORK).ok()?;
        let is_url = named.contains("://");
        let network = if is_url {
            Network {
                ledger: named.clone(),
                faucet: None,
                walrus: None,
                deployment: None,
            }
        } else {
            let text = std::fs::read_to_string(&named)
                .unwrap_or_else(|e| panic!("{NETWORK}={named}: {e}; see docs/testing.md"));
            let mut file: Networks = toml::from_str(&text).unwrap();
            file.networks.remove(&file.active).unwrap()
        };
        let ledger = Ledger::open(LedgerConfig {
            url: network.ledger,
            deployment: network.deployment,
            faucet: network.faucet,
            runtime: Runtime::default(),
        });
        let ledger = ledger.await.unwrap();
        let key = std::env::var(KEY).ok();
        Some(Self {
            collateral: MicroUsdc(ledger.db().await.unwrap().params.min_collateral.max(1)),
            ledger,
            file: (!is_url).then(|| named.into()),
            walrus: network.walrus,
            funder: key.map(|key| SigningKey::from_suiprivkey(&key).unwrap()),
        })
    }

    /// A key whose address has gas, and USDC for a node's collateral and more.
    pub async fn party(&self) -> SigningKey {
        let key = SigningKey::generate(&SystemRandom);
        self.fund(key.public_key().address()).await;
        key
    }

    /// Gives an address what a party gets.
    pub async fn fund(&self, address: Address) {
        match &self.funder {
            Some(funder) => {
                let sent = self.ledger.transfer_gas(funder, address, PARTY_GAS).await;
                sent.unwrap();
                let usdc = MicroUsdc(self.collateral.0 + PARTY_USDC);
                self.give_usdc(address, usdc).await;
            }
            None => {
                self.ledger.faucet(address).await.unwrap();
            }
        }
    }

    /// Gives an address USDC and no gas, from the funder, or from the faucet where there is none.
    pub async fn give_usdc(&self, to: Address, amount: MicroUsdc) {
        match &self.funder {
            Some(funder) => {
                let sent = self.ledger.transfer_usdc(funder, to, amount).await;
                sent.unwrap();
            }
            None => self.ledger.mint_usdc(to, amount).await.unwrap(),
        }
    }
}
