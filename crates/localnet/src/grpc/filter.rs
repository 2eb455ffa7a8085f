//! Filters of the lists and streams: a disjunction of conjunctions of predicates, as the client
//! sends them, checked once and then matched in memory.

use super::{invalid, parse};
use crate::record::Executed;
use atoma_types::{Address, ObjectId};
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{
    Command, Event, ObjectOut, Owner, StructTag, TransactionEffects, TransactionKind,
};
use tonic::Status;

/// Predicates of one filter at most.
const MAX_PREDICATES: usize = 256;

/// A filter over things that `P` can match; none at all matches everything.
#[derive(Clone, Debug)]
pub(super) struct Filter<P> {
    terms: Option<Vec<Vec<(bool, P)>>>,
}

impl<P> Filter<P> {
    fn matches(&self, holds: impl Fn(&P) -> bool) -> bool {
        self.terms.as_ref().is_none_or(|terms| {
            terms.iter().any(|term| {
                term.iter()
                    .all(|(negated, predicate)| holds(predicate) != *negated)
            })
        })
    }
}

/// A path of package, module and name, the later ones optional.
#[derive(Clone, Debug)]
pub(super) struct TypePath {
    package: Address,
    module: Option<String>,
    /// With type parameters if the client gave any.
    name: Option<StructTag>,
    bare_name: Option<String>,
}

impl TypePath {
    fn parse(field: &str, text: Option<&str>) -> Result<Self, Status> {
        let text = text.ok_or_else(|| invalid(field, "it is missing"))?;
        let mut parts = text.splitn(3, "::");
        let package = parse(field, parts.next())?;
        let module = parts.next().map(str::to_owned);
        let rest = parts.next();
        let name = match rest {
            Some(rest) if rest.contains('<') => Some(parse(field, Some(text))?),
            _ => None,
        };
        Ok(Self {
            package,
            module,
            bare_name: rest.filter(|_| name.is_none()).map(str::to_owned),
            name,
        })
    }

    fn matches_path(&self, package: &Address, module: &str, name: &str) -> bool {
        self.package == *package
            && self.module.as_deref().is_none_or(|m| m == module)
            && self.bare_name.as_deref().is_none_or(|n| n == name)
    }

    fn matches(&self, tag: &StructTag) -> bool {
        self.matches_path(tag.address(), tag.module().as_str(), tag.name().as_str())
            && self.name.as_ref().is_none_or(|name| name == tag)
    }
}

/// What can be asked of an event.
#[derive(Clone, Debug)]
pub(super) enum EventPredicate {
    Sender(Address),
    Module(TypePath),
    Type(TypePath),
}

impl Filter<EventPredicate> {
    /// Reads a client's filter.
    pub(super) fn events(filter: Option<&pb::EventFilter>) -> Result<Self, Status> {
        use pb::event_literal::Predicate;
        let Some(filter) = filter else {
            return Ok(Self { terms: None });
        };
        check_size(filter.terms.iter().map(|term| term.literals.len()))?;
        let read = |literal: &pb::EventLiteral| {
            let predicate = match &literal.predicate {
                Some(Predicate::Sender(f)) => {
                    EventPredicate::Sender(parse("sender", f.address.as_deref())?)
                }
                Some(Predicate::EmitModule(f)) => {
                    EventPredicate::Module(TypePath::parse("module", f.module.as_deref())?)
                }
                Some(Predicate::EventType(f)) => {
                    EventPredicate::Type(TypePath::parse("event_type", f.event_type.as_deref())?)
                }
                _ => return Err(Status::unimplemented("filter: unknown predicate")),
            };
            Ok((literal.negated, predicate))
        };
        let terms = filter.terms.iter();
        Ok(Self {
            terms: Some(
                terms
                    .map(|term| term.literals.iter().map(read).collect())
                    .collect::<Result<_, Status>>()?,
            ),
        })
    }

    /// Whether an event passes.
    pub(super) fn passes(&self, event: &Event) -> bool {
        self.matches(|predicate| match predicate {
            EventPredicate::Sender(sender) => event.sender == *sender,
            EventPredicate::Module(path) => {
                path.matches_path(&event.package_id, event.module.as_str(), "")
            }
            EventPredicate::Type(path) => path.matches(&event.type_),
        })
    }
}

/// What can be asked of a transaction.
#[derive(Clone, Debug)]
pub(super) enum TransactionPredicate {
    Sender(Address),
    AffectedAddress(Address),
    AffectedObject(ObjectId),
    MoveCall(TypePath),
    Module(TypePath),
    EventType(TypePath),
}

