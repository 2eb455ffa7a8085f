//! Looking at a ledger before anything is built on it: which it is, how far it is, what package stands
//! at a place, what a package for it is linked to.

use crate::{
    CompiledPackage, Connection, PublishError, Published, ReadError, connection::network_of,
    malformed, mask::mask,
};
use atoma_types::{Address, NetworkId, ObjectId, TimestampMs};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use sui_rpc::proto::sui::rpc::v2::{
    GetEpochRequest, GetPackageRequest, GetServiceInfoRequest, ListPackageVersionsRequest,
};
use sui_sdk_types::StructTag;
use tonic::Code;

/// What a ledger says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which network it is.
    pub network: NetworkId,
    /// Its common name, where it has one.
    pub chain: String,
    /// The program that answers, with its version.
    pub server: String,
    /// Number of the epoch that the ledger is in.
    pub epoch: u64,
    /// Number of the newest checkpoint that the server knows.
    pub checkpoint: u64,
    /// When that was made.
    pub time: TimestampMs,
    /// The version of the ledger's own protocol, if it tells.
    pub protocol: Option<u64>,
}

/// Versions of a package in one page.
const VERSIONS: u32 = 1_000;
impl Connection {
    /// What the ledger says of itself.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn service(&self) -> BoxFuture<'_, Result<Service, ReadError>> {
        Box::pin(async move {
            let mut client = self.inner.client.clone();
            let info = client
                .ledger_client()
                .get_service_info(GetServiceInfoRequest::default())
                .await
                .map_err(|status| self.refused(&status))?
                .into_inner();
            let network = network_of(&info)?;
            let request = GetEpochRequest::default()
                .with_read_mask(mask(&["protocol_config.protocol_version"]));
            // not every ledger tells
            let epoch = client.ledger_client().get_epoch(request).await.ok();
            let protocol = epoch.and_then(|answer| {
                let config = answer.into_inner().epoch?.protocol_config?;
                config.protocol_version
            });
            let time = info.timestamp.unwrap_or_default();
            let seconds = u64::try_from(time.seconds).unwrap_or(0);
            let millis = u64::try_from(time.nanos / 1_000_000).unwrap_or(0);
            Ok(Service {
                network,
                chain: info.chain().to_owned(),
                server: info.server().to_owned(),
                epoch: info.epoch(),
                checkpoint: info.checkpoint_height(),
                time: TimestampMs(seconds.saturating_mul(1_000).saturating_add(millis)),
                protocol,
            })
        })
    }

    /// The package at a place, if there is one.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn published(&self, id: ObjectId) -> BoxFuture<'_, Result<Option<Published>, ReadError>> {
        Box::pin(async move {
            let mut request = GetPackageRequest::default();
            request.package_id = Some(id.to_string());
            let mut client = self.inner.client.clone();
            let answer = match client.package_client().get_package(request).await {
                Ok(answer) => answer.into_inner(),
                Err(status) if status.code() == Code::NotFound => return Ok(None),
                Err(status) => return Err(self.refused(&status)),
            };
            let package = answer.package.unwrap_or_default();
            let mut found = Published {
                id: parse(package.storage_id())?,
                original: parse(package.original_id())?,
                version: package.version(),
                modules: BTreeMap::new(),
                functions: BTreeMap::new(),
                linkage: Vec::new(),
            };
            for link in &package.linkage {
                found.linkage.push((
                    parse(link.original_id())?,
                    parse(link.upgraded_id())?,
                    link.upgraded_version(),
                ));
            }
            for module in package.modules {
                let name = module.name().to_owned();
                for function in module.functions {
                    let path = format!("{name}::{}", function.name());
                    found.functions.insert(path, function);
                }
                if let Some(contents) = module.contents {
                    found.modules.insert(name, contents.to_vec());
                }
            }
            Ok(Some(found))
        })
    }

    /// The newest version of a package and its number; `None` where the ledger doesn't tell.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn newest_version(
        &self,
        package: ObjectId,
    ) -> BoxFuture<'_, Result<Option<(ObjectId, u64)>, ReadError>> {
        Box::pin(async move {
            let mut request = ListPackageVersionsRequest::default();
            request.package_id = Some(package.to_string());
            request.page_size = Some(VERSIONS);
            let mut newest = None;
            loop {
                let mut client = self.inner.client.clone();
                let asked = request.clone();
                let answer = match client.package_client().list_package_versions(asked).await {
                    Ok(answer) => answer.into_inner(),
                    Err(status) if status.code() == Code::Unimplemented => return Ok(None),
                    Err(status) => return Err(self.refused(&status)),
                };
                for version in &answer.versions {
                    let found = (version.version(), parse(version.package_id())?);
                    newest = newest.max(Some(found));
                }
                match answer.next_page_token {
                    Some(token) if !answer.versions.is_empty() => request.page_token = Some(token),
                    _ => return Ok(newest.map(|(version, id)| (id, version))),
                }
            }
        })
    }

    /// The Move type of an object; `None` if there is no such object, or it is a package.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn type_of(&self, id: ObjectId) -> BoxFuture<'_, Result<Option<StructTag>, ReadError>> {
        Box::pin(async move {
            let found = self
                .inner
                .objects(&[id], &["object_id", "object_type"])
                .await?;
            Ok(found
                .first()
                .and_then(|object| object.object_type().parse().ok()))
        })
    }

    /// Everything that a package for this ledger is linked to: Sui's framework, USDC and Walrus, and what
    /// they are linked to, each in its newest version among them.
    ///
    /// # Errors
    /// If the money isn't a USDC, nobody answers, or the answer can't be read.
    pub fn dependencies(&self) -> BoxFuture<'_, Result<Vec<ObjectId>, PublishError>> {
        Box::pin(async move {
            let surroundings = self.surroundings();
            let direct = [
                Address::from_static("0x1"),
                Address::TWO,
                CompiledPackage::money(surroundings)?,
                surroundings.walrus.package,
            ];
            let mut newest: BTreeMap<ObjectId, (u64, ObjectId)> = BTreeMap::new();
            let mut take = |original, id, version| {
                let slot = newest.entry(original).or_insert((version, id));
                *slot = (*slot).max((version, id));
            };
            for id in direct {
                let package = self.published(id).await?;
                let package = package.ok_or_else(|| ReadError::NotFound {
                    what: "package",
                    id: id.to_string(),
                })?;
                take(package.original, package.id, package.version);
                for (original, id, version) in package.linkage {
                    take(original, id, version);
                }
            }
            Ok(newest.into_values().map(|(_, id)| id).collect())
        })
    }
}

fn parse(id: &str) -> Result<ObjectId, ReadError> {
    Ok(malformed::parse("package id", id)?)
}
