//! From calls to a programmable transaction. Pure: everything it needs is given.

use crate::{
    BuildError,
    coin::{Coin, Funds},
    gas_funds::GasFunds,
    payment::{gather, merge_into, owned, split, withdraw_into},
};
use atoma_types::{
    Address, ObjectId,
    chain::{
        ArgKind, CLOCK_OBJECT, Call, CallArg, Deployment, ObjectKind, RANDOM_OBJECT, SUI_COIN,
    },
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use sui_sdk_types::{Digest, Identifier, Transaction, TransactionExpiration, TypeTag};
use sui_transaction_builder::{Argument, Function, ObjectInput, TransactionBuilder};

/// What the calls are made of, resolved on the ledger.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) sender: Address,
    /// Whose the gas coins are: the sender's, or a sponsor's who signs as well.
    pub(crate) gas_owner: Address,
    /// What the payments come out of; together at least their sum.
    pub(crate) payment: &'a Funds,
    /// The kind of money that payments are in.
    pub(crate) usdc: &'a TypeTag,
    pub(crate) gas: &'a GasFunds,
    pub(crate) gas_price: u64,
    pub(crate) gas_budget: u64,
    /// Until when it can be executed.
    pub(crate) expiration: &'a TransactionExpiration,
    /// Initial versions of the shared objects.
    pub(crate) shared: &'a HashMap<ObjectId, u64>,
    /// Objects of the sender's own, by id.
    pub(crate) owned: &'a HashMap<ObjectId, Coin>,
}

/// What a transaction shall do.
#[derive(Debug)]
pub(crate) enum Work<'a> {
    /// Call functions, in order, and then give objects of the sender's to others.
    Calls {
        deployment: &'a Deployment,
        calls: &'a [Call],
        gifts: &'a [(ObjectId, Address)],
    },
    /// Sends USDC, in micro-USDC, to an address.
    Transfer { to: Address, amount: u64 },
    /// Publish a package; the right to upgrade it goes to the sender.
    Publish {
        modules: &'a [Vec<u8>],
        dependencies: &'a [ObjectId],
    },
    /// Upgrade a package.
    Upgrade(Upgrade<'a>),
    /// Take objects over to the newest version of the package.
    Migrate(Migration<'a>),
    /// Merge coins of USDC into the first of them.
    Gather { coins: &'a [Coin] },
    /// Split so many coins off the gas coin, for someone.
    SplitGas {
        to: Address,
        amount: u64,
        count: u16,
    },
}

/// An upgrade of a package: what to, and by what right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upgrade<'a> {
    pub(crate) modules: &'a [Vec<u8>],
    pub(crate) dependencies: &'a [ObjectId],
    /// The newest version up to now.
    pub(crate) package: ObjectId,
    pub(crate) cap: ObjectId,
    pub(crate) policy: u8,
    pub(crate) digest: [u8; 32],
}

/// Objects that go over to the newest version of their package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) what: Move<'a>,
}

/// A step of going over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Move<'a> {
    /// Say when, by the administrator's right.
    Announce { cap: ObjectId },
    /// The database, once it was said long enough ago.
    Db,
    /// Objects, once the database is over.
    Objects(&'a [(ObjectKind, ObjectId)]),
}

