//! An answer whose usage can't be that of its bytes is challenged, once, for as much as was allowed, and however the
//! program ends; and what became of the bond is told.

use crate::world::{World, subscribed};
use atoma_client::{
    Client, KeptReceipt, StackHandle,
    dispute::{Claimed, Dispute, End},
    watch::{
        Checked, Did, EndedChallenge, Looked, MAX_FEES, Remedy, WatchPlan, WatchPolicy, Watched,
        Watcher, WrongAnswer,
    },
};
use atoma_keys::SigningKey;
use atoma_network::testing::advance;
use atoma_runtime::SystemRandom;
use atoma_types::{
    ComputeUnits, MicroUsdc, SecurityLevel,
    chain::{Clock, Event, Params, Payment, Stack, calls, events::Charge},
};
use futures::StreamExt;
use std::path::PathBuf;

const BOND: MicroUsdc = MicroUsdc(5_000_000);
const HOUR: u64 = 3_600_000;

fn policy(max_bonds: MicroUsdc) -> WatchPolicy {
    WatchPolicy {
        lost: ComputeUnits(100_000),
        complete: true,
        max_fees: MAX_FEES,
        max_bonds,
    }
}

/// A node of an examined task that counts more than it says, and claims it.
struct Overcounted {
    world: World,
    client: Client,
    stack: StackHandle,
}

