//! Joining the network: the node's own object, its URL, its subscriptions. Every step looks first
//! at what is there, so a node that starts again changes nothing.

use crate::{
    config::NodeConfig,
    tasks::{COUNTED_AT_ONCE, ServedTask, Tasks},
};
use atoma_engine::{Engine, ModelInfo};
use atoma_keys::SigningKey;
use atoma_ledger::{EventStart, ExecuteError, Ledger, Listener, ReadError};
use atoma_runtime::WithCauses;
use atoma_types::{
    EngineClass, NodeId, PublicKey, Rule, SecurityLevel, TaskId, TimestampMs,
    chain::{Call, Clock, Event, Node, NodeStatus, Payment, SubscriptionState, Task, calls},
    hash::Hash32,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The node can't join as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// The ledger doesn't take a transaction, or it isn't known whether it did.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The node is another wallet's.
    #[error("node {node} belongs to another wallet than the configured key's")]
    NotOurs {
        /// Its id on the ledger.
        node: NodeId,
    },
    /// The node's receipts are signed by another key than this data directory has.
    #[error(
        "node {node} signs with {registered}, this data directory has {ours}: put the old key back, or change it on the ledger with `atoma node set-keys`"
    )]
    OtherKey {
        /// Its id on the ledger.
        node: NodeId,
        /// The key that the ledger has for the node.
        registered: PublicKey,
        /// The key that the data directory has.
        ours: PublicKey,
    },
    /// The registration left no trace.
    #[error("the ledger registered the node and did not say its id")]
    NoId,
    /// A subscription without an engine.
    #[error("task {task} is for model `{model}`, which no engine here serves")]
    NoEngine {
        /// Its id on the ledger.
        task: TaskId,
        /// The name of the model that the task is for.
        model: String,
    },
    /// An examined task without evidence: the first examination would be lost.
    #[error(
        "task {task} is examined: set `[evidence]`, or whoever is drawn to examine this node can't be shown anything"
    )]
    NoEvidence {
        /// Its id on the ledger.
        task: TaskId,
    },
    /// A confidential task on a node that anybody may look into.
    #[error(
        "task {task} is confidential: set `[confidential]`, or nobody can lease from this node"
    )]
    NotConfidential {
        /// Its id on the ledger.
        task: TaskId,
    },
    /// Whoever is drawn to examine an answer can't read what was sealed.
    #[error("task {task} is confidential and examined: nobody could examine what is sealed yet")]
    BothLevels {
        /// Its id on the ledger.
        task: TaskId,
    },
    /// The engine computes something else than the task promises.
    #[error(
        "task {task} promises {} in {}; the engine has {} in {}",
        promised.model, promised.numerics, found.model, found.numerics
    )]
    OtherEngine {
        /// Its id on the ledger.
        task: TaskId,
        /// What verifiers expect.
        promised: Box<EngineClass>,
        /// What would be served.
        found: Box<EngineClass>,
    },
}

/// A node on the ledger, and what it serves.
pub(crate) struct Registration {
    pub node: NodeId,
    pub tasks: Tasks,
    /// It was registered before.
    pub found: bool,
    /// Events from before the registration on; only when it was made just now.
    pub events: Option<Listener>,
}

/// Finds or registers the node, moves it to `url`, and subscribes it. One that is found may have leases: it starts
/// whether or not the ledger takes its offer, as where it was evicted from a full task, or the task is deprecated.
pub(crate) async fn register(
    ledger: &Ledger,
    key: &SigningKey,
    response_key: PublicKey,
    config: &NodeConfig,
    known: Option<NodeId>,
    url: &str,
    engines: &[(String, Arc<dyn Engine>)],
) -> Result<Registration, RegisterError> {
    // what is served is checked before anything is paid
    let offers = offers(ledger, config, engines).await?;
    let (node, events) = match find(ledger, key, response_key, known).await? {
        Some(node) => (node, None),
        None => {
            let events = ledger.listen_from_now(EventStart::Now).await?;
            (
                create(ledger, key, response_key, config, url).await?,
                Some(events),
            )
        }
    };
    let now = ledger.clock().await?;
    let found = events.is_none();
    for call in missing(ledger, &node, url, &offers, now) {
        let is_offer = matches!(call, Call::Subscribe(_));
        match ledger.execute(key, vec![call]).await {
            Err(error @ ExecuteError::Abort { .. }) if found && is_offer => {
                tracing::error!(
                    error = %WithCauses(&error),
                    "this node is not offered in a task: what it has leased goes on, and it offers itself again once the ledger takes it"
                );
            }
            done => {
                done?;
            }
        }
    }
    let tasks = offers.into_iter().map(|(_, served)| served).collect();
    Ok(Registration {
        node: node.id,
        tasks,
        found,
        events,
    })
}

