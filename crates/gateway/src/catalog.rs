//! What is for sale: the tasks on the ledger that this gateway serves, and the nodes that sell them.

use crate::config::{GatewayConfig, StackPolicy};
use atoma_client::{RequestTry, fair_price};
use atoma_ledger::{Ledger, ReadError};
use atoma_types::{
    Address, ComputeUnits, MicroUsdc, NodeId, Price, Role, TaskId, TimestampMs, UnitWeights,
    chain::{Event, Node, SubscriptionState, Task},
    message::Endpoint,
};
use std::collections::{BTreeSet, HashMap};

/// A task that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) task: TaskId,
    /// The ledger's small number: the older task has the lower one.
    pub(crate) number: u64,
    pub(crate) model: String,
    pub(crate) role: Role,
    /// It takes sealed requests alone.
    pub(crate) confidential: bool,
    pub(crate) weights: UnitWeights,
    /// No stack of it is bought at more.
    pub(crate) max_price: Price,
    pub(crate) policy: StackPolicy,
    pub(crate) sellers: Vec<Seller>,
}

/// A node that serves a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seller {
    pub(crate) node: NodeId,
    pub(crate) owner: Address,
    pub(crate) url: String,
    pub(crate) price: Price,
    /// All its collateral stands for leases of so many units at this price: it never holds more at once.
    pub(crate) most: ComputeUnits,
}

impl Offer {
    /// The largest lease that any node can hold.
    pub(crate) fn most(&self) -> ComputeUnits {
        let most = self.sellers.iter().map(|seller| seller.most);
        most.max().unwrap_or_default()
    }

    /// What a node may raise a request's units to. Of a body that can't be read nothing explains more than is signed.
    pub(crate) fn most_units(&self, request: &RequestTry) -> ComputeUnits {
        let most = request.most_units(&self.weights, self.policy.default_output_tokens);
        most.unwrap_or_else(|_| request.max_units())
    }

    /// Whether the task's role is the natural one for an endpoint. Any text model may still be asked
    /// for either: the node says whether it can.
    pub(crate) fn suits(&self, endpoint: Endpoint) -> bool {
        let role = match endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions => Role::ChatCompletion,
            Endpoint::Embeddings => Role::Embedding,
        };
        self.role == role
    }

    pub(crate) fn seller(&self, node: NodeId) -> Option<&Seller> {
        self.sellers.iter().find(|seller| seller.node == node)
    }
}

/// Reads what is for sale from the ledger.
pub(crate) async fn load(ledger: &Ledger, config: &GatewayConfig) -> Result<Vec<Offer>, ReadError> {
    let tasks = ledger.all_tasks().await?;
    let wanted: BTreeSet<NodeId> = tasks
        .iter()
        .filter(|task| serves(config, task))
        .flat_map(|task| {
            task.subscriptions
                .iter()
                .map(|subscription| subscription.node)
        })
        .collect();
    let wanted: Vec<NodeId> = wanted.into_iter().collect();
    let nodes = ledger.nodes(&wanted).await?;
    let multiple = ledger.db().await?.params.fine_multiple;
    let now = ledger.runtime().now();
    Ok(offers(config, &tasks, &nodes, (multiple, now)))
}

/// Whether an event may have changed what is for sale.
pub(crate) fn concerns(event: &Event) -> bool {
    matches!(
        event,
        Event::TaskCreated(_)
            | Event::TaskDeprecated(_)
            | Event::Subscribed(_)
            | Event::Unsubscribed(_)
            | Event::NodeMoved(_)
            | Event::NodeStatusChanged(_)
            | Event::NodeLeft(_)
    )
}

