//! `MovePackageService`: what stands at a package's id, and what the contract's functions take. Functions come
//! from the table of calls; bytecode is there only where the contract was published, and nothing runs it.

use super::{Services, parse};
use atoma_types::{
    Address,
    chain::{ArgKind, Call, Deployment, FunctionSpec, ObjectKind, Package, PureKind},
};
use std::collections::BTreeMap;
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{MovePackage, ObjectData};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl pb::move_package_service_server::MovePackageService for Services {
    async fn get_package(
        &self,
        request: Request<pb::GetPackageRequest>,
    ) -> Result<Response<pb::GetPackageResponse>, Status> {
        let id: Address = parse("package_id", request.into_inner().package_id.as_deref())?;
        let (object, deployment) = {
            let view = self.access.view.read();
            let object = view.state.object(&id).cloned();
            (object, view.state.deployment().clone())
        };
        let none = || Status::not_found(format!("no package {id}"));
        let object = object.ok_or_else(none)?;
        let ObjectData::Package(stored) = object.data() else {
            return Err(none());
        };
        let mut response = pb::GetPackageResponse::default();
        response.package = Some(package(&deployment, stored));
        Ok(Response::new(response))
    }

    async fn get_function(
        &self,
        request: Request<pb::GetFunctionRequest>,
    ) -> Result<Response<pb::GetFunctionResponse>, Status> {
        let request = request.into_inner();
        let package: Address = parse("package_id", request.package_id.as_deref())?;
        let deployment = {
            let view = self.access.view.read();
            if !view.state.is_package(&package) {
                return Err(Status::not_found(format!("no package {package}")));
            }
            view.state.deployment().clone()
        };
        let module = request.module_name.as_deref().unwrap_or_default();
        let name = request.name.as_deref().unwrap_or_default();
        let spec = deployment
            .package_at(package)
            .and_then(|package| Call::spec(package, module, name))
            .ok_or_else(|| Status::not_found(format!("no function {module}::{name} there")))?;
        let mut response = pb::GetFunctionResponse::default();
        response.function = Some(function(&deployment, spec));
        Ok(Response::new(response))
    }
}

/// A package: never upgraded, and of genesis linked to nothing.
fn package(deployment: &Deployment, stored: &MovePackage) -> pb::Package {
    let mut modules: BTreeMap<&str, pb::Module> = BTreeMap::new();
    if let Some(package) = deployment.package_at(stored.id) {
        let functions = match package {
            Package::Atoma => Call::FUNCTIONS,
            Package::Walrus => Call::WALRUS_FUNCTIONS,
        };
        for spec in functions {
            let module = modules.entry(spec.module).or_insert_with(|| {
                let mut module = pb::Module::default();
                module.name = Some(spec.module.to_owned());
                module
            });
            module.functions.push(function(deployment, spec));
        }
    }
    for (name, contents) in &stored.modules {
        let module = modules.entry(name.as_str()).or_default();
        module.name = Some(name.to_string());
        module.contents = Some(contents.clone().into());
    }
    let linkage = stored.linkage_table.iter().map(|(original, link)| {
        let mut linkage = pb::Linkage::default();
        linkage.original_id = Some(original.to_string());
        linkage.upgraded_id = Some(link.upgraded_id.to_string());
        linkage.upgraded_version = Some(link.upgraded_version);
        linkage
    });
    let origins = stored.type_origin_table.iter().map(|origin| {
        let mut found = pb::TypeOrigin::default();
        found.module_name = Some(origin.module_name.to_string());
        found.datatype_name = Some(origin.struct_name.to_string());
        found.package_id = Some(origin.package.to_string());
        found
    });
    let mut package = pb::Package::default();
    package.storage_id = Some(stored.id.to_string());
    package.original_id = Some(stored.id.to_string());
    package.version = Some(stored.version);
    package.modules = modules.into_values().collect();
    package.type_origins = origins.collect();
    package.linkage = linkage.collect();
    package
}

