//! One transaction: an overlay over the state that calls write into.

use crate::{
    Abort, Changes, Env, Object, Owner, Payout, Rule, State, TableEntry, ensure,
    object::{encode, id_type, string_type},
    state::first_objects,
};
use atoma_types::{
    Address, MicroUsdc, NetworkId, NodeId, ObjectId, StackId, TaskId, TimestampMs,
    chain::{
        AbortCode, AdminCap, AtomaDb, Blob, Event, Node, Params, Stack, Table, Task, VERSION,
        WalrusCap, WalrusSystem,
    },
};
use serde::Serialize;
use sui_sdk_types::TypeTag;

/// A transaction under way. Drop it to abort.
#[derive(Debug)]
pub struct Txn<'a> {
    state: &'a State,
    env: Env,
    /// By calls that succeeded.
    done: Changes,
    /// By the call that runs.
    frame: Changes,
}

impl State {
    /// Begins a transaction. Nothing changes until its [`Changes`] are committed.
    #[must_use]
    pub fn begin(&self, env: Env) -> Txn<'_> {
        Txn::new(self, env)
    }
}

impl<'a> Txn<'a> {
    fn new(state: &'a State, env: Env) -> Self {
        let done = Changes {
            created: env.created,
            ..Changes::default()
        };
        Self {
            state,
            env,
            done,
            frame: Changes::default(),
        }
    }

    /// Runs the rule of one call. If it aborts, the transaction stands as before it.
    pub(crate) fn run(&mut self, rule: impl FnOnce(&mut Self) -> Rule) -> Result<(), Abort> {
        self.frame = Changes {
            created: self.done.created,
            paid_in: self.done.paid_in,
            ..Changes::default()
        };
        let outcome = rule(self);
        let frame = std::mem::take(&mut self.frame);
        outcome?;
        for id in frame.deleted {
            self.done.written.remove(&id);
            if self.state.get(id).is_some() {
                self.done.deleted.insert(id);
            }
        }
        for id in frame.written.keys() {
            self.done.deleted.remove(id);
        }
        self.done.written.extend(frame.written);
        self.done.events.extend(frame.events);
        self.done.payouts.extend(frame.payouts);
        self.done.created = frame.created;
        self.done.paid_in = frame.paid_in;
        Ok(())
    }

    /// Publishes the package: makes what its `init` makes, with the first parameters, for the sender. The
    /// caller sees to it that it is published once.
    pub fn publish(&mut self, db: ObjectId) {
        for (object, owner) in first_objects(db, self.env.sender, Params::default()) {
            self.done.written.insert(object.id(), (object, owner));
        }
    }

    /// An id that is this transaction's alone: for objects that the ledger makes itself between
    /// calls, such as coins.
    pub fn fresh_id(&mut self) -> ObjectId {
        let id = Address::derive_id(self.env.transaction, self.done.created);
        self.done.created += 1;
        id
    }

    /// An object as the calls so far have left it.
    #[must_use]
    pub fn get(&self, id: ObjectId) -> Option<&Object> {
        self.find(id).map(|(object, _)| object)
    }

    /// What the calls so far have done.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.done
    }

    /// Ends the transaction: all that it changed, paid and emitted, for the caller to write.
    #[must_use]
    pub fn finish(self) -> Changes {
        self.done
    }
}

// === what rules work with ===

