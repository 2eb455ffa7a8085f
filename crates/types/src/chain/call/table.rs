//! The tables, and all that follows from them: a struct for each function's arguments, [`Call`] over
//! them, and both directions of their encoding.

use super::{
    error::CallError,
    field::{self, *},
    spec::{ArgKind, CallArg, FunctionSpec, Package},
};
use crate::{
    BlobId, ComputeUnits, DurationMs, MicroUsdc, NodeId, Numerics, Price, PublicKey, Role, Rule,
    SecurityLevel, UnitWeights,
    chain::{abort::AbortCode, objects::Selection},
    hash::Hash32,
};

macro_rules! calls {
    ($($(#[$list_doc:meta])* $list:ident of $package:ident {
        $($(#[$doc:meta])* $variant:ident = $module:ident::$function:ident {
            $($(#[$fdoc:meta])* $field:ident: $type:ty $(=> $code:ident)?),* $(,)?
        })*
    })*) => {
        /// A type for each function of the package, whose fields are its arguments.
        pub mod calls {
            use super::*;
            $($(
                $(#[$doc])*
                #[derive(Clone, Debug, PartialEq, Eq)]
                pub struct $variant { $($(#[$fdoc])* pub $field: $type),* }
                impl $variant {
                    /// The function, with its arguments as Move has them.
                    pub const FUNCTION: FunctionSpec = {
                        const FIELDS: &[(&str, &[(&str, ArgKind)])] =
                            &[$((stringify!($field), <$type as Field>::ARGS)),*];
                        const ARGS: [(&str, ArgKind); field::count(FIELDS)] = field::names(FIELDS);
                        FunctionSpec {
                            package: Package::$package,
                            module: stringify!($module),
                            name: stringify!($function),
                            args: &ARGS,
                        }
                    };
                }
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
            pub const $list: &'static [FunctionSpec] = &[$(calls::$variant::FUNCTION),*];)*

            /// The function that is called.
            #[must_use]
            pub fn function(&self) -> &'static FunctionSpec {
                match self { $($(Self::$variant(_) => &calls::$variant::FUNCTION,)*)* }
            }

            /// The arguments, in order.
            #[must_use]
            pub fn args(&self) -> Vec<CallArg> {
                let mut args = Vec::new();
                match self { $($(Self::$variant(call) => {
                    $(Field::encode(&call.$field, &mut args);)*
                })*)* }
                args
            }

            /// Reads a call of the function.
            ///
            /// # Errors
            /// If there is no such function, the arguments aren't its, or a value is none that it
            /// knows: with the code that the package aborts with, before it looks at the ledger.
            pub fn decode(function: &FunctionSpec, args: Vec<CallArg>) -> Result<Self, CallError> {
                match (function.package, function.module, function.name) {
                    $($((Package::$package, stringify!($module), stringify!($function)) => {
                        const FUNCTION: &str = concat!(stringify!($module), "::", stringify!($function));
                        let expected = calls::$variant::FUNCTION.args.len();
                        if args.len() != expected {
                            return Err(CallError::WrongCount { function: FUNCTION, expected, got: args.len() });
                        }
                        let mut args = args.into_iter();
                        Ok(Self::$variant(calls::$variant {
                            $($field: <$type as Field>::decode(&mut args).map_err(|error| {
                                const CODE: &[AbortCode] = &[$(AbortCode::$code)?];
                                error.of(stringify!($field), CODE.first().copied())
                            })?),*
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

calls! {
    /// Every function of our package, with its arguments.
    FUNCTIONS of Atoma {
        /// Sets a parameter by name.
        SetParam = db::set_param {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The admin's capability, which the sender must own.
            cap: Owned<AdminKind>,
            /// Name of the parameter.
            name: String,
            /// The value that it gets.
            value: u64,
        }
        /// Registers a node; shares a `Node` owned by the sender.
        RegisterNode = node::register {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The coins that are staked.
            collateral: Payment,
            /// The URL at which users will reach it, `http(s)://…`.
            url: String,
            /// Will sign its receipts.
            response_key: PublicKey => ResponseKeyInvalid,
            /// X25519 key that requests are sealed to, where it has one.
            sealing_key: Option<[u8; 32]> => SealingKeyInvalid,
        }
        /// Moves a node to another URL.
        SetNodeUrl = node::set_url {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The URL at which users will reach it from now on.
            url: String,
        }
        /// Adds to a node's collateral.
        AddCollateral = node::add_collateral {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The coins that are added to the stake.
            collateral: Payment,
        }
        /// Begins to leave; the node must have no subscription.
        BeginUnbonding = node::begin_unbonding {
            /// The database, for the length of the wait.
            db: ObjectRef<DbKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Takes the collateral out after the wait.
        WithdrawCollateral = node::withdraw_collateral {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Creates a task; shares a `Task` owned by the sender.
        CreateTask = task::create {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The kind of work, such as chat completion.
            role: Role => RoleUnknown,
            /// The model's name, as requests will give it.
            model_name: String,
            /// How its answers are made trustworthy.
            security_level: SecurityLevel => SecurityLevelUnknown,
            /// The highest price that nodes may ask, in micro-USDC for a million units.
            price_ceiling: Price,
            /// What one of each thing costs.
            weights: UnitWeights => WeightsInvalid,
            /// Content hash of the model.
            model: Hash32 => ModelHashInvalid,
            /// The arithmetic that answers are computed in.
            numerics: Numerics => NumericsUnknown,
            /// How a verifier compares.
            rule: Rule => RuleUnknown,
            /// The least reputation that a node needs, of 1000.
            min_reputation: u64,
            /// The least collateral that a node needs, in micro-USDC.
            min_collateral: MicroUsdc,
            /// Who may subscribe, if not everyone.
            allow_list: Option<Vec<NodeId>>,
        }
        /// Ends new business on a task.
        DeprecateTask = task::deprecate {
            /// The database (its list of models).
            db: ObjectMut<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
        }
        /// Subscribes a node to a task, or changes its price and capacity.
        Subscribe = task::subscribe {
            /// The database (paused or not).
            db: ObjectRef<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// Its price, in micro-USDC for a million units.
            price: Price,
            /// Units it will have under lease at once.
            capacity: ComputeUnits,
        }
        /// Leaves a task: no new leases; the entry goes with its last lease.
        Unsubscribe = task::unsubscribe {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
        }
        /// Copies a node's collateral, reputation and standing into a task; removes an entry that has
        /// left and has no open lease. Anyone may.
        SyncSubscription = task::sync {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Buys a stack; shares a `Stack` owned by the sender. Draws, so it ends its transaction.
        /// The payment must be exactly the escrow.
        AcquireStack = stack::acquire {
            /// The database, for the parameters.
            db: ObjectRef<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The escrow: `floor(max_price * units / 1e6)`, times the surcharge where the task samples.
            payment: Payment,
            /// How many compute units are bought.
            total_units: ComputeUnits,
            /// The highest price that the buyer pays, in micro-USDC for a million units.
            max_price: Price,
            /// Who may serve it.
            selection: Selection,
            /// Will sign its requests.
            request_key: PublicKey => RequestKeyInvalid,
            /// How long it lives.
            lifetime_ms: DurationMs,
            /// The ledger's random beacon, the object `0x8`.
            random: Random,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// A node takes a signed grant to the ledger and so gets the units (`Limited`, `Any`).
        Lease = stack::lease {
            /// The database (paused or not).
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, owned by the sender.
            node: ObjectRef<NodeKind>,
            /// BCS of the [`Grant`](crate::message::Grant).
            grant: Vec<u8>,
            /// Signature of the message before it.
            signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner adds units; a `Single` stack's go to its lease.
        TopUp = stack::top_up {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// Exactly what the escrow then lacks.
            payment: Payment,
            /// How many compute units are added.
            units: ComputeUnits,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner lets it live longer.
        Extend = stack::extend {
            /// The database, for the longest life.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// By how many milliseconds it lives longer.
            by_ms: DurationMs,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner takes back units that no node has.
        RevokeUngranted = stack::revoke_ungranted {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
        }
        /// The owner ends the stack now: nodes settle within the grace, and ungranted units go back.
        BeginClose = stack::begin_close {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// After expiry and grace, with no lease open or settling: pays the rest to the owner. Anyone may.
        CloseStack = stack::close_after_expiry {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// A node claims what its last receipt says, within the highest headers' ceilings. Opens a
        /// ticket. A lease never used is settled with empty lists and zero units.
        Settle = settlement::settle {
            /// The database, for the network id.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node, owned by the sender.
            node: ObjectRef<NodeKind>,
            /// Units claimed: the last receipt's cumulative units.
            claimed_units: ComputeUnits,
            /// BCS of the highest request header of each lane, lanes rising.
            headers: Vec<Vec<u8>>,
            /// Signatures of the headers, in their order.
            header_signatures: Vec<Vec<u8>>,
            /// BCS of the last receipt, or empty.
            last_receipt: Vec<u8>,
            /// Its signature, or empty.
            receipt_signature: Vec<u8>,
            /// Merkle root over the records.
            receipts_root: Hash32 => RootInvalid,
            /// How many receipts: the last one's `seq`.
            count: u64,
            /// The manifest's blob, if there is one.
            manifest_blob: Option<BlobId> => ManifestInvalid,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Pays a settled lease after its window: node, fee and owner's refund in one step. Anyone may.
        Claim = settlement::claim {
            /// The database, for reputation's steps and the epoch.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Closes a lease that its node let expire unsettled. Anyone may.
        ExpireLease = settlement::expire_lease {
            /// The database, for reputation's steps.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The stack's owner demands, against a stake, to see a record that the node has settled.
        OpenDispute = dispute::missing_response {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node, which is only read.
            node: ObjectRef<NodeKind>,
            /// Exactly the stack's `dispute_bond`.
            bond: Payment,
            /// Which record: its receipt's `seq`.
            seq: u64,
            /// BCS of the receipt that the owner holds, or empty: the record must have just this one.
            receipt: Vec<u8>,
            /// Its signature, or empty.
            receipt_signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Shows the record that is demanded, and where it is stored. Whoever owns a blob may; the stake
        /// is the node's.
        AnswerDispute = dispute::answer {
            /// The database, for the storage network's epoch.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node, which is only read.
            node: ObjectRef<NodeKind>,
            /// Where it is stored; the sender's own.
            blob: Owned<BlobKind>,
            /// BCS of the record's [`EvidenceLeaf`](crate::message::EvidenceLeaf).
            record: Vec<u8>,
            /// BCS of the [`Proof`](crate::merkle::Proof) that it is in the settlement.
            proof: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Ends a dispute that nobody answered in time: the node is guilty. Anyone may.
        ResolveDispute = dispute::resolve {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// Which record was demanded.
            seq: u64,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Proves by two receipts of one lease that they can't both be honest. Anyone may.
        ProveEquivocation = dispute::equivocation {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// BCS of a receipt.
            first: Vec<u8>,
            /// Signature of the first message.
            first_signature: Vec<u8>,
            /// BCS of another.
            second: Vec<u8>,
            /// Signature of the second message.
            second_signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Proves by a receipt that it, or the settlement after it, charges too much. Anyone may.
        ProveOverClaim = dispute::over_claim {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// BCS of the receipt.
            receipt: Vec<u8>,
            /// Signature of the receipt.
            receipt_signature: Vec<u8>,
            /// BCS of the request header that it is for, or empty.
            header: Vec<u8>,
            /// Its signature, or empty.
            header_signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Proves by a record of a settlement that it isn't one of an order and its receipt. Anyone may.
        ProveForgedRequest = dispute::forged_request {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The settled bytes: BCS of an [`EvidenceLeaf`](crate::message::EvidenceLeaf), or what
            /// stands in its place.
            record: Vec<u8>,
            /// BCS of the [`Proof`](crate::merkle::Proof) that it is in the settlement.
            proof: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Sweeps a task's fees into the communal treasury. Anyone may.
        CollectFees = treasury::collect_fees {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
        }
        /// Enters a node's units of the last epoch in the book. Anyone may.
        ReportUnits = treasury::report_units {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Pays a node its share of a reported epoch. Anyone may.
        PayTreasury = treasury::pay {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The node, whose owner is paid.
            node: ObjectRef<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
    /// Every function of localnet's development Walrus, with its arguments. Names are Walrus's where it
    /// has them; storage costs nothing, so there are no payments.
    WALRUS_FUNCTIONS of Walrus {
        /// Buys storage and registers a blob for it; the sender owns the `Blob`. Anyone may.
        RegisterBlob = system::register_blob {
            /// Walrus's `System`, which is only read.
            system: ObjectRef<SystemKind>,
            /// Bytes of storage: at least those of the encoded blob.
            storage_amount: u64,
            /// For how many epochs, this one included.
            epochs_ahead: u32,
            /// The blob's id, which follows from its bytes.
            blob_id: BlobId,
            /// The root that, with size and coding, gives the id.
            root_hash: RootHash,
            /// Its length in bytes.
            size: u64,
            /// Walrus's number of the coding: 1 is RS2.
            encoding_type: u8,
            /// Whether its owner may delete it before its time.
            deletable: bool,
        }
        /// Records the storage nodes' certificate of a blob.
        CertifyBlob = system::certify_blob {
            /// Walrus's `System`, which is only read.
            system: ObjectRef<SystemKind>,
            /// The blob's object, which the sender owns and which is changed.
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
            /// Walrus's `System`, which is only read.
            system: ObjectRef<SystemKind>,
            /// The blob's object, which the sender owns and which is changed.
            blob: OwnedMut<BlobKind>,
            /// For how many more epochs of Walrus it is kept.
            extended_epochs: u32,
        }
        /// Drops a blob that is deletable, was never certified, or has ended.
        DeleteBlob = system::delete_blob {
            /// Walrus's `System`, which is only read.
            system: ObjectRef<SystemKind>,
            /// The blob's object, which the sender owns and which is deleted.
            blob: Consumed<BlobKind>,
        }
        /// Ends the development Walrus's epoch and begins the next.
        AdvanceEpoch = system::advance_epoch {
            /// Walrus's `System`, which is changed.
            system: ObjectMut<SystemKind>,
            /// The Walrus operator's capability, which the sender must own.
            cap: Owned<OperatorKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Names the storage nodes. Each key must be known to be held by its node: whoever may call this
        /// vouches for it.
        SetCommittee = system::set_committee {
            /// Walrus's `System`, which is changed.
            system: ObjectMut<SystemKind>,
            /// The Walrus operator's capability, which the sender must own.
            cap: Owned<OperatorKind>,
            /// The nodes' BLS12-381 keys in G1, 48 bytes each.
            public_keys: Vec<Vec<u8>>,
            /// How many shards each keeps; together all shards.
            weights: Vec<u16>,
        }
    }
}
