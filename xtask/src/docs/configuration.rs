//! `docs/configuration.md`: every key of every configuration file.

use super::fields::{Key, Kind, Source};
use anyhow::Result;

/// Where it stands.
pub(super) const PATH: &str = "docs/configuration.md";

const HEAD: &str = "\
# Configuration reference

Every key of every file, with its default and its meaning; below each heading the type that it is declared in. Written by `cargo xtask docs` from the code's own types and comments;
`cargo xtask check` fails where it is stale. [node.toml](node.toml) and [gateway.toml](gateway.toml) are commented examples, and
[operators.md](operators.md) says what to set.

All files are TOML, and all refuse a key that they don't know. Money is in micro-USDC (a millionth of a USDC), times in milliseconds,
sizes in bytes, unless a key says otherwise. A default of *none* means that the key may be left out; *required*, that it may not.
";

/// A file, or a part that several files have.
struct Chapter {
    title: &'static str,
    intro: &'static str,
    sections: &'static [Section],
}

/// A type whose fields are keys.
struct Section {
    /// What people look for.
    title: &'static str,
    source: &'static str,
    name: &'static str,
    /// Keys that the command takes out of the file before it is parsed.
    beside: &'static [Beside],
    /// Defaults that the command adds.
    defaults: &'static [(&'static str, Default)],
}

/// A key that stands beside the type's own.
struct Beside {
    name: &'static str,
    kind: &'static str,
    required: bool,
    meaning: &'static str,
}

