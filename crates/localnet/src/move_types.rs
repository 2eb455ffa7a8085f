//! What of a Move package clients ask for: the names of the types that it defines.

use atoma_types::chain::{Deployment, Event, ObjectKind, Package};
use sui_sdk_types::{Identifier, TypeOrigin};

/// A name as Move has it.
pub(crate) fn identifier(name: &'static str) -> Identifier {
    Identifier::from_static(name)
}

/// The types that a package defines, as far as clients meet them.
pub(crate) fn type_origins(deployment: &Deployment, package: Package) -> Vec<TypeOrigin> {
    let events = match package {
        Package::Atoma => Event::NAMES,
        Package::Walrus => Event::WALRUS_NAMES,
    };
    ObjectKind::ALL
        .iter()
        .filter(|kind| kind.package() == package)
        .map(|kind| kind.move_name())
        .chain(events.iter().copied())
        .map(|(module, name)| TypeOrigin {
            module_name: identifier(module),
            struct_name: identifier(name),
            package: deployment.origin_of(package),
        })
        .collect()
}
