//! What every localnet is born with: packages, clock, beacon, the contract, and all the money there
//! will ever be. The contract may be left out, to be published later.

use crate::{
    checkpoint::seal,
    clock,
    error::{Damage, LocalnetError},
    execution::gas,
    move_types::{identifier, type_origins},
    objects::{Draft, SUI, coin_contents},
    record::{Executed, Extra, Sealed},
    rules,
    state::Delta,
};
use atoma_runtime::Random;
use atoma_types::{
    Address, NetworkId, ObjectId, TimestampMs,
    chain::{CLOCK_OBJECT, Deployment, LOCALNET_USDC_PACKAGE, Package, Params, RANDOM_OBJECT},
};
use std::{collections::BTreeMap, sync::Arc};
use sui_sdk_types::{
    ChangedObject, Digest, ExecutionStatus, GasCostSummary, GasPayment, GenesisObject,
    GenesisTransaction, IdOperation, MovePackage, Object, ObjectData, ObjectIn, ObjectOut, Owner,
    StructTag, Transaction, TransactionEffects, TransactionEffectsV2, TransactionExpiration,
    TransactionKind,
};

/// All MIST there is: a tenth of Sui's supply of ten billion SUI.
pub(crate) const SUI_SUPPLY: u64 = 1_000_000_000_000_000_000;
/// All test dollars there are, in micro-USDC: ten billion.
pub(crate) const USDC_SUPPLY: u64 = 10_000_000_000_000_000;

/// What the administrator begins with, to pay for gas: a thousand SUI.
const ADMIN_SUI: u64 = 1_000_000_000_000;

/// Everything is born with this version.
const FIRST_VERSION: u64 = 1;

/// The first checkpoint and what is in it.
#[derive(Debug)]
pub(crate) struct Genesis {
    pub(crate) sealed: Arc<Sealed>,
    pub(crate) delta: Delta,
}

/// Makes a ledger. The treasurer holds all money, the administrator the contract's `AdminCap`. Without
/// parameters it is a ledger on which the contract is still to be published.
pub(crate) fn create(
    treasurer: Address,
    admin: Address,
    params: Option<Params>,
    now: TimestampMs,
    random: &dyn Random,
) -> Result<Genesis, LocalnetError> {
    // names no network yet: the network's id is the digest of what is made here
    let deployment = Deployment::localnet(NetworkId([0; 32]));
    let mut drafts: BTreeMap<ObjectId, Draft> = BTreeMap::new();
    for (id, module, name, contents) in [
        (CLOCK_OBJECT, "clock", "Clock", clock::contents(now)),
        // the beacon's state stays inside: clients only ever name the object
        (
            RANDOM_OBJECT,
            "random",
            "Random",
            RANDOM_OBJECT.as_bytes().to_vec(),
        ),
    ] {
        let draft = Draft {
            type_: StructTag::new(
                Address::TWO,
                identifier(module),
                identifier(name),
                Vec::new(),
            ),
            public_transfer: false,
            contents,
            owner: Owner::Shared(FIRST_VERSION),
        };
        drafts.insert(id, draft);
    }
    let published = params.is_some();
    let contract = match params {
        Some(params) => atoma_contract::State::genesis(&deployment, admin, params),
        None => atoma_contract::State::unpublished(&deployment, admin),
    };
    for (held, owner) in contract.iter() {
        let draft = rules::draft(&deployment, held, owner, FIRST_VERSION);
        drafts.insert(held.id(), draft);
    }
    let mut mint = |coin_type, balance, owner| {
        // ids at random, so that no two networks are the same
        let id = Address::new(random.bytes());
        drafts.insert(id, Draft::coin(id, coin_type, balance, owner));
        id
    };
    mint(SUI.clone(), ADMIN_SUI, admin);
    mint(deployment.usdc.clone(), USDC_SUPPLY, treasurer);
    let gas_coin = mint(SUI.clone(), 0, treasurer);
    // the treasurer pays for storage, so that the supply is coins, storage and fees from the start
    let stored: u64 = drafts
        .values()
        .map(|draft| gas::storage(draft.stored_bytes()))
        .sum();
    if let Some(draft) = drafts.get_mut(&gas_coin) {
        draft.contents = coin_contents(gas_coin, SUI_SUPPLY - ADMIN_SUI - stored);
    }
    assemble(drafts, packages(&deployment, published), now)
}

