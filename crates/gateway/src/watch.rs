//! Watching over what nodes settle of the gateway's stacks, for its users, who have no receipts of their own.

use crate::metrics::Metrics;
use atoma_client::{
    Client,
    watch::{Did, Looked, WatchPlan},
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Watches until `stop`.
pub(crate) async fn follow(
    client: Client,
    plan: WatchPlan,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let watching = client.watch(plan, |_, looked| tell(looked, &metrics));
    let _ = stop.run_until_cancelled(watching).await;
}

fn tell(looked: &Looked, metrics: &Metrics) {
    for step in &looked.steps {
        let (stack, node) = (step.stack, step.node);
        match &step.did {
            Did::Demanded { unit, doubt, .. } => {
                metrics.demands.inc();
                tracing::warn!(%stack, %node, %unit, ?doubt,
                    "a node settles what its receipts do not show: its record is demanded");
            }
            Did::Challenged {
                ticket,
                bond,
                wrong,
            } => {
                metrics.challenges.inc();
                tracing::warn!(%stack, %node, ticket, %bond, reason = wrong.reason,
                    "an answer is wrong: its ticket is challenged");
            }
            Did::ChallengeEnded(ended) => {
                tracing::warn!(%stack, %node, ticket = ended.ticket, back = %ended.back, end = ?ended.end,
                    "a challenge has ended");
            }
            Did::Convicted(convicted) => {
                metrics.convictions.inc();
                tracing::warn!(%stack, %node, charge = ?convicted.charge, freed = %convicted.freed,
                    "a node is convicted");
            }
            Did::Refused(error) => {
                let error = error as &dyn std::error::Error;
                tracing::debug!(error, %stack, %node, "a step against a node was not taken");
            }
        }
    }
}
