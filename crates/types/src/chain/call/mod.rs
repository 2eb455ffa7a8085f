//! The package's functions. One table gives, for each, its module, name and arguments in Move's
//! order; `ledger` builds transactions from it, localnet accepts exactly it, the Move package is
//! held against it. A second one has the functions of localnet's development Walrus.

mod field;
mod spec;
mod table;

pub use field::{
    AdminKind, BlobKind, Clock, Consumed, DbKind, Kind, NodeKind, ObjectMut, ObjectRef,
    OperatorKind, Owned, OwnedMut, Payment, Random, StackKind, SystemKind, TaskKind,
};
pub use spec::{ArgKind, CallArg, FunctionSpec, ObjectKind, Package, PureKind};
pub use table::{Call, calls};

/// A call that doesn't fit the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The package has no such function.
    #[error("the package has no function {module}::{name}")]
    UnknownFunction {
        /// The module.
        module: String,
        /// The name.
        name: String,
    },
    /// Too few or too many.
    #[error("{function} takes {expected} arguments, not {got}")]
    WrongCount {
        /// The function.
        function: &'static str,
        /// As declared.
        expected: usize,
        /// As given.
        got: usize,
    },
    /// One is of another kind, or its bytes don't decode.
    #[error("argument `{name}` is not valid: {reason}")]
    WrongArgument {
        /// The argument.
        name: &'static str,
        /// Why.
        reason: String,
    },
}

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

/// A selection as the two bytes of [`calls::AcquireStack`].
impl From<crate::chain::Selection> for (u8, u8) {
    fn from(selection: crate::chain::Selection) -> Self {
        use crate::chain::Selection;
        match selection {
            Selection::Single => (0, 0),
            Selection::Limited { nodes } => (1, nodes),
            Selection::Any => (2, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, ComputeUnits, Price};
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
            capacity: ComputeUnits(5),
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
}
