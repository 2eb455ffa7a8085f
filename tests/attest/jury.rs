//! Jurors that a test plays: who votes without work, copies, comes late or stays silent.

use crate::world::{PRICE, Told, params};
use atoma_keys::SigningKey;
use atoma_network::{
    Network, POCKET_MONEY, Silent, cheat::Cheat, fund, subscribe_unreachable_node, testing::advance,
};
use atoma_runtime::SystemRandom;
use atoma_types::{
    MicroUsdc, NodeId, StackId,
    chain::{Clock, Event, Params, Payment, Verdict, calls, events::JuryDrawn},
    hash::Hash32,
};

/// What a juror does who is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Play {
    /// Says that all is well, and hasn't looked.
    Blind,
    /// Commits to something and reveals it: nobody else finds that.
    Garbage,
    /// Commits to what another has committed to, and has nothing to reveal.
    Copies,
    /// Reveals when the time is over.
    Late,
    /// Neither commits nor reveals.
    IsSilent,
}

/// An attester that is played by the test.
pub(crate) struct Played {
    play: Play,
    key: SigningKey,
    node: NodeId,
}

const SALT: Hash32 = Hash32([8; 32]);

impl Played {
    pub(crate) async fn enrol(network: &Network, play: Play) -> Self {
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
    pub(crate) async fn sync(&self, network: &Network) {
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
