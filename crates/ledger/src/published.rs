//! A package that stands on a ledger, held against what this program calls and carries.

use crate::{CompiledPackage, PackageError};
use atoma_types::{
    Address, ObjectId,
    chain::{ArgKind, Call, Deployment, Package, PureKind, Surroundings},
};
use std::collections::BTreeMap;
use sui_rpc::proto::sui::rpc::v2::{
    FunctionDescriptor, OpenSignature, OpenSignatureBody, open_signature::Reference,
    open_signature_body::Type,
};
use sui_sdk_types::StructTag;

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
    pub(crate) functions: BTreeMap<String, FunctionDescriptor>,
    /// What it is linked to: first version, the version it is linked to, and that one's number.
    pub(crate) linkage: Vec<(ObjectId, ObjectId, u64)>,
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
    ///
    /// # Errors
    /// If this program's package isn't fit for that surroundings.
    pub fn is_ours(&self, surroundings: &Surroundings) -> Result<Option<bool>, PackageError> {
        if self.modules.is_empty() {
            return Ok(None);
        }
        let ours = CompiledPackage::for_network(surroundings)?.as_published(self.original)?;
        Ok(Some(ours == self.modules))
    }
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
        PureKind::Id => format!("{}::object::ID", Address::TWO),
        PureKind::Address => "address".to_owned(),
        PureKind::AddressOption => format!("{std}::option::Option<address>"),
        PureKind::IdListOption => {
            format!(
                "{std}::option::Option<vector<{}::object::ID>>",
                Address::TWO
            )
        }
    }
}
