//! From a call to its rule.

use crate::{
    Abort, Rule, Txn, audit, db, dispute, node, settlement, stack, task, treasury, walrus,
};
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
        Call::SetDevelopment(call) => db::set_development(txn, call),
        Call::RegisterNode(call) => node::register(txn, call),
        Call::SetNodeUrl(call) => node::set_url(txn, call),
        Call::SetNodeKeys(call) => node::set_keys(txn, call),
        Call::AttestNode(call) => node::attest(txn, call),
        Call::AddCollateral(call) => node::add_collateral(txn, call),
        Call::BeginUnbonding(call) => node::begin_unbonding(txn, call),
        Call::LeaveNode(call) => node::leave(txn, call),
        Call::WithdrawEarnings(call) => node::withdraw(txn, call),
        Call::Pardon(call) => node::pardon(txn, call),
        Call::Forfeit(call) => node::forfeit(txn, call),
        Call::CreateTask(call) => task::create(txn, call),
        Call::DeprecateTask(call) => task::deprecate(txn, call),
        Call::FundTask(call) => task::fund(txn, call),
        Call::AnnounceRelease(call) => task::release(txn, call),
        Call::WithdrawRelease(call) => task::withdraw_release(txn, call),
        Call::Subscribe(call) => task::subscribe(txn, call),
        Call::Evict(call) => task::evict(txn, call),
        Call::Unsubscribe(call) => task::unsubscribe(txn, call),
        Call::SyncSubscription(call) => task::sync(txn, call),
        Call::EnrollAttester(call) => task::attest(txn, call),
        Call::ResignAttester(call) => task::resign(txn, call),
        Call::CollectAttesterFees(call) => task::collect(txn, call),
        Call::AcquireStack(call) => stack::acquire(txn, call),
        Call::Lease(call) => stack::lease(txn, call),
        Call::ReleaseUnits(call) => stack::release(txn, call),
        Call::TopUp(call) => stack::top_up(txn, call),
        Call::Extend(call) => stack::extend(txn, call),
        Call::SetWatcher(call) => stack::set_watcher(txn, call),
        Call::RevokeUngranted(call) => stack::revoke(txn, call),
        Call::BeginClose(call) => stack::begin_close(txn, call),
        Call::WithdrawFree(call) => stack::withdraw(txn, call),
        Call::Settle(call) => settlement::settle(txn, call),
        Call::Claim(call) => settlement::claim(txn, call),
        Call::ExpireLease(call) => settlement::expire(txn, call),
        Call::DemandRecord(call) => dispute::demand(txn, call),
        Call::AnswerDemand(call) => dispute::answer(txn, call),
        Call::ProveSilence(call) => dispute::silence(txn, call),
        Call::ProveEquivocation(call) => dispute::equivocation(txn, call),
        Call::DrawTicket(call) => audit::draw(txn, call),
        Call::DrawExaminer(call) => audit::examine(txn, call),
        Call::Disclose(call) => audit::disclose(txn, call),
        Call::GiveVerdict(call) => audit::verdict(txn, call),
        Call::ChallengeTicket(call) => audit::challenge(txn, call),
        Call::DrawJury(call) => audit::jury(txn, call),
        Call::DiscloseToJury(call) => audit::disclose_jury(txn, call),
        Call::CommitVerdict(call) => audit::commit(txn, call),
        Call::RevealVerdict(call) => audit::reveal(txn, call),
        Call::DecideJury(call) => audit::decide(txn, call),
        Call::ProveUndisclosed(call) => audit::undisclosed(txn, call),
        Call::CollectFees(call) => treasury::collect_fees(txn, call),
        Call::ReportFees(call) => treasury::report(txn, call),
        Call::PayTreasury(call) => treasury::pay(txn, call),
        Call::RegisterBlob(call) => walrus::register_blob(txn, call),
        Call::CertifyBlob(call) => walrus::certify_blob(txn, call),
        Call::ExtendBlob(call) => walrus::extend_blob(txn, call),
        Call::DeleteBlob(call) => walrus::delete_blob(txn, call),
        Call::AdvanceEpoch(call) => walrus::advance_epoch(txn, call),
        Call::SetCommittee(call) => walrus::set_committee(txn, call),
    }
}
