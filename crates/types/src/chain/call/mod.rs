//! The package's functions. Tables, one for each module of Move, give each function's name and arguments in
//! Move's order; `ledger` builds transactions from them, localnet accepts exactly them, the Move package is
//! held against them. One more has the functions of localnet's development Walrus.

mod error;
mod field;
mod function;
mod spec;
mod table;

pub use error::{ArgError, CallError};
pub use field::{
    AdminKind, BlobKind, Clock, Consumed, DbKind, Kind, NodeKind, ObjectMut, ObjectRef,
    OperatorKind, Owned, OwnedMut, Payment, Random, RootHash, StackKind, SystemKind, TaskKind,
};
pub use spec::{ArgKind, CallArg, FunctionSpec, ObjectKind, Package, PureKind};
pub use table::{Call, calls};

impl Call {
    /// The function of that name.
    #[must_use]
    pub fn spec(package: Package, module: &str, name: &str) -> Option<&'static FunctionSpec> {
        let functions = match package {
            Package::Atoma => Self::FUNCTIONS,
            Package::Walrus => Self::WALRUS_FUNCTIONS,
        };
        functions
            .iter()
            .find(|spec| spec.module == module && spec.name == name)
    }

    /// Whether it draws: such a call must be the last of its transaction but for transfers, so that
    /// nobody can look at the outcome and abort.
    #[must_use]
    pub fn draws(&self) -> bool {
        self.function()
            .args
            .iter()
            .any(|(_, kind)| *kind == ArgKind::Random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Address, MicroUsdc, Numerics, Price, Role, Rule, SecurityLevel, UnitWeights,
        chain::AbortCode, hash::Hash32,
    };
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let all = [Call::FUNCTIONS, Call::WALRUS_FUNCTIONS].concat();
        let names: BTreeSet<_> = all.iter().map(|f| (f.package, f.module, f.name)).collect();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn calls_survive_their_arguments() {
        let call = Call::from(calls::Subscribe {
            db: Address::new([1; 32]).into(),
            task: Address::new([2; 32]).into(),
            node: Address::new([3; 32]).into(),
            price: Price(4),
            clock: Clock,
        });
        let spec = call.function();
        assert_eq!((spec.module, spec.name), ("task", "subscribe"));
        assert_eq!(Call::decode(spec, call.args()).as_ref(), Ok(&call));
        assert!(!call.draws());
        assert!(matches!(
            Call::decode(spec, vec![]),
            Err(CallError::WrongCount {
                expected: 5,
                got: 0,
                ..
            })
        ));
        let stolen = FunctionSpec {
            package: Package::Walrus,
            ..*spec
        };
        assert!(matches!(
            Call::decode(&stolen, vec![]),
            Err(CallError::UnknownFunction { .. })
        ));
        assert_eq!(Call::spec(Package::Walrus, "task", "subscribe"), None);
    }

    fn task() -> Call {
        Call::from(calls::CreateTask {
            db: Address::new([1; 32]).into(),
            role: Role::Embedding,
            model_name: "m".to_owned(),
            security_level: SecurityLevel::SamplingConsensus,
            price_ceiling: Price(2),
            weights: UnitWeights::TEXT,
            model: Hash32([3; 32]),
            numerics: Numerics::Tolerant,
            rule: Rule::Tolerant,
            min_reputation: 4,
            min_collateral: MicroUsdc(5),
            allow_list: None,
        })
    }

    /// The plain arguments of a call, in hex.
    fn plain(call: &Call) -> Vec<String> {
        let args = call.args().into_iter();
        args.filter_map(|arg| match arg {
            CallArg::Pure(bytes) => Some(hex::encode(bytes)),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn golden_bytes_of_typed_arguments() {
        let model = format!("20{}", "03".repeat(32));
        let weights =
            "05e8030000000000006400000000000000e80300000000000000000000000000000000000000000000";
        assert_eq!(
            plain(&task()),
            [
                "01",
                "016d",
                "01",
                "0200000000000000",
                weights,
                &model,
                "02",
                "01",
                "0400000000000000",
                "0500000000000000",
                "00",
            ]
        );
    }

    #[test]
    fn values_that_mean_nothing_are_refused_with_the_package_s_code() {
        let call = task();
        let (spec, args) = (call.function(), call.args());
        let with = |name: &str, bytes: Vec<u8>| {
            let place = spec.args.iter().position(|(arg, _)| *arg == name).unwrap();
            let mut args = args.clone();
            args[place] = CallArg::Pure(bytes);
            Call::decode(spec, args)
        };
        for (name, bytes, code) in [
            ("role", vec![8], AbortCode::RoleUnknown),
            ("security_level", vec![4], AbortCode::SecurityLevelUnknown),
            ("weights", vec![0], AbortCode::WeightsInvalid),
            ("model", vec![1, 1], AbortCode::ModelHashInvalid),
            ("numerics", vec![3], AbortCode::NumericsUnknown),
            ("rule", vec![2], AbortCode::RuleUnknown),
        ] {
            assert_eq!(
                with(name, bytes),
                Err(CallError::Refused { code }),
                "{name}"
            );
        }
        assert!(matches!(
            with("role", vec![1, 1]),
            Err(CallError::WrongArgument {
                name: "role",
                source: ArgError::Bcs(_)
            })
        ));
    }
}
