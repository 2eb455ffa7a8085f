//! A localnet of its own for each test, driven by Sui's own client. Not by `atoma-network`: what it builds on is
//! tested here, without a client of ours, and configurations that it wouldn't start with.
#![allow(dead_code)] // each test file uses its part

use atoma_keys::SigningKey;
use atoma_localnet::{Localnet, LocalnetConfig, RunningLocalnet};
use atoma_runtime::Threads;
use atoma_types::{
    Address, ComputeUnits, DurationMs, EngineClass, MicroUsdc, Numerics, ObjectId, Price,
    PublicKey, Rule, TaskId, UnitWeights,
    chain::{Call, CallArg, Clock, Deployment, NewTask, Payment, Random, calls},
    hash::Hash32,
};
use std::{
    io::{Read, Write},
    net::SocketAddr,
};
use sui_crypto::SuiSigner;
use sui_rpc::{
    Client,
    field::{FieldMask, FieldMaskUtil},
    proto::sui::rpc::v2 as pb,
};
use sui_sdk_types::{Identifier, StructTag, Transaction, TypeTag};
use sui_transaction_builder::{Function, ObjectInput, TransactionBuilder, intent::Coin};

/// A localnet with a client.
pub(crate) struct World {
    pub(crate) localnet: RunningLocalnet,
    pub(crate) client: Client,
    pub(crate) dir: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut LocalnetConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = LocalnetConfig::new(dir.path());
        change(&mut config);
        let localnet = Localnet::start(config).await.unwrap();
        let client = Client::new(localnet.url()).unwrap();
        Self {
            localnet,
            client,
            dir,
        }
    }

    /// A key with SUI and USDC from the faucet.
    pub(crate) async fn rich(&self, seed: u8) -> SigningKey {
        let key = SigningKey::from_seed(&[seed; 32]);
        let body = format!(
            r#"{{"FixedAmountRequest":{{"recipient":"{}"}}}}"#,
            address(&key)
        );
        let (status, body) = post(self.localnet.address(), "/v2/gas", &body).await;
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("\"Success\""), "{body}");
        key
    }

    pub(crate) async fn balance(&mut self, owner: Address, coin_type: &TypeTag) -> u64 {
        let mut request = pb::GetBalanceRequest::default();
        request.owner = Some(owner.to_string());
        request.coin_type = Some(coin_type.to_string());
        let response = self
            .client
            .state_client()
            .get_balance(request)
            .await
            .unwrap();
        response.into_inner().balance.unwrap().balance.unwrap()
    }

    pub(crate) async fn sui(&mut self, owner: Address) -> u64 {
        self.balance(owner, &StructTag::sui().into()).await
    }

    pub(crate) async fn usdc(&mut self, owner: Address) -> u64 {
        let usdc = self.localnet.deployment().usdc;
        self.balance(owner, &usdc).await
    }

    pub(crate) async fn execute(
        &mut self,
        key: &SigningKey,
        transaction: &Transaction,
    ) -> Result<pb::ExecutedTransaction, tonic::Status> {
        let signature = key.wallet_key().sign_transaction(transaction).unwrap();
        let mut request = pb::ExecuteTransactionRequest::default();
        request.transaction = Some(transaction.clone().into());
        request.signatures = vec![signature.into()];
        request.read_mask = Some(FieldMask::from_paths(["*"]));
        let response = self
            .client
            .execution_client()
            .execute_transaction(request)
            .await?;
        Ok(response.into_inner().transaction.unwrap())
    }

    /// Builds and executes calls of the package; the first one's new shared object, if it made one.
    pub(crate) async fn call(
        &mut self,
        key: &SigningKey,
        calls: &[Call],
    ) -> pb::ExecutedTransaction {
        let transaction = self.build(key, calls).await.unwrap();
        self.execute(key, &transaction).await.unwrap()
    }

    pub(crate) async fn build(
        &mut self,
        key: &SigningKey,
        calls: &[Call],
    ) -> Result<Transaction, sui_transaction_builder::Error> {
        let mut builder = TransactionBuilder::new();
        builder.set_sender(address(key));
        add_calls(&mut builder, &self.localnet.deployment(), calls);
        builder.build(&mut self.client).await
    }

    /// A node on a task of its own; returns the task.
    pub(crate) async fn serving_node(&mut self, key: &SigningKey) -> TaskId {
        let db = self.localnet.deployment().db;
        let node = self.call(key, &[register(db, key)]).await;
        let node = created(&node, "::node::Node");
        let task = self.call(key, &[create_task(db)]).await;
        let task = created(&task, "::task::Task");
        let subscribe = calls::Subscribe {
            db: db.into(),
            task: task.into(),
            node: node.into(),
            price: Price(1_000_000),
            clock: Clock,
        };
        let done = self.call(key, &[subscribe.into()]).await;
        assert_success(&done);
        TaskId(task)
    }
}

