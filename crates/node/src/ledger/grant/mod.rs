//! Taking a user's grant to the ledger, so that its units become this node's lease: the runtime of
//! [`step`].

mod step;
mod taken;

pub(crate) use taken::TakenGrants;

use super::{finder::LeaseFinder, keeper::LeaseKeeper, link::LedgerLink, reserve::Owed};
use crate::{identity::Identity, metrics::Metrics, tasks::Tasks};
use atoma_ledger::ExecuteError;
use atoma_runtime::{SharedClock, WithCauses};
use atoma_types::{
    Address, MicroUsdc, StackId,
    chain::{AbortCode, Clock as LedgerClock, Stack, calls},
    message::{Grant, Signed},
    refusal::{Refusal, RefusalCode},
};
use std::sync::Arc;
use step::{Command, Event, Failure, Fits, Granting, Grants, Held, LeaseView};

/// Makes grants leases.
#[derive(Debug)]
pub(crate) struct Granter {
    pub us: Identity,
    pub tasks: Arc<Tasks>,
    pub finder: Arc<LeaseFinder>,
    pub keeper: Arc<LeaseKeeper>,
    pub link: Arc<LedgerLink>,
    pub clock: SharedClock,
    pub metrics: Arc<Metrics>,
    /// What a grant must add.
    pub least: MicroUsdc,
    /// The part of the free collateral that one grant may put at stake, thousandths.
    pub step_permille: u64,
    pub taken: TakenGrants,
}

impl Granter {
    /// Makes a grant's units ours. A grant that is satisfied already is answered at once.
    pub(crate) async fn take(&self, text: &str) -> Result<LeaseView, Refusal> {
        let grant = Signed::<Grant>::from_text(text).map_err(|error| {
            Refusal::new(RefusalCode::InvalidBody, WithCauses(&error).to_string()).param("grant")
        })?;
        let stack = grant.message().stack;
        let mut granting = Granting::new(self.us, grant, self.least);
        let mut read: Option<Stack> = None;
        let mut event = Event::Begun {
            now: self.clock.now(),
            held: self.held(stack),
        };
        loop {
            let command = granting.step(event);
            event = match command {
                Command::Read => {
                    read = self.finder.read_stack(stack).await?;
                    let fits = match &read {
                        Some(stack) => {
                            let held = self.held(stack.id);
                            self.fits(stack).await?.for_lease(held.as_ref())
                        }
                        None => Fits::default(),
                    };
                    Event::Read {
                        fits,
                        price: read.as_ref().and_then(|s| self.tasks.price(s.task)),
                        grants: read
                            .as_ref()
                            .map(|s| self.grants(s.owner))
                            .unwrap_or_default(),
                        stack: read.as_ref(),
                    }
                }
                Command::Adopt => {
                    if let Some(stack) = &read {
                        self.keeper.adopt(stack);
                    }
                    Event::Adopted {
                        held: self.held(stack),
                    }
                }
                Command::Submit => match self.submit(granting.grant(), read.as_ref()).await {
                    Ok(()) => Event::Submitted {
                        held: self.held(stack),
                    },
                    Err(failure) => Event::Refused(failure),
                },
                Command::Finish(answer) => return answer,
            };
        }
    }

    fn held(&self, stack: StackId) -> Option<Held> {
        let lease = self.keeper.leases.get(stack)?;
        Some(Held {
            price: lease.price,
            sums: lease.brief(),
        })
    }

    /// What the owner's grants have cost here of late, and what its leases bring.
    fn grants(&self, owner: Address) -> Grants {
        let leases = self.keeper.leases.all();
        let its = leases.iter().filter(|lease| lease.owner == owner);
        let used = its.filter_map(|lease| lease.price.cost(lease.brief().committed));
        let (today, ever) = self.taken.of(owner, self.clock.now());
        Grants {
            today,
            ever,
            used: MicroUsdc(used.fold(0_u64, |sum, used| sum.saturating_add(used.0))),
        }
    }

    /// What the node's free collateral stands for.
    async fn fits(&self, stack: &Stack) -> Result<Fits, Refusal> {
        let node = self.link.ledger.node(self.us.node).await.map_err(|error| {
            self.metrics.ledger_errors.inc();
            tracing::warn!(error = %WithCauses(&error), "cannot read the node's collateral");
            Refusal::new(RefusalCode::Unavailable, "the ledger does not answer")
        })?;
        if node.response_key != self.keeper.response_key {
            // the lease would have a key that this process can't sign with
            let message = "the node's response key was changed: it takes no grants until it runs with the new one";
            return Err(Refusal::new(RefusalCode::Unavailable, message));
        }
        let multiple = stack.terms.fine_multiple.max(1);
        let step = node.free_collateral().permille(self.step_permille);
        Ok(Fits {
            free: MicroUsdc(node.free_collateral().0 / multiple),
            step: MicroUsdc(step.unwrap_or_default().0 / multiple),
        })
    }

    async fn submit(&self, grant: &Signed<Grant>, stack: Option<&Stack>) -> Result<(), Failure> {
        let stack = stack.ok_or(Failure::Other)?;
        if self.link.is_deaf() {
            tracing::warn!("no more grants are taken: the ledger's events don't come");
            return Err(Failure::Deaf);
        }
        let lease = self.keeper.leases.get(stack.id);
        let on_its_way = match &lease {
            Some(lease) => Some(
                lease
                    .granting(self.clock.now())
                    .ok_or(Failure::GivingBack)?,
            ),
            None => None,
        };
        let gas = self.link.ledger.gas(self.link.owner()).await;
        let gas = gas.map_err(|error| self.failure(&error.into()))?;
        let duties = self.metrics.attest_seats.get();
        let kept = Owed::by(self.us.node, &self.keeper.leases, duties).gas();
        if gas < kept {
            tracing::warn!(
                gas,
                kept,
                "no more grants are taken: the wallet is short of gas"
            );
            return Err(Failure::GasLow);
        }
        let call = calls::Lease {
            db: self.link.ledger.deployment().db.into(),
            stack: stack.id.into(),
            task: stack.task.into(),
            node: self.us.node.into(),
            grant: grant.bytes().to_vec(),
            signature: grant.signature().to_bytes(),
            clock: LedgerClock,
        };
        let executed = self.link.execute(vec![call.into()]).await;
        // for the first one on a stack its owner paid about as much gas; and a refused one costs gas, too
        if executed.is_err() || stack.lease(self.us.node).is_some() {
            self.taken.add(stack.owner, self.clock.now());
        }
        executed.map_err(|error| self.failure(&error))?;
        if let Some(lease) = on_its_way {
            lease.taken(grant.message().cumulative_units);
        }
        if let Ok(stack) = self.link.ledger.stack(stack.id).await {
            self.keeper.adopt(&stack);
        }
        Ok(())
    }

    fn failure(&self, error: &ExecuteError) -> Failure {
        match error.abort_code().and_then(AbortCode::from_code) {
            Some(code) => Failure::Abort(code, WithCauses(error).to_string()),
            None => {
                self.metrics.ledger_errors.inc();
                tracing::warn!(error = %WithCauses(error), "cannot take a grant to the ledger");
                Failure::Other
            }
        }
    }
}
