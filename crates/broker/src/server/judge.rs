//! Whether a model's key goes to whoever shows this evidence. Nothing is looked up; what is changed is that its nonce is used
//! up, before anything of it is judged.

use super::nonce::Nonces;
use crate::fault::KeyFault;
use atoma_channel::{
    VerifiedKeyset,
    model::{KeyTerms, ModelKey, release_key},
};
use atoma_runtime::Random;
use atoma_tee::{
    Appraisal, Bundle, Policy, Roots, Tier,
    appraise::Expected,
    octets::{Digest, Octets},
    statement::FreshnessKind,
};
use atoma_types::{Address, NetworkId, NodeId, TimestampMs, hash::Hash32};
use std::collections::BTreeMap;

/// Who decides: the owner's keys, policy and releases.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) keys: BTreeMap<Hash32, ModelKey>,
    pub(super) policy: Policy,
    pub(super) releases: Vec<Digest>,
}

/// What was asked for, what was shown, and what came of it.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) model: Hash32,
    /// None of what wasn't a bundle.
    pub(super) shown: Option<Shown>,
    /// Of the policy's refusal, its reasons.
    pub(super) reasons: Vec<&'static str>,
    pub(super) outcome: Result<Accepted, KeyFault>,
}

/// What the evidence says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub(super) bundle: Digest,
    pub(super) network: NetworkId,
    pub(super) node: NodeId,
    pub(super) release: Digest,
    pub(super) keyset: Digest,
    pub(super) nonce: Option<Octets<32>>,
    pub(super) tier: Option<Tier>,
}

/// To whom the key goes.
#[derive(Debug)]
pub(super) struct Accepted {
    keyset: VerifiedKeyset,
    terms: KeyTerms,
}

impl Judge {
    /// Whether there is a key of this model.
    pub(super) fn has(&self, model: Hash32) -> bool {
        self.keys.contains_key(&model)
    }

    /// Judges evidence that is shown for a model's key.
    pub(super) fn decide(
        &self,
        model: Hash32,
        bundle: &[u8],
        nonces: &Nonces,
        now: TimestampMs,
    ) -> Decision {
        let mut decision = Decision {
            model,
            shown: None,
            reasons: Vec::new(),
            outcome: Err(KeyFault::Bundle),
        };
        if !self.has(model) {
            decision.outcome = Err(KeyFault::Model);
            return decision;
        }
        if let Ok(bundle) = Bundle::from_bytes(bundle) {
            self.weigh(&bundle, nonces, now, &mut decision);
        }
        decision
    }

    fn weigh(&self, bundle: &Bundle, nonces: &Nonces, now: TimestampMs, decision: &mut Decision) {
        let keyset = &bundle.keyset;
        let nonce = match bundle.freshness.kind {
            FreshnessKind::Nonce(nonce) => Some(nonce),
            // convinces everybody, and so says nothing of whom it is shown to
            FreshnessKind::Checkpoint { .. } => None,
        };
        let mut shown = Shown {
            bundle: bundle.digest(),
            network: keyset.network,
            node: keyset.node,
            release: keyset.release,
            keyset: keyset.digest(),
            nonce,
            tier: None,
        };
        decision.shown = Some(shown);
        let answered = nonce.ok_or(KeyFault::Nonce).and_then(|nonce| {
            nonces.use_up(decision.model, &nonce, now)?;
            Ok(nonce)
        });
        let nonce = match answered {
            Ok(nonce) => nonce,
            Err(fault) => {
                decision.outcome = Err(fault);
                return;
            }
        };
        if keyset.node != NodeId(Address::ZERO) {
            decision.outcome = Err(KeyFault::Node);
            return;
        }
        let appraisal = Appraisal {
            roots: &Roots::pinned(),
            policy: &self.policy,
            at: now,
            expected: Expected {
                nonce: Some(nonce),
                ..Expected::default()
            },
        };
        let verdict = appraisal.judge(bundle);
        shown.tier = verdict.tier;
        decision.shown = Some(shown);
        decision.reasons = verdict.refusals();
        decision.outcome = match () {
            () if !verdict.accepted() => Err(KeyFault::Policy),
            () if !self.releases.contains(&keyset.release) => Err(KeyFault::Release),
            () => match VerifiedKeyset::new(keyset, &verdict) {
                Ok(verified) => Ok(Accepted {
                    keyset: verified,
                    terms: KeyTerms {
                        model: decision.model,
                        release: keyset.release,
                        nonce,
                    },
                }),
                Err(_) => Err(KeyFault::Keyset),
            },
        };
    }

    /// The key, wrapped for whom it goes to.
    pub(super) fn wrap(
        &self,
        to: &Accepted,
        now: TimestampMs,
        random: &dyn Random,
    ) -> Result<Vec<u8>, KeyFault> {
        let key = self.keys.get(&to.terms.model).ok_or(KeyFault::Model)?;
        release_key(key, &to.keyset, &to.terms, now, random).map_err(|_| KeyFault::Keyset)
    }
}