fn serves(config: &GatewayConfig, task: &Task) -> bool {
    let named = |name: &str, id: Option<TaskId>| {
        name == task.model_name && id.is_none_or(|id| id == task.id)
    };
    // images, audio and training have no endpoint here
    let role = matches!(task.role, Role::ChatCompletion | Role::Embedding);
    let listed = config.models.is_empty()
        || config
            .models
            .iter()
            .any(|model| named(&model.name, model.task));
    // whoever seals by itself asks nobody in clear by mistake
    let sealed = config.confidential.is_none() || task.security_level.confidential();
    role && listed && sealed && !task.is_deprecated()
}

/// `multiple` is that of fines: so much of a lease's price is at stake.
fn offers(
    config: &GatewayConfig,
    tasks: &[Task],
    nodes: &[Node],
    (multiple, now): (u64, TimestampMs),
) -> Vec<Offer> {
    let nodes: HashMap<NodeId, &Node> = nodes.iter().map(|node| (node.id, node)).collect();
    let served = tasks.iter().filter(|task| serves(config, task));
    served
        .map(|task| {
            let model = config.models.iter().find(|model| {
                model.name == task.model_name && model.task.is_none_or(|id| id == task.id)
            });
            let mut policy = config.policy_of(model);
            let listed: Vec<(&Node, Price)> = listed(task, &nodes, now).collect();
            let weighed = listed
                .iter()
                .map(|(node, price)| (*price, node.matured(now)));
            let cap = policy.max_price.or_else(|| fair_price::median(weighed));
            let cap = cap.map_or(task.price_ceiling, |cap| cap.min(task.price_ceiling));
            let sellers = listed.iter().filter_map(|&(node, price)| {
                let selling = price <= cap && is_used(config, node);
                selling.then(|| Seller {
                    node: node.id,
                    owner: node.owner,
                    url: node.url.clone(),
                    price,
                    most: price.affords(MicroUsdc(node.collateral.0 / multiple.max(1))),
                })
            });
            let sellers: Vec<Seller> = sellers.collect();
            // a task's ceiling is its owner's word alone: what is put aside goes by what is asked
            let dearest = sellers.iter().map(|seller| seller.price).max();
            let max_price = dearest.unwrap_or(cap);
            let most = config.max_purchase(&policy);
            fit(&mut policy, max_price, most);
            Offer {
                task: task.id,
                number: task.number,
                model: task.model_name.clone(),
                role: task.role,
                confidential: task.security_level.confidential(),
                weights: task.weights,
                max_price,
                sellers,
                policy,
            }
        })
        .collect()
}

/// The nodes that sell a task now, and what each asks.
fn listed<'a>(
    task: &'a Task,
    nodes: &'a HashMap<NodeId, &'a Node>,
    now: TimestampMs,
) -> impl Iterator<Item = (&'a Node, Price)> {
    let active = task.subscriptions.iter();
    let active = active.filter(|sold| sold.state == SubscriptionState::Active);
    active.filter_map(move |sold| {
        // the ledger opens no lease of a confidential task without
        let attested = sold.attested_until_ms >= now;
        if task.security_level.confidential() && !attested {
            return None;
        }
        let node = *nodes.get(&sold.node)?;
        (node.status.takes_leases(now)).then_some((node, sold.price))
    })
}

/// Whether a node's URL leads where this gateway goes.
fn is_used(config: &GatewayConfig, node: &Node) -> bool {
    match config.reach().check(&node.url) {
        Ok(()) => true,
        Err(reason) => {
            let (node, url) = (node.id, &node.url);
            tracing::debug!(%node, url, %reason, "a node is not used: see `local_nodes`");
            false
        }
    }
}

