//! Looking at a ledger before anything is built on it: which it is, how far it is, what package stands
//! at a place, where Walrus is.

use crate::{CompiledPackage, Ledger, LedgerError, localnet, mask::mask, read::OBJECT_FIELDS};
use atoma_types::{
    Address, NetworkId, ObjectId, TimestampMs,
    chain::{ArgKind, Call, Deployment, Package, PureKind, WalrusDeployment},
};
use futures::future::BoxFuture;
use serde::Deserialize;
use std::collections::BTreeMap;
use sui_rpc::proto::sui::rpc::v2::{
    FunctionDescriptor, GetEpochRequest, GetPackageRequest, GetServiceInfoRequest,
    ListPackageVersionsRequest, OpenSignature, OpenSignatureBody, open_signature::Reference,
    open_signature_body::Type,
};
use sui_sdk_types::{Digest, StructTag};
use tonic::Code;

/// What a ledger says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The network id of the ledger that it is for.
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

/// A package as a ledger has it.
#[derive(Clone, Debug)]
pub struct Published {
    /// Id of the object on the ledger.
    pub id: ObjectId,
    /// The id of its first version, where its types are defined.
    pub original: ObjectId,
    /// How often it was published: 1, and one more with each upgrade.
    pub version: u64,
    /// Bytecode by module; empty on a localnet that was born with the package, since it runs the rules itself.
    pub modules: BTreeMap<String, Vec<u8>>,
    functions: BTreeMap<String, FunctionDescriptor>,
    /// What it is linked to: first version, the version it is linked to, and that one's number.
    linkage: Vec<(ObjectId, ObjectId, u64)>,
}

/// Versions of a package in one page.
const VERSIONS: u32 = 1_000;
/// Bytes of [`WalrusHead`].
const WALRUS_HEAD: usize = 32 + 8 + 32;

/// The beginning of Walrus's own `System`.
#[derive(Deserialize)]
struct WalrusHead {
    _id: ObjectId,
    _version: u64,
    package: ObjectId,
}

impl Ledger {
    /// What the ledger says of itself.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn service(&self) -> BoxFuture<'_, Result<Service, LedgerError>> {
        Box::pin(async move {
            let mut client = self.inner.client.clone();
            let info = client
                .ledger_client()
                .get_service_info(GetServiceInfoRequest::default())
                .await
                .map_err(|status| self.refused(&status))?
                .into_inner();
            let digest: Digest = info.chain_id().parse().map_err(|e| {
                LedgerError::Malformed(format!("chain id `{}`: {e}", info.chain_id()))
            })?;
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
                network: NetworkId(digest.into_inner()),
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
    pub fn published(&self, id: ObjectId) -> BoxFuture<'_, Result<Option<Published>, LedgerError>> {
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
    ) -> BoxFuture<'_, Result<Option<(ObjectId, u64)>, LedgerError>> {
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
    pub fn type_of(&self, id: ObjectId) -> BoxFuture<'_, Result<Option<StructTag>, LedgerError>> {
        Box::pin(async move {
            let found = self.objects(&[id], &["object_id", "object_type"]).await?;
            Ok(found
                .first()
                .and_then(|object| object.object_type().parse().ok()))
        })
    }