fn function(deployment: &Deployment, spec: &FunctionSpec) -> pb::FunctionDescriptor {
    use pb::function_descriptor::Visibility;
    let draws = spec.args.iter().any(|(_, kind)| *kind == ArgKind::Random);
    let mut descriptor = pb::FunctionDescriptor::default();
    descriptor.name = Some(spec.name.to_owned());
    // what draws is a private entry
    descriptor.is_entry = Some(draws);
    let visibility = if draws {
        Visibility::Private
    } else {
        Visibility::Public
    };
    descriptor.visibility = Some(visibility as i32);
    descriptor.parameters = spec
        .args
        .iter()
        .map(|(_, kind)| parameter(deployment, *kind))
        .collect();
    descriptor
}

fn parameter(deployment: &Deployment, kind: ArgKind) -> pb::OpenSignature {
    use pb::open_signature::Reference;
    let (reference, body) = match kind {
        ArgKind::Mutable(kind) | ArgKind::OwnedMut(kind) => {
            (Some(Reference::Mutable), object(deployment, kind))
        }
        ArgKind::Read(kind) | ArgKind::Owned(kind) => {
            (Some(Reference::Immutable), object(deployment, kind))
        }
        ArgKind::Consumed(kind) => (None, object(deployment, kind)),
        ArgKind::Payment => {
            let usdc = datatype(deployment.usdc.to_string(), Vec::new());
            (None, datatype("0x2::coin::Coin".to_owned(), vec![usdc]))
        }
        ArgKind::Clock => (
            Some(Reference::Immutable),
            datatype("0x2::clock::Clock".to_owned(), Vec::new()),
        ),
        ArgKind::Random => (
            Some(Reference::Immutable),
            datatype("0x2::random::Random".to_owned(), Vec::new()),
        ),
        ArgKind::Pure(kind) => (None, pure(kind)),
    };
    let mut signature = pb::OpenSignature::default();
    signature.reference = reference.map(|reference| reference as i32);
    signature.body = Some(body);
    signature
}

fn object(deployment: &Deployment, kind: ObjectKind) -> pb::OpenSignatureBody {
    datatype(deployment.type_of(kind).to_string(), Vec::new())
}

fn pure(kind: PureKind) -> pb::OpenSignatureBody {
    use pb::open_signature_body::Type;
    match kind {
        PureKind::U8 => plain(Type::U8, Vec::new()),
        PureKind::U16 => plain(Type::U16, Vec::new()),
        PureKind::U32 => plain(Type::U32, Vec::new()),
        PureKind::U256 => plain(Type::U256, Vec::new()),
        PureKind::U64 => plain(Type::U64, Vec::new()),
        PureKind::Bool => plain(Type::Bool, Vec::new()),
        PureKind::Bytes => vector(plain(Type::U8, Vec::new())),
        PureKind::BytesList => vector(vector(plain(Type::U8, Vec::new()))),
        PureKind::U16List => vector(plain(Type::U16, Vec::new())),
        PureKind::U64List => vector(plain(Type::U64, Vec::new())),
        PureKind::String => datatype("0x1::string::String".to_owned(), Vec::new()),
        PureKind::Id => id(),
        PureKind::Address => plain(Type::Address, Vec::new()),
        PureKind::AddressOption => option(plain(Type::Address, Vec::new())),
        PureKind::IdListOption => option(vector(id())),
    }
}

fn plain(
    type_: pb::open_signature_body::Type,
    of: Vec<pb::OpenSignatureBody>,
) -> pb::OpenSignatureBody {
    let mut body = pb::OpenSignatureBody::default();
    body.r#type = Some(type_ as i32);
    body.type_parameter_instantiation = of;
    body
}

fn id() -> pb::OpenSignatureBody {
    datatype("0x2::object::ID".to_owned(), Vec::new())
}

fn option(of: pb::OpenSignatureBody) -> pb::OpenSignatureBody {
    datatype("0x1::option::Option".to_owned(), vec![of])
}

fn vector(of: pb::OpenSignatureBody) -> pb::OpenSignatureBody {
    plain(pb::open_signature_body::Type::Vector, vec![of])
}

fn datatype(name: String, of: Vec<pb::OpenSignatureBody>) -> pb::OpenSignatureBody {
    let mut body = plain(pb::open_signature_body::Type::Datatype, of);
    body.type_name = Some(name);
    body
}
