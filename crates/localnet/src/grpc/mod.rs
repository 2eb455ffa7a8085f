//! Sui's gRPC services over the ledger. Each file answers for one service; `message` makes the
//! messages that they share.

mod cursor;
mod execution;
mod filter;
mod ledger;
mod list;
mod message;
mod package;
mod resolve;
mod state;
mod subscription;

use crate::{access::LedgerAccess, error::LocalnetError, execution::Refusal, writer::Rejected};
use atoma_runtime::WithCauses;
use std::sync::Arc;
use sui_rpc::{
    field::{FieldMask, FieldMaskTree, FieldMaskUtil},
    proto::sui::rpc::v2 as pb,
};
use tonic::{Status, service::Routes};

/// A transaction's messages are small; Sui's own limit for one is 128 KiB.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// The services, all over the same ledger.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    access: Arc<LedgerAccess>,
}

/// All services as routes.
pub(crate) fn routes(access: Arc<LedgerAccess>) -> Routes {
    use pb::{
        ledger_service_server::LedgerServiceServer,
        move_package_service_server::MovePackageServiceServer,
        state_service_server::StateServiceServer,
        subscription_service_server::SubscriptionServiceServer,
        transaction_execution_service_server::TransactionExecutionServiceServer,
    };
    let services = Services { access };
    let limit = MAX_REQUEST_BYTES;
    Routes::new(LedgerServiceServer::new(services.clone()).max_decoding_message_size(limit))
        .add_service(StateServiceServer::new(services.clone()).max_decoding_message_size(limit))
        .add_service(
            TransactionExecutionServiceServer::new(services.clone())
                .max_decoding_message_size(limit),
        )
        .add_service(
            MovePackageServiceServer::new(services.clone()).max_decoding_message_size(limit),
        )
        .add_service(SubscriptionServiceServer::new(services).max_decoding_message_size(limit))
}

/// What the client wants to read, or the default where it doesn't say.
fn mask(given: Option<FieldMask>, default: &str) -> FieldMaskTree {
    FieldMaskTree::from(given.unwrap_or_else(|| FieldMask::from_str(default)))
}

/// An argument that doesn't parse.
fn invalid(field: &str, why: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("{field}: {why}"))
}

/// Parses a field that must be there.
fn parse<T: std::str::FromStr>(field: &str, text: Option<&str>) -> Result<T, Status>
where
    T::Err: std::fmt::Display,
{
    text.ok_or_else(|| invalid(field, "it is missing"))?
        .parse()
        .map_err(|error| invalid(field, error))
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::NoObject { .. } | Refusal::NoPackage { .. } => Status::not_found(text),
            Refusal::Version { .. }
            | Refusal::ObjectDigest { .. }
            | Refusal::Publication(_)
            | Refusal::GasBalance { .. }
            | Refusal::Expired(_) => Status::failed_precondition(text),
            Refusal::Unsupported(_) => Status::unimplemented(text),
            Refusal::Malformed(_)
            | Refusal::Signature(_)
            | Refusal::Ownership { .. }
            | Refusal::Twice { .. }
            | Refusal::Withdrawal { .. }
            | Refusal::GasPrice { .. }
            | Refusal::GasBudget { .. } => Status::invalid_argument(text),
        }
    }
}

impl From<Rejected> for Status {
    fn from(rejected: Rejected) -> Self {
        let text = rejected.to_string();
        match rejected {
            Rejected::Refused(refusal) => refusal.into(),
            Rejected::Busy => Status::resource_exhausted(text),
            Rejected::Stopped => Status::unavailable(text),
        }
    }
}

impl From<LocalnetError> for Status {
    fn from(error: LocalnetError) -> Self {
        tracing::error!(error = %WithCauses(&error), "a read failed");
        Status::internal(WithCauses(&error).to_string())
    }
}
