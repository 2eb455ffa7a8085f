//! `atoma attestation`: evidence that a node runs where nobody can look, held against a policy of
//! one's own. The checks are `atoma-tee`'s; nothing is fetched.

use crate::{
    call::call_and_tell,
    confidential::read_policy,
    named::Named,
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Context, Result, bail};
use atoma_runtime::{Clock, SystemClock};
use atoma_tee::{
    Appraisal, Bundle, Check, Outcome, Roots, Verdict,
    appraise::Expected,
    limits::MAX_BUNDLE_BYTES,
    octets::{Digest, Octets},
};
use atoma_types::{BlobId, NodeId, TimestampMs, chain::calls, hash::Hash32};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    str::FromStr,
};

#[derive(Debug, Subcommand)]
pub(crate) enum AttestationCommand {
    /// Check a bundle of evidence, offline, and say what it is worth.
    Verify(AttestationVerify),
    /// Write on the ledger what a node of yours runs on: a confidential task's nodes need it.
    Register(AttestationRegister),
}

#[derive(Debug, Args)]
pub(crate) struct AttestationRegister {
    /// The node's id or a beginning of it, or its URL.
    node: Named,
    /// Digest of the release that it runs, which the task has announced (64 hex digits).
    #[arg(long, value_name = "HEX")]
    release: Hash32,
    /// The blob in which the bundle is stored.
    #[arg(long, value_name = "BLOB")]
    evidence: BlobId,
    /// The last moment at which the node opens a lease by it: 2026-11-18T12:00:00Z, or milliseconds since 1970.
    #[arg(long, value_name = "TIME")]
    until: Moment,
    /// What kind of platform it is, a number.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    kind: u8,
}

#[derive(Debug, Args)]
pub(crate) struct AttestationVerify {
    /// The bundle, as the node has registered it.
    bundle: PathBuf,
    /// What you accept: a TOML file (docs/confidential.md).
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Judge as of this time instead of now: 2026-11-18T12:00:00Z, or milliseconds since 1970.
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// The node that the bundle must be of.
    #[arg(long, value_name = "ID")]
    node: Option<NodeId>,
    /// The nonce that the node was asked with, in hex.
    #[arg(long, value_name = "HEX")]
    nonce: Option<Octets<32>>,
    /// The digest under which the bundle is registered, in hex.
    #[arg(long, value_name = "HEX")]
    registered: Option<Digest>,
}

pub(crate) async fn run(
    command: AttestationCommand,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    match command {
        AttestationCommand::Verify(args) => verify(&args, output),
        AttestationCommand::Register(args) => register(&args, &settings()?, output).await,
    }
}

async fn register(args: &AttestationRegister, settings: &Settings, output: &Output) -> Result<()> {
    let ledger = settings.ledger().await?;
    let call = calls::AttestNode {
        node: args.node.node(&ledger).await?.into(),
        kind: args.kind,
        release: args.release,
        evidence: args.evidence,
        expires_at_ms: args.until.0,
    };
    call_and_tell(&ledger, settings, call, output).await
}

fn verify(args: &AttestationVerify, output: &Output) -> Result<()> {
    let policy = read_policy(&args.policy)?;
    let bundle = Bundle::from_bytes(&read(&args.bundle, MAX_BUNDLE_BYTES)?)
        .with_context(|| format!("cannot read {}", args.bundle.display()))?;
    let appraisal = Appraisal {
        roots: &Roots::pinned(),
        policy: &policy,
        at: args
            .at
            .map_or_else(|| SystemClock::default().now(), |at| at.0),
        expected: Expected {
            node: args.node,
            nonce: args.nonce,
            digest: args.registered,
        },
    };
    tell(&appraisal.judge(&bundle), output)
}

/// A file of at most `most` bytes; of a longer one no more is read than shows that it is longer.
fn read(path: &Path, most: usize) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    Ok(bytes)
}

/// A row for each check, and what they come to; an error where the bundle is refused.
fn tell(verdict: &Verdict, output: &Output) -> Result<()> {
    output.table(
        verdict.checks.iter().map(row).collect(),
        "nothing was checked",
    );
    output.say("");
    output.object(facts(verdict));
    if !verdict.accepted() {
        bail!("the evidence is refused: {}", verdict.refusals().join(", "));
    }
    Ok(())
}

