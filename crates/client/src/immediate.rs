//! Immediate evidence: the signed request is stored on Walrus before it is sent, and its blob's id
//! goes into the header. The node reads the blob and computes only if it holds this request; its
//! receipt leaves once its own record is stored. So both sides can prove the request from its first
//! moment on, at the price of two writes to Walrus.

use crate::{ClientError, NodeInfo, StackHandle};
use atoma_evidence::{immediate::request_blob, pack::SaltedBody};
use atoma_types::message::{Origin, RequestHeader, Signed};
use atoma_walrus::client::StoreRequest;

/// How a request becomes evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evidence {
    /// The node stores it after it is answered, for its parties to read.
    #[default]
    Sealed,
    /// The node stores it after it is answered, for everyone to read.
    Open,
    /// It is stored before it is sent, sealed; see [`ClientConfig::walrus`](crate::ClientConfig).
    Immediate,
}

/// The request must be there when it is demanded: stacks live for weeks, an epoch of Mainnet for
/// two.
const EPOCHS: u32 = 5;

impl StackHandle {
    /// Stores a request, and gives the header that names where.
    pub(crate) async fn store_request(
        &self,
        node: &NodeInfo,
        signed: &Signed<RequestHeader>,
        body: &SaltedBody,
    ) -> Result<Signed<RequestHeader>, ClientError> {
        let inner = &self.client.inner;
        let walrus = inner.config.walrus.as_ref().ok_or(ClientError::NoWalrus)?;
        let header = signed.message();
        let user = inner.signer.key().public_key();
        let blob = request_blob(
            signed,
            body,
            [user, self.response_key(node)],
            &*self.client.runtime().random,
        )?;
        let stored = walrus.store(blob, StoreRequest::permanent(EPOCHS)).await?;
        let named = RequestHeader {
            origin: Origin::Stored(stored.blob_id),
            ..header.clone()
        };
        Ok(Signed::new(named, inner.signer.key()))
    }
}
