//! Everything that is live: objects, who owns them, the contract's own state, and which
//! transactions were executed. Plain memory; a [`Delta`] is what one transaction does to it.

use crate::{balances, error::LocalnetError, objects, rules};
use atoma_contract::Changes;
use atoma_types::{Address, ObjectId, chain::Deployment};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, HashSet},
    ops::Bound,
    sync::Arc,
};
use sui_sdk_types::{Digest, Object, ObjectData, Owner, StructTag, TypeTag};

/// What one transaction leaves behind.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    /// The transaction's digest.
    pub(crate) digest: Digest,
    /// Objects in their new versions.
    pub(crate) written: Vec<Arc<Object>>,
    /// Objects that are gone.
    pub(crate) deleted: Vec<ObjectId>,
    /// The contract's part.
    pub(crate) changes: Option<Changes>,
}

/// One entry of the owners' index: coins of a type come with the largest first.
type OwnedKey = (StructTag, Reverse<u64>, ObjectId);

/// A page's end: the next page begins after it.
pub(crate) type OwnedCursor = OwnedKey;

/// The live state.
#[derive(Debug)]
pub(crate) struct State {
    deployment: Deployment,
    objects: HashMap<ObjectId, Arc<Object>>,
    owned: HashMap<Address, BTreeSet<OwnedKey>>,
    executed: HashSet<Digest>,
    contract: atoma_contract::State,
}

impl State {
    /// Rebuilds the state from stored objects and digests.
    pub(crate) fn restore(
        deployment: Deployment,
        stored: Vec<Arc<Object>>,
        executed: HashSet<Digest>,
    ) -> Result<Self, LocalnetError> {
        let mut held = Vec::new();
        for object in &stored {
            held.extend(rules::held(&deployment, object)?);
        }
        let mut state = Self {
            deployment,
            objects: HashMap::with_capacity(stored.len()),
            owned: HashMap::new(),
            executed,
            contract: atoma_contract::State::restore(held),
        };
        for object in stored {
            state.put(object);
        }
        Ok(state)
    }

    /// Where the package stands, or will once it is published.
    pub(crate) fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The contract's state.
    pub(crate) fn contract(&self) -> &atoma_contract::State {
        &self.contract
    }

    /// A live object.
    pub(crate) fn object(&self, id: &ObjectId) -> Option<&Arc<Object>> {
        self.objects.get(id)
    }

    /// Whether a package stands there.
    pub(crate) fn is_package(&self, id: &ObjectId) -> bool {
        self.object(id)
            .is_some_and(|object| matches!(object.data(), ObjectData::Package(_)))
    }

    /// All live objects, in no order: for sums.
    #[expect(clippy::disallowed_methods, reason = "a sum has no order")]
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// Whether a transaction was executed.
    pub(crate) fn was_executed(&self, digest: &Digest) -> bool {
        self.executed.contains(digest)
    }

    /// What an address (or an object) owns: by type, then the largest coins first.
    pub(crate) fn owned<'a>(
        &'a self,
        owner: &Address,
        after: Option<&OwnedCursor>,
    ) -> impl Iterator<Item = (&'a OwnedCursor, &'a Arc<Object>)> {
        let from = match after {
            Some(key) => Bound::Excluded(key.clone()),
            None => Bound::Unbounded,
        };
        self.owned
            .get(owner)
            .into_iter()
            .flat_map(move |keys| keys.range((from.clone(), Bound::Unbounded)))
            .filter_map(|key| Some((key, self.objects.get(&key.2)?)))
    }

    /// Coins of one type that an address owns, the largest first.
    pub(crate) fn coins<'a>(
        &'a self,
        owner: &Address,
        coin_type: &TypeTag,
    ) -> impl Iterator<Item = (&'a Arc<Object>, u64)> {
        let type_ = StructTag::coin(coin_type.clone());
        let first = (type_.clone(), Reverse(u64::MAX), Address::ZERO);
        self.owned
            .get(owner)
            .into_iter()
            .flat_map(move |keys| keys.range(first.clone()..))
            .take_while(move |key| key.0 == type_)
            .filter_map(|key| Some((self.objects.get(&key.2)?, key.1.0)))
    }

    /// An address's balance of one kind of money, coins not counted.
    pub(crate) fn balance(&self, owner: &Address, coin_type: &TypeTag) -> u64 {
        let object = self.object(&balances::id(owner, coin_type));
        object
            .and_then(|object| balances::read(object))
            .map_or(0, |(_, amount)| amount)
    }

    /// Takes a transaction in.
    pub(crate) fn apply(&mut self, delta: &Delta) {
        for id in &delta.deleted {
            self.remove(id);
        }
        for object in &delta.written {
            self.put(Arc::clone(object));
        }
        if let Some(changes) = &delta.changes {
            self.contract.commit(changes.clone());
        }
        self.executed.insert(delta.digest);
    }

    fn put(&mut self, object: Arc<Object>) {
        self.remove(&object.object_id());
        if let Some((owner, key)) = index_key(&object) {
            self.owned.entry(owner).or_default().insert(key);
        }
        self.objects.insert(object.object_id(), object);
    }

    fn remove(&mut self, id: &ObjectId) {
        let Some(old) = self.objects.remove(id) else {
            return;
        };
        if let Some((owner, key)) = index_key(&old)
            && let Some(keys) = self.owned.get_mut(&owner)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.owned.remove(&owner);
            }
        }
    }
}

fn index_key(object: &Object) -> Option<(Address, OwnedKey)> {
    let owner = match *object.owner() {
        Owner::Address(owner) | Owner::Object(owner) => owner,
        _ => return None,
    };
    let type_ = object.as_struct()?.object_type().clone();
    let balance = objects::as_coin(object).map_or(0, |(_, balance)| balance);
    Some((owner, (type_, Reverse(balance), object.object_id())))
}