/// A default that doesn't stand in the type.
enum Default {
    Text(&'static str),
    /// A constant of a source file.
    Constant(&'static str, &'static str),
}

const fn section(title: &'static str, source: &'static str, name: &'static str) -> Section {
    Section {
        title,
        source,
        name,
        beside: &[],
        defaults: &[],
    }
}

const NODE: &str = "crates/node/src/config.rs";
const GUEST: &str = "crates/node/src/confidential/config.rs";
const ENGINES: &str = "crates/cli/src/node/engines.rs";
const GATEWAY: &str = "crates/gateway/src/config.rs";
const SAMPLE: &str = "crates/cli/src/recompute/sample.rs";
const LOCALNET: &str = "crates/localnet/src/config.rs";
const LOCALNET_COMMAND: &str = "crates/cli/src/localnet.rs";
const PROFILE: &str = "crates/cli/src/profiles/profile.rs";
const DEPLOYMENT: &str = "crates/types/src/chain/deployment.rs";
const IN_USE: Default = Default::Text("the network in use");

const CHAPTERS: &[Chapter] = &[
    Chapter {
        title: "Node",
        intro: "`atoma node run --config node.toml`",
        sections: &[
            Section {
                beside: &[Beside {
                    name: "engines",
                    kind: "EngineConfig",
                    required: true,
                    meaning: "What answers the requests of each model; at least one.",
                }],
                defaults: &[("ledger", IN_USE), ("deployment", IN_USE)],
                ..section("Top level of a node", NODE, "NodeConfig")
            },
            section("subscriptions", NODE, "SubscriptionConfig"),
            section("engines", ENGINES, "EngineConfig"),
            section("engines.from", ENGINES, "EngineSource"),
            section("engines.from.sealed", ENGINES, "SealedSource"),
            section("engines.from.upstream", ENGINES, "UpstreamSource"),
            section("evidence", NODE, "EvidenceConfig"),
            section("forward", NODE, "ForwardConfig"),
            section("attest", NODE, "AttestConfig"),
            Section {
                defaults: &[("measurement", Default::Text("zeros"))],
                ..section("confidential", GUEST, "ConfidentialConfig")
            },
            section("settlement", NODE, "SettlementConfig"),
            section("upkeep", NODE, "UpkeepConfig"),
            section("requests of a node", NODE, "RequestLimits"),
        ],
    },
    Chapter {
        title: "Gateway",
        intro: "`atoma gateway run --config gateway.toml`",
        sections: &[
            Section {
                beside: &[
                    Beside {
                        name: "key",
                        kind: "KeySource",
                        required: true,
                        meaning: "The key of the wallet that buys stacks.",
                    },
                    Beside {
                        name: "check",
                        kind: "SampleConfig",
                        required: false,
                        meaning: "Which answers are computed again; none if absent.",
                    },
                ],
                defaults: &[
                    ("ledger", IN_USE),
                    ("deployment", IN_USE),
                    ("max_bonds", Default::Text("0")),
                ],
                ..section("Top level of a gateway", GATEWAY, "GatewayConfig")
            },
            section("api_keys", GATEWAY, "ApiKeyConfig"),
            section("models", GATEWAY, "ModelConfig"),
            section("policy", GATEWAY, "StackPolicy"),
            section("requests of a gateway", GATEWAY, "RequestLimits"),
            section("check", SAMPLE, "SampleConfig"),
        ],
    },
    Chapter {
        title: "Localnet",
        intro: "`atoma localnet run --config localnet.toml`; `atoma localnet config` prints a file with every default.",
        sections: &[
            Section {
                defaults: &[
                    (
                        "data_dir",
                        Default::Constant(LOCALNET_COMMAND, "DEFAULT_DATA_DIR"),
                    ),
                    (
                        "listen",
                        Default::Constant(LOCALNET_COMMAND, "DEFAULT_LISTEN"),
                    ),
                ],
                ..section("Top level of a localnet", LOCALNET, "LocalnetConfig")
            },
            section("checkpoint", LOCALNET, "CheckpointMode"),
            section("clock", LOCALNET, "ClockMode"),
            section("faucet", LOCALNET, "FaucetConfig"),
            section("params", "crates/types/src/chain/params.rs", "Params"),
        ],
    },
    Chapter {
        title: "Local Walrus",
        intro: "`atoma walrus serve --config walrus.toml`. Its `[limits]` begin from values of its own, made for large blobs.",
        sections: &[section(
            "Top level of a local Walrus",
            "crates/cli/src/walrus/serve.rs",
            "Choices",
        )],
    },
    Chapter {
        title: "Key broker",
        intro: "`atoma model serve-keys --config keys.toml`. Each key is a flag as well, with dashes; flags win.",
        sections: &[section(
            "Top level of a key broker",
            "crates/cli/src/model_command/serve_keys.rs",
            "Choices",
        )],
    },
    Chapter {
        title: "Settings of a user",
        intro: "`config.toml` in the data folder (`~/.atoma`), or the file that `--settings` names. Flags and environment variables win over it.",
        sections: &[section(
            "Top level of config.toml",
            "crates/cli/src/settings.rs",
            "File",
        )],
    },
    Chapter {
        title: "Networks",
        intro: "`networks.toml` in the data folder; `atoma network` writes it, and so may you.",
        sections: &[
            section(
                "Top level of networks.toml",
                "crates/cli/src/profiles/mod.rs",
                "File",
            ),
            section("networks.NAME", PROFILE, "Profile"),
            section("networks.NAME.walrus", PROFILE, "Walrus"),
            section("networks.NAME.rights", PROFILE, "Rights"),
        ],
    },
    Chapter {
        title: "Cost",
        intro: "`atoma cost --config workload.toml`. Each key is a flag as well, with dashes; flags win.",
        sections: &[
            section(
                "Top level of a workload",
                "crates/cost/src/assumptions.rs",
                "Assumptions",
            ),
            section("web2", "crates/cost/src/prices.rs", "Web2Price"),
        ],
    },
    Chapter {
        title: "In several files",
        intro: "",
        sections: &[
            section("limits", "crates/http/src/server/limits.rs", "Limits"),
            section("key", NODE, "KeySource"),
            section("deployment", DEPLOYMENT, "Deployment"),
            section("deployment.walrus", DEPLOYMENT, "WalrusDeployment"),
        ],
    },
];

/// The whole document.
pub(super) fn text() -> Result<String> {
    let mut text = HEAD.to_owned();
    for chapter in CHAPTERS {
        text += &format!("\n## {}\n", chapter.title);
        if !chapter.intro.is_empty() {
            text += &format!("\n{}\n", chapter.intro);
        }
        for section in chapter.sections {
            let (title, source, name) = (section.title, section.source, section.name);
            text += &format!("\n### {title}\n\n`{name}` in `{source}`\n\n");
            text += "| key | value | default | meaning |\n|---|---|---|---|\n";
            for key in keys(section)? {
                text += &row(&key, chapter);
            }
            for key in section.beside {
                let default = if key.required { "*required*" } else { "*none*" };
                let (name, meaning, kind) = (key.name, key.meaning, link(key.kind, chapter));
                text += &format!("| `{name}` | {kind} | {default} | {meaning} |\n");
            }
        }
    }
    Ok(text)
}

fn keys(section: &Section) -> Result<Vec<Key>> {
    let mut keys = Source::parse(section.source)?.keys(section.name)?;
    for key in &mut keys {
        let default = section.defaults.iter().find(|(name, _)| *name == key.name);
        match default {
            Some((_, Default::Text(text))) => key.default = Some((*text).to_owned()),
            Some((_, Default::Constant(source, name))) => {
                key.default = Some(Source::parse(source)?.constant(name)?);
            }
            None => {}
        }
    }
    Ok(keys)
}

fn row(key: &Key, chapter: &Chapter) -> String {
    let default = match key.default.as_deref() {
        None => "*required*".to_owned(),
        Some("") => String::new(),
        Some("none") => "*none*".to_owned(),
        Some(text) if text.contains(' ') => text.to_owned(),
        Some(text) => format!("`{text}`"),
    };
    let kind = kind(&key.kind, chapter);
    format!(
        "| `{}` | {kind} | {default} | {} |\n",
        key.name, key.meaning
    )
}

fn kind(kind: &Kind, chapter: &Chapter) -> String {
    let one = match kind.name.as_str() {
        "" => "",
        "String" => "text",
        "PathBuf" => "path",
        "Weights" => "`f32` or `bf16`",
        "SocketAddr" => "address and port",
        "bool" => "true or false",
        "u16" | "u32" | "u64" | "usize" => "number",
        "Rate" => "a share, 0.01",
        "GuestKind" => "`software`",
        "Digest" => "64 hex digits",
        "Measurement" => "96 hex digits",
        "MicroUsdc" => "micro-USDC",
        "Price" => "micro-USDC per million units",
        "ComputeUnits" => "compute units",
        "DurationMs" => "milliseconds",
        "Usd" => "dollars, in quotes",
        "NodeId" | "TaskId" | "ObjectId" | "NetworkId" => "id, hex",
        "Address" => "address, hex",
        "KeyHash" => "hash, hex",
        "TypeTag" => "a Move type",
        "Basis" => "`tokens` or `gpu`",
        // a walrus's own limits are parsed beside its own defaults
        "Table" => return link("Limits", chapter),
        name => return link(name, chapter) + if kind.many { ", any number" } else { "" },
    };
    match kind.many {
        true => format!("list of {one}"),
        false => one.to_owned(),
    }
}

/// A link to the section of a type: of the same chapter, if it has one of that name.
fn link(name: &str, chapter: &Chapter) -> String {
    let others = CHAPTERS.iter().flat_map(|chapter| chapter.sections);
    let mut sections = chapter.sections.iter().chain(others);
    let found = sections.find(|section| section.name == name);
    match found {
        Some(section) => format!("[{0}](#{1})", section.title, anchor(section.title)),
        None => name.to_owned(),
    }
}

/// As Markdown renderers name headings.
fn anchor(title: &str) -> String {
    let kept = title
        .chars()
        .filter(|c| c.is_alphanumeric() || " _-".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_in_the_reference_is_described_or_has_a_section() {
        let text = text().unwrap();
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            let kind = row.split(" | ").nth(1).unwrap();
            assert!(!kind.starts_with(char::is_uppercase), "{row}");
        }
    }

    #[test]
    fn each_section_says_which_file_declares_it() {
        let text = text().unwrap();
        let sections = CHAPTERS.iter().flat_map(|chapter| chapter.sections);
        for section in sections {
            let told = format!(
                "### {}\n\n`{}` in `{}`\n",
                section.title, section.name, section.source
            );
            assert!(text.contains(&told), "{told}");
        }
    }

    #[test]
    fn headings_are_linked_as_they_are_rendered() {
        assert_eq!(anchor("requests of a node"), "requests-of-a-node");
        assert_eq!(anchor("engines.from"), "enginesfrom");
    }
}