/// The packages, without code: localnet runs the contract's rules itself.
fn packages(deployment: &Deployment, published: bool) -> Vec<MovePackage> {
    let own = |package: Package| {
        let id = deployment.address_of(package);
        (id, type_origins(deployment, package))
    };
    let mut packages = vec![
        (Address::from_static("0x1"), Vec::new()),
        (Address::TWO, Vec::new()),
        (LOCALNET_USDC_PACKAGE, Vec::new()),
        own(Package::Walrus),
    ];
    if published {
        packages.push(own(Package::Atoma));
    }
    packages
        .into_iter()
        .map(|(id, type_origin_table)| MovePackage {
            id,
            version: FIRST_VERSION,
            modules: BTreeMap::new(),
            type_origin_table,
            linkage_table: BTreeMap::new(),
        })
        .collect()
}

/// Puts the objects into a genesis transaction and that into the first checkpoint.
fn assemble(
    drafts: BTreeMap<ObjectId, Draft>,
    packages: Vec<MovePackage>,
    now: TimestampMs,
) -> Result<Genesis, LocalnetError> {
    let damaged = || Damage::Missing("the id of an object of genesis");
    let mut born: Vec<(Arc<Object>, u64)> = Vec::new();
    for draft in drafts.into_values() {
        let rebate = gas::storage(draft.stored_bytes());
        let object = draft.seal(FIRST_VERSION, Digest::ZERO, rebate);
        born.push((object.ok_or_else(damaged)?, rebate));
    }
    for package in packages {
        let object = Object::new(
            ObjectData::Package(package),
            Owner::Immutable,
            Digest::ZERO,
            0,
        );
        born.push((Arc::new(object), 0));
    }
    let transaction = transaction(&born);
    let digest = transaction.digest();
    let written: Vec<Arc<Object>> = born
        .into_iter()
        .map(|(object, rebate)| {
            let data = object.data().clone();
            Arc::new(Object::new(data, *object.owner(), digest, rebate))
        })
        .collect();
    let stored = written.iter().fold(0u64, |sum, object| {
        sum.saturating_add(object.storage_rebate())
    });
    let executed = Arc::new(Executed {
        digest,
        checkpoint: 0,
        position: 0,
        time: now,
        effects: effects(digest, &written),
        transaction,
        signatures: Vec::new(),
        events: None,
        extra: Extra {
            types: types(&written),
            balance_changes: Vec::new(),
        },
    });
    let gas = GasCostSummary::new(0, stored, 0, 0);
    let sealed = seal(None, vec![executed], now, gas);
    Ok(Genesis {
        sealed: Arc::new(sealed),
        delta: Delta {
            digest,
            written,
            deleted: Vec::new(),
            changes: None,
        },
    })
}

/// The transaction that makes these objects.
fn transaction(born: &[(Arc<Object>, u64)]) -> Transaction {
    Transaction {
        kind: TransactionKind::Genesis(GenesisTransaction {
            objects: born
                .iter()
                .map(|(object, _)| GenesisObject::new(object.data().clone(), *object.owner()))
                .collect(),
        }),
        sender: Address::ZERO,
        gas_payment: GasPayment {
            objects: Vec::new(),
            owner: Address::ZERO,
            price: 1,
            budget: 0,
        },
        expiration: TransactionExpiration::None,
    }
}

fn types(written: &[Arc<Object>]) -> Vec<(ObjectId, String)> {
    let mut types: Vec<_> = written
        .iter()
        .map(|object| (object.object_id(), crate::objects::type_name(object)))
        .collect();
    types.sort();
    types
}

fn effects(digest: Digest, written: &[Arc<Object>]) -> TransactionEffects {
    let mut changed: Vec<_> = written
        .iter()
        .map(|object| ChangedObject {
            object_id: object.object_id(),
            input_state: ObjectIn::NotExist,
            output_state: match object.data() {
                ObjectData::Package(package) => ObjectOut::PackageWrite {
                    version: package.version,
                    digest: object.digest(),
                },
                ObjectData::Struct(_) => ObjectOut::ObjectWrite {
                    digest: object.digest(),
                    owner: *object.owner(),
                },
            },
            id_operation: IdOperation::Created,
        })
        .collect();
    changed.sort_by_key(|change| change.object_id);
    TransactionEffects::V2(Box::new(TransactionEffectsV2 {
        status: ExecutionStatus::Success,
        epoch: 0,
        gas_used: GasCostSummary::default(),
        transaction_digest: digest,
        gas_object_index: None,
        events_digest: None,
        dependencies: Vec::new(),
        lamport_version: FIRST_VERSION,
        changed_objects: changed,
        unchanged_consensus_objects: Vec::new(),
        auxiliary_data_digest: None,
    }))
}
