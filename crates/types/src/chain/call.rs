//! The package's functions. One table gives, for each, its module, name and arguments in Move's
//! order; `ledger` builds transactions from it, localnet accepts exactly it, the Move package is
//! held against it. A second one has the functions of localnet's development Walrus.

use crate::{
    BlobId, ComputeUnits, DurationMs, MicroUsdc, NodeId, ObjectId, Price, PublicKey, StackId,
    TaskId, hash::Hash32,
};
use serde::{Serialize, de::DeserializeOwned};
use std::marker::PhantomData;

/// Whose code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Package {
    /// Our own package.
    Atoma,
    /// Walrus's; on localnet the development Walrus, which has this crate's functions.
    Walrus,
}

/// What kind of object an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// `db::AtomaDb`
    Db,
    /// `db::AdminCap`
    AdminCap,
    /// `node::Node`
    Node,
    /// `task::Task`
    Task,
    /// `stack::Stack`
    Stack,
    /// Walrus's `blob::Blob`
    Blob,
    /// The development Walrus's `system::System`
    WalrusSystem,
    /// The development Walrus's `system::OperatorCap`
    WalrusCap,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Db,
        Self::AdminCap,
        Self::Node,
        Self::Task,
        Self::Stack,
        Self::Blob,
        Self::WalrusSystem,
        Self::WalrusCap,
    ];

    /// Who defines it.
    #[must_use]
    pub fn package(self) -> Package {
        match self {
            Self::Db | Self::AdminCap | Self::Node | Self::Task | Self::Stack => Package::Atoma,
            Self::Blob | Self::WalrusSystem | Self::WalrusCap => Package::Walrus,
        }
    }

    /// Module and name of the Move type.
    #[must_use]
    pub fn move_name(self) -> (&'static str, &'static str) {
        match self {
            Self::Db => ("db", "AtomaDb"),
            Self::AdminCap => ("db", "AdminCap"),
            Self::Node => ("node", "Node"),
            Self::Task => ("task", "Task"),
            Self::Stack => ("stack", "Stack"),
            Self::Blob => ("blob", "Blob"),
            Self::WalrusSystem => ("system", "System"),
            Self::WalrusCap => ("system", "OperatorCap"),
        }
    }
}

