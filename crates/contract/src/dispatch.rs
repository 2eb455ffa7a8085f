//! From a call to its rule.

use crate::{Abort, Rule, Txn, db, dispute, node, settlement, stack, task, treasury, walrus};
use atoma_types::chain::Call;

impl Txn<'_> {
    /// Runs one call. If it aborts, the transaction stands as before it.
    ///
    /// # Errors
    /// The check that failed, as the code that the Move package aborts with.
    pub fn call(&mut self, call: &Call) -> Result<(), Abort> {
        self.run(|txn| run(txn, call))
    }
}

/// The rule of a call.
fn run(txn: &mut Txn<'_>, call: &Call) -> Rule {
    match call {
        Call::SetParam(call) => db::set_param(txn, call),
        Call::RegisterNode(call) => node::register(txn, call),
        Call::SetNodeUrl(call) => node::set_url(txn, call),
        Call::AddCollateral(call) => node::add_collateral(txn, call),
        Call::BeginUnbonding(call) => node::begin_unbonding(txn, call),
        Call::WithdrawCollateral(call) => node::withdraw_collateral(txn, call),
        Call::CreateTask(call) => task::create(txn, call),
        Call::DeprecateTask(call) => task::deprecate(txn, call),
        Call::Subscribe(call) => task::subscribe(txn, call),
        Call::Unsubscribe(call) => task::unsubscribe(txn, call),
        Call::SyncSubscription(call) => task::sync(txn, call),
        Call::AcquireStack(call) => stack::acquire(txn, call),
        Call::Lease(call) => stack::lease(txn, call),
        Call::TopUp(call) => stack::top_up(txn, call),
        Call::Extend(call) => stack::extend(txn, call),
        Call::RevokeUngranted(call) => stack::revoke_ungranted(txn, call),
        Call::BeginClose(call) => stack::begin_close(txn, call),
        Call::CloseStack(call) => stack::close_after_expiry(txn, call),
        Call::Settle(call) => settlement::settle(txn, call),
        Call::Claim(call) => settlement::claim(txn, call),
        Call::ExpireLease(call) => settlement::expire_lease(txn, call),
        Call::OpenDispute(call) => dispute::missing_response(txn, call),
        Call::AnswerDispute(call) => dispute::answer(txn, call),
        Call::ResolveDispute(call) => dispute::resolve(txn, call),
        Call::ProveEquivocation(call) => dispute::equivocation(txn, call),
        Call::ProveOverClaim(call) => dispute::over_claim(txn, call),
        Call::ProveForgedRequest(call) => dispute::forged_request(txn, call),
        Call::CollectFees(call) => treasury::collect_fees(txn, call),
        Call::ReportUnits(call) => treasury::report_units(txn, call),
        Call::PayTreasury(call) => treasury::pay(txn, call),
        Call::RegisterBlob(call) => walrus::register_blob(txn, call),
        Call::CertifyBlob(call) => walrus::certify_blob(txn, call),
        Call::ExtendBlob(call) => walrus::extend_blob(txn, call),
        Call::DeleteBlob(call) => walrus::delete_blob(txn, call),
        Call::AdvanceEpoch(call) => walrus::advance_epoch(txn, call),
        Call::SetCommittee(call) => walrus::set_committee(txn, call),
    }
}
