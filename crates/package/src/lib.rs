//! The compiled Move package, as programs carry it: to publish it, to find it published, and, in localnet,
//! to know it when it is published.
//!
//! One artifact serves every network: `move/atoma/bytecode.json`, which `cargo xtask move` holds to what the
//! compiler says. It is compiled against stand-ins for what differs from network to network (the package
//! of USDC, the network's own id), and [`CompiledPackage::for_network`] puts the network's in their
//! place. An artifact per network would need a compiler for every new devnet, which only an `npm` package has.

mod bytecode;
mod error;

pub use error::PackageError;

use atoma_types::{NetworkId, ObjectId, chain::Surroundings};
use base64::{Engine, engine::general_purpose::STANDARD};
use blake2b_simd::Params;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use sui_sdk_types::TypeTag;

/// What the compiler made.
const ARTIFACT: &str = include_str!("../../../move/atoma/bytecode.json");
/// USDC's package in the artifact.
const USDC_STAND_IN: ObjectId = small(0x5dc);
/// The network's id in the artifact.
const NETWORK_STAND_IN: NetworkId = NetworkId([9; 32]);

const fn small(id: u16) -> ObjectId {
    let [high, low] = id.to_be_bytes();
    let mut bytes = [0; 32];
    bytes[30] = high;
    bytes[31] = low;
    ObjectId::new(bytes)
}

#[derive(Deserialize)]
struct Artifact {
    modules: Vec<String>,
}

/// A package's modules, in the order of their dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledPackage {
    modules: Vec<Vec<u8>>,
}

impl CompiledPackage {
    /// The package as compiled, with stand-ins.
    #[must_use]
    pub fn compiled() -> Self {
        let artifact: Artifact =
            serde_json::from_str(ARTIFACT).expect("the compiled package is JSON");
        let decode = |text: &String| STANDARD.decode(text).expect("its modules are base64");
        Self {
            modules: artifact.modules.iter().map(decode).collect(),
        }
    }

    /// The package for a network: its id, and where its USDC is first defined.
    ///
    /// # Errors
    /// If the artifact is broken, or an id of the network stands nowhere in it.
    pub fn for_network(surroundings: &Surroundings) -> Result<Self, PackageError> {
        let addresses = [(USDC_STAND_IN, Self::money(surroundings)?)];
        Self::compiled().bound_to(&addresses, surroundings.network)
    }

    /// The package of the money.
    ///
    /// # Errors
    /// If the type of the money is not a struct.
    pub fn money(surroundings: &Surroundings) -> Result<ObjectId, PackageError> {
        match &surroundings.usdc {
            TypeTag::Struct(usdc)
                if (usdc.module().as_str(), usdc.name().as_str()) == ("usdc", "USDC") =>
            {
                Ok(*usdc.address())
            }
            other => Err(PackageError::OtherMoney(other.to_string())),
        }
    }

    /// Puts addresses and the network's id in the place of the stand-ins.
    fn bound_to(
        mut self,
        addresses: &[(ObjectId, ObjectId)],
        network: NetworkId,
    ) -> Result<Self, PackageError> {
        let addresses: BTreeMap<_, _> = addresses
            .iter()
            .map(|(old, new)| (old.into_inner(), new.into_inner()))
            .collect();
        let constants = BTreeMap::from([(NETWORK_STAND_IN.0, network.0)]);
        let mut found = BTreeSet::new();
        for module in &mut self.modules {
            found.extend(bytecode::exchange(module, &addresses, &constants)?);
        }
        for (stand_in, what) in [
            (USDC_STAND_IN.into_inner(), "USDC"),
            (NETWORK_STAND_IN.0, "the network's id"),
        ] {
            if !found.contains(&stand_in) {
                return Err(PackageError::NoPlace(what));
            }
        }
        Ok(self)
    }

    /// The bytecode of each module, in the order of publication.
    #[must_use]
    pub fn modules(&self) -> &[Vec<u8>] {
        &self.modules
    }

    /// The modules as a ledger keeps them under a package first published as `original`, by name.
    ///
    /// # Errors
    /// If a module of the artifact is broken.
    pub fn as_published(
        &self,
        original: ObjectId,
    ) -> Result<BTreeMap<String, Vec<u8>>, PackageError> {
        let own = BTreeMap::from([([0; 32], original.into_inner())]);
        let mut named = BTreeMap::new();
        for module in &self.modules {
            let mut module = module.clone();
            bytecode::exchange(&mut module, &own, &BTreeMap::new())?;
            named.insert(bytecode::name(&module)?, module);
        }
        Ok(named)
    }

