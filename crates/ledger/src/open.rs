//! Opening a connection: what is asked of a ledger before anything else is.

use crate::{
    Connection, ConnectionConfig, ReadError,
    connection::{Inner, network_of},
    localnet,
};
use atoma_types::{ObjectId, chain::Surroundings};
use futures::future::BoxFuture;
use sui_sdk_types::TypeTag;

impl Connection {
    /// Connects to a ledger on which `usdc` is the money, and Walrus's `System` is at `walrus_system`.
    ///
    /// # Errors
    /// If nobody answers, or Walrus isn't there.
    pub fn open(
        config: ConnectionConfig,
        usdc: TypeTag,
        walrus_system: ObjectId,
    ) -> BoxFuture<'static, Result<Self, ReadError>> {
        Box::pin(async move {
            let inner = Inner::new(config)?;
            let surroundings = Surroundings {
                network: network_of(&inner.service_info().await?)?,
                usdc,
                walrus: inner.walrus_at(walrus_system).await?,
            };
            Ok(Self::over(inner, surroundings))
        })
    }

    /// Connects to a localnet, where money and Walrus are known. `None` if the ledger says that it is something
    /// else.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn open_localnet(
        config: ConnectionConfig,
    ) -> BoxFuture<'static, Result<Option<Self>, ReadError>> {
        Box::pin(async move {
            let inner = Inner::new(config)?;
            let info = inner.service_info().await?;
            if !localnet::is_one(info.chain()) {
                return Ok(None);
            }
            let surroundings = Surroundings::localnet(network_of(&info)?);
            Ok(Some(Self::over(inner, surroundings)))
        })
    }
}
