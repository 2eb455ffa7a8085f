//! Localnet's gRPC services, as anyone on the network can call them, and the transactions in them. A full
//! node's answers, which the client reads, are in [`chain`](super::chain).

use super::{Memory, Target};
use atoma_localnet::{Localnet, LocalnetConfig, RunningLocalnet};
use atoma_types::chain::{CLOCK_OBJECT, Call, LOCALNET_DB, LOCALNET_PACKAGE};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use prost::Message;
use std::sync::LazyLock;
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{
    Address, Argument, Command, GasPayment, Identifier, Input, MergeCoins, MoveCall,
    ProgrammableTransaction, SharedInput, SplitCoins, Transaction, TransactionExpiration,
    TransactionKind, TransferObjects,
};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// The methods that answer and end, by their paths.
const METHODS: [&str; 15] = [
    "LedgerService/GetServiceInfo",
    "LedgerService/GetObject",
    "LedgerService/BatchGetObjects",
    "LedgerService/GetTransaction",
    "LedgerService/BatchGetTransactions",
    "LedgerService/GetCheckpoint",
    "LedgerService/GetEpoch",
    "StateService/ListDynamicFields",
    "StateService/ListOwnedObjects",
    "StateService/GetCoinInfo",
    "StateService/GetBalance",
    "MovePackageService/GetFunction",
    "MovePackageService/GetPackage",
    "TransactionExecutionService/ExecuteTransaction",
    "TransactionExecutionService/SimulateTransaction",
];
const EXECUTE: usize = 13;
const SIMULATE: usize = 14;

/// A ledger that lives as long as the process. It is asked without a socket, so a localnet is all that it takes.
struct Ledger {
    runtime: Runtime,
    localnet: RunningLocalnet,
    _folder: tempfile::TempDir,
}

static LEDGER: LazyLock<Ledger> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let config = LocalnetConfig::new(folder.path());
    let localnet = runtime
        .block_on(Localnet::start(config))
        .expect("a localnet");
    Ledger {
        runtime,
        localnet,
        _folder: folder,
    }
});

impl Ledger {
    /// Calls a method; the status that it ends with, and what is said of it.
    fn call(&self, method: usize, message: &[u8]) -> (u32, String) {
        let mut frame = vec![0];
        frame.extend((message.len() as u32).to_be_bytes());
        frame.extend(message);
        let request = http::Request::post(format!("/sui.rpc.v2.{}", METHODS[method]))
            .header(http::header::CONTENT_TYPE, "application/grpc")
            .header(http::header::TE, "trailers")
            .body(Full::new(Bytes::from(frame)))
            .expect("a request");
        let services = self.localnet.services();
        let answered = self.runtime.block_on(async move {
            let answer = services.oneshot(request).await.expect("infallible");
            let (head, body) = answer.into_parts();
            let body = body.collect().await.expect("an answer");
            let of = |headers: &http::HeaderMap, name: &str| {
                let value = headers.get(name)?.to_str().ok()?;
                Some(value.to_owned())
            };
            let said = |name| of(&head.headers, name).or_else(|| of(body.trailers()?, name));
            let status = said("grpc-status")?.parse().ok()?;
            Some((status, said("grpc-message").unwrap_or_default()))
        });
        answered.expect("each answer ends with a status")
    }
}

/// What a message makes of the ledger: an answer or a refusal, never a fault of its own.
fn ask(method: usize, message: &[u8]) {
    let (status, message) = LEDGER.call(method, message);
    // unknown, internal, unavailable, data loss; tonic calls bytes that are no message internal, too
    let fault = [2, 13, 14, 15].contains(&status) && !message.starts_with("failed%20to%20decode");
    assert!(!fault, "{}: status {status}, {message}", METHODS[method]);
}

