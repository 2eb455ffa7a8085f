//! A node that has served a user on a task whose answers are examined, attesters who say what the story has them say,
//! and what the sums in its stories are made of.

use crate::{
    test_attesters::{Says, TestAttesters},
    town::{HOUR, Town},
};
use atoma_client::KeptReceipt;
use atoma_network::testing::Accounts;
use atoma_types::{
    NodeId, StackId,
    chain::{Exam, Hit, HitStage, Jury, Lease},
};
use serde_json::Value;

/// A cent, in micro-USDC.
pub(crate) const CENT: i64 = 10_000;
pub(crate) const USDC: i64 = 100 * CENT;
/// What a ticket pays into the pool.
pub(crate) const DUE: i64 = 25_000;
/// What the question costs is worth an examination.
const TIMES: usize = 40;
/// A juror who is silent is waited for twice: until it could have committed, and until it could have revealed.
const VERDICT_WINDOW: u64 = 12 * HOUR;

/// A node that has served one answer.
pub(crate) struct Court {
    /// It ends before its ledger does.
    attesters: Option<TestAttesters>,
    pub(crate) town: Town,
    pub(crate) stack: StackId,
    /// What everybody had before the stack was bought.
    pub(crate) before: Accounts,
    /// What the node claims, in micro-USDC, and the protocol's share of it.
    pub(crate) claim: i64,
    pub(crate) fee: i64,
    /// What the user keeps of the answer.
    kept: KeptReceipt,
}

impl Court {
    /// Of a thousand tickets so many are examined. The user has closed the stack, so the node claims, and whoever is drawn
    /// says this.
    pub(crate) async fn claimed(permille: u64, says: Says) -> Self {
        let mut court = Self::served(permille).await;
        court.hears(says);
        court.town.closes(court.stack).await;
        court
    }

    /// The same before the stack is closed, and nobody says anything.
    pub(crate) async fn served(permille: u64) -> Self {
        let town = Town::examined(permille).await;
        let before = town.accounts(&[]).await;
        let stack = town.buys_ungranted().await;
        town.grants(stack).await;
        let question = "What is the sun? ".repeat(TIMES);
        let kept = town.asks_about(stack, question.trim()).await;
        let claim = town.price().cost(kept.units).unwrap().0 as i64;
        Self {
            town,
            stack,
            before,
            claim,
            fee: claim / 100,
            kept,
            attesters: None,
        }
    }

    /// From now on whoever is drawn says this.
    pub(crate) fn hears(&mut self, says: Says) {
        let (town, ledger) = (&self.town, &self.town.world.ledger);
        let attesters = TestAttesters::start(ledger, &town.attesters, self.stack, says);
        self.attesters = Some(attesters);
    }

    /// The node's owner claims by hand what the user has a receipt for.
    pub(crate) async fn claims_by_hand(&self) {
        self.town.claims_by_hand(&self.kept).await;
    }

    /// What a node is paid for its claim.
    pub(crate) fn pay(&self) -> i64 {
        self.claim - self.fee - DUE
    }

    /// What everybody has more than before the stack was bought, or less: together nothing.
    pub(crate) async fn moved(&self) -> Vec<(&'static str, i64)> {
        self.before.moved(&self.accounts().await)
    }

    /// What everybody has.
    pub(crate) async fn accounts(&self) -> Accounts {
        self.town.accounts(&[self.stack]).await
    }

    pub(crate) async fn lease(&self) -> Lease {
        let (stack, node) = (self.town.stack(self.stack).await, self.town.id().await);
        stack.lease(node).unwrap().clone()
    }

    /// The ticket's examination, once an examiner is drawn.
    pub(crate) async fn hit(&self) -> Option<Hit> {
        match self.lease().await.tickets.first()?.exam.clone() {
            Exam::Hit(hit) => Some(hit),
            _ => None,
        }
    }

