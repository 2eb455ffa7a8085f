//! Reading objects: asked for by id, held against their Move type, decoded from their BCS.

use crate::{Ledger, LedgerError, mask::mask};
use atoma_types::{
    Address, MicroUsdc, NodeId, ObjectId, StackId, TaskId, TimestampMs,
    chain::{AdminCap, AtomaDb, CLOCK_OBJECT, Node, ObjectKind, SUI_COIN, Stack, Table, Task},
};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use serde::{Deserialize, de::DeserializeOwned};
use sui_rpc::proto::sui::rpc::v2::{
    self as proto, BatchGetObjectsRequest, GetBalanceRequest, GetObjectRequest,
    ListDynamicFieldsRequest, ListOwnedObjectsRequest, owner::OwnerKind,
};
use sui_sdk_types::StructTag;
use tonic::Code;

/// Objects in one question: as many as full nodes take.
const BATCH: usize = 50;
/// Table entries or owned objects in one page.
const PAGE: u32 = 500;

pub(crate) const OBJECT_FIELDS: &[&str] =
    &["object_id", "version", "owner", "object_type", "contents"];

#[derive(Deserialize)]
struct ClockObject {
    _id: ObjectId,
    timestamp_ms: TimestampMs,
}

impl Ledger {
    /// The ledger's clock.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn clock(&self) -> BoxFuture<'_, Result<TimestampMs, LedgerError>> {
        Box::pin(async move {
            let object = self.object(CLOCK_OBJECT, "clock").await?;
            decode::<ClockObject>(&object).map(|clock| clock.timestamp_ms)
        })
    }

    /// The database.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn db(&self) -> BoxFuture<'_, Result<AtomaDb, LedgerError>> {
        Box::pin(async move { self.read(self.inner.deployment.db, ObjectKind::Db).await })
    }

    /// A node.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn node(&self, id: NodeId) -> BoxFuture<'_, Result<Node, LedgerError>> {
        Box::pin(async move { self.read(id.0, ObjectKind::Node).await })
    }

    /// A task.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn task(&self, id: TaskId) -> BoxFuture<'_, Result<Task, LedgerError>> {
        Box::pin(async move { self.read(id.0, ObjectKind::Task).await })
    }

    /// A stack.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn stack(&self, id: StackId) -> BoxFuture<'_, Result<Stack, LedgerError>> {
        Box::pin(async move { self.read(id.0, ObjectKind::Stack).await })
    }

    /// Every registered node, by number.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn all_nodes(&self) -> BoxFuture<'_, Result<Vec<Node>, LedgerError>> {
        Box::pin(async move {
            let table = self.db().await?.nodes;
            let mut nodes: Vec<Node> = self.read_table(&table, ObjectKind::Node).await?;
            nodes.sort_by_key(|node| node.number);
            Ok(nodes)
        })
    }

    /// Every task, by number.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn all_tasks(&self) -> BoxFuture<'_, Result<Vec<Task>, LedgerError>> {
        Box::pin(async move {
            let table = self.db().await?.tasks;
            let mut tasks: Vec<Task> = self.read_table(&table, ObjectKind::Task).await?;
            tasks.sort_by_key(|task| task.number);
            Ok(tasks)
        })
    }

    /// Several nodes at once; those that don't exist are left out.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn nodes<'a>(&'a self, ids: &'a [NodeId]) -> BoxFuture<'a, Result<Vec<Node>, LedgerError>> {
        Box::pin(async move {
            let ids: Vec<ObjectId> = ids.iter().map(|id| id.0).collect();
            self.read_many(&ids, ObjectKind::Node).await
        })
    }

    /// Several tasks at once; those that don't exist are left out.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn tasks<'a>(&'a self, ids: &'a [TaskId]) -> BoxFuture<'a, Result<Vec<Task>, LedgerError>> {
        Box::pin(async move {
            let ids: Vec<ObjectId> = ids.iter().map(|id| id.0).collect();
            self.read_many(&ids, ObjectKind::Task).await
        })
    }

    /// Several stacks at once; those that don't exist are left out.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn stacks<'a>(
        &'a self,
        ids: &'a [StackId],
    ) -> BoxFuture<'a, Result<Vec<Stack>, LedgerError>> {
        Box::pin(async move {
            let ids: Vec<ObjectId> = ids.iter().map(|id| id.0).collect();
            self.read_many(&ids, ObjectKind::Stack).await
        })
    }

    /// What an address has in USDC.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn usdc(&self, owner: Address) -> BoxFuture<'_, Result<MicroUsdc, LedgerError>> {
        Box::pin(async move {
            let coin = self.inner.deployment.usdc.to_string();
            self.balance(owner, coin).await.map(MicroUsdc)
        })
    }

    /// What an address has for gas, in MIST.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn gas(&self, owner: Address) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(async move { self.balance(owner, SUI_COIN.to_owned()).await })
    }

    /// The capability to set parameters, if the address owns one for our database.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn admin_cap(
        &self,
        owner: Address,
    ) -> BoxFuture<'_, Result<Option<AdminCap>, LedgerError>> {
        Box::pin(async move {
            let caps: Vec<AdminCap> = self.read_owned(owner, ObjectKind::AdminCap).await?;
            Ok(caps
                .into_iter()
                .find(|cap| cap.db == self.inner.deployment.db))
        })
    }

    /// All objects of a kind that an address owns.
    pub(crate) async fn read_owned<T: DeserializeOwned>(
        &self,
        owner: Address,
        kind: ObjectKind,
    ) -> Result<Vec<T>, LedgerError> {
        let request = ListOwnedObjectsRequest::default()
            .with_owner(owner.to_string())
            .with_object_type(self.inner.deployment.type_of(kind).to_string())
            .with_page_size(PAGE)
            .with_read_mask(mask(OBJECT_FIELDS));
        let stream = self.inner.client.list_owned_objects(request);
        let objects: Vec<proto::Object> = stream
            .try_collect()
            .await
            .map_err(|status| self.refused(&status))?;
        objects.iter().map(decode).collect()
    }

    async fn balance(&self, owner: Address, coin: String) -> Result<u64, LedgerError> {
        let request = GetBalanceRequest::default()
            .with_owner(owner.to_string())
            .with_coin_type(coin);
        let mut client = self.inner.client.clone();
        let answer = client.state_client().get_balance(request).await;
        let answer = answer.map_err(|status| self.refused(&status))?.into_inner();
        Ok(answer.balance().balance())
    }

    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        id: ObjectId,
        kind: ObjectKind,
    ) -> Result<T, LedgerError> {
        let object = self.object(id, kind.move_name().1).await?;
        self.typed(id, &object, kind)
    }

    /// Decodes an object that is of the right type, and remembers its initial shared version.
    pub(crate) fn typed<T: DeserializeOwned>(
        &self,
        id: ObjectId,
        object: &proto::Object,
        kind: ObjectKind,
    ) -> Result<T, LedgerError> {
        let expected = self.inner.deployment.type_of(kind);
        if object.object_type().parse::<StructTag>().as_ref() != Ok(&expected) {
            return Err(LedgerError::WrongType {
                id,
                found: object.object_type().to_owned(),
                expected: expected.to_string(),
            });
        }
        if let Some(version) = shared_version(object) {
            self.inner.shared.write().insert(id, version);
        }
        decode(object)
    }

    async fn object(&self, id: ObjectId, what: &'static str) -> Result<proto::Object, LedgerError> {
        let request = GetObjectRequest::new(&id).with_read_mask(mask(OBJECT_FIELDS));
        let mut client = self.inner.client.clone();
        let not_found = || LedgerError::NotFound {
            what,
            id: id.to_string(),
        };
        match client.ledger_client().get_object(request).await {
            Ok(answer) => answer.into_inner().object.ok_or_else(not_found),
            Err(status) if status.code() == Code::NotFound => Err(not_found()),
            Err(status) => Err(self.refused(&status)),
        }
    }

    async fn read_table<T: DeserializeOwned>(
        &self,
        table: &Table,
        kind: ObjectKind,
    ) -> Result<Vec<T>, LedgerError> {
        let request = ListDynamicFieldsRequest::default()
            .with_parent(table.id.to_string())
            .with_page_size(PAGE)
            .with_read_mask(mask(&["field_id", "name", "value"]));
        let fields: Vec<proto::DynamicField> = self
            .inner
            .client
            .list_dynamic_fields(request)
            .try_collect()
            .await
            .map_err(|status| self.refused(&status))?;
        let ids = fields
            .iter()
            .map(|field| field.value().deserialize::<ObjectId>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| LedgerError::Malformed(format!("table entry: {e}")))?;
        self.read_many(&ids, kind).await
    }

    async fn read_many<T: DeserializeOwned>(
        &self,
        ids: &[ObjectId],
        kind: ObjectKind,
    ) -> Result<Vec<T>, LedgerError> {
        self.objects(ids, OBJECT_FIELDS)
            .await?
            .iter()
            .map(|object| {
                let id = object
                    .object_id()
                    .parse()
                    .map_err(|e| LedgerError::Malformed(format!("object id: {e}")))?;
                self.typed(id, object, kind)
            })
            .collect()
    }

    /// Several objects at once; those that don't exist are left out.
    pub(crate) async fn objects(
        &self,
        ids: &[ObjectId],
        fields: &[&str],
    ) -> Result<Vec<proto::Object>, LedgerError> {
        let mut objects = Vec::with_capacity(ids.len());
        let mut client = self.inner.client.clone();
        for batch in ids.chunks(BATCH) {
            let requests = batch.iter().map(GetObjectRequest::new).collect();
            let request = BatchGetObjectsRequest::default()
                .with_requests(requests)
                .with_read_mask(mask(fields));
            let answer = client.ledger_client().batch_get_objects(request).await;
            let answer = answer.map_err(|status| self.refused(&status))?.into_inner();
            let found = answer
                .objects
                .into_iter()
                .map(proto::GetObjectResult::to_result);
            for result in found {
                match result {
                    Ok(object) => objects.push(object),
                    Err(status) if Code::from(status.code) == Code::NotFound => {}
                    Err(status) => return Err(LedgerError::Rejected(status.message)),
                }
            }
        }
        Ok(objects)
    }

    /// The version at which an object was shared; asked for once.
    pub(crate) async fn initial_version(&self, id: ObjectId) -> Result<u64, LedgerError> {
        if let Some(&version) = self.inner.shared.read().get(&id) {
            return Ok(version);
        }
        let object = self.object(id, "object").await?;
        let version = shared_version(&object)
            .ok_or_else(|| LedgerError::Build(format!("object {id} is not shared")))?;
        self.inner.shared.write().insert(id, version);
        Ok(version)
    }
}

fn shared_version(object: &proto::Object) -> Option<u64> {
    let owner = object.owner();
    (owner.kind() == OwnerKind::Shared).then(|| owner.version())
}

fn decode<T: DeserializeOwned>(object: &proto::Object) -> Result<T, LedgerError> {
    bcs::from_bytes(object.contents().value())
        .map_err(|e| LedgerError::Malformed(format!("object {}: {e}", object.object_id())))
}
