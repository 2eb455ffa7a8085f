//! The networks that are known without a file.

use super::profile::{Profile, Walrus};

/// Where `atoma devnet` and `atoma localnet run` listen unless told otherwise.
pub(crate) const DEFAULT_LEDGER: &str = "http://127.0.0.1:9000";

/// Names that are always known.
pub(super) const BUILTIN: [&str; 4] = ["localnet", "devnet", "testnet", "mainnet"];

/// Sui Mainnet's first checkpoint.
const MAINNET: &str = "35834a8ac17ca48fb14ac8f99c17c98747e95dd07294ae41a46b382246a4499b";
/// Sui Testnet's first checkpoint.
const TESTNET: &str = "4c78adacf2a2f5ad80f27ed7d54aa69d3a78f1ca67fdef9ecf5754f5b8bb77b0";
/// Circle's USDC on Mainnet.
const MAINNET_USDC: &str =
    "0xdba34672e30cb065b1f93e3ab55318768fd6fef66c15942c9f7cb846e2f900e7::usdc::USDC";
/// Circle's USDC on Testnet.
const TESTNET_USDC: &str =
    "0xa1ec7fc00a6f40db9693ad1415d0c193ad3906494428cf252621037bd7117e29::usdc::USDC";
/// Walrus's `System` on Mainnet.
const MAINNET_WALRUS: &str = "0x2134d52768ea07e8c43570ef975eb3e4c27a39fa6396bef985b5abc58d03ddd2";
/// Walrus's `System` on Testnet.
const TESTNET_WALRUS: &str = "0x6c2547cbbc38025cf3adac45f63cb0a8d12ecf777cdc75a4971612bf97fdf6af";
/// Shards of Walrus on Mainnet and Testnet.
const SHARDS: u16 = 1_000;

impl Profile {
    /// What everyone knows of a network of this name.
    pub(super) fn builtin(name: &str) -> Option<Self> {
        let sui = |name: &str| Self::at(format!("https://fullnode.{name}.sui.io:443"));
        // the constants are valid; a test says so
        let walrus = |system: &str, space: &str, publisher: bool| {
            let url = |part: &str| format!("https://{part}.{space}");
            Some(Walrus {
                system: system.parse().ok(),
                publisher: publisher.then(|| url("publisher")),
                aggregator: Some(url("aggregator")),
                shards: Some(SHARDS),
            })
        };
        Some(match name {
            "localnet" => Self::at(DEFAULT_LEDGER),
            // it is wiped often, so neither its id nor anything on it is known
            "devnet" => Self {
                faucet: Some("https://faucet.devnet.sui.io".to_owned()),
                ..sui(name)
            },
            "testnet" => Self {
                faucet: Some("https://faucet.testnet.sui.io".to_owned()),
                network: TESTNET.parse().ok(),
                usdc: Some(TESTNET_USDC.to_owned()),
                walrus: walrus(TESTNET_WALRUS, "walrus-testnet.walrus.space", true),
                ..sui(name)
            },
            // nobody runs a public publisher there
            "mainnet" => Self {
                network: MAINNET.parse().ok(),
                usdc: Some(MAINNET_USDC.to_owned()),
                walrus: walrus(MAINNET_WALRUS, "walrus-mainnet.walrus.space", false),
                ..sui(name)
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_ledger::TypeTag;
    use url::Url;

    #[test]
    fn what_is_built_in_is_valid() {
        for name in BUILTIN {
            let profile = Profile::builtin(name).unwrap();
            assert!(Url::parse(&profile.ledger).is_ok());
        }
        for name in ["testnet", "mainnet"] {
            let profile = Profile::builtin(name).unwrap();
            assert!(profile.network.is_some());
            assert!(profile.usdc.unwrap().parse::<TypeTag>().is_ok());
            let walrus = profile.walrus.unwrap();
            assert!(walrus.system.is_some());
            assert!(Url::parse(&walrus.aggregator.unwrap()).is_ok());
            assert_eq!(walrus.publisher.is_some(), name == "testnet");
        }
    }
}