    /// Where Walrus's package stands, by its `System`.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn walrus_at(
        &self,
        system: ObjectId,
    ) -> BoxFuture<'_, Result<WalrusDeployment, LedgerError>> {
        Box::pin(async move {
            let found = self.objects(&[system], OBJECT_FIELDS).await?;
            let object = found.first().ok_or_else(|| LedgerError::NotFound {
                what: "Walrus system",
                id: system.to_string(),
            })?;
            let tag: Option<StructTag> = object.object_type().parse().ok();
            let tag = tag
                .filter(|tag| (tag.module().as_str(), tag.name().as_str()) == ("system", "System"));
            let original_package = *tag
                .ok_or_else(|| LedgerError::WrongType {
                    id: system,
                    found: object.object_type().to_owned(),
                    expected: "system::System of Walrus".to_owned(),
                })?
                .address();
            let package = if localnet::is_development_walrus(original_package) {
                original_package
            } else {
                let bytes = object.contents().value();
                let head = bytes.get(..WALRUS_HEAD).unwrap_or(bytes);
                let head: WalrusHead = bcs::from_bytes(head)
                    .map_err(|e| LedgerError::Malformed(format!("object {system}: {e}")))?;
                head.package
            };
            Ok(WalrusDeployment {
                package,
                original_package,
                system,
            })
        })
    }

    /// Everything that a package for this ledger is linked to: Sui's framework, USDC and Walrus, and what
    /// they are linked to, each in its newest version among them.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn dependencies(&self) -> BoxFuture<'_, Result<Vec<ObjectId>, LedgerError>> {
        Box::pin(async move {
            let deployment = self.deployment();
            let usdc = CompiledPackage::money(deployment)?;
            let direct = [
                Address::from_static("0x1"),
                Address::TWO,
                usdc,
                deployment.walrus.package,
            ];
            let mut newest: BTreeMap<ObjectId, (u64, ObjectId)> = BTreeMap::new();
            let mut take = |original, id, version| {
                let slot = newest.entry(original).or_insert((version, id));
                *slot = (*slot).max((version, id));
            };
            for id in direct {
                let package = self.published(id).await?;
                let package = package.ok_or_else(|| LedgerError::NotFound {
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

impl Published {
    /// Functions of our table that the package has not, or with other arguments, and how they differ.
    #[must_use]
    pub fn differences(&self, deployment: &Deployment) -> Vec<String> {
        let mut differences = Vec::new();
        for spec in Call::FUNCTIONS
            .iter()
            .filter(|spec| spec.package == Package::Atoma)
        {
            let name = format!("{}::{}", spec.module, spec.name);
            let expected: Vec<_> = spec
                .args
                .iter()
                .map(|(_, kind)| expected(deployment, *kind))
                .collect();
            let Some(function) = self.functions.get(&name) else {
                differences.push(format!("{name} is missing"));
                continue;
            };
            let mut found: Vec<_> = function.parameters.iter().map(parameter).collect();
            found
                .pop_if(|last| last.ends_with(&format!("{}::tx_context::TxContext", Address::TWO)));
            if found != expected {
                differences.push(format!(
                    "{name} takes ({}), not ({})",
                    found.join(", "),
                    expected.join(", ")
                ));
            }
        }
        differences
    }

    /// Whether its code is what this program carries; `None` where the ledger shows no code.
    pub fn is_ours(&self, deployment: &Deployment) -> Result<Option<bool>, LedgerError> {
        if self.modules.is_empty() {
            return Ok(None);
        }
        let ours = CompiledPackage::for_network(deployment)?.as_published(self.original)?;
        Ok(Some(ours == self.modules))
    }
}

fn parse(id: &str) -> Result<ObjectId, LedgerError> {
    id.parse()
        .map_err(|e| LedgerError::Malformed(format!("package id `{id}`: {e}")))
}

/// A parameter as text, with whole addresses.
fn parameter(signature: &OpenSignature) -> String {
    let reference = match signature.reference() {
        Reference::Immutable => "&",
        Reference::Mutable => "&mut ",
        _ => "",
    };
    format!("{reference}{}", body(signature.body.as_ref()))
}

fn body(found: Option<&OpenSignatureBody>) -> String {
    let Some(found) = found else {
        return "?".to_owned();
    };
    let inner = found
        .type_parameter_instantiation
        .iter()
        .map(|inner| body(Some(inner)))
        .collect::<Vec<_>>()
        .join(", ");
    match found.r#type() {
        Type::Vector => format!("vector<{inner}>"),
        Type::Datatype => {
            // in whichever form addresses are written
            let name = found
                .type_name()
                .parse::<StructTag>()
                .map_or_else(|_| found.type_name().to_owned(), |tag| full(&tag));
            if inner.is_empty() {
                name
            } else {
                format!("{name}<{inner}>")
            }
        }
        Type::Parameter => format!("T{}", found.type_parameter()),
        plain => plain.as_str_name().to_lowercase(),
    }
}

fn full(tag: &StructTag) -> String {
    format!("{}::{}::{}", tag.address(), tag.module(), tag.name())
}

fn expected(deployment: &Deployment, kind: ArgKind) -> String {
    let object = |kind| full(&deployment.type_of(kind));
    match kind {
        ArgKind::Mutable(kind) | ArgKind::OwnedMut(kind) => format!("&mut {}", object(kind)),
        ArgKind::Read(kind) | ArgKind::Owned(kind) => format!("&{}", object(kind)),
        ArgKind::Consumed(kind) => object(kind),
        ArgKind::Payment => format!("{}::coin::Coin<{}>", Address::TWO, deployment.usdc),
        ArgKind::Clock => format!("&{}::clock::Clock", Address::TWO),
        ArgKind::Random => format!("&{}::random::Random", Address::TWO),
        ArgKind::Pure(kind) => pure(kind),
    }
}

fn pure(kind: PureKind) -> String {
    let std = Address::from_static("0x1");
    match kind {
        PureKind::U8 => "u8".to_owned(),
        PureKind::U16 => "u16".to_owned(),
        PureKind::U32 => "u32".to_owned(),
        PureKind::U64 => "u64".to_owned(),
        PureKind::U256 => "u256".to_owned(),
        PureKind::Bool => "bool".to_owned(),
        PureKind::Bytes => "vector<u8>".to_owned(),
        PureKind::BytesList => "vector<vector<u8>>".to_owned(),
        PureKind::U16List => "vector<u16>".to_owned(),
        PureKind::U64List => "vector<u64>".to_owned(),
        PureKind::String => format!("{std}::string::String"),
        PureKind::IdListOption => {
            format!(
                "{std}::option::Option<vector<{}::object::ID>>",
                Address::TWO
            )
        }
    }
}
