//! Receipts that never came: an honest node shows them when it is asked, and one that doesn't gets nothing more.

use crate::{
    scripted::COST,
    watch::{Watched, demands},
    world::World,
};
use atoma_client::{
    Client, ClientError, ReceiptError, StackHandle,
    watch::{Doubt, LOTS},
};
use atoma_types::{ComputeUnits, chain::events::Charge};

async fn ask(stack: &StackHandle, world: &World, act: &str) -> Result<(), ClientError> {
    let body = format!(r#"{{"act":"{act}","max_tokens":500}}"#);
    let answer = stack.chat(world.node.id, body).await?;
    answer.whole().await.map(|_| ())
}

/// What became of a lease's receipts: their numbers, and what is wrong with each.
fn kept(client: &Client, stack: &StackHandle) -> Vec<(u64, Option<String>)> {
    let kept = client.receipts().list(Some(stack.id())).unwrap();
    let mut kept: Vec<_> = kept
        .into_iter()
        .map(|kept| (kept.seq, kept.fault))
        .collect();
    kept.sort();
    kept
}

#[tokio::test]
async fn answers_that_were_lost_on_the_way_are_shown_by_the_node_and_nothing_is_doubted() {
    let mut watched = Watched::served(1).await.asking();
    // another machine of the same wallet: nothing of it comes here
    watched.serves_unseen();
    watched.serves_unseen();
    let (client, stack) = (watched.client.clone(), watched.stack.clone());
    let node = watched.world.node.id;
    for _ in 0..3 {
        ask(&stack, &watched.world, "plain").await.unwrap();
    }
    assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
    client.receipts().flush().await.unwrap();
    let good: Vec<_> = (1..=6).map(|seq| (seq, None)).collect();
    assert_eq!(kept(&client, &stack), good);
    ask(&stack, &watched.world, "plain").await.unwrap();
    client.receipts().flush().await.unwrap();
    watched.world.node.settles(stack.id()).await;
    let looked = watched.look().await;
    assert!(looked.steps.is_empty(), "{:?}", looked.steps);
    assert_eq!(looked.tickets[0].doubt, None);
}

#[tokio::test]
async fn a_program_that_ended_before_its_answer_came_has_it_settled_by_the_record() {
    let world = World::start().await;
    let node = world.node.id;
    let id = {
        let client = world.client();
        let stack = world.leased(&client).await;
        ask(&stack, &world, "plain").await.unwrap();
        // what it opens is in its lane, and forgotten with it
        client.receipts().flush().await.unwrap();
        let broken = ask(&stack, &world, "cut").await.unwrap_err();
        assert!(matches!(broken, ClientError::Broken { .. }), "{broken}");
        stack.id()
    };
    let client = world.client();
    let stack = client.open(id).await.unwrap();
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
    client.receipts().flush().await.unwrap();
    let good: Vec<_> = (1..=3).map(|seq| (seq, None)).collect();
    assert_eq!(kept(&client, &stack), good);
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 3 * COST.0));
}

#[tokio::test]
async fn a_data_folder_that_is_new_on_an_old_lease_has_its_records_fetched() {
    let world = World::start().await;
    let node = world.node.id;
    let old = world.client();
    let stack = world.leased(&old).await;
    for _ in 0..5 {
        ask(&stack, &world, "plain").await.unwrap();
    }
    let id = stack.id();
    drop((stack, old));
    std::fs::remove_dir_all(world.folder.path().join("client")).unwrap();
    let client = world.client();
    let stack = client.open(id).await.unwrap();
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
    client.receipts().flush().await.unwrap();
    let good: Vec<_> = (1..=6).map(|seq| (seq, None)).collect();
    assert_eq!(kept(&client, &stack), good);
}

#[tokio::test]
async fn two_programs_of_one_folder_find_each_others_receipts_without_the_node() {
    let world = World::start().await;
    let node = world.node.id;
    let (one, other) = (world.client(), world.client());
    let ours = world.leased(&one).await;
    let theirs = other.open(ours.id()).await.unwrap();
    world.node.withholds(true);
    for _ in 0..3 {
        ask(&ours, &world, "plain").await.unwrap();
        ask(&theirs, &world, "plain").await.unwrap();
    }
    for (client, stack) in [(&one, &ours), (&other, &theirs)] {
        one.receipts().flush().await.unwrap();
        other.receipts().flush().await.unwrap();
        assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
        ask(stack, &world, "plain").await.unwrap();
        assert!(kept(client, stack).iter().all(|(_, fault)| fault.is_none()));
    }
}

