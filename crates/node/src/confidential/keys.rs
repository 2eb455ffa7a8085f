//! A guest's keys for a short time, and the evidence for them.

use super::{
    attester::{Attester, AttesterError, Devices},
    error::GuestError,
};
use atoma_channel::{SealingSecret, limits::MAX_SKEW};
use atoma_runtime::Random;
use atoma_tee::{
    Bundle, Keyset,
    keyset::{SealingKeyEntry, SealingSuite},
    octets::{Digest, Octets},
    statement::{
        Freshness, FreshnessKind, device_nonce, devices_digest, report_data, statement_digest,
    },
};
use atoma_types::{
    DurationMs, NetworkId, NodeId, ObjectId, PublicKey, TimestampMs, message::Domain,
};

/// What every keyset of a node says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) network: NetworkId,
    pub(super) package: ObjectId,
    pub(super) node: NodeId,
    pub(super) release: Digest,
    pub(super) receipt_key: PublicKey,
}

/// A new keyset with one sealing key, and its secret. `random` must be good for keys.
pub(super) fn keyset(
    subject: &Subject,
    now: TimestampMs,
    lifetime: DurationMs,
    random: &dyn Random,
) -> Result<(Keyset, Vec<SealingSecret>), GuestError> {
    let secret = SealingSecret::generate(random)?;
    let entry = SealingKeyEntry {
        // seconds: ids rise, and none comes again before the year 2106
        id: u32::try_from(now.0 / 1_000).unwrap_or(u32::MAX),
        suite: SealingSuite::XWingAes256Gcm,
        key: secret
            .public_key()
            .try_into()
            .map_err(AttesterError::TooMuch)?,
    };
    let keyset = Keyset {
        domain: Domain::default(),
        network: subject.network,
        package: subject.package,
        node: subject.node,
        release: subject.release,
        models: Octets([0; 32]),
        sealing_keys: vec![entry].try_into().map_err(AttesterError::TooMuch)?,
        receipt_key: subject.receipt_key,
        tls_key: None,
        // a client's clock may be behind
        not_before: TimestampMs(now.0.saturating_sub(MAX_SKEW.0)),
        not_after: now.saturating_add(lifetime),
    };
    Ok((keyset, vec![secret]))
}

/// Has the hardware sign for a keyset, with what nobody could know before.
pub(super) async fn bundle(
    attester: &dyn Attester,
    keyset: &Keyset,
    fresh: FreshnessKind,
) -> Result<Bundle, GuestError> {
    let freshness = Freshness::new(keyset.node, fresh);
    let (keys, asked) = (keyset.digest(), freshness.digest());
    let Devices {
        evidence,
        manifests,
    } = attester.devices(device_nonce(keys, asked)).await?;
    let devices = devices_digest(&evidence, &manifests);
    let data = report_data(statement_digest(keys, devices, asked), asked);
    Ok(Bundle {
        domain: Domain::default(),
        keyset: keyset.clone(),
        freshness,
        platform: attester.platform(data).await?,
        devices: evidence.try_into().map_err(AttesterError::TooMuch)?,
        manifests: manifests.try_into().map_err(AttesterError::TooMuch)?,
    })
}