impl Work<'_> {
    /// The deployment whose package is called, where it is.
    pub(crate) fn deployment(&self) -> Option<&Deployment> {
        match self {
            Self::Calls { deployment, .. } | Self::Migrate(Migration { deployment, .. }) => {
                Some(deployment)
            }
            Self::Transfer { .. }
            | Self::Publish { .. }
            | Self::Upgrade(_)
            | Self::Gather { .. }
            | Self::SplitGas { .. } => None,
        }
    }

    /// The exact amounts that are taken out of the sender's USDC, in order.
    pub(crate) fn payments(&self) -> Vec<u64> {
        match self {
            Self::Transfer { amount, .. } => vec![*amount],
            Self::Publish { .. }
            | Self::Upgrade(_)
            | Self::Migrate(_)
            | Self::Gather { .. }
            | Self::SplitGas { .. } => Vec::new(),
            Self::Calls { calls, .. } => calls
                .iter()
                .flat_map(Call::args)
                .filter_map(|arg| match arg {
                    CallArg::Payment(amount) => Some(amount.0),
                    _ => None,
                })
                .collect(),
        }
    }

    /// What is taken out of the gas coin beside gas, in MIST; a budget can only be of the rest.
    pub(crate) fn out_of_gas(&self) -> u64 {
        match self {
            Self::SplitGas { amount, count, .. } => amount.saturating_mul(u64::from(*count)),
            _ => 0,
        }
    }

    /// Shared objects that are touched, and whether any call changes them. A transaction names
    /// each object once, so the strongest use counts.
    pub(crate) fn shared(&self) -> BTreeMap<ObjectId, bool> {
        let mut shared = BTreeMap::new();
        if let Self::Migrate(Migration { deployment, what }) = self {
            match what {
                Move::Announce { .. } | Move::Db => {
                    shared.extend([(deployment.db, true), (CLOCK_OBJECT, false)]);
                }
                Move::Objects(objects) => {
                    shared.insert(deployment.db, false);
                    shared.extend(objects.iter().map(|(_, id)| (*id, true)));
                }
            }
        }
        for (kind, arg) in self.arguments() {
            let (id, mutable) = match (kind, arg) {
                (ArgKind::Mutable(_), CallArg::Object(id)) => (id, true),
                (ArgKind::Read(_), CallArg::Object(id)) => (id, false),
                (_, CallArg::Clock) => (CLOCK_OBJECT, false),
                (_, CallArg::Random) => (RANDOM_OBJECT, false),
                _ => continue,
            };
            *shared.entry(id).or_insert(false) |= mutable;
        }
        shared
    }

    /// Objects that the sender must own.
    pub(crate) fn owned(&self) -> Vec<ObjectId> {
        let gifts = match self {
            Self::Calls { gifts, .. } => *gifts,
            Self::Upgrade(Upgrade { cap, .. }) => return vec![*cap],
            Self::Migrate(Migration {
                what: Move::Announce { cap },
                ..
            }) => return vec![*cap],
            Self::Migrate(_)
            | Self::Transfer { .. }
            | Self::Publish { .. }
            | Self::Gather { .. }
            | Self::SplitGas { .. } => &[],
        };
        let used = self.arguments().into_iter().filter_map(|used| match used {
            (
                ArgKind::Owned(_) | ArgKind::OwnedMut(_) | ArgKind::Consumed(_),
                CallArg::Object(id),
            ) => Some(id),
            _ => None,
        });
        let all: BTreeSet<_> = used.chain(gifts.iter().map(|(id, _)| *id)).collect();
        all.into_iter().collect()
    }

    fn arguments(&self) -> Vec<(ArgKind, CallArg)> {
        let Self::Calls { calls, .. } = self else {
            return Vec::new();
        };
        calls
            .iter()
            .flat_map(|call| {
                let kinds = call.function().args.iter().map(|(_, kind)| *kind);
                kinds.zip(call.args()).collect::<Vec<_>>()
            })
            .collect()
    }
}

/// The transaction that does the work.
pub(crate) fn transaction(work: &Work<'_>, inputs: &Inputs<'_>) -> Result<Transaction, BuildError> {
    let mut builder = TransactionBuilder::new();
    builder.set_sender(inputs.sender);
    if inputs.gas_owner != inputs.sender {
        builder.set_sponsor(inputs.gas_owner);
    }
    builder.set_gas_price(inputs.gas_price);
    builder.set_gas_budget(inputs.gas_budget);
    builder.set_expiration(inputs.expiration.clone());
    let from_balance = inputs.gas.coins.is_empty();
    if from_balance {
        // the builder wants one; it is taken out again below
        builder.add_gas_objects([ObjectInput::owned(Address::ZERO, 0, Digest::ZERO)]);
    } else {
        builder.add_gas_objects(inputs.gas.coins.iter().map(owned));
    }
    let payments = split(&mut builder, &work.payments(), inputs.payment, inputs.usdc)?;
    commands(&mut builder, work, inputs, payments)?;
    let mut transaction = builder.try_build()?;
    if from_balance {
        transaction.gas_payment.objects.clear();
    }
    Ok(transaction)
}

/// What the transaction does, with a coin for each payment.
fn commands(
    b: &mut TransactionBuilder,
    work: &Work<'_>,
    inputs: &Inputs<'_>,
    payments: Vec<Argument>,
) -> Result<(), BuildError> {
    let mut payments = payments.into_iter();
    let mut payment = || {
        payments
            .next()
            .expect("as many coins were split off as there are payments")
    };
    match work {
        Work::Transfer { to, .. } => {
            let to = b.pure(to);
            let coin = payment();
            b.transfer_objects(vec![coin], to);
        }
        Work::Calls {
            deployment,
            calls,
            gifts,
        } => {
            let uses = work.shared();
            for call in *calls {
                let function = function_of(call, deployment);
                let arguments = arguments(b, call, &uses, inputs, &mut payment)?;
                b.move_call(function, arguments);
            }
            for (id, to) in *gifts {
                let object = own(b, *id, inputs)?;
                let to = b.pure(to);
                b.transfer_objects(vec![object], to);
            }
        }
        Work::Publish {
            modules,
            dependencies,
        } => {
            let cap = b.publish(modules.to_vec(), dependencies.to_vec());
            let to = b.pure(&inputs.sender);
            b.transfer_objects(vec![cap], to);
        }
        Work::Upgrade(work) => upgrade(b, work, inputs)?,
        Work::Migrate(migration) => migrate(b, migration, &work.shared(), inputs)?,
        Work::Gather { coins } => {
            gather(b, coins);
        }
        Work::SplitGas { to, amount, count } => {
            let coins = split_gas(b, *amount, *count, inputs.gas)?;
            let to = b.pure(to);
            b.transfer_objects(coins, to);
        }
    }
    Ok(())
}

