//! `atoma tee show`: what a bundle of evidence says. Nothing of it is believed here.

use super::source::{Shown, shown};
use crate::{
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Context, Result};
use atoma_tee::{Bundle, bundle::PlatformEvidence, statement::FreshnessKind};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct TeeShow {
    /// A file with a bundle, or a node (its id, a beginning of it, or its URL), which is asked for one with a nonce.
    what: String,
    /// Keep the bundle in this file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

pub(super) async fn show(
    args: &TeeShow,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    let Shown { bundle, nonce, .. } = shown(&args.what, settings, output).await?;
    let bytes = bundle.to_bytes();
    if let Some(path) = &args.save {
        std::fs::write(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    output.object(facts(&bundle, bytes.len()));
    if let (Some(path), Some(nonce)) = (&args.save, nonce) {
        output.note(format!("kept in {}; what it is worth says", path.display()));
        output.note(format!(
            "  atoma tee verify {} --nonce {nonce} --policy FILE",
            path.display()
        ));
    } else {
        output.note("nothing of this was checked: `atoma tee verify` does, against a policy");
    }
    Ok(())
}

/// What a bundle says of itself.
fn facts(bundle: &Bundle, bytes: usize) -> Facts {
    let keyset = &bundle.keyset;
    let (platform, certificates) = platform(&bundle.platform);
    let any = |digest: String| match digest.bytes().all(|byte| byte == b'0') {
        true => json!("any"),
        false => json!(digest),
    };
    let keys: Vec<u32> = keyset.sealing_keys.iter().map(|key| key.id).collect();
    let manifests = bundle.manifests.iter().map(|manifest| manifest.len());
    vec![
        ("platform", json!(platform)),
        ("platform_evidence_bytes", json!(certificates)),
        ("devices", json!(bundle.devices.len())),
        ("manifests", json!(bundle.manifests.len())),
        ("manifests_bytes", json!(manifests.sum::<usize>())),
        ("node", json!(keyset.node)),
        ("network", json!(keyset.network)),
        ("package", json!(keyset.package)),
        ("release", json!(keyset.release)),
        ("models", any(keyset.models.to_string())),
        ("sealing_keys", json!(keys)),
        ("receipt_key", json!(keyset.receipt_key)),
        ("tls_key", json!(keyset.tls_key)),
        ("keys_from_at_ms", json!(keyset.not_before)),
        ("keys_until_ms", json!(keyset.not_after)),
        ("fresh_by", fresh_by(&bundle.freshness.kind)),
        ("keyset", json!(keyset.digest())),
        ("statement", json!(bundle.statement())),
        ("report_data", json!(bundle.report_data())),
        ("digest", json!(bundle.digest())),
        ("bundle_bytes", json!(bytes)),
    ]
}

/// Whose evidence it is, and how much of it there is.
fn platform(evidence: &PlatformEvidence) -> (&'static str, usize) {
    match evidence {
        PlatformEvidence::Snp(evidence) => {
            let lists = evidence.revocations.as_ref().map_or(0, |list| list.len());
            let chain = evidence.chip.len() + evidence.intermediate.len() + evidence.root.len();
            ("AMD SEV-SNP", evidence.report.len() + chain + lists)
        }
        PlatformEvidence::Tdx(evidence) => ("Intel TDX", evidence.quote.len()),
        PlatformEvidence::Nitro(evidence) => ("AWS Nitro", evidence.document.len()),
        PlatformEvidence::Software(_) => (
            "software that acts as hardware: it protects against nobody",
            0,
        ),
    }
}

fn fresh_by(kind: &FreshnessKind) -> Value {
    match kind {
        FreshnessKind::Nonce(nonce) => json!(format!("nonce {nonce}")),
        FreshnessKind::Checkpoint {
            sequence,
            timestamp,
            ..
        } => json!(format!(
            "checkpoint {sequence} of {}Z",
            crate::output::utc(timestamp.0)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_tee::{octets::Octets, software::SoftwareEvidence, testing};

    #[test]
    fn what_a_bundle_says_is_shown_and_software_is_called_so() {
        let bundle = testing::bundle(Vec::new(), Vec::new(), |report_data| {
            PlatformEvidence::Software(SoftwareEvidence {
                measurement: Octets([0x50; 48]),
                report_data,
            })
        });
        let shown: serde_json::Map<String, Value> = facts(&bundle, 7)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        assert!(shown["platform"].as_str().unwrap().contains("nobody"));
        assert_eq!(shown["digest"], json!(bundle.digest()));
        assert_eq!(shown["node"], json!(bundle.keyset.node));
        assert_eq!(shown["bundle_bytes"], 7);
    }
}
