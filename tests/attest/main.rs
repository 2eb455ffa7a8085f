//! Nodes that attest look at another's answers by themselves: nine of them, and one that they may be drawn to examine.

mod keys;
mod kinds;
mod late;
mod leaving;

use atoma_client::{BuyRequest, Client, ClientConfig, StackHandle};
use atoma_engine::{Engine, builtin};
use atoma_keys::SigningKey;
use atoma_localnet::ClockMode;
use atoma_network::{
    Network, NetworkBuilder, POCKET_MONEY, Silent,
    cheat::{Cheat, cheating},
    fund, subscribe_unreachable_node,
    testing::advance,
};
use atoma_node::AttestConfig;
use atoma_runtime::SystemRandom;
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, StackId, UnitWeights,
    chain::{
        Attester, Clock, Event, Outcome, Params, Payment, Verdict, calls,
        events::{Charge, JuryDrawn},
    },
    hash::Hash32,
};
use futures::StreamExt;
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// A dollar buys two hundred tokens here: a ticket must be worth an examination.
const PRICE: Price = Price(5_000_000);
const WEIGHTS: UnitWeights = UnitWeights {
    input: 1_000_000,
    cached_input: 100_000,
    output: 1_000_000,
    image_step: 0,
    audio_second: 0,
};
const UNITS: ComputeUnits = ComputeUnits(400_000);
/// What the pool begins with: fees of twenty.
const POOL: MicroUsdc = MicroUsdc(2_000_000);
const ATTESTERS: usize = 9;
/// Longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(240);

/// Tickets wait a moment, and those who must act have all the time they want.
fn params() -> Params {
    Params {
        sample_permille: 1_000,
        dispute_window_ms: 500,
        answer_window_ms: 600_000,
        settle_grace_ms: 600_000,
        verdict_window_ms: 600_000,
        jail_ms: 600_500,
        slash_delay_ms: 10_000,
        unbonding_ms: 10_000,
        maturity_ms: 1_000,
        ..Params::default()
    }
}

fn attests() -> AttestConfig {
    AttestConfig {
        tick_ms: 100,
        spread_ms: 2_000,
        collect_from: MicroUsdc(1),
        ..AttestConfig::default()
    }
}

fn builder(folder: &std::path::Path, engine: &Arc<dyn Engine>) -> NetworkBuilder {
    Network::builder(folder)
        .localnet(|config| config.clock = ClockMode::Adjustable)
        .params(params())
        .walrus()
        .serving(engine.clone())
        .weights(WEIGHTS)
        .examined(POOL)
}

/// A node that may cheat, attesters, and a user who may ask.
struct Told {
    builder: NetworkBuilder,
    network: Network,
    user: StackHandle,
    played: Vec<Played>,
    _folder: tempfile::TempDir,
}

impl Told {
    /// All attest as they should.
    async fn start(cheat: Option<Cheat>) -> Self {
        Self::with(cheat, &[]).await
    }

    /// Some are played by the test.
    async fn with(cheat: Option<Cheat>, plays: &[Play]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine: Arc<dyn Engine> = Arc::new(builtin::load().unwrap());
        let mut builder = builder(folder.path(), &engine).node(PRICE);
        if let Some(cheat) = cheat {
            let engine = cheating(cheat, &engine, &folder.path().join("weights"));
            builder = builder.computing_with(engine.unwrap());
        }
        for _ in plays.len()..ATTESTERS {
            builder = builder.node(PRICE).attesting(attests());
        }
        let network = builder.clone().start().await.unwrap();
        let mut played = Vec::new();
        for play in plays {
            played.push(Played::enrol(&network, *play).await);
        }
        let enrolled = async {
            loop {
                for attester in &played {
                    attester.sync(&network).await;
                }
                let all = network.attesters(ATTESTERS);
                if let Ok(done) = tokio::time::timeout(Duration::from_secs(1), all).await {
                    return done.unwrap();
                }
            }
        };
        let enrolled = tokio::time::timeout(PATIENCE, enrolled).await;
        enrolled.expect("the attesters enrol");
        let key = SigningKey::generate(&SystemRandom);
        let address = key.public_key().address();
        fund(&network.ledger, "user", address, POCKET_MONEY, &Silent)
            .await
            .unwrap();
        let config = ClientConfig::default();
        let client = Client::with_ledger(network.ledger.clone(), key, config).unwrap();
        let order = BuyRequest {
            task: network.task.unwrap(),
            units: UNITS,
            max_price: PRICE,
            nodes: 0,
            lifetime: DurationMs(3_600_000),
        };
        let user = client.buy(order).await.unwrap();
        user.grant_some(network.nodes[0].id, UNITS).await.unwrap();
        Self {
            builder,
            network,
            user,
            played,
            _folder: folder,
        }
    }