/// The Move type of a value passed by its BCS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PureKind {
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u256`
    U256,
    /// `bool`
    Bool,
    /// `vector<u8>`
    Bytes,
    /// `vector<vector<u8>>`
    BytesList,
    /// `vector<u16>`
    U16List,
    /// `vector<u64>`
    U64List,
    /// `String`
    String,
    /// `Option<vector<ID>>`
    IdListOption,
}

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// `&mut T` of a shared object.
    Mutable(ObjectKind),
    /// `&T` of a shared object.
    Read(ObjectKind),
    /// `&T` of an object that the sender owns.
    Owned(ObjectKind),
    /// `&mut T` of an object that the sender owns.
    OwnedMut(ObjectKind),
    /// `T`: an object that the sender owns, consumed.
    Consumed(ObjectKind),
    /// `Coin<USDC>`, consumed.
    Payment,
    /// A plain value.
    Pure(PureKind),
    /// `&Clock`
    Clock,
    /// `&Random`: the function is a private entry of its own transaction.
    Random,
}

/// An argument's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallArg {
    /// An object, by id.
    Object(ObjectId),
    /// A coin of exactly this amount.
    Payment(MicroUsdc),
    /// BCS of a plain value.
    Pure(Vec<u8>),
    /// The clock.
    Clock,
    /// The random beacon.
    Random,
}

/// A function with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Whose it is.
    pub package: Package,
    /// The module.
    pub module: &'static str,
    /// The function.
    pub name: &'static str,
    /// Names and kinds, in order (Move's `TxContext` left out).
    pub args: &'static [(&'static str, ArgKind)],
}

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

/// A type that can stand as an argument.
trait Field: Sized {
    const KIND: ArgKind;
    fn encode(&self) -> CallArg;
    fn decode(arg: CallArg) -> Result<Self, String>;
}

macro_rules! object_field {
    ($(#[$doc:meta])* $name:ident => $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<K: Kind>(ObjectId, PhantomData<K>);

        impl<K: Kind> $name<K> {
            /// The object's id.
            #[must_use]
            pub fn id(&self) -> ObjectId { self.0 }
        }
        impl<K: Kind, I: Into<ObjectId>> From<I> for $name<K> {
            fn from(id: I) -> Self { Self(id.into(), PhantomData) }
        }
        impl<K: Kind> Field for $name<K> {
            const KIND: ArgKind = ArgKind::$kind(K::KIND);
            fn encode(&self) -> CallArg { CallArg::Object(self.0) }
            fn decode(arg: CallArg) -> Result<Self, String> {
                match arg {
                    CallArg::Object(id) => Ok(id.into()),
                    other => Err(format!("expected an object, not {other:?}")),
                }
            }
        }
    };
}

/// A type-level object kind.
pub trait Kind: Copy + std::fmt::Debug + PartialEq + Eq {
    /// The kind.
    const KIND: ObjectKind;
}

macro_rules! kinds {
    ($($name:ident => $kind:ident),*) => { $(
        /// Stands for the object kind of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;
        impl Kind for $name { const KIND: ObjectKind = ObjectKind::$kind; }
    )* };
}
kinds!(DbKind => Db, AdminKind => AdminCap, NodeKind => Node, TaskKind => Task, StackKind => Stack, BlobKind => Blob, SystemKind => WalrusSystem, OperatorKind => WalrusCap);

object_field!(
    /// `&mut` of a shared object.
    ObjectMut => Mutable
);
object_field!(
    /// `&` of a shared object.
    ObjectRef => Read
);
object_field!(
    /// `&` of an object that the sender owns.
    Owned => Owned
);
object_field!(
    /// `&mut` of an object that the sender owns.
    OwnedMut => OwnedMut
);
object_field!(
    /// An object that the sender owns, consumed.
    Consumed => Consumed
);

/// A coin of USDC that the call takes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment(pub MicroUsdc);

impl Field for Payment {
    const KIND: ArgKind = ArgKind::Payment;
    fn encode(&self) -> CallArg {
        CallArg::Payment(self.0)
    }
    fn decode(arg: CallArg) -> Result<Self, String> {
        match arg {
            CallArg::Payment(amount) => Ok(Self(amount)),
            other => Err(format!("expected a coin, not {other:?}")),
        }
    }
}

macro_rules! system_field {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;
        impl Field for $name {
            const KIND: ArgKind = ArgKind::$name;
            fn encode(&self) -> CallArg { CallArg::$name }
            fn decode(arg: CallArg) -> Result<Self, String> {
                match arg {
                    CallArg::$name => Ok(Self),
                    other => Err(format!(concat!("expected the ", stringify!($name), " object, not {:?}"), other)),
                }
            }
        }
    };
}
system_field!(
    /// The ledger's clock.
    Clock
);
system_field!(
    /// The ledger's random beacon.
    Random
);

fn decode_pure<T: DeserializeOwned>(arg: CallArg) -> Result<T, String> {
    match arg {
        CallArg::Pure(bytes) => bcs::from_bytes(&bytes).map_err(|e| e.to_string()),
        other => Err(format!("expected a plain value, not {other:?}")),
    }
}

fn encode_pure<T: Serialize>(value: &T) -> CallArg {
    // plain values: BCS can't refuse them
    CallArg::Pure(bcs::to_bytes(value).unwrap_or_default())
}

macro_rules! pure_field {
    ($($type:ty => $kind:ident),* $(,)?) => { $(
        impl Field for $type {
            const KIND: ArgKind = ArgKind::Pure(PureKind::$kind);
            fn encode(&self) -> CallArg { encode_pure(self) }
            fn decode(arg: CallArg) -> Result<Self, String> { decode_pure(arg) }
        }
    )* };
}
pure_field!(
    u8 => U8, u16 => U16, u32 => U32, u64 => U64, bool => Bool, String => String,
    Vec<u8> => Bytes, Vec<Vec<u8>> => BytesList, Vec<u16> => U16List, Vec<u64> => U64List,
    BlobId => U256, Hash32 => U256,
    MicroUsdc => U64, ComputeUnits => U64, Price => U64, DurationMs => U64,
    Option<Vec<NodeId>> => IdListOption,
);

/// As `vector<u8>` in Move, whose length the contract checks.
impl Field for PublicKey {
    const KIND: ArgKind = ArgKind::Pure(PureKind::Bytes);
    fn encode(&self) -> CallArg {
        encode_pure(&self.0.to_vec())
    }
    fn decode(arg: CallArg) -> Result<Self, String> {
        let bytes: Vec<u8> = decode_pure(arg)?;
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| "a key has 32 bytes".to_owned())
    }
}

macro_rules! calls {
    ($($(#[$list_doc:meta])* $list:ident of $package:ident {
        $($(#[$doc:meta])* $variant:ident = $module:ident::$function:ident {
            $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)?
        })*
    })*) => {
        /// The functions' arguments.
        pub mod calls {
            use super::*;
            $($(
                $(#[$doc])*
                #[derive(Clone, Debug, PartialEq, Eq)]
                pub struct $variant { $($(#[$fdoc])* pub $field: $type),* }
                impl From<$variant> for Call {
                    fn from(call: $variant) -> Self { Self::$variant(call) }
                }
            )*)*
        }

        /// A call of one of the functions.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Call { $($($(#[$doc])* $variant(calls::$variant),)*)* }

        impl Call {
            $($(#[$list_doc])*
            pub const $list: &'static [FunctionSpec] = &[$(FunctionSpec {
                package: Package::$package,
                module: stringify!($module),
                name: stringify!($function),
                args: &[$((stringify!($field), <$type as Field>::KIND)),*],
            }),*];)*

            /// The function that is called.
            #[must_use]
            pub fn function(&self) -> &'static FunctionSpec {
                let name = match self { $($(Self::$variant(_) =>
                    (Package::$package, stringify!($module), stringify!($function)),)*)* };
                // every variant stands in the table: both come from one list
                Self::spec(name.0, name.1, name.2).unwrap_or(&Self::FUNCTIONS[0])
            }

            /// The arguments, in order.
            #[must_use]
            pub fn args(&self) -> Vec<CallArg> {
                match self { $($(Self::$variant(call) => vec![$(Field::encode(&call.$field)),*],)*)* }
            }

            /// Reads a call of the function.
            pub fn decode(function: &FunctionSpec, args: Vec<CallArg>) -> Result<Self, CallError> {
                match (function.package, function.module, function.name) {
                    $($((Package::$package, stringify!($module), stringify!($function)) => {
                        const FUNCTION: &str = concat!(stringify!($module), "::", stringify!($function));
                        let names: &[&str] = &[$(stringify!($field)),*];
                        if args.len() != names.len() {
                            return Err(CallError::WrongCount { function: FUNCTION, expected: names.len(), got: args.len() });
                        }
                        let mut args = args.into_iter();
                        Ok(Self::$variant(calls::$variant {
                            $($field: args
                                .next()
                                .ok_or_else(|| "missing".to_owned())
                                .and_then(<$type as Field>::decode)
                                .map_err(|reason| CallError::WrongArgument { name: stringify!($field), reason })?),*
                        }))
                    })*)*
                    (_, module, name) => Err(CallError::UnknownFunction {
                        module: module.to_owned(),
                        name: name.to_owned(),
                    }),
                }
            }
        }
    };
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

calls! {
    /// Every function of our package, with its arguments.
    FUNCTIONS of Atoma {
        /// Sets a parameter by name.
        SetParam = db::set_param {
            /// The database.
            db: ObjectMut<DbKind>,
            /// The right to.
            cap: Owned<AdminKind>,
            /// Which.
            name: String,
            /// To what.
            value: u64,
        }
        /// Registers a node; shares a `Node` owned by the sender.
        RegisterNode = node::register {
            /// The database.
            db: ObjectMut<DbKind>,
            /// The collateral.
            collateral: Payment,
            /// Where it serves.
            url: String,
            /// Will sign its receipts.
            response_key: PublicKey,
            /// X25519 key, or empty.
            sealing_key: Vec<u8>,
        }
        /// Moves a node to another URL.
        SetNodeUrl = node::set_url {
            /// The node.
            node: ObjectMut<NodeKind>,
            /// The new URL.
            url: String,
        }
        /// Adds collateral.
        AddCollateral = node::add_collateral {
            /// The node.
            node: ObjectMut<NodeKind>,
            /// How much.
            collateral: Payment,
        }
        /// Begins to leave; the node must have no subscription.
        BeginUnbonding = node::begin_unbonding {
            /// The database, for the length of the wait.
            db: ObjectRef<DbKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// The clock.
            clock: Clock,
        }
        /// Takes the collateral out after the wait.
        WithdrawCollateral = node::withdraw_collateral {
            /// The node.
            node: ObjectMut<NodeKind>,
            /// The clock.
            clock: Clock,
        }
        /// Creates a task; shares a `Task` owned by the sender.
        CreateTask = task::create {
            /// The database.
            db: ObjectMut<DbKind>,
            /// A [`Role`](crate::Role)'s byte.
            role: u8,
            /// The model's name.
            model_name: String,
            /// A [`SecurityLevel`](crate::SecurityLevel)'s byte.
            security_level: u8,
            /// The highest price.
            price_ceiling: Price,
            /// The five unit weights in their order.
            weights: Vec<u64>,
            /// Content hash of the model, 32 bytes.
            model: Vec<u8>,
            /// A [`Numerics`](crate::Numerics)' byte.
            numerics: u8,
            /// A [`Rule`](crate::Rule)'s byte.
            rule: u8,
            /// Least reputation.
            min_reputation: u64,
            /// Least collateral.
            min_collateral: MicroUsdc,
            /// Who may subscribe, if not everyone.
            allow_list: Option<Vec<NodeId>>,
        }
        /// Ends new business on a task.
        DeprecateTask = task::deprecate {
            /// The database (its list of models).
            db: ObjectMut<DbKind>,
            /// The task.
            task: ObjectMut<TaskKind>,
        }
        /// Subscribes a node to a task, or changes its price and capacity.
        Subscribe = task::subscribe {
            /// The database (paused or not).
            db: ObjectRef<DbKind>,
            /// The task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// Its price.
            price: Price,
            /// Units it will have under lease at once.
            capacity: ComputeUnits,
        }
        /// Leaves a task: no new leases; the entry goes with its last lease.
        Unsubscribe = task::unsubscribe {
            /// The task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
        }
        /// Copies a node's collateral, reputation and standing into a task; removes an entry that has
        /// left and has no open lease. Anyone may.
        SyncSubscription = task::sync {
            /// The task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// The clock.
            clock: Clock,
        }
        /// Buys a stack; shares a `Stack` owned by the sender. Draws, so it ends its transaction.
        /// The payment must be exactly the escrow.
        AcquireStack = stack::acquire {
            /// The database, for the parameters.
            db: ObjectRef<DbKind>,
            /// The task.
            task: ObjectMut<TaskKind>,
            /// The escrow: `floor(max_price * units / 1e6)`, times the surcharge where the task samples.
            payment: Payment,
            /// How many units.
            total_units: ComputeUnits,
            /// The highest price.
            max_price: Price,
            /// 0 single, 1 limited, 2 any.
            selection: u8,
            /// How many nodes, where limited; else 0.
            nodes: u8,
            /// Will sign its requests.
            request_key: PublicKey,
            /// How long it lives.
            lifetime_ms: DurationMs,
            /// The beacon.
            random: Random,
            /// The clock.
            clock: Clock,
        }
        /// A node takes a signed grant to the ledger and so gets the units (`Limited`, `Any`).
        Lease = stack::lease {
            /// The database (paused or not).
            db: ObjectRef<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// Its task.
            task: ObjectMut<TaskKind>,
            /// The node, owned by the sender.
            node: ObjectRef<NodeKind>,
            /// BCS of the [`Grant`](crate::message::Grant).
            grant: Vec<u8>,
            /// Its signature.
            signature: Vec<u8>,
            /// The clock.
            clock: Clock,
        }
        /// The owner adds units; a `Single` stack's go to its lease.
        TopUp = stack::top_up {
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// Its task.
            task: ObjectMut<TaskKind>,
            /// Exactly what the escrow then lacks.
            payment: Payment,
            /// Units to add.
            units: ComputeUnits,
            /// The clock.
            clock: Clock,
        }
        /// The owner lets it live longer.
        Extend = stack::extend {
            /// The database, for the longest life.
            db: ObjectRef<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// By how much.
            by_ms: DurationMs,
            /// The clock.
            clock: Clock,
        }
        /// The owner takes back units that no node has.
        RevokeUngranted = stack::revoke_ungranted {
            /// The stack.
            stack: ObjectMut<StackKind>,
        }
        /// The owner ends the stack now: nodes settle within the grace, and ungranted units go back.
        BeginClose = stack::begin_close {
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// The clock.
            clock: Clock,
        }
        /// After expiry and grace, with no lease open or settling: pays the rest to the owner. Anyone may.
        CloseStack = stack::close_after_expiry {
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// The clock.
            clock: Clock,
        }
        /// A node claims what its last receipt says, within the highest headers' ceilings. Opens a
        /// ticket. A lease never used is settled with empty lists and zero units.
        Settle = settlement::settle {
            /// The database, for the network id.
            db: ObjectRef<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// The node, owned by the sender.
            node: ObjectRef<NodeKind>,
            /// Units claimed: the last receipt's cumulative units.
            claimed_units: ComputeUnits,
            /// BCS of the highest request header of each lane, lanes rising.
            headers: Vec<Vec<u8>>,
            /// Their signatures.
            header_signatures: Vec<Vec<u8>>,
            /// BCS of the last receipt, or empty.
            last_receipt: Vec<u8>,
            /// Its signature, or empty.
            receipt_signature: Vec<u8>,
            /// Merkle root over the records, 32 bytes.
            receipts_root: Vec<u8>,
            /// How many receipts: the last one's `seq`.
            count: u64,
            /// Blob id of the manifest, or empty.
            manifest_blob: Vec<u8>,
            /// The clock.
            clock: Clock,
        }
        /// Pays a settled lease after its window: node, fee and owner's refund in one step. Anyone may.
        Claim = settlement::claim {
            /// The database, for reputation's steps and the epoch.
            db: ObjectRef<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// Its task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// The clock.
            clock: Clock,
        }
        /// Closes a lease that its node let expire unsettled. Anyone may.
        ExpireLease = settlement::expire_lease {
            /// The database, for reputation's steps.
            db: ObjectRef<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// Its task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// The clock.
            clock: Clock,
        }
        /// The stack's owner demands, against a stake, to see a record that the node has settled.
        OpenDispute = dispute::missing_response {
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// The node.
            node: ObjectRef<NodeKind>,
            /// Exactly the stack's `dispute_bond`.
            bond: Payment,
            /// Which record: its receipt's `seq`.
            seq: u64,
            /// BCS of the receipt that the owner holds, or empty: the record must have just this one.
            receipt: Vec<u8>,
            /// Its signature, or empty.
            receipt_signature: Vec<u8>,
            /// The clock.
            clock: Clock,
        }
        /// Shows the record that is demanded, and where it is stored. Whoever owns a blob may; the stake
        /// is the node's.
        AnswerDispute = dispute::answer {
            /// The database, for the storage network's epoch.
            db: ObjectRef<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// The node.
            node: ObjectRef<NodeKind>,
            /// Where it is stored; the sender's own.
            blob: Owned<BlobKind>,
            /// BCS of the record's [`EvidenceLeaf`](crate::message::EvidenceLeaf).
            record: Vec<u8>,
            /// BCS of the [`Proof`](crate::merkle::Proof) that it is in the settlement.
            proof: Vec<u8>,
            /// The clock.
            clock: Clock,
        }
        /// Ends a dispute that nobody answered in time: the node is guilty. Anyone may.
        ResolveDispute = dispute::resolve {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// Its task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// Which record was demanded.
            seq: u64,
            /// The clock.
            clock: Clock,
        }
        /// Proves by two receipts of one lease that they can't both be honest. Anyone may.
        ProveEquivocation = dispute::equivocation {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// Its task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// BCS of a receipt.
            first: Vec<u8>,
            /// Its signature.
            first_signature: Vec<u8>,
            /// BCS of another.
            second: Vec<u8>,
            /// Its signature.
            second_signature: Vec<u8>,
            /// The clock.
            clock: Clock,
        }
        /// Proves by a receipt that it, or the settlement after it, charges too much. Anyone may.
        ProveOverClaim = dispute::over_claim {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// Its task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// BCS of the receipt.
            receipt: Vec<u8>,
            /// Its signature.
            receipt_signature: Vec<u8>,
            /// BCS of the request header that it is for, or empty.
            header: Vec<u8>,
            /// Its signature, or empty.
            header_signature: Vec<u8>,
            /// The clock.
            clock: Clock,
        }
        /// Proves by a record of a settlement that it isn't one of an order and its receipt. Anyone may.
        ProveForgedRequest = dispute::forged_request {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack.
            stack: ObjectMut<StackKind>,
            /// Its task.
            task: ObjectMut<TaskKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// The settled bytes: BCS of an [`EvidenceLeaf`](crate::message::EvidenceLeaf), or what
            /// stands in its place.
            record: Vec<u8>,
            /// BCS of the [`Proof`](crate::merkle::Proof) that it is in the settlement.
            proof: Vec<u8>,
            /// The clock.
            clock: Clock,
        }
        /// Sweeps a task's fees into the communal treasury. Anyone may.
        CollectFees = treasury::collect_fees {
            /// The database.
            db: ObjectMut<DbKind>,
            /// The task.
            task: ObjectMut<TaskKind>,
        }
        /// Enters a node's units of the last epoch in the book. Anyone may.
        ReportUnits = treasury::report_units {
            /// The database.
            db: ObjectMut<DbKind>,
            /// The node.
            node: ObjectMut<NodeKind>,
            /// The clock.
            clock: Clock,
        }
        /// Pays a node its share of a reported epoch. Anyone may.
        PayTreasury = treasury::pay {
            /// The database.
            db: ObjectMut<DbKind>,
            /// The node, whose owner is paid.
            node: ObjectRef<NodeKind>,
            /// The clock.
            clock: Clock,
        }
    }
    /// Every function of localnet's development Walrus, with its arguments. Names are Walrus's where it
    /// has them; storage costs nothing, so there are no payments.
    WALRUS_FUNCTIONS of Walrus {
        /// Buys storage and registers a blob for it; the sender owns the `Blob`. Anyone may.
        RegisterBlob = system::register_blob {
            /// The system.
            system: ObjectRef<SystemKind>,
            /// Bytes of storage: at least those of the encoded blob.
            storage_amount: u64,
            /// For how many epochs, this one included.
            epochs_ahead: u32,
            /// The blob.
            blob_id: BlobId,
            /// The root that, with size and coding, gives the id.
            root_hash: Hash32,
            /// Its length in bytes.
            size: u64,
            /// The coding.
            encoding_type: u8,
            /// Whether its owner may delete it before its time.
            deletable: bool,
        }
        /// Records the storage nodes' certificate of a blob.
        CertifyBlob = system::certify_blob {
            /// The system.
            system: ObjectRef<SystemKind>,
            /// The blob.
            blob: OwnedMut<BlobKind>,
            /// The signers' signatures in one, 96 bytes.
            signature: Vec<u8>,
            /// One bit per member of the committee, lowest first.
            signers_bitmap: Vec<u8>,
            /// What they signed: the storage confirmation of this epoch.
            message: Vec<u8>,
        }
        /// Keeps a certified blob for more epochs.
        ExtendBlob = system::extend_blob {
            /// The system.
            system: ObjectRef<SystemKind>,
            /// The blob.
            blob: OwnedMut<BlobKind>,
            /// How many more.
            extended_epochs: u32,
        }
        /// Drops a blob that is deletable, was never certified, or has ended.
        DeleteBlob = system::delete_blob {
            /// The system.
            system: ObjectRef<SystemKind>,
            /// The blob.
            blob: Consumed<BlobKind>,
        }
        /// Ends the epoch.
        AdvanceEpoch = system::advance_epoch {
            /// The system.
            system: ObjectMut<SystemKind>,
            /// The right to.
            cap: Owned<OperatorKind>,
            /// The clock.
            clock: Clock,
        }
        /// Names the storage nodes. Each key must be known to be held by its node: whoever may call this
        /// vouches for it.
        SetCommittee = system::set_committee {
            /// The system.
            system: ObjectMut<SystemKind>,
            /// The right to.
            cap: Owned<OperatorKind>,
            /// The nodes' BLS12-381 keys in G1, 48 bytes each.
            public_keys: Vec<Vec<u8>>,
            /// How many shards each keeps; together all shards.
            weights: Vec<u16>,
        }
    }
}

/// Ids as arguments, so that callers needn't convert.
macro_rules! id_args {
    ($($id:ty),*) => { $(
        impl From<&$id> for CallArg {
            fn from(id: &$id) -> Self { Self::Object(id.0) }
        }
    )* };
}
id_args!(NodeId, TaskId, StackId);

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
    use crate::Address;
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
