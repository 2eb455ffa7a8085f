//! A node serves an exact class only with an engine that gives the same bits in every way.

use crate::common::{Backend, World};
use atoma_engine::{
    builtin,
    probe::{By, ProbeFault},
    testing::{Erring, Errs},
};
use atoma_node::{Node, NodeError, ServedModel};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_engine_errs_does_not_start_and_the_ledger_hears_nothing_of_it() {
    let world = World::start(Backend::Builtin).await;
    let erring = Erring::new(Arc::new(builtin::load().unwrap()), Errs::InBatches);
    let served = vec![ServedModel {
        model: world.task.model_name.clone(),
        engine: Arc::new(erring),
    }];
    let refused = Node::start(world.config(), served).await.unwrap_err();
    let NodeError::Engine { model, source } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(*model, world.task.model_name);
    let ProbeFault::Differs { way, .. } = source else {
        panic!("{source}");
    };
    assert_eq!((way.at_once, way.by), (4, By::Cold));
    assert!(source.to_string().contains("among 4 at once"), "{source}");
    assert!(world.ledger.all_nodes().await.unwrap().is_empty());

    // with a healthy one the same node starts, and says how long it took to see
    let node = world.node().await;
    let url = format!("{}/metrics", node.admin_url());
    let metrics = world.text(url).await;
    assert!(
        metrics.contains("atoma_node_engine_probe_seconds_count 1"),
        "{metrics}"
    );
    node.drain_and_stop().await;
}