/// Makes purchases so small that one of them, at this price, is at most `most`.
fn fit(policy: &mut StackPolicy, max_price: Price, most: MicroUsdc) {
    let affordable = max_price.affords(most).max(ComputeUnits(1));
    policy.stack_units = policy.stack_units.min(affordable);
    policy.grant_units = policy.grant_units.min(policy.stack_units);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ModelConfig;
    use atoma_types::{
        DurationMs, EngineClass, Numerics, PublicKey, Rule, SecurityLevel, TimestampMs,
        chain::{FeesInEpoch, NodeStatus, Pending, Standing, Subscription, VERSION},
        hash::Hash32,
    };

    fn id(n: u8) -> Address {
        Address::new([n; 32])
    }

    fn node(n: u8, status: NodeStatus) -> Node {
        Node {
            id: NodeId(id(n)),
            version: VERSION,
            number: n.into(),
            owner: id(n),
            collateral: MicroUsdc(1),
            fresh: MicroUsdc(0),
            matures_at_ms: TimestampMs(0),
            at_stake: MicroUsdc(0),
            unbonding_ms: DurationMs(1),
            earnings: MicroUsdc(0),
            pending: Pending::default(),
            status,
            url: format!("http://192.0.2.{n}"),
            response_key: PublicKey([n; 32]),
            sealing_key: None,
            attestation: None,
            standing: Standing::default(),
            subscriptions: 1,
            current: FeesInEpoch::default(),
            previous: FeesInEpoch::default(),
            reported: FeesInEpoch::default(),
        }
    }

    fn task(n: u8, model: &str, sellers: &[(u8, u64)]) -> Task {
        let subscription = |&(node, price): &(u8, u64)| Subscription {
            node: NodeId(id(node)),
            owner: id(node),
            price: Price(price),
            matured: MicroUsdc(1),
            reputation: 500,
            attested_until_ms: TimestampMs(0),
            state: SubscriptionState::Active,
            attester: None,
        };
        Task {
            id: TaskId(id(n)),
            version: VERSION,
            number: n.into(),
            owner: id(9),
            role: Role::ChatCompletion,
            model_name: model.to_owned(),
            security_level: SecurityLevel::None,
            price_ceiling: Price(100),
            weights: UnitWeights::TEXT,
            engine: EngineClass {
                model: Hash32::ZERO,
                numerics: Numerics::DetF32V1,
                rule: Rule::Exact,
            },
            min_reputation: 0,
            min_collateral: MicroUsdc(0),
            allow_list: None,
            deprecated_at_ms: None,
            fees: MicroUsdc(0),
            dues: MicroUsdc(0),
            releases: Vec::new(),
            subscriptions: sellers.iter().map(subscription).collect(),
        }
    }

    fn config(models: Vec<ModelConfig>) -> GatewayConfig {
        let text = "ledger = \"http://192.0.2.1\"\ndata_dir = \"d\"\nbudget = 50000000\nlocal_nodes = true\n";
        let mut config: GatewayConfig = toml::from_str(text).unwrap();
        config.models = models;
        config
    }

    #[test]
    fn only_those_who_can_serve_and_are_cheap_enough() {
        let jailed = NodeStatus::Jailed {
            until_ms: TimestampMs(1),
        };
        let nodes = [
            node(1, NodeStatus::Active),
            node(2, NodeStatus::Active),
            node(3, jailed),
        ];
        let mut chat = task(7, "m", &[(1, 10), (2, 60), (3, 10), (4, 10)]);
        chat.subscriptions[3].state = SubscriptionState::Active;
        let model = ModelConfig {
            name: "m".to_owned(),
            task: None,
            policy: Some(StackPolicy {
                max_price: Some(Price(50)),
                ..StackPolicy::default()
            }),
        };
        let offers = offers(&config(vec![model]), &[chat], &nodes, (10, TimestampMs(0)));
        let sellers: Vec<_> = offers[0]
            .sellers
            .iter()
            .map(|s| (s.node, s.price))
            .collect();
        assert_eq!(sellers, [(NodeId(id(1)), Price(10))]);
        assert_eq!(offers[0].max_price, Price(10), "of those who sell");
    }

    #[test]
    fn who_names_no_price_pays_no_more_than_half_of_the_collateral_asks() {
        let mut nodes = [1, 2, 3].map(|n| node(n, NodeStatus::Active));
        let chat = [task(7, "m", &[(1, 10), (2, 20), (3, 99)])];
        let cap = |nodes: &[Node]| {
            let offers = offers(&config(vec![]), &chat, nodes, (10, TimestampMs(0)));
            (offers[0].sellers.len(), offers[0].max_price)
        };
        assert_eq!(cap(&nodes), (2, Price(20)));
        nodes[0].collateral = MicroUsdc(100);
        assert_eq!(cap(&nodes), (1, Price(10)));
        nodes[2].collateral = MicroUsdc(1_000);
        assert_eq!(cap(&nodes), (3, Price(99)));
        nodes[2].fresh = MicroUsdc(1_000);
        nodes[2].matures_at_ms = TimestampMs(1);
        assert_eq!(
            cap(&nodes),
            (1, Price(10)),
            "what was added just now doesn't count"
        );
    }

    #[test]
    fn a_dear_task_takes_no_more_of_the_budget_than_a_cheap_one() {
        let nodes = [node(1, NodeStatus::Active)];
        for (ceiling, price) in [
            (24_000_000, 24_000_000),
            (24_000_000, 100),
            (u64::MAX, u64::MAX),
        ] {
            let mut dear = task(7, "dear", &[(1, price)]);
            dear.price_ceiling = Price(ceiling);
            let offers = offers(&config(vec![]), &[dear], &nodes, (10, TimestampMs(0)));
            let (offer, policy) = (&offers[0], &offers[0].policy);
            assert_eq!(offer.max_price, Price(price));
            let locked = offer.max_price.cost(policy.stack_units);
            // a unit is the least that there is
            let least = offer.max_price.cost(ComputeUnits(1));
            assert!(
                locked <= least.max(Some(MicroUsdc(5_000_000))),
                "{locked:?}"
            );
            assert!(policy.grant_units <= policy.stack_units);
        }
    }

    #[test]
    fn nodes_on_somebodys_own_network_are_for_local_networks() {
        let mut nodes = [node(1, NodeStatus::Active), node(2, NodeStatus::Active)];
        nodes[0].url = "http://127.0.0.1:9080/admin/settle/7?".to_owned();
        nodes[1].url = "http://127.0.0.1:8080".to_owned();
        let chat = [task(7, "m", &[(1, 10), (2, 10)])];
        let sellers = |local_nodes| -> Vec<NodeId> {
            let mut config = config(vec![]);
            config.local_nodes = local_nodes;
            let offers = offers(&config, &chat, &nodes, (10, TimestampMs(0)));
            offers[0].sellers.iter().map(|seller| seller.node).collect()
        };
        assert_eq!(sellers(false), []);
        assert_eq!(
            sellers(true),
            [NodeId(id(2))],
            "a query is never part of a URL"
        );
    }

    #[test]
    fn every_model_or_the_named_ones() {
        let mut old = task(3, "old", &[]);
        old.deprecated_at_ms = Some(TimestampMs(1));
        let mut sealed = task(4, "sealed", &[]);
        sealed.security_level = SecurityLevel::ConfidentialCompute;
        let mut images = task(5, "images", &[]);
        images.role = Role::ImageGeneration;
        let tasks = [
            task(1, "a", &[]),
            task(2, "b", &[]),
            task(6, "b", &[]),
            old,
            sealed,
            images,
        ];
        let numbers = |models| -> Vec<u64> {
            let offers = offers(&config(models), &tasks, &[], (10, TimestampMs(0)));
            offers.iter().map(|offer| offer.number).collect()
        };
        assert_eq!(numbers(vec![]), [1, 2, 6, 4]);
        let named = |name: &str, task| ModelConfig {
            name: name.to_owned(),
            task,
            policy: None,
        };
        assert_eq!(numbers(vec![named("b", None)]), [2, 6]);
        assert_eq!(numbers(vec![named("b", Some(TaskId(id(6))))]), [6]);
    }
}
