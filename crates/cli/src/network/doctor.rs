//! `atoma network doctor`: one line a check, each with what was found and what to do about it.

mod report;
mod rules;

use crate::{
    output::{Output, sui},
    profiles,
    settings::Settings,
};
use anyhow::{Result, bail};
use atoma_ledger::{Connection, Ledger, Service};
use atoma_runtime::WithCauses;
use atoma_runtime::{Clock, SystemClock};
use atoma_types::{
    TimestampMs,
    chain::{LOCALNET_CHAIN, ObjectKind},
};
use report::Report;
use std::time::Duration;
use tokio::time::Instant;

/// Questions that the latency is measured with; the fastest counts.
const PINGS: u32 = 3;
/// A ledger that takes longer for a simple question makes every command slow.
const SLOW: Duration = Duration::from_millis(1_000);
/// Nodes refuse requests that are issued further ahead of their clock.
const MAX_AHEAD_MS: u64 = 30_000;
/// A ledger that makes checkpoints all the time is never further behind.
const MAX_BEHIND_MS: u64 = 60_000;
/// Gas for a handful of transactions, in MIST.
const LITTLE_GAS: u64 = 100_000_000;
/// The rules that this program knows.
const RULES: u64 = 1;

pub(super) async fn run(settings: &Settings, output: &Output) -> Result<()> {
    let mut report = Report::default();
    let progress = output.progress("checking");
    examine(settings, &mut report).await;
    progress.finish_and_clear();
    output.table(report.rows(), "nothing was checked");
    match report.failed() {
        0 => Ok(()),
        failed => bail!("{failed} of {} checks failed", report.checks()),
    }
}

async fn examine(settings: &Settings, report: &mut Report) {
    let url = &settings.ledger_url;
    let ledger = match settings.connect().await {
        Ok(ledger) => {
            report.good("ledger", url);
            ledger
        }
        Err(error) => {
            report.bad(
                "ledger",
                format!("{error:#}"),
                "start a ledger, correct its URL (`atoma network add NAME --ledger URL`), or publish the package \
                 (`atoma network publish`)",
            );
            // what can be seen without the package still says more
            if let Some((_, profile)) = &settings.network
                && let Ok(connection) = profiles::connection(profile).await
                && let Ok(service) = connection.service().await
            {
                clock(&service, None, report);
                wallet(settings, &connection, report).await;
            }
            return;
        }
    };
    latency(&ledger, report).await;
    match ledger.service().await {
        Ok(service) => {
            chain(settings, &service, report);
            let time = ledger.clock().await.ok();
            clock(&service, time, report);
        }
        Err(error) => report.bad(
            "service",
            WithCauses(&error).to_string(),
            "use another full node",
        ),
    }
    package(&ledger, report).await;
    database(&ledger, report).await;
    rules::examine(settings, &ledger, report).await;
    walrus(&ledger, report).await;
    wallet(settings, &ledger, report).await;
}

async fn latency(connection: &Connection, report: &mut Report) {
    let mut fastest = None::<Duration>;
    for _ in 0..PINGS {
        let asked = Instant::now();
        if connection.service().await.is_ok() {
            let took = asked.elapsed();
            fastest = Some(fastest.map_or(took, |other| other.min(took)));
        }
    }
    match fastest {
        Some(took) if took <= SLOW => report.good("latency", format!("{} ms", took.as_millis())),
        Some(took) => report.warn(
            "latency",
            format!("{} ms", took.as_millis()),
            "use a full node that is nearer",
        ),
        None => report.bad("latency", "no answer", "use another full node"),
    }
}

fn chain(settings: &Settings, service: &Service, report: &mut Report) {
    let found = format!("{} {}", service.chain, service.network);
    let expected = settings.network.as_ref();
    match expected.and_then(|(_, profile)| profile.expected_network()) {
        Some(expected) if expected != service.network => report.bad(
            "chain",
            format!("{found}, not {expected}"),
            "the network was wiped, or the URL is another one's: add the network anew",
        ),
        Some(_) => report.good("chain", found),
        None => report.good("chain", format!("{found} (not held to one)")),
    }
    let protocol = service.protocol;
    let protocol = protocol.map_or_else(|| "not told".to_owned(), |version| version.to_string());
    report.good(
        "server",
        format!(
            "{}, epoch {}, checkpoint {}, protocol {protocol}",
            service.server, service.epoch, service.checkpoint
        ),
    );
}

/// Our clock against the ledger's.
fn clock(service: &Service, clock: Option<TimestampMs>, report: &mut Report) {
    let ledger = clock.map_or(service.time, |clock| clock.max(service.time));
    let ours = SystemClock::default().now();
    let (ahead, behind) = (ledger.since(ours).0, ours.since(ledger).0);
    if ahead > MAX_AHEAD_MS {
        report.bad(
            "clock",
            format!("this machine is {ahead} ms behind the ledger"),
            "set the machine's clock, or have it set by NTP",
        );
    // localnet makes checkpoints only when something happens
    } else if behind > MAX_BEHIND_MS && !service.server.starts_with(LOCALNET_CHAIN) {
        report.bad(
            "clock",
            format!("the ledger's last checkpoint is {behind} ms old"),
            "set the machine's clock; if it is right, the full node lags behind: use another",
        );
    } else {
        report.good("clock", format!("{} ms apart", ahead.max(behind)));
    }
}