#[tokio::test]
async fn nothing_more_is_signed_for_a_node_that_does_not_show_what_never_came_and_is_again_once_it_does()
 {
    let world = World::start().await;
    let node = world.node.id;
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, &world, "plain").await.unwrap();
    world.node.withholds(true);
    world.node.skips(1);
    ask(&stack, &world, "plain").await.unwrap();
    // an answer that is under way is no reason to stop
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), Some(2));
    let before = world.node.highest_ceiling();
    let refused = ask(&stack, &world, "plain").await.unwrap_err();
    assert!(
        matches!(refused, ClientError::Unshown { seq: 2, .. }),
        "{refused}"
    );
    assert_eq!(world.node.highest_ceiling(), before);
    // nor by the next program, which finds the gap in what is kept
    client.receipts().flush().await.unwrap();
    let id = stack.id();
    drop((stack, client));
    let client = world.client();
    let stack = client.open(id).await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), Some(2));
    assert!(ask(&stack, &world, "plain").await.is_err());
    // what is claimed can't be claimed again
    world.node.settles(id).await;
    assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
    ask(&stack, &world, "plain").await.unwrap();
}

#[tokio::test]
async fn a_record_of_a_request_that_its_node_refused_is_a_fault_and_ends_all_trust() {
    let world = World::start().await;
    let node = world.node.id;
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, &world, "plain").await.unwrap();
    // a refusal comes back as the answer that it is
    ask(&stack, &world, "refuse_and_serve").await.unwrap();
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), Some(2));
    assert_eq!(client.distrusted(node), Some(ReceiptError::Refused));
    client.receipts().flush().await.unwrap();
    let expected = [
        (1, None),
        (2, Some(ReceiptError::Refused.to_string())),
        (3, None),
    ];
    assert_eq!(kept(&client, &stack), expected);
    let refused = ask(&stack, &world, "plain").await.unwrap_err();
    assert!(
        matches!(refused, ClientError::Distrusted { .. }),
        "{refused}"
    );
}

/// Two numbers that nobody holds open any history, if it is believed: this one is over copies of one good record, of a
/// request that was refused.
#[tokio::test]
async fn a_node_that_keeps_two_empty_numbers_back_to_settle_copies_is_signed_nothing_and_convicted()
{
    let mut watched = Watched::served(1).await.asking();
    let (client, stack) = (watched.client.clone(), watched.stack.clone());
    let node = watched.world.node.id;
    ask(&stack, &watched.world, "refuse").await.unwrap();
    watched.world.node.withholds(true);
    watched.world.node.skips(2);
    for _ in 0..4 {
        ask(&stack, &watched.world, "plain").await.unwrap();
    }
    watched.world.node.forges_refused();
    // nobody can tell what it names
    ask(&stack, &watched.world, "plain").await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), Some(2));
    let refused = ask(&stack, &watched.world, "plain").await.unwrap_err();
    assert!(
        matches!(refused, ClientError::Unshown { seq: 2, .. }),
        "{refused}"
    );
    client.receipts().flush().await.unwrap();

    // of few records the lots may fall on one
    watched.policy.max_fees = 20;
    watched.world.node.settles(stack.id()).await;
    let looked = watched.look().await;
    assert_eq!(looked.tickets[0].doubt, Some(Doubt::Unproven(2)));
    assert_eq!(demands(&looked.steps), LOTS);
    assert_eq!(watched.until_convicted().await, Charge::Equivocation);
}

/// The same, with the two numbers shown in the end: what was false comes out.
#[tokio::test]
async fn a_false_history_comes_out_once_its_node_fills_the_gap() {
    let mut watched = Watched::served(1).await.asking();
    let (client, stack) = (watched.client.clone(), watched.stack.clone());
    ask(&stack, &watched.world, "refuse").await.unwrap();
    watched.serves_unseen();
    watched.serves_unseen();
    for _ in 0..2 {
        ask(&stack, &watched.world, "plain").await.unwrap();
    }
    watched.world.node.forges_refused();
    ask(&stack, &watched.world, "plain").await.unwrap();
    stack.fill_gaps(watched.world.node.id).await.unwrap();
    client.receipts().flush().await.unwrap();
    let false_one = ReceiptError::History { seq: 6 }.to_string();
    assert_eq!(kept(&client, &stack)[5], (6, Some(false_one)));
    watched.world.node.settles(stack.id()).await;
    let looked = watched.look().await;
    assert_eq!(looked.tickets[0].doubt, Some(Doubt::AnotherChain));
    // and nothing more is signed for it, here or by the next program
    let node = watched.world.node.id;
    assert_eq!(client.distrusted(node), Some(ReceiptError::Settled));
    let refused = ask(&stack, &watched.world, "plain").await.unwrap_err();
    assert!(
        matches!(refused, ClientError::Distrusted { .. }),
        "{refused}"
    );
    client.receipts().flush().await.unwrap();
    let next = watched.world.client().distrusted(node);
    assert_eq!(next, Some(ReceiptError::Settled));
}