impl Txn<'_> {
    pub(crate) fn sender(&self) -> Address {
        self.env.sender
    }

    pub(crate) fn now(&self) -> TimestampMs {
        self.env.now
    }

    pub(crate) fn network(&self) -> NetworkId {
        self.env.network
    }

    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.env.seed
    }

    fn find(&self, id: ObjectId) -> Option<&(Object, Owner)> {
        if self.frame.deleted.contains(&id) {
            return None;
        }
        if let Some(found) = self.frame.written.get(&id) {
            return Some(found);
        }
        if self.done.deleted.contains(&id) {
            return None;
        }
        self.done
            .written
            .get(&id)
            .or_else(|| self.state.get_owned(id))
    }

    fn require(&self, id: ObjectId) -> Rule<&(Object, Owner)> {
        self.find(id).ok_or(AbortCode::ObjectMissing)
    }

    pub(crate) fn db(&self, id: ObjectId) -> Rule<AtomaDb> {
        match self.require(id)? {
            (Object::Db(db), _) => {
                ensure(db.version == VERSION, AbortCode::WrongVersion)?;
                Ok(db.clone())
            }
            _ => Err(AbortCode::WrongObjectKind),
        }
    }

    pub(crate) fn admin_cap(&self, id: ObjectId) -> Rule<(AdminCap, Owner)> {
        match self.require(id)? {
            (Object::AdminCap(cap), owner) => Ok((cap.clone(), *owner)),
            _ => Err(AbortCode::WrongObjectKind),
        }
    }

    pub(crate) fn node(&self, id: ObjectId) -> Rule<Node> {
        match self.require(id)? {
            (Object::Node(node), _) => {
                ensure(node.version == VERSION, AbortCode::WrongVersion)?;
                Ok(node.clone())
            }
            _ => Err(AbortCode::WrongObjectKind),
        }
    }

    pub(crate) fn task(&self, id: ObjectId) -> Rule<Task> {
        match self.require(id)? {
            (Object::Task(task), _) => {
                ensure(task.version == VERSION, AbortCode::WrongVersion)?;
                Ok(task.clone())
            }
            _ => Err(AbortCode::WrongObjectKind),
        }
    }

    pub(crate) fn stack(&self, id: ObjectId) -> Rule<Stack> {
        match self.require(id)? {
            (Object::Stack(stack), _) => {
                ensure(stack.version == VERSION, AbortCode::WrongVersion)?;
                Ok(stack.clone())
            }
            _ => Err(AbortCode::WrongObjectKind),
        }
    }

    pub(crate) fn walrus_system(&self, id: ObjectId) -> Rule<WalrusSystem> {
        match self.require(id)? {
            (Object::WalrusSystem(system), _) => Ok(system.clone()),
            _ => Err(AbortCode::WrongObjectKind),
        }
    }

    pub(crate) fn walrus_cap(&self, id: ObjectId) -> Rule<(WalrusCap, Owner)> {
        match self.require(id)? {
            (Object::WalrusCap(cap), owner) => Ok((cap.clone(), *owner)),
            _ => Err(AbortCode::WrongObjectKind),
        }
    }

    /// A blob of the sender's, and that it is the sender's.
    pub(crate) fn own_blob(&self, id: ObjectId) -> Rule<(Blob, Owner)> {
        let (object, owner) = self.require(id)?;
        let Object::Blob(blob) = object else {
            return Err(AbortCode::WrongObjectKind);
        };
        ensure(
            *owner == Owner::Address(self.sender()),
            AbortCode::NotBlobOwner,
        )?;
        Ok((blob.clone(), *owner))
    }

    /// A node that the sender acts for.
    pub(crate) fn own_node(&self, id: ObjectId) -> Rule<Node> {
        let node = self.node(id)?;
        ensure(node.owner == self.sender(), AbortCode::NotNodeOwner)?;
        Ok(node)
    }

    /// A task that the sender made.
    pub(crate) fn own_task(&self, id: ObjectId) -> Rule<Task> {
        let task = self.task(id)?;
        ensure(task.owner == self.sender(), AbortCode::NotTaskOwner)?;
        Ok(task)
    }

    /// A stack that the sender bought.
    pub(crate) fn own_stack(&self, id: ObjectId) -> Rule<Stack> {
        let stack = self.stack(id)?;
        ensure(stack.owner == self.sender(), AbortCode::NotStackOwner)?;
        Ok(stack)
    }

    pub(crate) fn put_db(&mut self, db: AtomaDb) {
        self.put(Object::Db(db), Owner::Shared);
    }

    pub(crate) fn put_node(&mut self, node: Node) {
        self.put(Object::Node(node), Owner::Shared);
    }

    pub(crate) fn put_task(&mut self, task: Task) {
        self.put(Object::Task(task), Owner::Shared);
    }

    pub(crate) fn put_stack(&mut self, stack: Stack) {
        self.put(Object::Stack(stack), Owner::Shared);
    }

    pub(crate) fn put_walrus_system(&mut self, system: WalrusSystem) {
        self.put(Object::WalrusSystem(system), Owner::Shared);
    }

    pub(crate) fn put_blob(&mut self, blob: Blob, owner: Owner) {
        self.put(Object::Blob(blob), owner);
    }

    pub(crate) fn delete_blob(&mut self, id: ObjectId) {
        self.frame.written.remove(&id);
        self.frame.deleted.insert(id);
    }

    fn put(&mut self, object: Object, owner: Owner) {
        let id = object.id();
        self.frame.deleted.remove(&id);
        self.frame.written.insert(id, (object, owner));
    }

    pub(crate) fn new_node_id(&mut self) -> NodeId {
        NodeId(self.new_object_id())
    }

    pub(crate) fn new_task_id(&mut self) -> TaskId {
        TaskId(self.new_object_id())
    }

    pub(crate) fn new_stack_id(&mut self) -> StackId {
        StackId(self.new_object_id())
    }

    pub(crate) fn new_object_id(&mut self) -> ObjectId {
        let id = Address::derive_id(self.env.transaction, self.frame.created);
        self.frame.created += 1;
        id
    }

    pub(crate) fn emit(&mut self, event: impl Into<Event>) {
        self.frame.events.push(event.into());
    }

    /// Takes a payment; the rule puts it into some balance.
    pub(crate) fn take(&mut self, payment: MicroUsdc) -> Rule {
        self.frame.paid_in = self
            .frame
            .paid_in
            .checked_add(payment)
            .ok_or(AbortCode::AmountOverflow)?;
        Ok(())
    }

    /// Pays money out; the rule has taken it from some balance. Nothing is paid by no coin.
    pub(crate) fn pay(&mut self, to: Address, amount: MicroUsdc) {
        if amount > MicroUsdc::ZERO {
            self.frame.payouts.push(Payout { to, amount });
        }
    }

    // --- tables ---

    /// Adds `number -> id` to a table of small numbers; the first number is 1.
    pub(crate) fn add_numbered(&mut self, table: &mut Table, id: ObjectId) -> u64 {
        table.size += 1;
        let number = table.size;
        self.put_entry(table.id, TypeTag::U64, &number, id_type(), encode(&id));
        number
    }

    /// Adds one to the count under a name, making the entry if it isn't there.
    pub(crate) fn count_up(&mut self, table: &mut Table, name: &str) {
        let count = self.count(table, name);
        if count == 0 {
            table.size += 1;
        }
        let value = encode(&count.saturating_add(1));
        self.put_entry(table.id, string_type(), &name, TypeTag::U64, value);
    }

    /// Takes one from the count under a name; the entry goes with the last.
    pub(crate) fn count_down(&mut self, table: &mut Table, name: &str) {
        match self.count(table, name) {
            0 => {}
            1 => {
                let id = table
                    .id
                    .derive_dynamic_child_id(&string_type(), &encode(&name));
                self.frame.written.remove(&id);
                self.frame.deleted.insert(id);
                table.size = table.size.saturating_sub(1);
            }
            more => {
                let value = encode(&(more - 1));
                self.put_entry(table.id, string_type(), &name, TypeTag::U64, value);
            }
        }
    }

    fn count(&self, table: &Table, name: &str) -> u64 {
        let id = table
            .id
            .derive_dynamic_child_id(&string_type(), &encode(&name));
        match self.find(id) {
            Some((Object::Entry(entry), _)) => bcs::from_bytes(&entry.value).unwrap_or(0),
            _ => 0,
        }
    }

    fn put_entry(
        &mut self,
        parent: ObjectId,
        key_type: TypeTag,
        key: &impl Serialize,
        value_type: TypeTag,
        value: Vec<u8>,
    ) {
        let key = encode(key);
        let entry = TableEntry {
            id: parent.derive_dynamic_child_id(&key_type, &key),
            parent,
            key_type,
            key,
            value_type,
            value,
        };
        self.put(Object::Entry(entry), Owner::Object(parent));
    }
}