    /// Waits until the examination has come so far.
    pub(crate) async fn reaches(&self, stage: HitStage) -> Hit {
        self.town
            .waits(async || self.hit().await.is_some_and(|hit| hit.stage == stage))
            .await;
        self.hit().await.unwrap()
    }

    /// Waits until the node is convicted: its lease is closed.
    pub(crate) async fn convicted(&self) {
        self.town.waits(async || self.lease().await.closed).await;
    }

    /// The challenge's jury, if it sits.
    async fn jury(&self) -> Option<Jury> {
        let ticket = self.lease().await.tickets.first().cloned();
        ticket?.challenge?.jury
    }

    /// Waits until the challenge's jury is shown the record; who was drawn last.
    pub(crate) async fn last_juror(&self) -> NodeId {
        let shown = async || self.jury().await.is_some_and(|jury| jury.seq > 0);
        self.town.waits(shown).await;
        self.jury()
            .await
            .unwrap()
            .jurors
            .last()
            .unwrap()
            .auditor
            .node
    }

    /// Waits until so many of the challenge's jury have revealed their verdicts.
    pub(crate) async fn reveals(&self, voters: usize) {
        let revealed = |jury: Jury| jury.jurors.iter().filter(|j| j.verdict.is_some()).count();
        let have = async || self.jury().await.map(revealed) == Some(voters);
        self.town.waits(have).await;
    }

    /// So many of the challenge's jury vote, and the others are waited for in vain.
    pub(crate) async fn outwaits(&self, voters: usize) {
        let committed = |jury: Jury| {
            let jurors = jury.jurors.iter();
            jurors.filter(|juror| juror.commitment.is_some()).count()
        };
        let have = async || self.jury().await.map(committed) == Some(voters);
        self.town.waits(have).await;
        self.town.world.advance(VERDICT_WINDOW + 1).await;
        self.reveals(voters).await;
        self.town.world.advance(VERDICT_WINDOW + 1).await;
    }

    /// What `atoma dispute show` says of the ticket.
    pub(crate) async fn shown(&self) -> String {
        let stack = self.stack.to_string();
        let lines = self.town.does(&["dispute", "show", &stack]).await;
        lines[0]["state"].as_str().unwrap().to_owned()
    }

    /// The user challenges the answer; what the command says.
    pub(crate) async fn challenges(&self) -> Value {
        let (stack, node) = (self.stack.to_string(), self.town.id().await.to_string());
        let words = ["dispute", "challenge", "--stack", &stack, "--node", &node];
        let words = [&words[..], &["--unit", "0"]].concat();
        self.town.does(&words).await.remove(0)
    }

    /// What `atoma dispute list` says of the one challenge.
    pub(crate) async fn challenge(&self) -> Value {
        let stack = self.stack.to_string();
        let mut listed = self.town.does(&["dispute", "list", &stack]).await;
        assert_eq!((listed.len(), &listed[0]["what"]), (1, &"challenge".into()));
        listed.remove(0)
    }

    /// Waits until the jury of the challenge has decided; how it ended, as the user reads it.
    pub(crate) async fn decided(&self) -> String {
        self.town
            .waits(async || {
                let lease = self.lease().await;
                let challenge = lease.tickets.first().and_then(|t| t.challenge.clone());
                lease.closed || challenge.is_some_and(|challenge| challenge.over)
            })
            .await;
        self.challenge().await["state"].as_str().unwrap().to_owned()
    }

    /// The user takes out what has come back; how much the command says it is.
    pub(crate) async fn withdraws(&self) -> Value {
        let stack = self.stack.to_string();
        let lines = self.town.does(&["stack", "withdraw", &stack]).await;
        lines[0]["withdrawn_micro_usdc"].clone()
    }

    /// Attesters that are drawn no more, for they were silent.
    pub(crate) async fn struck_off(&self) -> usize {
        let task = self.town.world.ledger.task(self.town.task()).await.unwrap();
        let promises = task.subscriptions.iter().filter_map(|s| s.attester);
        promises.filter(|attester| !attester.active).count()
    }
}