    /// The digest that an upgrade is authorized for: over the modules and what they depend on.
    #[must_use]
    pub fn digest(&self, dependencies: &[ObjectId]) -> [u8; 32] {
        let hash = |bytes: &[u8]| {
            let mut digest = [0; 32];
            digest.copy_from_slice(Params::new().hash_length(32).hash(bytes).as_bytes());
            digest
        };
        let mut parts: Vec<[u8; 32]> = self.modules.iter().map(|module| hash(module)).collect();
        parts.extend(dependencies.iter().map(|id| id.into_inner()));
        parts.sort_unstable();
        hash(parts.as_flattened())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Whole {
        digest: String,
        dependencies: Vec<ObjectId>,
    }

    fn surroundings() -> Surroundings {
        let mut surroundings = Surroundings::localnet(NetworkId([0x77; 32]));
        surroundings.usdc = format!("0x{}::usdc::USDC", "44".repeat(32))
            .parse()
            .unwrap();
        surroundings
    }

    fn count(package: &CompiledPackage, bytes: &[u8; 32]) -> usize {
        let modules = package.modules().iter();
        modules
            .map(|module| module.windows(32).filter(|window| window == bytes).count())
            .sum()
    }

    #[test]
    fn the_digest_is_the_compilers() {
        let whole: Whole = serde_json::from_str(ARTIFACT).unwrap();
        let package = CompiledPackage::compiled();
        let digest = package.digest(&whole.dependencies);
        assert_eq!(hex::encode(digest), whole.digest);
    }

    #[test]
    fn every_stand_in_is_exchanged_and_nothing_else() {
        let plain = CompiledPackage::compiled();
        let bound = CompiledPackage::for_network(&surroundings()).unwrap();
        for (old, new) in [
            (USDC_STAND_IN.into_inner(), [0x44; 32]),
            (NETWORK_STAND_IN.0, [0x77; 32]),
        ] {
            assert!(count(&plain, &old) > 0);
            assert_eq!((count(&plain, &new), count(&bound, &old)), (0, 0));
            assert_eq!(count(&bound, &new), count(&plain, &old));
        }
        let lengths = |package: &CompiledPackage| -> Vec<usize> {
            package.modules().iter().map(Vec::len).collect()
        };
        assert_eq!(lengths(&plain), lengths(&bound));
        // and back again it is what the compiler made
        let back = BTreeMap::from([([0x44; 32], USDC_STAND_IN.into_inner())]);
        let constants = BTreeMap::from([([0x77; 32], NETWORK_STAND_IN.0)]);
        let mut again = bound;
        for module in &mut again.modules {
            bytecode::exchange(module, &back, &constants).unwrap();
        }
        assert_eq!(again, plain);
    }

    #[test]
    fn published_modules_have_their_names_and_the_packages_address() {
        let package = CompiledPackage::compiled();
        let published = package.as_published(ObjectId::new([0x66; 32])).unwrap();
        assert_eq!(published.len(), package.modules().len());
        for name in ["db", "node", "task", "stack", "network"] {
            let module = &published[name];
            assert!(module.windows(32).any(|window| window == [0x66; 32]));
        }
    }

    #[test]
    fn other_money_is_refused() {
        let mut surroundings = surroundings();
        surroundings.usdc = "0x2::sui::SUI".parse().unwrap();
        let refused = CompiledPackage::for_network(&surroundings);
        assert!(matches!(refused, Err(PackageError::OtherMoney(_))));
    }

    #[test]
    fn damaged_modules_are_refused_not_panicked_on() {
        let module = CompiledPackage::compiled().modules[0].clone();
        let nothing = BTreeMap::new();
        for cut in 0..module.len() {
            let mut part = module[..cut].to_vec();
            let _ = bytecode::exchange(&mut part, &nothing, &nothing);
            let _ = bytecode::name(&part);
            let mut flipped = module.clone();
            flipped[cut] ^= 0xff;
            let _ = bytecode::exchange(&mut flipped, &nothing, &nothing);
            let _ = bytecode::name(&flipped);
        }
    }
}
