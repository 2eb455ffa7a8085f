//! Signing request headers. Those that are ready in the same moment share a signature: the first one
//! lets the others come, for one turn of the executor, and signs for all. A lone request waits for
//! nothing.

use atoma_keys::SigningKey;
use atoma_types::message::{Draft, RequestHeader, Signed};
use parking_lot::Mutex;
use std::mem;
use tokio::sync::oneshot;

/// The key, and the headers that wait for it.
pub(crate) struct HeaderSigner {
    key: SigningKey,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    drafts: Vec<Draft<RequestHeader>>,
    /// In the order of the drafts.
    askers: Vec<oneshot::Sender<Signed<RequestHeader>>>,
}

/// Signs for everyone who waits when it is dropped, so that nobody waits for one who has left.
struct Turn<'a>(&'a HeaderSigner);

impl HeaderSigner {
    pub(crate) fn new(key: SigningKey) -> Self {
        Self {
            key,
            waiting: Mutex::default(),
        }
    }

    /// The key that signs: the wallet's request key.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Signs a header, alone or with others.
    pub(crate) async fn sign(&self, header: RequestHeader) -> Signed<RequestHeader> {
        let draft = Draft::new(header);
        let (asker, mut signed) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting.lock();
            waiting.drafts.push(draft.clone());
            waiting.askers.push(asker);
            waiting.drafts.len() == 1
        };
        if is_first {
            let turn = Turn(self);
            tokio::task::yield_now().await;
            drop(turn);
            if let Ok(signed) = signed.try_recv() {
                return signed;
            }
        }
        // whoever was first signs in any case; should it ever fail, this one signs alone
        signed.await.unwrap_or_else(|_| draft.sign(&self.key))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Waiting { drafts, askers } = mem::take(&mut *self.0.waiting.lock());
        let signed = Draft::sign_all(drafts, &self.0.key);
        for (asker, signed) in askers.into_iter().zip(signed) {
            // who has left needs none
            let _ = asker.send(signed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{
        Address, ComputeUnits, NetworkId, NodeId, RequestId, StackId, TaskId, TimestampMs,
        hash::Hash32,
        message::{Domain, Endpoint, Origin},
    };
    use futures::future::join_all;
    use std::collections::BTreeSet;

    fn signer() -> HeaderSigner {
        HeaderSigner::new(SigningKey::from_seed(&[3; 32]))
    }

    fn header(id: u8) -> RequestHeader {
        RequestHeader {
            domain: Domain::default(),
            network: NetworkId([1; 32]),
            stack: StackId(Address::ZERO),
            node: NodeId(Address::ZERO),
            task: TaskId(Address::ZERO),
            request_id: RequestId([id; 16]),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::ZERO,
            lane: 0,
            ceiling: ComputeUnits(1),
            max_units: ComputeUnits(1),
            issued_at_ms: TimestampMs(1),
            expires_at_ms: TimestampMs(2),
            origin: Origin::Own,
        }
    }

    /// The ed25519 part of each signature; all are good.
    fn signatures(signer: &HeaderSigner, signed: &[Signed<RequestHeader>]) -> BTreeSet<Vec<u8>> {
        let key = signer.key().public_key();
        assert!(signed.iter().all(|header| header.verify(&key).is_ok()));
        let bytes = signed.iter().map(|header| header.signature().to_bytes());
        bytes.map(|bytes| bytes[..64].to_vec()).collect()
    }

    #[tokio::test]
    async fn a_lone_one_signs_alone_and_many_share() {
        let signer = signer();
        let alone = signer.sign(header(1)).await;
        assert_eq!(alone, Signed::new(header(1), signer.key()));
        let many = join_all((0..20).map(|id| signer.sign(header(id)))).await;
        for (id, signed) in many.iter().enumerate() {
            assert_eq!(signed.message().request_id.0[0] as usize, id);
        }
        assert_eq!(signatures(&signer, &many).len(), 1);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_first_one_that_left() {
        let signer = signer();
        let mut first = Box::pin(signer.sign(header(1)));
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = Box::pin(signer.sign(header(2)));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await.message().request_id.0[0], 2);
        // and the next is first again
        assert_eq!(signer.sign(header(3)).await.message().request_id.0[0], 3);
    }
}
