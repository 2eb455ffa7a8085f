//! Configuration files: the node's, the gateway's, localnet's, and the assumptions of `atoma cost`.

use super::{Memory, Target};
use atoma_gateway::GatewayConfig;
use atoma_localnet::LocalnetConfig;
use atoma_node::NodeConfig;
use serde::de::DeserializeOwned;

pub(super) const CONFIG_FILES: Target = Target {
    name: "config_files",
    seeds: || {
        let node = include_str!("../../../../docs/node.toml");
        let gateway = include_str!("../../../../docs/gateway.toml");
        // whole, and without the comments: then more of it changes
        [node, gateway]
            .into_iter()
            .flat_map(|file| [file.to_owned(), uncommented(file)])
            .chain(["data_dir = \"x\"\nlisten = \"127.0.0.1:0\"\ncheckpoint = { every_ms = 5 }\n[faucet]\nenabled = true\nsui = 1\nusdc = 2\n".to_owned()])
            .chain(["tokens_in = 10\nrequests_per_day = 100\n".to_owned()])
            .map(String::into_bytes)
            .collect()
    },
    check: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        read::<NodeConfig>(text);
        read::<GatewayConfig>(text);
        read::<LocalnetConfig>(text);
        if let Ok(assumptions) = atoma_cost::resolve(Some(text), &toml::Table::new()) {
            // not the whole report: it looks for thresholds, for seconds
            let _ = atoma_cost::bill(&assumptions, atoma_cost::Plan::of(&assumptions));
        }
    },
    max_bytes: 6_000,
    memory: Memory {
        fixed: 4 << 20,
        per_byte: 1_024,
    },
    mutants: 600,
};

fn read<T: DeserializeOwned>(text: &str) {
    let _ = toml::from_str::<T>(text);
}

/// The file with its settings that are commented out switched on.
fn uncommented(file: &str) -> String {
    let lines = file
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line));
    let settings = lines.filter(|line| line.contains('=') || line.starts_with('['));
    settings.collect::<Vec<_>>().join("\n")
}