fn row(check: &Check) -> Facts {
    let (result, code, found): (&str, Value, Value) = match &check.outcome {
        Outcome::Holds { found } => ("holds", Value::Null, json!(found)),
        Outcome::Lowers { tier, found } => {
            let found = format!("{found}: at most {tier}");
            ("lowers", Value::Null, json!(found))
        }
        Outcome::Refused { fault } => ("refused", json!(fault.code()), json!(fault.to_string())),
    };
    vec![
        ("on", json!(check.subject)),
        ("check", json!(check.name)),
        ("result", json!(result)),
        ("code", code),
        ("found", found),
    ]
}

fn facts(verdict: &Verdict) -> Facts {
    vec![
        ("accepted", json!(verdict.accepted())),
        ("tier", json!(verdict.tier)),
        ("node", json!(verdict.node)),
        ("keyset", json!(verdict.keyset)),
        ("statement", json!(verdict.statement)),
        ("judged_at_ms", json!(verdict.at)),
        ("ends_at_ms", json!(verdict.valid_until)),
    ]
}

/// A moment as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(TimestampMs);

impl FromStr for Moment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(milliseconds) = text.parse() {
            return Ok(Self(TimestampMs(milliseconds)));
        }
        let expected = || "expected a time such as 2026-11-18T12:00:00Z".to_owned();
        let date_time = text.strip_suffix('Z').ok_or_else(expected)?;
        let (date, time) = date_time.split_once('T').ok_or_else(expected)?;
        let numbers = |text: &str, by: char| -> Option<[u64; 3]> {
            let parts: Result<Vec<u64>, _> = text.split(by).map(str::parse).collect();
            parts.ok()?.try_into().ok()
        };
        let [year, month, day] = numbers(date, '-').ok_or_else(expected)?;
        let [hour, minute, second] = numbers(time, ':').ok_or_else(expected)?;
        let fits = (1970..10_000).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !fits {
            return Err(expected());
        }
        let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60;
        Ok(Self(TimestampMs((seconds + second) * 1_000)))
    }
}

/// Days to a date of the Gregorian calendar, whose years are counted from March here.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_years = 365 * year + year / 4 - year / 100 + year / 400;
    let of_months = (153 * ((month + 9) % 12) + 2) / 5;
    // the days before 1970-01-01, counted the same way
    const EPOCH: u64 = 719_468;
    of_years + of_months + day - 1 - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_tee::{bundle::PlatformEvidence, software::SoftwareEvidence, testing};

    fn files() -> (tempfile::TempDir, AttestationVerify) {
        let folder = tempfile::tempdir().unwrap();
        let measurement = Octets([0x50; 48]);
        let bundle = testing::bundle(Vec::new(), Vec::new(), |report_data| {
            PlatformEvidence::Software(SoftwareEvidence {
                measurement,
                report_data,
            })
        });
        let rules = format!("software = [\"{measurement}\"]\n[software]\n[snp.genoa]");
        let policy = testing::policy_text()
            .replace("[snp.genoa]", &rules)
            .replace("tier = \"attested\"", "tier = \"software\"");
        let args = AttestationVerify {
            bundle: folder.path().join("bundle"),
            policy: folder.path().join("policy.toml"),
            at: Some(Moment(testing::now())),
            node: None,
            nonce: None,
            registered: None,
        };
        std::fs::write(&args.bundle, bundle.to_bytes()).unwrap();
        std::fs::write(&args.policy, policy).unwrap();
        (folder, args)
    }

    #[test]
    fn a_bundle_is_verified_from_its_file_to_the_verdict() {
        let (_folder, mut args) = files();
        let output = Output::new(true, false);
        verify(&args, &output).unwrap();
        args.registered = Some(Octets([1; 32]));
        let error = verify(&args, &output).unwrap_err();
        assert_eq!(error.to_string(), "the evidence is refused: bundle_digest");
        args.registered = None;
        args.at = Some(Moment(TimestampMs(0)));
        let error = verify(&args, &output).unwrap_err().to_string();
        assert!(error.contains("policy_keyset_not_yet"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_bundle_is_told() {
        let (_folder, args) = files();
        std::fs::write(&args.bundle, b"no bundle").unwrap();
        let error = verify(&args, &Output::new(true, false)).unwrap_err();
        assert!(error.to_string().starts_with("cannot read "), "{error}");
    }

    #[test]
    fn moments_are_read_as_people_and_programs_write_them() {
        let read = |text: &str| text.parse::<Moment>().map(|moment| moment.0.0);
        assert_eq!(read("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(read("2026-11-18T11:06:40Z"), Ok(1_795_000_000_000));
        assert_eq!(read("1795000000000"), Ok(1_795_000_000_000));
        for bad in [
            "",
            "now",
            "2026-11-18",
            "2026-13-18T12:00:00Z",
            "2026-11-18T12:00Z",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
