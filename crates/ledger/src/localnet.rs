//! What this crate knows of localnet: where everything stands on one, and the calls of its development
//! Walrus.

mod development_walrus;

use crate::{ConnectError, connection::Inner, mask::mask};
use atoma_types::{
    NetworkId, ObjectId,
    chain::{Deployment, LOCALNET_CHAIN, LOCALNET_DB, LOCALNET_WALRUS_PACKAGE, ObjectKind},
};
use sui_rpc::proto::sui::rpc::v2 as proto;
use tonic::Code;

/// Whether a ledger that calls its chain so is a localnet.
pub(crate) fn is_one(chain: &str) -> bool {
    chain == LOCALNET_CHAIN
}

/// Whether this is the package of localnet's development Walrus. It is never upgraded, its system says
/// nothing of packages, and its abort codes are of our own table.
pub(crate) fn is_development_walrus(package: ObjectId) -> bool {
    package == LOCALNET_WALRUS_PACKAGE
}

impl Inner {
    /// Where the package stands on a localnet, if it stands there.
    pub(crate) async fn find_localnets(
        &self,
        network: NetworkId,
    ) -> Result<Deployment, ConnectError> {
        let none = || ConnectError::NoDeployment {
            url: self.url.clone(),
        };
        let deployment = Deployment::localnet(network);
        let request =
            proto::GetObjectRequest::new(&LOCALNET_DB).with_read_mask(mask(&["object_type"]));
        let answer = self
            .client
            .clone()
            .ledger_client()
            .get_object(request)
            .await;
        let object = match answer {
            Ok(answer) => answer.into_inner().object.unwrap_or_default(),
            Err(status) if status.code() == Code::NotFound => return Err(none()),
            Err(status) => return Err(self.refused(&status).into()),
        };
        let expected = deployment.type_of(ObjectKind::Db);
        if object.object_type().parse().as_ref() == Ok(&expected) {
            Ok(deployment)
        } else {
            Err(none())
        }
    }
}