pub(super) const GRPC: Target = Target {
    name: "grpc",
    seeds: || {
        let message = |method: u8, bytes: Vec<u8>| [vec![method], bytes].concat();
        let db = LOCALNET_DB.to_string();
        let owner = Address::ZERO.to_string();
        let mask = || prost_types::FieldMask {
            paths: vec!["object_id".into(), "contents.value".into()],
        };
        let mut object = pb::GetObjectRequest::default().with_object_id(db.clone());
        object.read_mask = Some(mask());
        let mut owned = pb::ListOwnedObjectsRequest::default().with_owner(owner);
        owned.page_size = Some(3);
        owned.object_type = Some("0x2::coin::Coin<0x2::sui::SUI>".into());
        let mut fields = pb::ListDynamicFieldsRequest::default().with_parent(db);
        fields.page_token = Some(Bytes::from_static(&[0; 32]));
        let mut checkpoint = pb::GetCheckpointRequest::default();
        checkpoint.checkpoint_id =
            Some(pb::get_checkpoint_request::CheckpointId::SequenceNumber(0));
        checkpoint.read_mask = Some(mask());
        let mut function = pb::GetFunctionRequest::default();
        function.package_id = Some(LOCALNET_PACKAGE.to_string());
        function.module_name = Some("stack".into());
        function.name = Some("buy".into());
        let mut simulate = pb::SimulateTransactionRequest::default();
        simulate.transaction = Some(transfer().into());
        simulate.do_gas_selection = Some(true);
        let mut execute = pb::ExecuteTransactionRequest::default();
        execute.transaction = Some(transfer().into());
        vec![
            message(0, Vec::new()),
            message(1, object.encode_to_vec()),
            message(5, checkpoint.encode_to_vec()),
            message(7, fields.encode_to_vec()),
            message(8, owned.encode_to_vec()),
            message(11, function.encode_to_vec()),
            message(SIMULATE as u8, simulate.encode_to_vec()),
            message(EXECUTE as u8, execute.encode_to_vec()),
        ]
    },
    check: |bytes| {
        if let Some((&method, message)) = bytes.split_first() {
            ask(usize::from(method) % METHODS.len(), message);
        }
    },
    max_bytes: 2_000,
    memory: Memory {
        // pages of the database, and an answer of many objects
        fixed: 32 << 20,
        per_byte: 4_096,
    },
    mutants: 3_000,
};

/// The transaction of somebody who has money, run without being kept.
pub(super) const TRANSACTION: Target = Target {
    name: "transaction",
    seeds: || {
        let calls = Call::FUNCTIONS.iter().map(|function| {
            let inputs = function
                .args
                .iter()
                .enumerate()
                .map(|(place, _)| match place {
                    0 => Input::Shared(SharedInput::new(LOCALNET_DB, 1, true)),
                    1 => Input::Shared(SharedInput::new(CLOCK_OBJECT, 1, false)),
                    _ => Input::Pure(vec![0; 8]),
                });
            let call = MoveCall {
                package: LOCALNET_PACKAGE,
                module: Identifier::from_static(function.module),
                function: Identifier::from_static(function.name),
                type_arguments: Vec::new(),
                arguments: (0..function.args.len() as u16)
                    .map(Argument::Input)
                    .collect(),
            };
            program(inputs.collect(), vec![Command::MoveCall(call)])
        });
        let transactions = calls.chain([transfer()]);
        transactions
            .map(|transaction| bcs::to_bytes(&transaction).expect("a transaction"))
            .collect()
    },
    check: |bytes| {
        let Ok(mut transaction) = bcs::from_bytes::<Transaction>(bytes) else {
            return;
        };
        assert_eq!(bcs::to_bytes(&transaction).as_deref(), Ok(bytes));
        let rich = LEDGER.localnet.admin_key().public_key().address();
        transaction.sender = rich;
        transaction.gas_payment.owner = rich;
        transaction.gas_payment.objects.clear();
        transaction.gas_payment.budget = 0;
        let mut simulate = pb::SimulateTransactionRequest::default();
        simulate.transaction = Some(transaction.into());
        simulate.do_gas_selection = Some(true);
        ask(SIMULATE, &simulate.encode_to_vec());
        LEDGER.localnet.audit().expect("all money is there");
    },
    max_bytes: 1_500,
    memory: Memory {
        fixed: 32 << 20,
        per_byte: 4_096,
    },
    mutants: 2_000,
};

/// A coin of five, split off the gas and sent away.
fn transfer() -> Transaction {
    let split = Command::SplitCoins(SplitCoins {
        coin: Argument::Gas,
        amounts: vec![Argument::Input(0)],
    });
    let merge = Command::MergeCoins(MergeCoins {
        coin: Argument::Gas,
        coins_to_merge: vec![Argument::NestedResult(0, 0)],
    });
    let again = Command::SplitCoins(SplitCoins {
        coin: Argument::Gas,
        amounts: vec![Argument::Input(0), Argument::Input(0)],
    });
    let send = Command::TransferObjects(TransferObjects {
        objects: vec![Argument::NestedResult(2, 0), Argument::NestedResult(2, 1)],
        address: Argument::Input(1),
    });
    let inputs = vec![
        Input::Pure(5_u64.to_le_bytes().to_vec()),
        Input::Pure(vec![9; 32]),
    ];
    program(inputs, vec![split, merge, again, send])
}

fn program(inputs: Vec<Input>, commands: Vec<Command>) -> Transaction {
    Transaction {
        kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
            inputs,
            commands,
        }),
        sender: Address::ZERO,
        gas_payment: GasPayment {
            objects: Vec::new(),
            owner: Address::ZERO,
            price: 1_000,
            budget: 0,
        },
        expiration: TransactionExpiration::None,
    }
}
