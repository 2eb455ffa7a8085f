//! Reading what the package keeps on the ledger, and its clock and balances.

use crate::{Connection, Ledger, ReadError, build::sui_coin, objects::decode};
use atoma_types::{
    Address, MicroUsdc, NodeId, ObjectId, StackId, TaskId, TimestampMs,
    chain::{AdminCap, AtomaDb, CLOCK_OBJECT, Node, ObjectKind, Stack, Table, Task},
};
use futures::future::BoxFuture;
use serde::{Deserialize, de::DeserializeOwned};
use sui_rpc::proto::sui::rpc::v2::GetBalanceRequest;
use sui_sdk_types::TypeTag;

#[derive(Deserialize)]
struct ClockObject {
    _id: ObjectId,
    timestamp_ms: TimestampMs,
}

impl Connection {
    /// The ledger's clock.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn clock(&self) -> BoxFuture<'_, Result<TimestampMs, ReadError>> {
        Box::pin(async move {
            let object = self.inner.object(CLOCK_OBJECT, "clock").await?;
            decode::<ClockObject>(&object).map(|clock| clock.timestamp_ms)
        })
    }

    /// What an address has in USDC, in coins and in its balance together.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn usdc(&self, owner: Address) -> BoxFuture<'_, Result<MicroUsdc, ReadError>> {
        Box::pin(async move { Ok(MicroUsdc(self.usdc_held(owner).await?.total())) })
    }

    /// What an address has for gas, in MIST, in coins and in its balance together.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn gas(&self, owner: Address) -> BoxFuture<'_, Result<u64, ReadError>> {
        Box::pin(async move { Ok(self.gas_held(owner).await?.total()) })
    }

    /// Where an address has its USDC; in micro-USDC.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn usdc_held(&self, owner: Address) -> BoxFuture<'_, Result<Holding, ReadError>> {
        Box::pin(async move { self.holding(owner, &self.surroundings.usdc).await })
    }

    /// Where an address has its SUI; in MIST.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn gas_held(&self, owner: Address) -> BoxFuture<'_, Result<Holding, ReadError>> {
        Box::pin(async move { self.holding(owner, &sui_coin()).await })
    }

    pub(crate) async fn holding(
        &self,
        owner: Address,
        kind: &TypeTag,
    ) -> Result<Holding, ReadError> {
        let request = GetBalanceRequest::default()
            .with_owner(owner.to_string())
            .with_coin_type(kind.to_string());
        let mut client = self.inner.client.clone();
        let answer = client.state_client().get_balance(request).await;
        let answer = answer.map_err(|status| self.refused(&status))?.into_inner();
        let balance = answer.balance();
        let in_balance = balance.address_balance();
        Ok(Holding {
            // a ledger that knows no address balances may tell the sum alone
            in_coins: balance.balance().saturating_sub(in_balance),
            in_balance,
        })
    }
}

/// Where an address has its money of one kind, in the smallest unit of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// In coins, each an object of its own.
    pub in_coins: u64,
    /// In the address's balance, which is a number and no object.
    pub in_balance: u64,
}

impl Holding {
    /// All of it.
    #[must_use]
    pub fn total(self) -> u64 {
        self.in_coins.saturating_add(self.in_balance)
    }
}

impl Ledger {
    /// The database.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn db(&self) -> BoxFuture<'_, Result<AtomaDb, ReadError>> {
        Box::pin(async move { self.read(self.deployment.db, ObjectKind::Db).await })
    }

    /// A node.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn node(&self, id: NodeId) -> BoxFuture<'_, Result<Node, ReadError>> {
        Box::pin(async move { self.read(id.0, ObjectKind::Node).await })
    }

    /// A task.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn task(&self, id: TaskId) -> BoxFuture<'_, Result<Task, ReadError>> {
        Box::pin(async move { self.read(id.0, ObjectKind::Task).await })
    }

    /// A stack.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn stack(&self, id: StackId) -> BoxFuture<'_, Result<Stack, ReadError>> {
        Box::pin(async move { self.read(id.0, ObjectKind::Stack).await })
    }

    /// Every registered node, by number.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn all_nodes(&self) -> BoxFuture<'_, Result<Vec<Node>, ReadError>> {
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
    pub fn all_tasks(&self) -> BoxFuture<'_, Result<Vec<Task>, ReadError>> {
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
    pub fn nodes<'a>(&'a self, ids: &'a [NodeId]) -> BoxFuture<'a, Result<Vec<Node>, ReadError>> {
        Box::pin(async move {
            let ids: Vec<ObjectId> = ids.iter().map(|id| id.0).collect();
            self.read_many(&ids, ObjectKind::Node).await
        })
    }

    /// Several tasks at once; those that don't exist are left out.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn tasks<'a>(&'a self, ids: &'a [TaskId]) -> BoxFuture<'a, Result<Vec<Task>, ReadError>> {
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
    ) -> BoxFuture<'a, Result<Vec<Stack>, ReadError>> {
        Box::pin(async move {
            let ids: Vec<ObjectId> = ids.iter().map(|id| id.0).collect();
            self.read_many(&ids, ObjectKind::Stack).await
        })
    }

    /// The capability to set parameters, if the address owns one for our database.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn admin_cap(&self, owner: Address) -> BoxFuture<'_, Result<Option<AdminCap>, ReadError>> {
        Box::pin(async move {
            let expected = self.deployment.type_of(ObjectKind::AdminCap);
            let caps: Vec<AdminCap> = self.inner.read_owned(owner, &expected).await?;
            Ok(caps.into_iter().find(|cap| cap.db == self.deployment.db))
        })
    }

    /// An object of a kind of ours.
    async fn read<T: DeserializeOwned>(
        &self,
        id: ObjectId,
        kind: ObjectKind,
    ) -> Result<T, ReadError> {
        let expected = self.deployment.type_of(kind);
        self.inner.read(id, kind.move_name().1, &expected).await
    }

    async fn read_table<T: DeserializeOwned>(
        &self,
        table: &Table,
        kind: ObjectKind,
    ) -> Result<Vec<T>, ReadError> {
        let expected = self.deployment.type_of(kind);
        self.inner.read_table(table, &expected).await
    }

    async fn read_many<T: DeserializeOwned>(
        &self,
        ids: &[ObjectId],
        kind: ObjectKind,
    ) -> Result<Vec<T>, ReadError> {
        let expected = self.deployment.type_of(kind);
        self.inner.read_many(ids, &expected).await
    }
}
