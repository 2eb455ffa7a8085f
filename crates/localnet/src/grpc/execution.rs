//! `TransactionExecutionService`: executes signed transactions and simulates unsigned ones.

use super::{Services, invalid, mask, message, resolve};
use crate::{
    execution::{self, BadSignature, Context, Refusal, effects::mock_gas, gas},
    writer::Command,
};
use atoma_runtime::WithCauses;
use atoma_types::Address;
use std::collections::BTreeSet;
use sui_crypto::{SuiVerifier, UserSignatureVerifier};
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{Transaction, UserSignature};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl pb::transaction_execution_service_server::TransactionExecutionService for Services {
    async fn execute_transaction(
        &self,
        request: Request<pb::ExecuteTransactionRequest>,
    ) -> Result<Response<pb::ExecuteTransactionResponse>, Status> {
        let request = request.into_inner();
        let mask = mask(request.read_mask, "effects.status");
        let transaction = request
            .transaction
            .as_ref()
            .ok_or_else(|| invalid("transaction", "it is missing"))?;
        let transaction =
            Transaction::try_from(transaction).map_err(|error| invalid("transaction", error))?;
        let signatures = request
            .signatures
            .iter()
            .map(|signature| {
                UserSignature::try_from(signature).map_err(|error| invalid("signatures", error))
            })
            .collect::<Result<Vec<_>, _>>()?;
        check_signatures(&transaction, &signatures)?;
        if self.access.trouble.is_busy() {
            // Sui's words
            return Err(Status::unavailable("system is overloaded"));
        }
        let executed = self
            .access
            .execute(|reply| Command::Execute {
                transaction: Box::new(transaction),
                signatures,
                reply,
            })
            .await?;
        let mut response = pb::ExecuteTransactionResponse::default();
        response.transaction = Some(message::executed(&executed, self.tip(), &mask));
        Ok(Response::new(response))
    }

    async fn simulate_transaction(
        &self,
        request: Request<pb::SimulateTransactionRequest>,
    ) -> Result<Response<pb::SimulateTransactionResponse>, Status> {
        use pb::simulate_transaction_request::TransactionChecks;
        let request = request.into_inner();
        let given = request
            .transaction
            .as_ref()
            .ok_or_else(|| invalid("transaction", "it is missing"))?;
        let checks = request.checks != Some(TransactionChecks::Disabled as i32);
        let select = request.do_gas_selection.unwrap_or_default();
        let executed = self.access.simulate(|state, context| {
            let mut context = Context {
                checks,
                ..context.clone()
            };
            let mut transaction = resolve::transaction(state, given)?;
            if select {
                resolve::select_gas(state, &mut transaction, &context)?;
            }
            // a budget is needed to run, not to be shown
            let shown = transaction.clone();
            let payment = &mut transaction.gas_payment;
            if payment.objects.is_empty() {
                context.mock_gas = mock_gas(payment.owner);
            }
            if payment.budget == 0 {
                payment.budget = gas::MAX_BUDGET;
            }
            let outcome = execution::execute(state, &transaction, &context)?;
            let nowhere = (u64::MAX, 0);
            Ok::<_, Status>(outcome.executed(shown, Vec::new(), nowhere, context.now))
        })?;
        let mut response = pb::SimulateTransactionResponse::default();
        let mask = mask(request.read_mask, "*");
        if let Some(mask) = mask.subtree(pb::SimulateTransactionResponse::TRANSACTION_FIELD) {
            response.transaction = Some(message::executed(&executed, self.tip(), &mask));
        }
        if mask.contains(pb::SimulateTransactionResponse::SUGGESTED_GAS_PRICE_FIELD) {
            response.suggested_gas_price = Some(gas::REFERENCE_GAS_PRICE);
        }
        Ok(Response::new(response))
    }
}

/// Sender and payer must have signed, and nobody else. The verifier alone checks a signature against
/// the key inside it; whose key that is, is checked here.
fn check_signatures(
    transaction: &Transaction,
    signatures: &[UserSignature],
) -> Result<(), Refusal> {
    let refused = |cause| Err(Refusal::Signature(cause));
    let mut missing: BTreeSet<Address> =
        BTreeSet::from([transaction.sender, transaction.gas_payment.owner]);
    if signatures.len() != missing.len() {
        return refused(BadSignature::Count {
            needed: missing.len(),
            given: signatures.len(),
        });
    }
    let verifier = UserSignatureVerifier::new();
    for signature in signatures {
        if let Err(error) = verifier.verify_transaction(transaction, signature) {
            return refused(BadSignature::Invalid(WithCauses(&error).to_string()));
        }
        let signer = signature
            .derive_addresses()
            .find(|address| missing.remove(address));
        if signer.is_none() {
            return refused(BadSignature::Stranger);
        }
    }
    Ok(())
}
