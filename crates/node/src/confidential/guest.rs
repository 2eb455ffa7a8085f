//! The guest: its secrets, what it has opened, and the evidence that it shows.

use super::{
    attester::Attester,
    config::ConfidentialConfig,
    error::GuestError,
    keys::{self, Subject},
    refusal::{not_admitted, refusal},
    seal::Seal,
    seen::SeenFile,
};
use atoma_channel::{Fault, KeyRing, ReplayGuard, ReplayWindow, SealedRequest, SealingSecret};
use atoma_runtime::Runtime;
use atoma_tee::{Bundle, Keyset, octets::Octets, statement::FreshnessKind};
use atoma_types::{
    TimestampMs,
    message::RequestHeader,
    refusal::{Refusal, RefusalCode},
};
use bytes::Bytes;
use parking_lot::RwLock;
use std::{fmt, path::Path, sync::Arc};
use tokio::sync::Semaphore;

/// Clients' own nonces that the hardware is asked with at once: each costs it a signature, and nobody pays.
const NONCES_AT_ONCE: usize = 4;

/// What of a guest its requests, its evidence and its next keyset need.
pub(crate) struct Guest {
    pub(super) subject: Subject,
    pub(super) attester: Arc<dyn Attester>,
    keys: RwLock<KeyRing>,
    seen: ReplayGuard<SeenFile>,
    shown: RwLock<Option<Shown>>,
    nonces: Semaphore,
    runtime: Runtime,
}

/// The newest keyset, and its evidence for everybody.
struct Shown {
    keyset: Keyset,
    bundle: Bytes,
}

/// A request that was opened.
pub(crate) struct Opened {
    /// What was asked; wiped when the last one drops it.
    pub text: Bytes,
    /// What the answer goes through.
    pub seal: Seal,
}

impl Guest {
    /// A guest without keys.
    pub(super) fn new(
        subject: Subject,
        config: &ConfidentialConfig,
        folder: &Path,
        runtime: Runtime,
    ) -> Result<Self, GuestError> {
        let seen = SeenFile::open(folder, runtime.threads)?;
        Ok(Self {
            attester: config.attester()?,
            keys: RwLock::new(KeyRing::new(subject.network, subject.node)),
            // keys are new at each start, so nothing older can be opened
            seen: ReplayGuard::new(ReplayWindow::new(runtime.now()), seen),
            shown: RwLock::new(None),
            nonces: Semaphore::new(NONCES_AT_ONCE),
            subject,
            runtime,
        })
    }

    /// Opens a request once. What is signed for must be what is sealed.
    ///
    /// # Errors
    /// Each way in which it isn't this node's to open has its code.
    pub(crate) async fn open(
        &self,
        header: &RequestHeader,
        sealed: &[u8],
    ) -> Result<Opened, Refusal> {
        let now = self.runtime.now();
        let request = SealedRequest::read(sealed).map_err(refusal)?;
        if request.head().network != self.subject.network {
            return Err(refusal(Fault::Network));
        }
        if request.head().place_of(self.subject.node).is_none() {
            return Err(refusal(Fault::Recipient));
        }
        request.head().fits(header).map_err(refusal)?;
        let opening = self.keys.read().open(&request, now).map_err(refusal)?;
        let admitted = self.seen.admit(opening.seen(), now).await;
        let admitted = admitted.map_err(|error| not_admitted(&error))?;
        let opened = opening.admitted(admitted, &*self.runtime.random);
        let (text, sealer) = opened.map_err(refusal)?;
        Ok(Opened {
            text: Bytes::from_owner(text),
            seal: Seal::new(sealer),
        })
    }

    /// The evidence that everybody can check, as registered.
    pub(crate) fn bundle(&self) -> Option<Bytes> {
        let shown = self.shown.read();
        shown.as_ref().map(|shown| shown.bundle.clone())
    }

    /// Evidence made for whoever asks, with their nonce.
    ///
    /// # Errors
    /// If others ask, or the hardware gives none.
    pub(crate) async fn answer(&self, nonce: Octets<32>) -> Result<Bytes, Refusal> {
        let Ok(_place) = self.nonces.try_acquire() else {
            let message =
                "too many ask for evidence at once; without a nonce there is some for everybody";
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        };
        let keyset = self.shown.read().as_ref().map(|shown| shown.keyset.clone());
        let failed = || Refusal::new(RefusalCode::Unavailable, "there is no evidence now");
        let keyset = keyset.ok_or_else(failed)?;
        let fresh = FreshnessKind::Nonce(nonce);
        let bundle = keys::bundle(&*self.attester, &keyset, fresh).await;
        bundle
            .map(|bundle| bundle.to_bytes().into())
            .map_err(|_| failed())
    }

    /// Shows a keyset from now on, and opens what is sealed to it.
    pub(super) fn install(
        &self,
        bundle: &Bundle,
        secrets: Vec<SealingSecret>,
    ) -> Result<(), GuestError> {
        let keyset = bundle.keyset.clone();
        self.keys.write().add(&keyset, secrets)?;
        let bundle = bundle.to_bytes().into();
        *self.shown.write() = Some(Shown { keyset, bundle });
        Ok(())
    }

    /// When the next keyset should be there.
    pub(super) fn next_due(&self) -> TimestampMs {
        self.keys.read().next_due().unwrap_or_default()
    }

    /// Wipes secrets whose time is over, and forgets requests that have expired.
    pub(super) async fn tidy(&self, now: TimestampMs) {
        self.keys.write().retire(now);
        if self.seen.forget(now).await.is_err() {
            tracing::warn!("the file of sealed requests cannot be written: no more are opened");
        }
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest")
            .field("attester", &self.attester)
            .finish_non_exhaustive()
    }
}
