//! Where evidence comes from: a file, or the node itself.

use crate::{client, named::Named, output::Output, settings::Settings};
use anyhow::{Context, Result, anyhow, ensure};
use atoma_client::ClientError;
use atoma_tee::{Bundle, limits::MAX_BUNDLE_BYTES, octets::Octets};
use atoma_types::NodeId;
use std::{fs::File, io::Read, path::Path};

/// What a node that has no evidence answers.
const NOT_FOUND: u16 = 404;

/// Evidence, and what whoever asked for it knows.
pub(super) struct Shown {
    pub(super) bundle: Bundle,
    /// The node that was asked.
    pub(super) node: Option<NodeId>,
    /// The nonce that it was asked with.
    pub(super) nonce: Option<Octets<32>>,
}

/// The bundle in a file, or that of a node that is asked. Settings are needed for a node alone.
pub(super) async fn shown(
    what: &str,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<Shown> {
    let path = Path::new(what);
    if path.exists() {
        let bundle = Bundle::from_bytes(&read(path, MAX_BUNDLE_BYTES)?)
            .with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(Shown {
            bundle,
            node: None,
            nonce: None,
        });
    }
    ensure!(
        !is_path(what),
        "there is no file {what}; a node is named by its id, a beginning of it, or its URL"
    );
    let client = client::open(&settings()?, None).await?;
    let node = what.parse::<Named>()?.node(client.ledger()).await?;
    let progress = output.progress("the node has its hardware sign");
    let evidence = client.evidence(node).await;
    progress.finish_and_clear();
    let (bundle, nonce) = evidence.map_err(|error| match error {
        ClientError::Refused { status, .. } if status.as_u16() == NOT_FOUND => {
            anyhow!("node {node} has no evidence to show: it is no confidential node")
        }
        error => error.into(),
    })?;
    Ok(Shown {
        bundle,
        node: Some(node),
        nonce: Some(nonce),
    })
}

/// Whether it looks like a file's name rather than a node's: no id has a dot or a slash, no URL lacks `://`.
fn is_path(what: &str) -> bool {
    !what.contains("://") && what.contains(['/', '.'])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_told_from_a_node() {
        assert!(is_path("node.bundle") && is_path("./bundle") && is_path("/tmp/bundle"));
        assert!(!is_path("0xabc") && !is_path("http://127.0.0.1:9000"));
    }
}