    fn server(&self) -> NodeId {
        self.network.nodes[0].id
    }

    async fn ask(&self, text: &str) {
        let body = json!({
            "model": builtin::NAME,
            "messages": [{ "role": "user", "content": text }],
            "max_tokens": 40,
            "temperature": 2.0,
            "seed": 7,
        });
        let answer = self.user.chat(self.server(), body.to_string()).await;
        answer.unwrap().whole().await.unwrap();
    }

    /// A node dies as by a power cut, and starts again.
    async fn kill(&mut self, node: NodeId) {
        let place = self.network.nodes.iter().position(|found| found.id == node);
        let place = place.unwrap();
        drop(self.network.nodes.remove(place));
        self.starts_again(place + 1).await;
    }

    async fn starts_again(&mut self, number: usize) {
        // its folder's lock is free once its last task has ended
        let again = async {
            let (builder, network) = (&self.builder, &mut self.network);
            while builder.start_again(network, number).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let again = tokio::time::timeout(PATIENCE, again).await;
        again.expect("it starts again");
    }

    /// The promise of an attester.
    async fn promise(&self, node: NodeId) -> Attester {
        let task = self.network.ledger.task(self.network.task.unwrap()).await;
        task.unwrap().subscription(node).unwrap().attester.unwrap()
    }

    /// What the ledger tells, up to an event that is waited for.
    async fn until(&self, is_last: impl Fn(&Event) -> bool) -> Vec<Event> {
        self.until_mut(is_last).await
    }

    /// The same where events are counted.
    async fn until_mut(&self, mut is_last: impl FnMut(&Event) -> bool) -> Vec<Event> {
        let mut told = Vec::new();
        let mut events = self.network.ledger.events(None);
        let follow = async {
            while let Some(event) = events.next().await {
                let event = event.unwrap().event;
                let last = is_last(&event);
                told.push(event);
                if last {
                    return;
                }
            }
        };
        let done = tokio::time::timeout(PATIENCE, follow).await;
        assert!(done.is_ok(), "it didn't come to that: {told:#?}");
        told
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_innocent_node_is_examined_and_paid_and_its_examiner_takes_its_fee() {
    let told = Told::start(None).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let paid = |event: &Event| matches!(event, Event::AttesterPaid(_));
    let events = told.until(paid).await;
    let verdict = events.iter().find_map(|event| match event {
        Event::VerdictGiven(e) => Some((e.examiner, e.bad)),
        _ => None,
    });
    let (examiner, bad) = verdict.expect("somebody examined it");
    assert!(!bad);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Claimed(_)))
    );
    let fee = MicroUsdc(Params::default().attest_fee);
    assert!(events.iter().any(|event| {
        matches!(event, Event::AttesterPaid(e) if e.node == examiner && e.amount == fee)
    }));
    told.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_takes_the_likeliest_token_where_it_should_draw_is_convicted() {
    let told = Told::start(Some(Cheat::GreedyForSampled)).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let convicted = |event: &Event| matches!(event, Event::NodeConvicted(_));
    let events = told.until(convicted).await;
    let Some(Event::NodeConvicted(e)) = events.last() else {
        unreachable!("it was waited for");
    };
    assert_eq!((e.node, e.charge), (told.server(), Charge::Examined));
    assert_eq!(e.fine.0, 10 * e.value.0);
    let decided = events
        .iter()
        .any(|event| matches!(event, Event::JuryDecided(e) if e.outcome == Outcome::Guilty));
    assert!(decided, "{events:#?}");
    // seven looked for themselves, and all found the same
    all_seven_found_the_same(&events);
    told.network.stop().await;
}

/// Seven jurors have revealed, and all the same.
fn all_seven_found_the_same(events: &[Event]) {
    let found = events.iter().filter_map(|event| match event {
        Event::Revealed(e) => Some(e.verdict),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    assert!(found.len() == 7 && found.iter().all(|verdict| *verdict == found[0]));
}

/// What a juror does who is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Play {
    /// Says that all is well, and hasn't looked.
    Blind,
    /// Commits to something and reveals it: nobody else finds that.
    Garbage,
    /// Commits to what another has committed to, and has nothing to reveal.
    Copies,
    /// Reveals when the time is over.
    Late,
    /// Does nothing.
    IsSilent,
}

/// An attester that is played by the test.
struct Played {
    play: Play,
    key: SigningKey,
    node: NodeId,
}

const SALT: Hash32 = Hash32([8; 32]);

impl Played {
    async fn enrol(network: &Network, play: Play) -> Self {
        let (ledger, task) = (&network.ledger, network.task.unwrap());
        let key = SigningKey::generate(&SystemRandom);
        let address = key.public_key().address();
        fund(ledger, "attester", address, POCKET_MONEY, &Silent)
            .await
            .unwrap();
        let node = subscribe_unreachable_node(ledger, &key, task, PRICE)
            .await
            .unwrap();
        let enrol = calls::EnrollAttester {
            db: ledger.deployment().db.into(),
            task: task.into(),
            node: node.into(),
            deposit: Payment(MicroUsdc(Params::default().attest_deposit)),
            clock: Clock,
        };
        ledger.execute(&key, vec![enrol.into()]).await.unwrap();
        Self { play, key, node }
    }

    /// Has its weight counted.
    async fn sync(&self, network: &Network) {
        let sync = calls::SyncSubscription {
            task: network.task.unwrap().into(),
            node: self.node.into(),
            clock: Clock,
        };
        let synced = network.ledger.execute(&self.key, vec![sync.into()]).await;
        synced.unwrap();
    }

    fn verdict(&self) -> Verdict {
        match self.play {
            Play::Garbage => Verdict {
                kind: 99,
                digest: Hash32([9; 32]),
            },
            _ => Verdict::OK,
        }
    }

    /// Commits, once the record is shown.
    async fn commit(&self, told: &Told, (stack, holder, ticket): (StackId, NodeId, u64)) {
        let ledger = &told.network.ledger;
        let jury = ledger.stack(stack).await.unwrap();
        let jury = jury.lease(holder).unwrap().tickets[0].exam_jury.clone();
        let others = jury.unwrap().jurors;
        let copied = others.iter().find_map(|juror| juror.commitment);
        let commitment = match self.play {
            Play::IsSilent => return,
            Play::Copies => copied.unwrap_or(SALT),
            _ => {
                let ballot = (stack, holder, ticket, false);
                self.verdict().commitment(ballot, self.node, &SALT)
            }
        };
        let call = calls::CommitVerdict {
            stack: stack.into(),
            holder,
            ticket,
            challenge: false,
            juror: self.node,
            commitment,
            clock: Clock,
        };
        ledger.execute(&self.key, vec![call.into()]).await.unwrap();
    }

    /// Whether the ledger takes what it reveals.
    async fn reveals(&self, told: &Told, (stack, holder, ticket): (StackId, NodeId, u64)) -> bool {
        let verdict = self.verdict();
        let call = calls::RevealVerdict {
            stack: stack.into(),
            holder,
            ticket,
            challenge: false,
            juror: self.node,
            verdict: verdict.kind,
            digest: verdict.digest,
            salt: SALT,
            clock: Clock,
        };
        let ledger = &told.network.ledger;
        ledger.execute(&self.key, vec![call.into()]).await.is_ok()
    }
}

/// A node that cheats, its jury with two who are played in it, and what each of the two has lost: of its deposit, and
/// its place.
async fn judged_among(plays: [Play; 2]) -> Vec<(Play, u64, bool)> {
    let told = Told::with(Some(Cheat::Int4), &plays).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let deposit = Params::default().attest_deposit;
    let drawn = |event: &Event| matches!(event, Event::Disclosed(_));
    let events = told.until(drawn).await;
    if let Some(Event::Disclosed(e)) = events.last()
        && let Some(examiner) = told.played.iter().find(|p| p.node == e.examiner)
    {
        // whatever it does as a juror, it accuses
        let say = calls::GiveVerdict {
            stack: e.stack.into(),
            holder: e.node,
            ticket: e.ticket,
            bad: true,
            bond: Payment(MicroUsdc(Params::default().examiner_fine)),
            clock: Clock,
        };
        let said = told.network.ledger.execute(&examiner.key, vec![say.into()]);
        said.await.unwrap();
    }
    let shown = |event: &Event| matches!(event, Event::DisclosedToJury(_));
    let events = told.until(shown).await;
    let jury = events.iter().find_map(|event| match event {
        Event::JuryDrawn(e) => Some(e.clone()),
        _ => None,
    });
    let JuryDrawn {
        stack,
        node,
        ticket,
        nodes,
        ..
    } = jury.unwrap();
    let ballot = (stack, node, ticket);
    let seated: Vec<_> = told
        .played
        .iter()
        .filter(|played| nodes.contains(&played.node))
        .collect();
    let honest = nodes.len() - seated.len();
    let mut committed = 0;
    let count = |event: &Event| {
        committed += usize::from(matches!(event, Event::Committed(_)));
        committed == honest
    };
    told.until_mut(count).await;
    for played in &seated {
        played.commit(&told, ballot).await;
    }
    let window = params().verdict_window_ms + 1;
    advance(&told.network.localnet, window).await;
    let mut revealed = 0;
    let count = |event: &Event| {
        revealed += usize::from(matches!(event, Event::Revealed(_)));
        revealed == honest
    };
    told.until_mut(count).await;
    for played in &seated {
        let takes = played.play == Play::Blind || played.play == Play::Garbage;
        if takes || played.play == Play::Copies {
            assert_eq!(
                played.reveals(&told, ballot).await,
                takes,
                "{:?}",
                played.play
            );
        }
    }
    if seated
        .iter()
        .any(|p| !matches!(p.play, Play::Blind | Play::Garbage))
    {
        advance(&told.network.localnet, window).await;
    }
    for late in seated.iter().filter(|p| p.play == Play::Late) {
        assert!(!late.reveals(&told, ballot).await, "it is too late");
    }
    let convicted = |event: &Event| matches!(event, Event::NodeConvicted(_));
    told.until(convicted).await;
    let mut lost = Vec::new();
    for played in &seated {
        let promise = told.promise(played.node).await;
        assert_eq!(promise.earned, MicroUsdc::ZERO, "{:?}", played.play);
        lost.push((played.play, deposit - promise.stake.0, !promise.active));
    }
    told.network.stop().await;
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn who_votes_without_work_or_says_something_else_is_fined() {
    let fine = Params::default().juror_fine;
    for (_, lost, struck) in judged_among([Play::Blind, Play::Garbage]).await {
        assert_eq!((lost, struck), (fine, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_copies_is_late_or_silent_earns_nothing_and_loses_its_place() {
    for plays in [[Play::Copies, Play::Late], [Play::IsSilent, Play::Copies]] {
        for (play, lost, struck) in judged_among(plays).await {
            assert_eq!((lost, struck), (0, true), "{play:?}");
        }
    }
}

/// An attester dies once in each step: as it is drawn, as it is shown the record, as it has said or committed, and
/// before it reveals.
#[tokio::test(flavor = "multi_thread")]
async fn attesters_that_are_killed_in_every_step_go_on_where_they_were() {
    let mut told = Told::start(Some(Cheat::OtherTemperature)).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let drawn = |event: &Event| matches!(event, Event::ExaminerDrawn(_));
    let Some(Event::ExaminerDrawn(e)) = told.until(drawn).await.pop() else {
        unreachable!("it was waited for");
    };
    let examiner = e.examiner;
    told.kill(examiner).await;
    told.until(|event| matches!(event, Event::Disclosed(_)))
        .await;
    told.kill(examiner).await;
    told.until(|event| matches!(event, Event::VerdictGiven(_)))
        .await;
    told.kill(examiner).await;
    let drawn = |event: &Event| matches!(event, Event::JuryDrawn(_));
    let Some(Event::JuryDrawn(jury)) = told.until(drawn).await.pop() else {
        unreachable!("it was waited for");
    };
    told.kill(jury.nodes[0]).await;
    told.until(|event| matches!(event, Event::DisclosedToJury(_)))
        .await;
    for &juror in &jury.nodes[1..3] {
        told.kill(juror).await;
    }
    let first = |event: &Event| matches!(event, Event::Committed(_));
    let Some(Event::Committed(e)) = told.until(first).await.pop() else {
        unreachable!("it was waited for");
    };
    told.kill(e.juror).await;
    let mut committed = 0;
    let all = |event: &Event| {
        committed += usize::from(matches!(event, Event::Committed(_)));
        committed == jury.nodes.len()
    };
    told.until_mut(all).await;
    for &juror in &jury.nodes[3..5] {
        told.kill(juror).await;
    }
    let convicted = |event: &Event| matches!(event, Event::NodeConvicted(_));
    let events = told.until(convicted).await;
    all_seven_found_the_same(&events);
    told.network.stop().await;
}
