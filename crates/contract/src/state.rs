//! All objects of the package, and how changes get into them.

use crate::{Changes, Object, Owner, walrus};
use atoma_types::{
    Address, MicroUsdc, ObjectId,
    chain::{AdminCap, AtomaDb, Deployment, EpochBook, Params, Table, VERSION},
    hash::Hash32,
};
use std::collections::BTreeMap;

/// The package's objects, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    objects: BTreeMap<ObjectId, (Object, Owner)>,
}

impl State {
    /// A fresh package: its database and the administrator's right to it; and a development Walrus.
    #[must_use]
    pub fn genesis(deployment: &Deployment, admin: Address, params: Params) -> Self {
        let mut state = Self::unpublished(deployment, admin);
        for (object, owner) in first_objects(deployment.db, admin, params) {
            state.objects.insert(object.id(), (object, owner));
        }
        state
    }

    /// A ledger on which the package is still to be published ([`Txn::publish`](crate::Txn::publish)): a development Walrus.
    #[must_use]
    pub fn unpublished(deployment: &Deployment, admin: Address) -> Self {
        Self::restore(walrus::genesis(deployment, admin))
    }

    /// The state that these objects make up, read back from where they were stored.
    #[must_use]
    pub fn restore(objects: impl IntoIterator<Item = (Object, Owner)>) -> Self {
        Self {
            objects: objects
                .into_iter()
                .map(|(object, owner)| (object.id(), (object, owner)))
                .collect(),
        }
    }

    /// The object with this id, if there is one.
    #[must_use]
    pub fn get(&self, id: ObjectId) -> Option<&Object> {
        self.objects.get(&id).map(|(object, _)| object)
    }

    /// An object with its owner.
    #[must_use]
    pub fn get_owned(&self, id: ObjectId) -> Option<&(Object, Owner)> {
        self.objects.get(&id)
    }

    /// All objects with their owners, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&Object, Owner)> {
        self.objects
            .values()
            .map(|(object, owner)| (object, *owner))
    }

    /// Puts a transaction's changes in place. They must come from a transaction on this very state.
    pub fn commit(&mut self, changes: Changes) {
        for id in &changes.deleted {
            self.objects.remove(id);
        }
        self.objects.extend(changes.written);
    }
}

/// What Move's `init` makes: the database, and the administrator's right to it. Their ids are derived from
/// the database's here: `BLAKE2b-256("atoma/genesis/v1" ‖ db ‖ n)` for the tables of nodes (0), models (1)
/// and tasks (2) and for the `AdminCap` (3).
pub(crate) fn first_objects(db: ObjectId, admin: Address, params: Params) -> [(Object, Owner); 2] {
    let id = |n: u8| {
        let parts: [&[u8]; 3] = [b"atoma/genesis/v1", db.as_bytes(), &[n]];
        Address::new(Hash32::of_parts(&parts).0)
    };
    let table = |n| Table { id: id(n), size: 0 };
    let database = AtomaDb {
        id: db,
        version: VERSION,
        development: !params.are_sound(),
        params,
        nodes: table(0),
        models: table(1),
        tasks: table(2),
        communal_treasury: MicroUsdc::ZERO,
        book: EpochBook::default(),
    };
    let cap = AdminCap { id: id(3), db };
    [
        (Object::Db(database), Owner::Shared),
        (Object::AdminCap(cap), Owner::Address(admin)),
    ]
}
