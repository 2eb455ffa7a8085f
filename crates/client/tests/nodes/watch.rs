//! A node that settles another chain than its user holds is convicted, and nobody lifts a finger.

use crate::{scripted::COST, world::World};
use atoma_client::{
    Client, ClientError, ReceiptError, StackHandle,
    dispute::{Claimed, Compared, Dispute},
    request_key,
    watch::{self, Did, Doubt, Looked, MAX_FEES, WatchPolicy, WatchStep, Watcher},
};
use atoma_ledger::EventStream;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId,
    chain::{Stack, events::Charge},
};
use futures::StreamExt;
use parking_lot::Mutex;
use std::time::Duration;

const POLICY: WatchPolicy = WatchPolicy {
    lost: ComputeUnits(100),
    complete: true,
    max_fees: MAX_FEES,
    max_bonds: MicroUsdc::ZERO,
};

pub(crate) struct Watched {
    pub(crate) world: World,
    pub(crate) client: Client,
    pub(crate) stack: StackHandle,
    events: EventStream,
    watcher: Watcher,
    pub(crate) policy: WatchPolicy,
}

impl Watched {
    /// A stack of which so many requests were served, and one who watches it.
    pub(crate) async fn served(requests: u64) -> Self {
        let world = World::start().await;
        let client = world.client();
        let stack = world.leased(&client).await;
        for _ in 0..requests {
            let body = r#"{"act":"plain","max_tokens":500}"#;
            let answer = stack.chat(world.node.id, body).await.unwrap();
            answer.whole().await.unwrap();
        }
        client.receipts().flush().await.unwrap();
        let events = world.ledger.subscribe().await.unwrap();
        let watcher = Self::another(&world, &client);
        Self {
            world,
            client,
            stack,
            events,
            watcher,
            policy: POLICY,
        }
    }

    fn another(world: &World, client: &Client) -> Watcher {
        Watcher::new(world.ledger.clone(), world.user.clone(), client.receipts())
    }

    /// The watcher asks the node for what never came.
    pub(crate) fn asking(mut self) -> Self {
        self.watcher = Self::another(&self.world, &self.client).asking(self.client.clone());
        self
    }

    fn node(&self) -> NodeId {
        self.world.node.id
    }

    async fn stack(&self) -> Stack {
        self.stack.refresh().await.unwrap()
    }

    pub(crate) fn serves_unseen(&self) {
        let key = request_key(&self.world.user);
        self.world.node.serves_unseen(&self.stack.view(), &key);
    }

    /// The node shows what is demanded of it, until what it has shown convicts it: a lot may fall on a record that is right.
    pub(crate) async fn until_convicted(&mut self) -> Charge {
        loop {
            self.answers().await;
            if let Some(charge) = charge(&self.look().await.steps) {
                return charge;
            }
        }
    }

    /// The node shows what is demanded of it.
    pub(crate) async fn answers(&self) {
        let stack = self.stack().await;
        let lease = stack.lease(self.node()).unwrap();
        let demands = lease.tickets.iter().flat_map(|ticket| &ticket.demands);
        for demand in demands {
            self.world.node.answers(stack.id, demand.unit).await;
        }
    }

    /// Takes in the next event about the stack and looks at it.
    pub(crate) async fn look(&mut self) -> Looked {
        loop {
            let event = self.events.next().await.unwrap().unwrap();
            if Watcher::concerns(&event.event) == Some(self.stack.id()) {
                let stack = self.stack().await;
                self.watcher.hear(&stack, &event);
                return self.watcher.look(&stack, self.policy).await.unwrap();
            }
        }
    }
}

pub(crate) fn charge(steps: &[WatchStep]) -> Option<Charge> {
    steps.iter().find_map(|step| match &step.did {
        Did::Convicted(convicted) => Some(convicted.charge),
        _ => None,
    })
}

pub(crate) fn demands(steps: &[WatchStep]) -> usize {
    let demanded = |step: &&WatchStep| matches!(step.did, Did::Demanded { .. });
    steps.iter().filter(demanded).count()
}

#[tokio::test]
async fn an_honest_settlement_is_left_alone() {
    let mut watched = Watched::served(2).await;
    watched.world.node.settles(watched.stack.id()).await;
    let looked = watched.look().await;
    assert!(looked.steps.is_empty(), "{:?}", looked.steps);
    assert_eq!(looked.tickets.len(), 1);
    assert_eq!(looked.tickets[0].doubt, None);
}