async fn package(ledger: &Ledger, report: &mut Report) {
    let deployment = ledger.deployment();
    let package = match ledger.published(deployment.package).await {
        Ok(Some(package)) => package,
        Ok(None) => {
            return report.bad(
                "package",
                format!("nothing at {}", deployment.package),
                "publish it (`atoma network publish`), or correct its place (`atoma network add`)",
            );
        }
        Err(error) => {
            return report.bad(
                "package",
                WithCauses(&error).to_string(),
                "use another full node",
            );
        }
    };
    let place = format!("{}, version {}", package.id, package.version);
    if package.original == deployment.original_package {
        report.good("package", place);
    } else {
        report.bad(
            "package",
            format!("{place}, of {}", package.original),
            "the package isn't the database's: correct its place (`atoma network add NAME --db …`)",
        );
    }
    let differences = package.differences(deployment);
    match differences.first() {
        None => report.good("functions", "all as this program calls them"),
        Some(first) => report.bad(
            "functions",
            format!("{} differ: {first}", differences.len()),
            "upgrade the package (`atoma network upgrade`), or use the program that it was published with",
        ),
    }
    match package.is_ours(ledger.surroundings()) {
        Ok(Some(true)) => report.good("code", "what this program carries"),
        Ok(Some(false)) => report.warn(
            "code",
            "other than what this program carries",
            "a newer or older version is published: compare versions, `atoma network upgrade` if yours is newer",
        ),
        Ok(None) => report.good("code", "none shown: the ledger runs the rules itself"),
        Err(error) => report.bad("code", WithCauses(&error).to_string(), "use another full node"),
    }
    match ledger.newest_version(deployment.original_package).await {
        Ok(Some((newest, version))) if newest != deployment.package => report.warn(
            "newest version",
            format!("{newest}, version {version}"),
            format!(
                "`atoma network add NAME --db {} --package {newest}`",
                deployment.db
            ),
        ),
        Ok(_) => {}
        Err(error) => report.warn("newest version", WithCauses(&error).to_string(), ""),
    }
}

async fn database(ledger: &Ledger, report: &mut Report) {
    match ledger.db().await {
        Ok(db) if db.version == RULES => {
            let paused = if db.params.paused == 0 {
                ""
            } else {
                ", paused"
            };
            report.good(
                "database",
                format!(
                    "{}, version {}, {} nodes, {} tasks{paused}",
                    db.id, db.version, db.nodes.size, db.tasks.size
                ),
            );
        }
        Ok(db) => report.bad(
            "database",
            format!("of version {}, this program knows {RULES}", db.version),
            "use a newer program, or have the administrator run `atoma network upgrade --yes`",
        ),
        Err(error) => report.bad(
            "database",
            WithCauses(&error).to_string(),
            "correct its place (`atoma network add NAME --db …`)",
        ),
    }
}

async fn walrus(ledger: &Ledger, report: &mut Report) {
    let walrus = &ledger.deployment().walrus;
    let expected = ledger.deployment().type_of(ObjectKind::WalrusSystem);
    match ledger.type_of(walrus.system).await {
        Ok(Some(found)) if found == expected => {
            report.good("walrus", walrus.system.to_string());
        }
        Ok(Some(found)) => report.bad(
            "walrus",
            format!("{} is a {found}, not a {expected}", walrus.system),
            "correct its place (`atoma network add NAME --walrus-system …`)",
        ),
        Ok(None) => report.bad(
            "walrus",
            format!("nothing at {}", walrus.system),
            "correct its place (`atoma network add NAME --walrus-system …`)",
        ),
        Err(error) => report.bad(
            "walrus",
            WithCauses(&error).to_string(),
            "use another full node",
        ),
    }
}

/// Whether the acting address can act.
async fn wallet(settings: &Settings, connection: &Connection, report: &mut Report) {
    let address = match settings.key() {
        Ok(key) => key.public_key().address(),
        Err(error) => {
            return report.warn(
                "wallet",
                format!("{error:#}"),
                "make a key with `atoma wallet new`",
            );
        }
    };
    report.good("wallet", address.to_string());
    match connection.gas(address).await {
        Ok(gas) if gas >= LITTLE_GAS => report.good("gas", sui(gas)),
        Ok(gas) => report.warn(
            "gas",
            sui(gas),
            "get some: `atoma wallet fund` on a test network, or name a --sponsor",
        ),
        Err(error) => report.bad(
            "gas",
            WithCauses(&error).to_string(),
            "use another full node",
        ),
    }
    match connection.usdc(address).await {
        Ok(usdc) if usdc.0 > 0 => match connection.is_usdc_frozen(address).await {
            Ok(true) => report.bad(
                "usdc",
                format!("{usdc}, frozen: its issuer lets nothing of it move"),
                "use another address: whoever owns a credit names where it is paid",
            ),
            // without gas nothing can be tried
            Ok(false) | Err(_) => report.good("usdc", usdc.to_string()),
        },
        Ok(usdc) => report.warn(
            "usdc",
            usdc.to_string(),
            "get some: `atoma wallet fund --usdc 10` on a localnet, Circle's faucet on Testnet",
        ),
        Err(error) => report.bad(
            "usdc",
            WithCauses(&error).to_string(),
            "use another full node",
        ),
    }
}