/// The tasks as configured, each with what serves it.
async fn offers(
    ledger: &Ledger,
    config: &NodeConfig,
    engines: &[(String, Arc<dyn Engine>)],
) -> Result<Vec<(Task, ServedTask)>, RegisterError> {
    let mut offers = Vec::new();
    for offer in &config.subscriptions {
        let task = ledger.task(offer.task).await?;
        if task.security_level.samples() && config.evidence.is_none() {
            return Err(RegisterError::NoEvidence { task: task.id });
        }
        if task.security_level == SecurityLevel::SamplingAndConfidential {
            return Err(RegisterError::BothLevels { task: task.id });
        }
        if task.security_level.confidential() && config.confidential.is_none() {
            return Err(RegisterError::NotConfidential { task: task.id });
        }
        let served = serve(&task, offer, engines)?;
        offers.push((task, served));
    }
    Ok(offers)
}

/// What the ledger doesn't have yet: where the node is reached, and what it offers.
fn missing(
    ledger: &Ledger,
    node: &Node,
    url: &str,
    offers: &[(Task, ServedTask)],
    now: TimestampMs,
) -> Vec<Call> {
    let mut calls = Vec::<Call>::new();
    if node.url != url {
        calls.push(
            calls::SetNodeUrl {
                node: node.id.into(),
                url: url.to_owned(),
            }
            .into(),
        );
    }
    for (task, served) in offers {
        let stands = task.subscription(node.id).is_some_and(|offer| {
            let active = offer.price == served.price && offer.state == SubscriptionState::Active;
            // one that was evicted with a duty is refused until that is over (`upkeep`)
            active || offer.state == SubscriptionState::Evicted
        });
        // one that is in jail goes on with its leases, and offers again when it is out (`upkeep`)
        if !stands && node.status.takes_leases(now) {
            let call = calls::Subscribe {
                db: ledger.deployment().db.into(),
                task: task.id.into(),
                node: node.id.into(),
                price: served.price,
                clock: Clock,
            };
            calls.push(call.into());
        }
    }
    calls
}

/// The node that is ours already: as configured or remembered, or one with our two keys.
async fn find(
    ledger: &Ledger,
    key: &SigningKey,
    response_key: PublicKey,
    known: Option<NodeId>,
) -> Result<Option<Node>, RegisterError> {
    let owner = key.public_key().address();
    let Some(id) = known else {
        // a crash between registering and remembering leaves a node that is found here
        let nodes = ledger.all_nodes().await?;
        return Ok(nodes.into_iter().find(|node| {
            node.owner == owner
                && node.response_key == response_key
                && node.status != NodeStatus::Left
        }));
    };
    let node = ledger.node(id).await?;
    if node.owner != owner {
        return Err(RegisterError::NotOurs { node: id });
    }
    if node.response_key != response_key {
        return Err(RegisterError::OtherKey {
            node: id,
            registered: node.response_key,
            ours: response_key,
        });
    }
    Ok(Some(node))
}

async fn create(
    ledger: &Ledger,
    key: &SigningKey,
    response_key: PublicKey,
    config: &NodeConfig,
    url: &str,
) -> Result<Node, RegisterError> {
    let call = calls::RegisterNode {
        db: ledger.deployment().db.into(),
        collateral: Payment(config.collateral),
        url: url.to_owned(),
        response_key,
        sealing_key: None,
        clock: Clock,
    };
    let executed = ledger.execute(key, vec![call.into()]).await?;
    let id = executed.events.iter().find_map(|event| match event {
        Event::NodeRegistered(registered) => Some(registered.node),
        _ => None,
    });
    let id = id.ok_or(RegisterError::NoId)?;
    tracing::info!(node = %id, collateral = %config.collateral, "registered");
    Ok(ledger.node(id).await?)
}

fn serve(
    task: &Task,
    offer: &crate::config::SubscriptionConfig,
    engines: &[(String, Arc<dyn Engine>)],
) -> Result<ServedTask, RegisterError> {
    let engine = engines.iter().find(|(model, _)| *model == task.model_name);
    let Some((_, engine)) = engine else {
        return Err(RegisterError::NoEngine {
            task: task.id,
            model: task.model_name.clone(),
        });
    };
    Ok(ServedTask {
        id: task.id,
        role: task.role,
        security: task.security_level,
        model: task.model_name.clone(),
        weights: task.weights,
        class: class(task, engine.info())?,
        engine: engine.clone(),
        price: offer.price,
        counting: Semaphore::new(COUNTED_AT_ONCE),
    })
}

/// What receipts say computed the answer. Serving an exact task with anything else would be
/// slashed, so it is refused here.
fn class(task: &Task, info: &ModelInfo) -> Result<EngineClass, RegisterError> {
    let promised = task.engine;
    let revision = Hash32(info.revision);
    let model = if revision == Hash32::ZERO {
        promised.model
    } else {
        revision
    };
    let found = EngineClass {
        model,
        numerics: info.numerics,
        rule: promised.rule,
    };
    let fits = found.model == promised.model
        && (found.numerics == promised.numerics || promised.rule == Rule::Tolerant);
    if fits {
        return Ok(found);
    }
    Err(RegisterError::OtherEngine {
        task: task.id,
        promised: Box::new(promised),
        found: Box::new(found),
    })
}
