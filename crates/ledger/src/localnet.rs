//! What this crate knows of localnet: where everything stands on one, and the calls of its development
//! Walrus, which are executed with [`Ledger::execute`] or [`Ledger::execute_and_give`].

use crate::{Ledger, LedgerError, mask::mask, status::failure};
use atoma_types::{
    BlobId, NetworkId, ObjectId,
    chain::{
        Call, Clock, Deployment, LOCALNET_DB, LOCALNET_WALRUS_PACKAGE, ObjectKind, RootHash,
        WALRUS_ENCODING_RS2, WalrusCap, calls,
    },
    hash::Hash32,
};
use sui_rpc::{Client, proto::sui::rpc::v2 as proto};
use tonic::Code;

/// What a localnet calls its chain.
const CHAIN: &str = "atoma-localnet";

/// Whether a ledger that calls its chain so is a localnet.
pub(crate) fn is_one(chain: &str) -> bool {
    chain == CHAIN
}

/// Whether this is the package of localnet's development Walrus. It is never upgraded, its system says
/// nothing of packages, and its abort codes are of our own table.
pub(crate) fn is_development_walrus(package: ObjectId) -> bool {
    package == LOCALNET_WALRUS_PACKAGE
}

/// Where the package stands on a localnet, if it stands there.
pub(crate) async fn find(
    client: &Client,
    url: &str,
    network: NetworkId,
) -> Result<Deployment, LedgerError> {
    let none = || LedgerError::NoDeployment {
        url: url.to_owned(),
    };
    let deployment = Deployment::localnet(network);
    let request = proto::GetObjectRequest::new(&LOCALNET_DB).with_read_mask(mask(&["object_type"]));
    let answer = client.clone().ledger_client().get_object(request).await;
    let object = match answer {
        Ok(answer) => answer.into_inner().object.unwrap_or_default(),
        Err(status) if status.code() == Code::NotFound => return Err(none()),
        Err(status) => return Err(failure(url, &status)),
    };
    let expected = deployment.type_of(ObjectKind::Db);
    if object.object_type().parse().as_ref() == Ok(&expected) {
        Ok(deployment)
    } else {
        Err(none())
    }
}

impl Ledger {
    /// Buys storage for a blob and registers it. `encoded` is what all shards keep of it.
    #[must_use]
    pub fn register_blob(
        &self,
        blob_id: BlobId,
        root_hash: Hash32,
        size: u64,
        encoded: u64,
        epochs_ahead: u32,
        deletable: bool,
    ) -> Call {
        calls::RegisterBlob {
            system: self.deployment().walrus.system.into(),
            storage_amount: encoded,
            epochs_ahead,
            blob_id,
            root_hash: RootHash(root_hash),
            size,
            encoding_type: WALRUS_ENCODING_RS2,
            deletable,
        }
        .into()
    }

    /// Records the storage nodes' certificate: their aggregate signature of a confirmation, and who
    /// they are.
    #[must_use]
    pub fn certify_blob(
        &self,
        blob: ObjectId,
        signature: Vec<u8>,
        signers_bitmap: Vec<u8>,
        message: Vec<u8>,
    ) -> Call {
        calls::CertifyBlob {
            system: self.deployment().walrus.system.into(),
            blob: blob.into(),
            signature,
            signers_bitmap,
            message,
        }
        .into()
    }

    /// Keeps a certified blob for more epochs.
    #[must_use]
    pub fn extend_blob(&self, blob: ObjectId, extended_epochs: u32) -> Call {
        calls::ExtendBlob {
            system: self.deployment().walrus.system.into(),
            blob: blob.into(),
            extended_epochs,
        }
        .into()
    }

    /// Drops a blob that is deletable, was never certified, or has ended.
    #[must_use]
    pub fn delete_blob(&self, blob: ObjectId) -> Call {
        calls::DeleteBlob {
            system: self.deployment().walrus.system.into(),
            blob: blob.into(),
        }
        .into()
    }

    /// Ends the epoch.
    #[must_use]
    pub fn advance_epoch(&self, cap: &WalrusCap) -> Call {
        calls::AdvanceEpoch {
            system: cap.system.into(),
            cap: cap.id.into(),
            clock: Clock,
        }
        .into()
    }

    /// Names the storage nodes: key and number of shards of each.
    #[must_use]
    pub fn set_committee(&self, cap: &WalrusCap, members: &[(Vec<u8>, u16)]) -> Call {
        let (public_keys, weights) = members.iter().cloned().unzip();
        calls::SetCommittee {
            system: cap.system.into(),
            cap: cap.id.into(),
            public_keys,
            weights,
        }
        .into()
    }
}