impl Overcounted {
    async fn claimed() -> Self {
        let this = Self::served(r#"{"act":"counts_output","n_units":300,"max_tokens":500}"#).await;
        this.world.node.settles(this.stack.id()).await;
        this
    }

    async fn served(body: &'static str) -> Self {
        // answers of a few dozen units: a ticket must be worth four dues
        let params = Params {
            attest_fee: 20,
            due: 5,
            maturity_ms: 1,
            dispute_window_ms: HOUR,
            answer_window_ms: HOUR,
            ..Params::default()
        };
        let world = World::securing(params, SecurityLevel::SamplingConsensus).await;
        for _ in 0..9 {
            attester(&world).await;
        }
        let fund = calls::FundTask {
            task: world.task.into(),
            payment: Payment(MicroUsdc(1_000)),
        };
        let funded = world.ledger.execute(&world.node.owner, vec![fund.into()]);
        funded.await.unwrap();
        advance(&world.network.localnet, 2).await;
        sync(&world).await;
        let client = world.client();
        let stack = world.leased(&client).await;
        let plain = r#"{"act":"plain","max_tokens":500}"#;
        let answer = stack.chat(world.node.id, plain).await.unwrap();
        answer.whole().await.unwrap();
        let answer = stack.chat(world.node.id, body).await.unwrap();
        let _ = answer.whole().await;
        client.receipts().flush().await.unwrap();
        Self {
            world,
            client,
            stack,
        }
    }

    fn watcher(&self) -> Watcher {
        let (ledger, key) = (self.world.ledger.clone(), self.world.user.clone());
        Watcher::new(ledger, key, self.client.receipts())
    }

    async fn stack(&self) -> Stack {
        self.stack.refresh().await.unwrap()
    }

    /// One who starts anew looks at the stack.
    async fn look(&self, max_bonds: MicroUsdc) -> Looked {
        let stack = self.stack().await;
        let mut watcher = self.watcher();
        watcher.look(&stack, policy(max_bonds)).await.unwrap()
    }

    async fn money(&self) -> MicroUsdc {
        self.world.usdc(&self.world.user).await
    }

    /// Where the user's memory is.
    fn file(&self) -> PathBuf {
        let network = self.world.ledger.network().to_string();
        let folder = self.world.folder.path().join("client").join(network);
        folder.join("client.sqlite")
    }
}

async fn attester(world: &World) {
    let key = SigningKey::generate(&SystemRandom);
    let address = key.public_key().address();
    world.ledger.faucet(address).await.unwrap();
    let url = "http://127.0.0.1:9".to_owned();
    let node = subscribed(&world.ledger, &key, url, (&key, world.task)).await;
    let deposit = world.ledger.db().await.unwrap().params.attest_deposit;
    let attest = calls::EnrollAttester {
        db: world.ledger.deployment().db.into(),
        task: world.task.into(),
        node: node.into(),
        deposit: Payment(MicroUsdc(deposit)),
        clock: Clock,
    };
    let attests = world.ledger.execute(&key, vec![attest.into()]);
    attests.await.unwrap();
}

/// What was deposited has weight from now on.
async fn sync(world: &World) {
    let task = world.ledger.task(world.task).await.unwrap();
    let sync = task.subscriptions.iter().map(|subscription| {
        let call = calls::SyncSubscription {
            task: world.task.into(),
            node: subscription.node.into(),
            clock: Clock,
        };
        call.into()
    });
    let synced = world.ledger.execute(&world.node.owner, sync.collect());
    synced.await.unwrap();
}

fn challenged(looked: &Looked) -> Vec<MicroUsdc> {
    let bonds = looked.steps.iter().filter_map(|step| match &step.did {
        Did::Challenged { bond, .. } => Some(*bond),
        _ => None,
    });
    bonds.collect()
}

fn ended(looked: &Looked) -> Option<EndedChallenge> {
    looked.steps.iter().find_map(|step| match &step.did {
        Did::ChallengeEnded(ended) => Some(*ended),
        _ => None,
    })
}

fn wrong(looked: &Looked) -> WrongAnswer {
    looked.tickets[0].wrong.clone().unwrap()
}

#[tokio::test]
async fn an_impossible_usage_is_challenged_once_and_the_bond_comes_back_with_the_conviction() {
    let case = Overcounted::claimed().await;
    // nobody has allowed it
    let seen = case.look(MicroUsdc::ZERO).await;
    assert!(seen.steps.is_empty(), "{:?}", seen.steps);
    assert!(wrong(&seen).reason.contains("300 tokens of output"));
    let left = MicroUsdc(BOND.0 - 1);
    let seen = case.look(left).await;
    assert_eq!(wrong(&seen).remedy, Remedy::TooDear { bond: BOND, left });
    assert!(seen.steps.is_empty(), "{:?}", seen.steps);

    let before = case.money().await;
    assert_eq!(challenged(&case.look(BOND).await), [BOND]);
    assert_eq!(case.money().await, MicroUsdc(before.0 - BOND.0));
    let stack = case.stack().await;
    let ticket = &stack.lease(case.world.node.id).unwrap().tickets[0];
    let challenge = ticket.challenge.clone().unwrap();
    assert_eq!(challenge.unit, Some(ComputeUnits(59)));
    // whoever looks next draws the jury and stakes nothing more
    let again = case.look(MicroUsdc(10 * BOND.0)).await;
    assert_eq!(wrong(&again).remedy, Remedy::Challenged);
    assert!(again.steps.is_empty(), "{:?}", again.steps);
    assert_eq!(case.money().await, MicroUsdc(before.0 - BOND.0));
    let stack = case.stack().await;
    let ticket = &stack.lease(case.world.node.id).unwrap().tickets[0];
    assert!(ticket.challenge.as_ref().unwrap().jury.is_some());

    // the node shows the jury nothing
    advance(&case.world.network.localnet, HOUR + 1_000).await;
    let convicts = case.look(BOND).await;
    let convicted = convicts.steps.iter().any(|step| {
        matches!(&step.did, Did::Convicted(convicted) if convicted.charge == Charge::Undisclosed)
    });
    assert!(convicted, "{:?}", convicts.steps);
    let over = ended(&case.look(BOND).await).unwrap();
    let expected = EndedChallenge {
        ticket: 2,
        bond: BOND,
        back: BOND,
        end: End::Convicted(Charge::Undisclosed),
    };
    assert_eq!(over, expected);
    assert_eq!(case.stack().await.free.0, 10_000 + BOND.0);
    assert_eq!(ended(&case.look(BOND).await), None, "it is told once");
}

#[tokio::test]
async fn a_program_that_was_killed_before_it_staked_stakes_once() {
    let case = Overcounted::claimed().await;
    // it was written down, and never sent
    let stack = case.stack().await;
    let file = rusqlite::Connection::open(case.file()).unwrap();
    let note = "INSERT INTO bonds (stack, node, ticket, staked) VALUES (?1, ?2, 2, ?3)";
    let (id, node) = (stack.id.0.as_bytes(), case.world.node.id.0.as_bytes());
    let staked = i64::try_from(BOND.0).unwrap();
    file.execute(note, (id, node, staked)).unwrap();
    drop(file);
    let before = case.money().await;
    // what was to be staked then may be staked now, and no more
    assert_eq!(challenged(&case.look(BOND).await), [BOND]);
    assert_eq!(challenged(&case.look(BOND).await), []);
    assert_eq!(case.money().await, MicroUsdc(before.0 - BOND.0));
}

#[tokio::test]
async fn a_bond_that_the_wallet_does_not_have_counts_for_nothing() {
    let case = Overcounted::claimed().await;
    let (ledger, user) = (&case.world.ledger, &case.world.user);
    let (all, owner) = (case.money().await, case.world.owner());
    ledger.transfer_usdc(user, owner, all).await.unwrap();
    let poor = case.look(BOND).await;
    assert!(matches!(poor.steps[0].did, Did::Refused(_)));
    let address = user.public_key().address();
    ledger.mint_usdc(address, BOND).await.unwrap();
    assert_eq!(challenged(&case.look(BOND).await), [BOND]);
}

#[tokio::test]
async fn what_a_check_finds_wrong_is_challenged_like_what_the_bytes_say() {
    let case = Overcounted::served(r#"{"act":"plain","max_tokens":500}"#).await;
    case.world.node.settles(case.stack.id()).await;
    let second = |kept: &KeptReceipt| match kept.seq {
        2 => Checked::Wrong("the model says something else".to_owned()),
        _ => Checked::Fine,
    };
    let plan = WatchPlan {
        max_bonds: BOND,
        check: Some(std::sync::Arc::new(second)),
        ..Watched::Remembered.into()
    };
    let mut bonds = Vec::new();
    let mut reasons = Vec::new();
    let looking = case.client.watch_once(plan, |_, looked| {
        bonds.extend(challenged(looked));
        reasons.extend(looked.tickets.iter().filter_map(|t| t.wrong.clone()));
    });
    looking.await.unwrap();
    assert_eq!(bonds, [BOND]);
    assert_eq!(reasons[0].reason, "the model says something else");
    assert_eq!(reasons[0].unit, ComputeUnits(59));
}

#[tokio::test]
async fn a_jury_that_is_shown_another_receipt_than_the_kept_one_shows_a_proof_to_whoever_hears_of_it()
 {
    let case = Overcounted::served(r#"{"act":"plain","max_tokens":500}"#).await;
    case.world.node.forges_records();
    // a receipt that binds them; its user refuses it, and isn't asked
    let body = r#"{"act":"plain","max_tokens":500}"#;
    let answer = case.stack.chat(case.world.node.id, body).await.unwrap();
    assert!(answer.whole().await.is_err());
    case.client.receipts().flush().await.unwrap();
    case.world.node.settles(case.stack.id()).await;
    let challenge = Dispute::Challenge(Claimed {
        stack: case.stack.id(),
        node: case.world.node.id,
        unit: ComputeUnits(59),
    });
    case.client.dispute(&challenge).await.unwrap();
    let mut events = case.world.ledger.subscribe().await.unwrap();
    // its jury is drawn
    case.look(MicroUsdc::ZERO).await;
    let stack = case.stack().await;
    let ticket = &stack.lease(case.world.node.id).unwrap().tickets[0];
    let jury = ticket.challenge.as_ref().unwrap().jury.clone().unwrap();
    case.world.node.discloses_to_jury(stack.id, &jury).await;
    let disclosed = loop {
        let event = events.next().await.unwrap().unwrap();
        if matches!(event.event, Event::DisclosedToJury(_)) {
            break event;
        }
    };
    assert_eq!(Watcher::concerns(&disclosed.event), Some(stack.id));
    let mut watcher = case.watcher();
    watcher.hear(&stack, &disclosed);
    let stack = case.stack().await;
    let looked = watcher.look(&stack, policy(MicroUsdc::ZERO)).await.unwrap();
    let convicted = looked.steps.iter().any(|step| {
        matches!(&step.did, Did::Convicted(convicted) if convicted.charge == Charge::Equivocation)
    });
    assert!(convicted, "{:?}", looked.steps);
}

#[tokio::test]
async fn a_bond_that_came_back_to_the_owner_is_gone_for_another_who_watches() {
    let case = Overcounted::claimed().await;
    let helper = SigningKey::generate(&SystemRandom);
    let address = helper.public_key().address();
    case.world.ledger.faucet(address).await.unwrap();
    let named = calls::SetWatcher {
        stack: case.stack.id().into(),
        watcher: Some(address),
    };
    let named = case
        .world
        .ledger
        .execute(&case.world.user, vec![named.into()]);
    named.await.unwrap();
    let (ledger, helper) = (case.world.ledger.clone(), std::sync::Arc::new(helper));
    let mut watcher = Watcher::new(ledger, helper, case.client.receipts());
    let challenges = watcher.look(&case.stack().await, policy(BOND)).await;
    assert_eq!(challenged(&challenges.unwrap()), [BOND]);
    // its jury is drawn, and is shown nothing
    watcher
        .look(&case.stack().await, policy(BOND))
        .await
        .unwrap();
    advance(&case.world.network.localnet, HOUR + 1_000).await;
    watcher
        .look(&case.stack().await, policy(BOND))
        .await
        .unwrap();
    let over = watcher.look(&case.stack().await, policy(BOND)).await;
    assert_eq!(
        ended(&over.unwrap()).unwrap().back,
        BOND,
        "as the owner's credit"
    );
    let file = rusqlite::Connection::open(case.file()).unwrap();
    let query = "SELECT staked, back FROM bonds";
    let kept = file.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let kept: (i64, i64) = kept.unwrap();
    assert_eq!(kept, (5_000_000, 0));
}