impl Filter<TransactionPredicate> {
    /// Reads a client's filter.
    pub(super) fn transactions(filter: Option<&pb::TransactionFilter>) -> Result<Self, Status> {
        use pb::transaction_literal::Predicate;
        let Some(filter) = filter else {
            return Ok(Self { terms: None });
        };
        check_size(filter.terms.iter().map(|term| term.literals.len()))?;
        let read = |literal: &pb::TransactionLiteral| {
            let predicate =
                match &literal.predicate {
                    Some(Predicate::Sender(f)) => {
                        TransactionPredicate::Sender(parse("sender", f.address.as_deref())?)
                    }
                    Some(Predicate::AffectedAddress(f)) => TransactionPredicate::AffectedAddress(
                        parse("affected_address", f.address.as_deref())?,
                    ),
                    Some(Predicate::AffectedObject(f)) => TransactionPredicate::AffectedObject(
                        parse("affected_object", f.object_id.as_deref())?,
                    ),
                    Some(Predicate::MoveCall(f)) => TransactionPredicate::MoveCall(
                        TypePath::parse("move_call", f.function.as_deref())?,
                    ),
                    Some(Predicate::EmitModule(f)) => TransactionPredicate::Module(
                        TypePath::parse("emit_module", f.module.as_deref())?,
                    ),
                    Some(Predicate::EventType(f)) => TransactionPredicate::EventType(
                        TypePath::parse("event_type", f.event_type.as_deref())?,
                    ),
                    _ => return Err(Status::unimplemented("filter: unknown predicate")),
                };
            Ok((literal.negated, predicate))
        };
        let terms = filter.terms.iter();
        Ok(Self {
            terms: Some(
                terms
                    .map(|term| term.literals.iter().map(read).collect())
                    .collect::<Result<_, Status>>()?,
            ),
        })
    }

    /// Whether a transaction passes.
    pub(super) fn passes(&self, executed: &Executed) -> bool {
        let events = || executed.events.iter().flat_map(|events| &events.0);
        self.matches(|predicate| match predicate {
            TransactionPredicate::Sender(sender) => executed.transaction.sender == *sender,
            TransactionPredicate::AffectedAddress(address) => affects_address(executed, address),
            TransactionPredicate::AffectedObject(id) => executed.type_of(id).is_some(),
            TransactionPredicate::MoveCall(path) => calls(executed, path),
            TransactionPredicate::Module(path) => {
                events().any(|e| path.matches_path(&e.package_id, e.module.as_str(), ""))
            }
            TransactionPredicate::EventType(path) => events().any(|e| path.matches(&e.type_)),
        })
    }
}

fn check_size(literals: impl Iterator<Item = usize>) -> Result<(), Status> {
    if literals.sum::<usize>() > MAX_PREDICATES {
        return Err(invalid("filter", "it has too many predicates"));
    }
    Ok(())
}

fn affects_address(executed: &Executed, address: &Address) -> bool {
    let TransactionEffects::V2(effects) = &executed.effects else {
        return false;
    };
    executed.transaction.sender == *address
        || executed.transaction.gas_payment.owner == *address
        || effects.changed_objects.iter().any(|changed| {
            matches!(&changed.output_state,
                ObjectOut::ObjectWrite { owner: Owner::Address(owner), .. } if owner == address)
        })
}

fn calls(executed: &Executed, path: &TypePath) -> bool {
    let TransactionKind::ProgrammableTransaction(program) = &executed.transaction.kind else {
        return false;
    };
    program.commands.iter().any(|command| match command {
        Command::MoveCall(call) => {
            path.matches_path(&call.package, call.module.as_str(), call.function.as_str())
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_as_far_as_they_go() {
        let tag: StructTag = "0x2::coin::Coin<0x2::sui::SUI>".parse().unwrap();
        for (text, matches) in [
            ("0x2", true),
            ("0x2::coin", true),
            ("0x2::coin::Coin", true),
            ("0x2::coin::Coin<0x2::sui::SUI>", true),
            ("0x2::coin::Coin<0x5::usdc::USDC>", false),
            ("0x2::pay", false),
            ("0x3", false),
        ] {
            let path = TypePath::parse("type", Some(text)).unwrap();
            assert_eq!(path.matches(&tag), matches, "{text}");
        }
        assert!(TypePath::parse("type", Some("nonsense")).is_err());
    }
}