#[tokio::test]
async fn a_receipt_that_is_signed_again_under_other_numbers_convicts_by_the_settlement_alone() {
    let mut watched = Watched::served(1).await;
    let before = watched.stack().await;
    watched.world.node.repeats_last(5);
    watched.world.node.settles(watched.stack.id()).await;
    let looked = watched.look().await;
    assert_eq!(charge(&looked.steps), Some(Charge::Equivocation));
    assert_eq!(demands(&looked.steps), 0, "the settlement shows enough");
    let stack = watched.stack().await;
    assert!(stack.lease(watched.node()).unwrap().closed);
    assert_eq!(stack.free.0, before.escrow.0 - stack.escrow.0);
    let convicted = watched.world.ledger.node(watched.node()).await.unwrap();
    assert_eq!(convicted.pending.fines, MicroUsdc(10 * 6 * COST.0));
}

#[tokio::test]
async fn two_records_for_one_request_convict_a_chain_of_which_nothing_is_held() {
    let mut watched = Watched::served(1).await;
    // the user never got these two, and the node says that the first of them was served four times more
    watched.serves_unseen();
    watched.world.node.repeats_last(4);
    watched.serves_unseen();
    watched.world.node.settles(watched.stack.id()).await;
    let looked = watched.look().await;
    assert_eq!(demands(&looked.steps), 2);
    assert_eq!(charge(&looked.steps), None);
    watched.answers().await;
    let mut convicted = None;
    while convicted.is_none() {
        let looked = watched.look().await;
        assert_eq!(demands(&looked.steps), 0, "two are enough");
        convicted = charge(&looked.steps);
    }
    assert_eq!(convicted, Some(Charge::Equivocation));
}

