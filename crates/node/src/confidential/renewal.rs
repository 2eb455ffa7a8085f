//! Keysets in time: made, attested, written on the ledger, then shown; the next one before the last one ends.

use super::{
    config::ConfidentialConfig,
    error::GuestError,
    guest::Guest,
    keys::{self, Subject},
};
use crate::{ledger::LedgerLink, tasks::Tasks};
use atoma_ledger::Ledger;
use atoma_runtime::{Runtime, WithCauses};
use atoma_tee::{Bundle, octets::Octets, statement::FreshnessKind};
use atoma_types::{
    BlobId, NetworkId, NodeId, PublicKey, TimestampMs,
    chain::{Call, Clock, calls},
    hash::Hash32,
};
use atoma_walrus::{
    client::{StoreRequest, WalrusClient},
    coding::blob_id,
};
use std::{path::Path, sync::Arc};

/// Makes a guest's keysets.
pub(crate) struct Renewal {
    pub(crate) guest: Arc<Guest>,
    config: ConfidentialConfig,
    tasks: Arc<Tasks>,
    link: Arc<LedgerLink>,
    /// Where bundles are stored, for how many epochs.
    walrus: Option<(WalrusClient, u32)>,
    runtime: Runtime,
}

/// What a guest is part of.
pub(crate) struct Surroundings {
    pub network: NetworkId,
    pub node: NodeId,
    pub receipt_key: PublicKey,
    pub tasks: Arc<Tasks>,
    pub link: Arc<LedgerLink>,
    pub walrus: Option<(WalrusClient, u32)>,
    pub runtime: Runtime,
}

impl Renewal {
    /// A guest with its first keyset, attested and written on the ledger.
    pub(crate) async fn begin(
        config: ConfidentialConfig,
        folder: &Path,
        around: Surroundings,
    ) -> Result<Self, GuestError> {
        let subject = Subject {
            network: around.network,
            package: around.link.ledger.deployment().package,
            node: around.node,
            release: config.release,
            receipt_key: around.receipt_key,
        };
        let runtime = around.runtime;
        let guest = Guest::new(subject, &config, folder, runtime.clone())?;
        let renewal = Self {
            guest: Arc::new(guest),
            config,
            tasks: around.tasks,
            link: around.link,
            walrus: around.walrus,
            runtime,
        };
        renewal.renew().await?;
        Ok(renewal)
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(self) {
        let tick = self.config.tick();
        loop {
            tokio::time::sleep(tick).await;
            let now = self.runtime.now();
            self.guest.tidy(now).await;
            if now < self.guest.next_due() {
                continue;
            }
            if let Err(error) = self.renew().await {
                tracing::warn!(error = %WithCauses(&error), "the next keyset is not there yet");
            }
        }
    }

    async fn renew(&self) -> Result<(), GuestError> {
        let (subject, random) = (&self.guest.subject, &*self.runtime.random);
        let (now, lifetime) = (self.runtime.now(), self.config.keyset_lifetime_ms);
        let (keyset, secrets) = keys::keyset(subject, now, lifetime, random)?;
        let fresh = checkpoint(&self.link.ledger).await?;
        let bundle = keys::bundle(&*self.guest.attester, &keyset, fresh).await?;
        self.register(&bundle).await?;
        self.guest.install(&bundle, secrets)?;
        tracing::info!(
            kind = self.guest.attester.name(), keyset = %keyset.digest(), until = %keyset.not_after.0,
            "a keyset is attested"
        );
        self.store(bundle);
        Ok(())
    }

    /// Writes on the ledger what the node runs on, and has its confidential tasks know it.
    async fn register(&self, bundle: &Bundle) -> Result<(), GuestError> {
        let evidence = match &self.walrus {
            Some((walrus, _)) => blob_id(walrus.params(), &bundle.to_bytes())?,
            // without a Walrus the digest itself stands there
            None => BlobId(bundle.digest().0),
        };
        let node = self.guest.subject.node;
        let attest = calls::AttestNode {
            node: node.into(),
            kind: self.guest.attester.kind(),
            release: Hash32(bundle.keyset.release.0),
            evidence,
            expires_at_ms: bundle.keyset.not_after,
        };
        let mut todo: Vec<Call> = vec![attest.into()];
        let confidential = self
            .tasks
            .iter()
            .filter(|task| task.security.confidential());
        todo.extend(confidential.map(|task| -> Call {
            calls::SyncSubscription {
                task: task.id.into(),
                node: node.into(),
                clock: Clock,
            }
            .into()
        }));
        self.link.execute(todo).await?;
        Ok(())
    }

    /// Stores the evidence in the background: on Mainnet that takes a minute.
    fn store(&self, bundle: Bundle) {
        let Some((walrus, epochs)) = self.walrus.clone() else {
            return;
        };
        let request = StoreRequest {
            epochs,
            deletable: true,
            send_object_to: Some(self.link.owner()),
            force: false,
        };
        tokio::spawn(async move {
            if let Err(error) = walrus.store(bundle.to_bytes().into(), request).await {
                tracing::warn!(error = %WithCauses(&error), "the evidence of this node is not stored");
            }
        });
    }
}

/// The ledger's newest checkpoint: nobody knew it before it was made.
async fn checkpoint(ledger: &Ledger) -> Result<FreshnessKind, GuestError> {
    let tip = ledger.tip().await?.checkpoint;
    let found = ledger.checkpoint(tip).await?;
    Ok(FreshnessKind::Checkpoint {
        sequence: found.number,
        digest: Octets(found.digest.into_inner()),
        timestamp: TimestampMs(found.time.0),
    })
}