pub(crate) fn address(key: &SigningKey) -> Address {
    key.public_key().address()
}

pub(crate) fn register(db: ObjectId, key: &SigningKey) -> Call {
    calls::RegisterNode {
        db: db.into(),
        collateral: Payment(MicroUsdc(100_000_000)),
        url: "http://127.0.0.1:1".to_owned(),
        response_key: key.public_key(),
        sealing_key: None,
        clock: Clock,
    }
    .into()
}

pub(crate) fn create_task(db: ObjectId) -> Call {
    let engine = EngineClass {
        model: Hash32([7; 32]),
        numerics: Numerics::DetF32V1,
        rule: Rule::Exact,
    };
    let task = NewTask {
        weights: UnitWeights {
            input: 1,
            cached_input: 1,
            output: 1,
            image_step: 1,
            audio_second: 1,
        },
        ..NewTask::chat("test-model", engine, Price(5_000_000))
    };
    task.call(db)
}

pub(crate) fn acquire(db: ObjectId, task: TaskId, request_key: PublicKey, payment: u64) -> Call {
    calls::AcquireStack {
        db: db.into(),
        task: task.into(),
        payment: Payment(MicroUsdc(payment)),
        total_units: ComputeUnits(1_000),
        max_price: Price(2_000_000),
        nodes: 0,
        request_key,
        lifetime_ms: DurationMs(3_600_000),
        random: Random,
        clock: Clock,
    }
    .into()
}

/// Adds calls as `ledger` does: objects by id, payments as coins of exactly that amount.
pub(crate) fn add_calls(builder: &mut TransactionBuilder, deployment: &Deployment, calls: &[Call]) {
    for call in calls {
        let TypeTag::Struct(usdc) = deployment.usdc.clone() else {
            unreachable!("USDC is a struct")
        };
        let args = call
            .args()
            .into_iter()
            .map(|arg| match arg {
                CallArg::Object(id) => builder.object(ObjectInput::new(id)),
                CallArg::Payment(amount) => builder.intent(Coin::new(*usdc.clone(), amount.0)),
                CallArg::Pure(bytes) => builder.pure_bytes(bytes),
                CallArg::Clock => {
                    builder.object(ObjectInput::new(atoma_types::chain::CLOCK_OBJECT))
                }
                CallArg::Random => {
                    builder.object(ObjectInput::new(atoma_types::chain::RANDOM_OBJECT))
                }
            })
            .collect();
        let spec = call.function();
        let function = Function::new(
            deployment.package,
            Identifier::from_static(spec.module),
            Identifier::from_static(spec.name),
        );
        builder.move_call(function, args);
    }
}

/// The id of the object of a type that a transaction made.
pub(crate) fn created(executed: &pb::ExecutedTransaction, type_end: &str) -> ObjectId {
    assert_success(executed);
    let changed = &executed.effects.as_ref().unwrap().changed_objects;
    let object = changed
        .iter()
        .find(|change| {
            change.id_operation == Some(pb::changed_object::IdOperation::Created as i32)
                && change.object_type.as_ref().unwrap().ends_with(type_end)
        })
        .unwrap();
    object.object_id.as_ref().unwrap().parse().unwrap()
}

pub(crate) fn status(executed: &pb::ExecutedTransaction) -> &pb::ExecutionStatus {
    executed.effects.as_ref().unwrap().status.as_ref().unwrap()
}

pub(crate) fn assert_success(executed: &pb::ExecutedTransaction) {
    assert_eq!(
        status(executed).success,
        Some(true),
        "{:?}",
        status(executed)
    );
}

/// A plain HTTP POST.
pub(crate) async fn post(to: SocketAddr, path: &str, body: &str) -> (u16, String) {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localnet\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let ask = move || {
        let mut stream = std::net::TcpStream::connect(to).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        let body = text.split_once("\r\n\r\n").unwrap().1.to_owned();
        (status, body)
    };
    Threads::Real.blocking(ask).await.unwrap()
}
