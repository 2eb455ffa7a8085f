//! `atoma tee verify`: evidence held against a policy of one's own, check by check.

use super::{
    moment::Moment,
    source::{Shown, shown},
};
use crate::{
    confidential::read_policy,
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Result, bail};
use atoma_runtime::{Clock, SystemClock};
use atoma_tee::{
    Appraisal, Check, Outcome, Roots, Verdict,
    appraise::Expected,
    octets::{Digest, Octets},
    statement::FreshnessKind,
};
use atoma_types::NodeId;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct TeeVerify {
    /// A file with a bundle, or a node (its id, a beginning of it, or its URL), which is asked for one with a nonce.
    what: String,
    /// What you accept: a TOML file (docs/confidential.md; `atoma tee policy` prints one to begin with).
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Judge as of this time instead of now: 2026-11-18T12:00:00Z, or milliseconds since 1970.
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// The node that a file's bundle must be of.
    #[arg(long, value_name = "ID")]
    node: Option<NodeId>,
    /// The nonce that the node was asked with, in hex.
    #[arg(long, value_name = "HEX")]
    nonce: Option<Octets<32>>,
    /// The digest under which the bundle is registered, in hex.
    #[arg(long, value_name = "HEX")]
    registered: Option<Digest>,
}

pub(super) async fn verify(
    args: &TeeVerify,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    let policy = read_policy(&args.policy)?;
    let Shown {
        bundle,
        node,
        nonce,
    } = shown(&args.what, settings, output).await?;
    let appraisal = Appraisal {
        roots: &Roots::pinned(),
        policy: &policy,
        at: args
            .at
            .map_or_else(|| SystemClock::default().now(), |at| at.0),
        expected: Expected {
            node: node.or(args.node),
            nonce: nonce.or(args.nonce),
            digest: args.registered,
        },
    };
    let verdict = appraisal.judge(&bundle);
    let asked = matches!(bundle.freshness.kind, FreshnessKind::Nonce(_));
    if asked && appraisal.expected.nonce.is_none() {
        output.note(
            "this evidence answers a nonce: it convinces whoever asked with it, who names it with --nonce. `atoma tee verify \
             NODE` asks with one of its own",
        );
    }
    tell(&verdict, output)
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

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_tee::{bundle::PlatformEvidence, software::SoftwareEvidence, testing};
    use atoma_types::TimestampMs;

    fn files() -> (tempfile::TempDir, TeeVerify) {
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
        let path = folder.path().join("bundle");
        std::fs::write(&path, bundle.to_bytes()).unwrap();
        let args = TeeVerify {
            what: path.to_str().unwrap().to_owned(),
            policy: folder.path().join("policy.toml"),
            at: Some(Moment(testing::now())),
            node: None,
            nonce: None,
            registered: None,
        };
        std::fs::write(&args.policy, policy).unwrap();
        (folder, args)
    }

    /// Of a file nothing is asked of anybody.
    async fn said(args: &TeeVerify) -> Result<(), String> {
        let none = || panic!("no settings are needed");
        let verified = verify(args, none, &Output::new(true, false)).await;
        verified.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_bundle_is_verified_from_its_file_to_the_verdict() {
        let (_folder, mut args) = files();
        assert_eq!(said(&args).await, Ok(()));
        args.registered = Some(Octets([1; 32]));
        let error = said(&args).await.unwrap_err();
        assert_eq!(error, "the evidence is refused: bundle_digest");
        args.registered = None;
        args.at = Some(Moment(TimestampMs(0)));
        let error = said(&args).await.unwrap_err();
        assert!(error.contains("policy_keyset_not_yet"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_bundle_is_told_and_so_is_one_that_is_not_there() {
        let (folder, mut args) = files();
        std::fs::write(&args.what, b"no bundle").unwrap();
        let error = said(&args).await.unwrap_err();
        assert!(error.starts_with("cannot read "), "{error}");
        let missing = folder.path().join("missing.bundle");
        args.what = missing.to_str().unwrap().to_owned();
        let error = said(&args).await.unwrap_err();
        assert!(error.starts_with("there is no file "), "{error}");
    }
}