/// What is wrong with the receipt of one more request.
async fn refused(watched: &Watched) -> ReceiptError {
    let body = r#"{"act":"plain","max_tokens":500}"#;
    let answer = watched.stack.chat(watched.node(), body).await.unwrap();
    match answer.whole().await.unwrap_err() {
        ClientError::Receipt { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_history_of_other_records_than_the_kept_ones_is_noticed_at_once_and_convicts_who_settles_by_it()
 {
    let mut watched = Watched::served(3).await;
    watched.world.node.forges_records();
    assert_eq!(refused(&watched).await, ReceiptError::History { seq: 4 });
    watched.client.receipts().flush().await.unwrap();
    watched.world.node.settles(watched.stack.id()).await;
    let (id, node) = (watched.stack.id(), watched.node());
    let ticket = watched.stack().await.lease(node).unwrap().tickets[0].clone();
    let compared = watched.client.receipts().compare(id, node, &ticket);
    assert!(matches!(compared.unwrap(), Compared::Differs(Some(_))));
    let looked = watched.look().await;
    assert_eq!(looked.tickets[0].doubt, Some(Doubt::AnotherChain));
    assert_eq!(demands(&looked.steps), 2);
    // both lots may fall on records that are as they were
    assert_eq!(watched.until_convicted().await, Charge::Equivocation);
}

#[tokio::test]
async fn a_receipt_that_was_withheld_keeps_nobody_from_comparing() {
    let watched = Watched::served(2).await;
    watched.serves_unseen();
    let body = r#"{"act":"plain","max_tokens":500}"#;
    let answer = watched.stack.chat(watched.node(), body).await.unwrap();
    answer.whole().await.unwrap();
    watched.world.node.forges_records();
    assert_eq!(refused(&watched).await, ReceiptError::History { seq: 5 });
}

#[tokio::test]
async fn of_a_chain_of_which_two_in_a_row_are_missing_nothing_is_said_while_its_node_may_be_asked_later()
 {
    let mut watched = Watched::served(2).await;
    watched.serves_unseen();
    watched.serves_unseen();
    watched.world.node.forges_records();
    let body = r#"{"act":"plain","max_tokens":500}"#;
    let answer = watched.stack.chat(watched.node(), body).await.unwrap();
    answer.whole().await.unwrap();
    watched.client.receipts().flush().await.unwrap();
    watched.world.node.settles(watched.stack.id()).await;
    let looked = watched.look().await;
    assert!(looked.steps.is_empty(), "{:?}", looked.steps);
    assert_eq!(looked.tickets[0].doubt, None);
    // somebody who keeps none of it wants to see one
    let demand = Dispute::Demand(Claimed {
        stack: watched.stack.id(),
        node: watched.node(),
        unit: ComputeUnits(100),
    });
    watched.client.dispute(&demand).await.unwrap();
    watched.answers().await;
    let mut convicted = None;
    while convicted.is_none() {
        convicted = charge(&watched.look().await.steps);
    }
    assert_eq!(convicted, Some(Charge::Equivocation));
}

#[tokio::test]
async fn fees_are_paid_a_few_times_and_not_more() {
    let mut watched = Watched::served(1).await;
    for _ in 0..6 {
        watched.serves_unseen();
    }
    watched.world.node.settles(watched.stack.id()).await;
    let mut paid = 0;
    while paid < MAX_FEES as usize {
        let looked = watched.look().await;
        paid += demands(&looked.steps);
        assert_eq!(
            charge(&looked.steps),
            None,
            "each is of a request of its own"
        );
        watched.answers().await;
    }
    // nor does one who comes later pay them again
    let client = watched.client.clone();
    let mut late = Watched::another(&watched.world, &client);
    let stack = watched.stack().await;
    assert!(late.look(&stack, POLICY).await.unwrap().steps.is_empty());
}

#[tokio::test]
async fn the_past_is_looked_through_once_and_not_by_who_has_heard_all_of_it() {
    let mut watched = Watched::served(1).await;
    let stack = watched.stack().await;
    let idle = watched.watcher.look(&stack, POLICY).await.unwrap();
    assert!(!idle.searched, "nothing is claimed yet");
    watched.world.node.settles(watched.stack.id()).await;
    assert!(!watched.look().await.searched, "it has heard all");

    let client = watched.client.clone();
    let mut late = Watched::another(&watched.world, &client);
    let stack = watched.stack().await;
    assert!(late.look(&stack, POLICY).await.unwrap().searched);
    assert!(!late.look(&stack, POLICY).await.unwrap().searched);
}

#[tokio::test]
async fn what_was_shown_while_nobody_listened_convicts_after_it() {
    let mut watched = Watched::served(1).await;
    watched.serves_unseen();
    watched.world.node.repeats_last(4);
    watched.serves_unseen();
    watched.world.node.settles(watched.stack.id()).await;
    assert_eq!(demands(&watched.look().await.steps), 2);
    // the subscription is lost, and meanwhile the node shows two records of one request
    watched.answers().await;
    let stack = watched.stack().await;
    let deaf = watched.watcher.look(&stack, POLICY).await.unwrap();
    assert!(deaf.steps.is_empty(), "{:?}", deaf.steps);
    watched.watcher.missed_events();
    let again = watched.watcher.look(&stack, POLICY).await.unwrap();
    assert!(again.searched);
    assert_eq!(charge(&again.steps), Some(Charge::Equivocation));
}

#[tokio::test]
async fn copies_that_a_node_shows_to_its_user_alone_convict_it_though_the_ledger_saw_none() {
    let mut watched = Watched::served(1).await.asking();
    watched.world.node.repeats_last(3);
    let body = r#"{"act":"plain","max_tokens":500}"#;
    let answer = watched.stack.chat(watched.node(), body).await.unwrap();
    answer.whole().await.unwrap();
    watched.client.receipts().flush().await.unwrap();
    watched.world.node.settles(watched.stack.id()).await;
    let before = watched.world.usdc(&watched.world.user).await;
    let looked = watched.look().await;
    assert_eq!(charge(&looked.steps), Some(Charge::Equivocation));
    assert_eq!(looked.steps.len(), 1, "nothing is demanded or staked");
    assert!(watched.world.usdc(&watched.world.user).await >= before);
}

/// The first of them never came, and so nothing of it is on the disk.
#[tokio::test]
async fn copies_in_one_page_convict_by_each_other() {
    let mut watched = Watched::served(1).await.asking();
    watched.serves_unseen();
    watched.world.node.repeats_last(6);
    let body = r#"{"act":"plain","max_tokens":500}"#;
    let answer = watched.stack.chat(watched.node(), body).await.unwrap();
    answer.whole().await.unwrap();
    watched.client.receipts().flush().await.unwrap();
    watched.world.node.settles(watched.stack.id()).await;
    let looked = watched.look().await;
    assert_eq!(charge(&looked.steps), Some(Charge::Equivocation));
    assert_eq!(demands(&looked.steps), 0);
    let kept = watched.client.receipts().list(Some(watched.stack.id()));
    // what comes after the first copy isn't read
    assert_eq!(kept.unwrap().len(), 4);
}

/// A copy, a good record, a copy, and so on: the hash of each copy is in the next receipt, so that every history can be
/// computed.
async fn alternating() -> Watched {
    let watched = Watched::served(1).await.asking();
    for _ in 0..3 {
        watched.world.node.repeats_last(1);
        let body = r#"{"act":"plain","max_tokens":500}"#;
        let answer = watched.stack.chat(watched.node(), body).await.unwrap();
        answer.whole().await.unwrap();
    }
    watched.client.receipts().flush().await.unwrap();
    watched
}

#[tokio::test]
async fn single_copies_between_good_records_convict_though_every_history_is_right() {
    let mut watched = alternating().await;
    watched.world.node.settles(watched.stack.id()).await;
    let looked = watched.look().await;
    assert_eq!(charge(&looked.steps), Some(Charge::Equivocation));
    assert_eq!(demands(&looked.steps), 0);
}

#[tokio::test]
async fn single_copies_that_a_node_does_not_show_are_demanded_and_each_convicts() {
    let mut watched = alternating().await;
    watched.world.node.withholds(true);
    watched.world.node.settles(watched.stack.id()).await;
    let looked = watched.look().await;
    assert_eq!(looked.tickets[0].doubt, Some(Doubt::Unproven(2)));
    assert_eq!(demands(&looked.steps), 2);
    watched.answers().await;
    let mut convicted = None;
    while convicted.is_none() {
        let looked = watched.look().await;
        assert_eq!(demands(&looked.steps), 0, "the first is enough");
        convicted = charge(&looked.steps);
    }
    assert_eq!(convicted, Some(Charge::Equivocation));
}

#[tokio::test]
async fn of_a_node_that_is_away_single_records_are_not_demanded_at_once() {
    let mut watched = alternating().await;
    watched.world.node.is_away(true);
    watched.world.node.settles(watched.stack.id()).await;
    let looked = watched.look().await;
    assert_eq!(looked.tickets[0].doubt, None);
    assert!(looked.steps.is_empty(), "{:?}", looked.steps);
}

/// Two stacks, of which the first has a ticket that its node doesn't explain; and what is told of the stacks by one look.
async fn looked_at(
    world: &World,
    meanwhile: impl Future<Output = ()>,
    unexplained: impl FnOnce(),
) -> Vec<(bool, Option<Doubt>)> {
    let client = world.client();
    let (stack, other) = (world.leased(&client).await, world.buy(&client).await);
    for act in [None, Some(unexplained)] {
        if let Some(act) = act {
            act();
        }
        let body = r#"{"act":"plain","max_tokens":500}"#;
        let answer = stack.chat(world.node.id, body).await.unwrap();
        answer.whole().await.unwrap();
    }
    client.receipts().flush().await.unwrap();
    world.node.settles(stack.id()).await;
    let told = Mutex::new(Vec::new());
    let stacks = watch::Watched::These(vec![stack.id(), other.id()]);
    let look = client.watch_once(stacks, |seen, looked| {
        let doubt = looked.tickets.first().and_then(|ticket| ticket.doubt);
        told.lock().push((seen.id == stack.id(), doubt));
    });
    let (looked, ()) = tokio::join!(look, meanwhile);
    looked.unwrap();
    told.into_inner()
}

#[tokio::test]
async fn the_first_record_that_is_not_the_next_good_one_ends_the_question_and_the_other_stacks_are_looked_at()
 {
    for step in [1, 2] {
        let world = World::start().await;
        world.node.drips(step);
        let told = looked_at(&world, async {}, || world.node.jumps(60_000)).await;
        let unproven = Some(Doubt::Unproven(60_000));
        assert_eq!(told, [(true, unproven), (false, None)]);
        assert_eq!(world.node.pages(), 1);
    }
}

#[tokio::test]
async fn a_node_that_lets_its_asker_wait_holds_nobody_up_for_longer_than_a_question_may_take() {
    let world = World::start().await;
    let waits = async {
        world.node.stalled.notified().await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(21)).await;
        tokio::time::resume();
    };
    let began = tokio::time::Instant::now();
    let told = looked_at(&world, waits, || {
        world.node.skips(2);
        world.node.stalls();
    })
    .await;
    // one page alone may take 30 seconds
    assert!(began.elapsed() < Duration::from_secs(25));
    // it may be away
    assert_eq!(told, [(true, None), (false, None)]);
}

/// A watcher that couldn't subscribe used to look at nothing.
#[tokio::test(start_paused = true)]
async fn what_a_node_claims_is_looked_at_though_the_ledger_refuses_its_events() {
    let world = World::simulated().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let body = r#"{"act":"plain","max_tokens":500}"#;
    let answer = stack.chat(world.node.id, body).await.unwrap();
    answer.whole().await.unwrap();
    let (seen, mut is_seen) = tokio::sync::watch::channel(false);
    let tell = move |_: &Stack, looked: &Looked| {
        let claims = !looked.tickets.is_empty();
        seen.send_if_modified(|seen| !std::mem::replace(seen, claims) && claims);
    };
    let watching = client.watch(watch::Watched::Remembered, tell);
    let story = async {
        world.network.localnet.refuse_events(12);
        tokio::time::sleep(Duration::from_secs(60)).await;
        world.node.settles(stack.id()).await;
        // once in ten minutes, whatever is heard
        let seen = is_seen.wait_for(|seen| *seen);
        let seen = tokio::time::timeout(Duration::from_secs(11 * 60), seen).await;
        assert!(seen.is_ok(), "a claim is seen before it is paid");
    };
    tokio::select! {
        () = watching => unreachable!("it watches for ever"),
        () = story => {}
    }
}
