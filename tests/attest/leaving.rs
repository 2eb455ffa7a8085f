//! An attester that is to leave, by its configuration, while it has a duty.

use crate::world::{PATIENCE, Told, attests};
use atoma_node::AttestConfig;
use atoma_types::{
    MicroUsdc, NodeId,
    chain::{Event, Params},
};
use atoma_walrus::store::Fault;
use std::time::Duration;

impl Told {
    /// All storage nodes of Walrus are down, or none is.
    fn walrus_is(&self, fault: Fault) {
        let walrus = self.network.walrus.as_ref().unwrap();
        for node in 0..10 {
            walrus.store().set_fault(node, fault).unwrap();
        }
    }

    /// A node is configured to leave, and starts again.
    async fn is_to_leave(&mut self, node: NodeId) {
        let place = self.network.nodes.iter().position(|found| found.id == node);
        let number = place.unwrap() + 1;
        let leaving = AttestConfig {
            leave: true,
            ..attests()
        };
        self.builder = self.builder.clone().attesting_from_now_on(number, leaving);
        self.kill(node).await;
    }

    /// What a node's owner has, in its wallet and as the node's credit.
    async fn owned(&self, node: NodeId) -> u64 {
        let ledger = &self.network.ledger;
        let node = ledger.node(node).await.unwrap();
        ledger.usdc(node.owner).await.unwrap().0 + node.earnings.0
    }

    async fn is_struck_off(&self, node: NodeId) {
        let struck = async {
            while self.promise(node).await.active {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, struck)
            .await
            .expect("it resigns");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attester_that_leaves_does_what_it_was_drawn_for_and_its_owner_has_the_deposit_back() {
    let mut told = Told::start(None).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    told.until(|event| matches!(event, Event::SettlementOpened(_)))
        .await;
    // whoever is drawn can't read the record yet
    told.walrus_is(Fault::Down);
    let disclosed = |event: &Event| matches!(event, Event::Disclosed(_));
    let Some(Event::Disclosed(e)) = told.until(disclosed).await.pop() else {
        unreachable!("it was waited for");
    };
    let examiner = e.examiner;
    told.is_to_leave(examiner).await;
    told.is_struck_off(examiner).await;
    let promise = told.promise(examiner).await;
    assert_eq!(
        promise.duties, 1,
        "it is drawn no more, and its duty stands"
    );
    assert_eq!(promise.stake.0, Params::default().attest_deposit);
    let before = told.owned(examiner).await;

    told.walrus_is(Fault::None);
    let (deposit, fee) = (
        Params::default().attest_deposit,
        Params::default().attest_fee,
    );
    let all = MicroUsdc(deposit + fee);
    let paid = |event: &Event| matches!(event, Event::AttesterPaid(e) if e.node == examiner && e.amount == all);
    let events = told.until(paid).await;
    let said =
        |event: &Event| matches!(event, Event::VerdictGiven(e) if e.examiner == examiner && !e.bad);
    assert!(events.iter().any(said), "{events:#?}");
    let task = told.network.ledger.task(told.network.task.unwrap()).await;
    let promise = task.unwrap().subscription(examiner).unwrap().attester;
    assert_eq!(promise, None, "and it doesn't promise anew");
    assert_eq!(told.owned(examiner).await, before + all.0);
    told.network.stop().await;
}