/// So many coins of the SUI that pays for gas, or of the address balance where that pays.
fn split_gas(
    builder: &mut TransactionBuilder,
    amount: u64,
    count: u16,
    gas: &GasFunds,
) -> Result<Vec<Argument>, BuildError> {
    let sui = sui_coin();
    if gas.coins.is_empty() {
        let amounts = vec![amount; usize::from(count)];
        let funds = Funds {
            coins: Vec::new(),
            balance: gas.withdrawn,
        };
        return split(builder, &amounts, &funds, &sui);
    }
    let coin = builder.gas();
    merge_into(builder, coin, &gas.merged);
    withdraw_into(builder, coin, gas.withdrawn, &sui);
    let amounts = (0..count).map(|_| builder.pure(&amount)).collect();
    Ok(builder.split_coins(coin, amounts))
}

/// The type of SUI.
pub(crate) fn sui_coin() -> TypeTag {
    SUI_COIN.parse().expect("the type of SUI is a type")
}

/// The package's next version, by the right to upgrade it.
fn upgrade(
    builder: &mut TransactionBuilder,
    upgrade: &Upgrade<'_>,
    inputs: &Inputs<'_>,
) -> Result<(), BuildError> {
    let cap = own(builder, upgrade.cap, inputs)?;
    let policy = builder.pure(&upgrade.policy);
    let digest = builder.pure(&upgrade.digest.to_vec());
    let ticket = builder.move_call(of_sui("authorize_upgrade"), vec![cap, policy, digest]);
    let receipt = builder.upgrade(
        upgrade.modules.to_vec(),
        upgrade.dependencies.to_vec(),
        upgrade.package,
        ticket,
    );
    builder.move_call(of_sui("commit_upgrade"), vec![cap, receipt]);
    Ok(())
}

/// A step of going over to the package's newest version.
fn migrate(
    builder: &mut TransactionBuilder,
    migration: &Migration<'_>,
    uses: &BTreeMap<ObjectId, bool>,
    inputs: &Inputs<'_>,
) -> Result<(), BuildError> {
    let function = |kind: ObjectKind, name| {
        Function::new(
            migration.deployment.package,
            Identifier::from_static(kind.move_name().0),
            Identifier::from_static(name),
        )
    };
    let db = shared(builder, migration.deployment.db, uses, inputs)?;
    match migration.what {
        Move::Announce { cap } => {
            let cap = own(builder, cap, inputs)?;
            let clock = shared(builder, CLOCK_OBJECT, uses, inputs)?;
            builder.move_call(function(ObjectKind::Db, "announce"), vec![db, cap, clock]);
        }
        Move::Db => {
            let clock = shared(builder, CLOCK_OBJECT, uses, inputs)?;
            builder.move_call(function(ObjectKind::Db, "migrate"), vec![db, clock]);
        }
        Move::Objects(objects) => {
            for (kind, id) in objects {
                let object = shared(builder, *id, uses, inputs)?;
                builder.move_call(function(*kind, "migrate"), vec![object, db]);
            }
        }
    }
    Ok(())
}

fn function_of(call: &Call, deployment: &Deployment) -> Function {
    let spec = call.function();
    Function::new(
        deployment.address_of(spec.package),
        Identifier::from_static(spec.module),
        Identifier::from_static(spec.name),
    )
}

/// A function of Sui's own module about packages.
fn of_sui(name: &'static str) -> Function {
    Function::new(
        Address::TWO,
        Identifier::from_static("package"),
        Identifier::from_static(name),
    )
}

fn arguments(
    builder: &mut TransactionBuilder,
    call: &Call,
    uses: &BTreeMap<ObjectId, bool>,
    inputs: &Inputs<'_>,
    payment: &mut impl FnMut() -> Argument,
) -> Result<Vec<Argument>, BuildError> {
    let mut arguments = Vec::new();
    for arg in call.args() {
        arguments.push(match arg {
            CallArg::Payment(_) => payment(),
            CallArg::Pure(bytes) => builder.pure_bytes(bytes),
            CallArg::Clock => shared(builder, CLOCK_OBJECT, uses, inputs)?,
            CallArg::Random => shared(builder, RANDOM_OBJECT, uses, inputs)?,
            CallArg::Object(id) => match inputs.owned.get(&id) {
                Some(object) => builder.object(owned(object)),
                None => shared(builder, id, uses, inputs)?,
            },
        });
    }
    Ok(arguments)
}

/// An object of the sender's.
fn own(
    builder: &mut TransactionBuilder,
    id: ObjectId,
    inputs: &Inputs<'_>,
) -> Result<Argument, BuildError> {
    let object = inputs.owned.get(&id);
    let object = object.ok_or(BuildError::Unresolved(id))?;
    Ok(builder.object(owned(object)))
}

fn shared(
    builder: &mut TransactionBuilder,
    id: ObjectId,
    uses: &BTreeMap<ObjectId, bool>,
    inputs: &Inputs<'_>,
) -> Result<Argument, BuildError> {
    let version = inputs.shared.get(&id).ok_or(BuildError::Unresolved(id))?;
    let mutable = uses.get(&id).copied().unwrap_or(false);
    Ok(builder.object(ObjectInput::shared(id, *version, mutable)))
}

#[cfg(test)]
#[path = "build_test.rs"]
mod tests;
