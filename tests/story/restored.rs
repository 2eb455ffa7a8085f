//! A node whose disk is gone, or that has an old copy of it: the keys are there, and what it settled is on Walrus.

use crate::{
    case::types,
    court::{CENT, DUE},
    test_attesters::{Says, TestAttesters},
    town::{HOUR, Town},
};
use atoma_network::testing::{Accounts, DAY};
use atoma_types::{
    ComputeUnits, MicroUsdc, StackId,
    chain::{Exam, Hit, HitStage},
    message::{Receipt, Signed},
};
use serde_json::json;
use std::{fs, path::Path};

impl Town {
    /// Asks so often on a stack, each time for a pack of its own, and ends it: the node has settled all.
    async fn claims(&self, stack: StackId, requests: usize) -> Vec<Signed<Receipt>> {
        let mut receipts = Vec::new();
        for packs in 1..=requests {
            receipts.push(self.asks(stack).await);
            let stored = async || self.metric("atoma_node_packs_stored_total").await;
            self.waits(async || stored().await >= packs as u64).await;
        }
        let units = units(&receipts);
        let closed = self.closes(stack).await;
        let rest = self.price().cost(ComputeUnits(5_000 - units)).unwrap();
        assert_eq!(closed["withdrawn_micro_usdc"], json!(rest.0));
        receipts
    }

    /// The user demands a receipt's record.
    async fn demands(&self, receipt: &Signed<Receipt>) {
        let receipt = receipt.to_text();
        let demanded = self
            .does(&["dispute", "demand", "--receipt", &receipt])
            .await;
        assert_eq!(demanded[0]["outcome"], "demanded");
    }

    /// How many demands of a stack wait for an answer.
    async fn open_demands(&self, stack: StackId) -> usize {
        let (stack, node) = (self.stack(stack).await, self.id().await);
        let tickets = stack.lease(node).unwrap().tickets.iter();
        tickets.map(|ticket| ticket.demands.len()).sum()
    }

    /// The node has what it claimed, and the fees of demands, and nothing else has moved since.
    async fn is_paid(&self, since: &Accounts, stack: StackId, claims: &[u64], demands: u64) {
        self.paid(stack).await;
        let demand_fee = self.stack(stack).await.terms.demand_fee.0;
        let (claimed, fee) = (claims.iter().sum(), claims.iter().map(|claim| claim / 100));
        let (claimed, fee): (u64, u64) = (claimed, fee.sum());
        let shown = (demands * demand_fee) as i64;
        let (claimed, fee) = (claimed as i64, fee as i64);
        let mut moved = vec![
            ("user", -claimed - shown),
            ("node's credit", claimed - fee + shown),
            ("task's fees", fee),
        ];
        // of less than a hundred there is none
        moved.retain(|&(_, moved)| moved != 0);
        assert_eq!(since.moved(&self.accounts(&[stack]).await), moved);
        let node = self.on_ledger().await;
        assert_eq!(node.standing.convicted, 0);
    }
}

fn units(receipts: &[Signed<Receipt>]) -> u64 {
    receipts.iter().map(|one| one.message().units.0).sum()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_an_empty_journal_loses_what_it_had_not_claimed_and_nothing_else() {
    let mut town = Town::claiming(MicroUsdc(1)).await;
    let (node, before) = (town.id().await, town.accounts(&[]).await);
    let stack = town.buys().await;
    let claimed = town.asks(stack).await;
    town.waits(async || {
        let stack = town.stack(stack).await;
        !stack.lease(node).unwrap().tickets.is_empty()
    })
    .await;
    // the second of its two tickets is for the end
    let lost = town.asks(stack).await;
    town.loses_its_disk();
    town.start_node().await;
    assert_eq!(town.id().await, node, "it finds itself on the ledger");

    let (first, second) = (claimed.to_text(), lost.to_text());
    let both = ["dispute", "equivocation", &first, &second];
    let refused = types(&town.world, &town.user, &both).await.unwrap_err();
    assert!(refused.contains("receipts_agree"), "{refused}");
    let closed = town.closes(stack).await;
    let units = claimed.message().units.0;
    assert_eq!(closed["withdrawn_micro_usdc"], 5_000 - units);
    town.is_paid(&before, stack, &[units], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_an_empty_journal_shows_what_is_demanded_from_walrus() {
    let mut town = Town::storing(None).await;
    let before = town.accounts(&[]).await;
    let stack = town.buys().await;
    let receipts = town.claims(stack, 3).await;
    let node = town.id().await.to_string();
    let shown = town.operates(&["node", "show", &node]).await;
    let claim = units(&receipts);
    assert_eq!(shown[0]["claimed_micro_usdc"], json!(claim));
    assert_eq!(
        shown[0]["fines_if_away_at_most_micro_usdc"],
        json!(10 * claim)
    );
    assert_eq!(
        shown[0]["lost_if_away_at_most_micro_usdc"],
        json!(11 * claim)
    );
    town.loses_its_disk();
    // one demand comes while it is away, the others when it is back
    town.demands(&receipts[0]).await;
    town.start_node().await;
    town.demands(&receipts[1]).await;
    town.demands(&receipts[2]).await;
    town.waits(async || town.open_demands(stack).await == 0)
        .await;
    assert_eq!(town.metric("atoma_node_demands_answered_total").await, 3);
    assert_eq!(
        town.metric("atoma_node_tickets_read_back_total").await,
        1,
        "one read serves all of them"
    );
    town.is_paid(&before, stack, &[units(&receipts)], 3).await;
}

/// Its owner claims one answer by hand while the node has signed others, which name a history that begins before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_shown_where_the_last_receipt_of_its_ticket_binds_more_than_the_ticket() {
    let mut town = Town::storing(None).await;
    let before = town.accounts(&[]).await;
    let stack = town.buys().await;
    let mut kept = Vec::new();
    for packs in 1..=3 {
        kept.push(town.asks_and_keeps(stack).await);
        let stored = async || town.metric("atoma_node_packs_stored_total").await;
        town.waits(async || stored().await >= packs).await;
    }
    let (first, node) = (&kept[0], town.id().await);
    let claimed = town.claims_by_hand(first).await;
    assert_eq!(claimed["ticket"], json!(1));
    let again = town.tries_by_hand(first).await;
    let again = again.unwrap_err();
    assert!(
        again.contains("all up to receipt 1 is claimed already"),
        "{again}"
    );
    let receipts: Vec<_> = kept.iter().map(|kept| kept.signed().unwrap()).collect();
    let claimed = units(&receipts);
    let closed = town.closes(stack).await;
    let rest = town.price().cost(ComputeUnits(5_000 - claimed)).unwrap();
    assert_eq!(closed["withdrawn_micro_usdc"], json!(rest.0));
    let on_ledger = town.stack(stack).await;
    let tickets = &on_ledger.lease(node).unwrap().tickets;
    let ranges: Vec<_> = tickets
        .iter()
        .map(|ticket| (ticket.from_seq, ticket.to_seq, ticket.last_receipt().base))
        .collect();
    assert_eq!(ranges, [(0, 1, 0), (1, 3, 0)]);

    // from its own log, and once that is gone, from Walrus
    town.demands(&receipts[1]).await;
    town.waits(async || town.open_demands(stack).await == 0)
        .await;
    assert_eq!(town.metric("atoma_node_tickets_read_back_total").await, 0);
    town.loses_its_disk();
    town.demands(&receipts[2]).await;
    town.start_node().await;
    town.waits(async || town.open_demands(stack).await == 0)
        .await;
    assert_eq!(town.metric("atoma_node_tickets_read_back_total").await, 1);
    let claims = [units(&receipts[..1]), units(&receipts[1..])];
    town.is_paid(&before, stack, &claims, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_an_old_backup_loses_what_it_served_since_its_last_claim_and_nothing_else() {
    let mut town = Town::storing(Some(MicroUsdc(1))).await;
    let before = town.accounts(&[]).await;
    let stack = town.buys().await;
    let (folder, backup) = (town.folder(), town.world.folder.path().join("backup"));
    let claimed = async |town: &Town| {
        let (stack, node) = (town.stack(stack).await, town.id().await);
        !stack.lease(node).unwrap().tickets.is_empty()
    };
    let first = town.asks(stack).await;
    town.waits(async || claimed(&town).await).await;
    town.stop_node().await;
    copy(&folder, &backup);
    town.start_node().await;
    town.paid(stack).await;
    let second = town.asks(stack).await;
    town.waits(async || claimed(&town).await).await;
    // the second of its two tickets is for the end
    let lost = town.asks(stack).await;
    town.drop_node();
    fs::remove_dir_all(&folder).unwrap();
    copy(&backup, &folder);
    town.start_node().await;

    town.demands(&second).await;
    town.waits(async || town.open_demands(stack).await == 0)
        .await;
    assert_eq!(town.metric("atoma_node_tickets_read_back_total").await, 1);
    let (second_text, lost) = (second.to_text(), lost.to_text());
    let both = ["dispute", "equivocation", &second_text, &lost];
    let refused = types(&town.world, &town.user, &both).await.unwrap_err();
    assert!(refused.contains("receipts_agree"), "{refused}");
    let claims = [first, second].map(|receipt| receipt.message().units.0);
    let closed = town.closes(stack).await;
    let rest = 5_000 - claims.iter().sum::<u64>();
    assert_eq!(closed["withdrawn_micro_usdc"], json!(rest));
    town.is_paid(&before, stack, &claims, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_walrus_gives_only_later_is_shown_within_the_answer_window() {
    let mut town = Town::storing(None).await;
    let before = town.accounts(&[]).await;
    let stack = town.buys().await;
    let receipts = town.claims(stack, 2).await;
    town.loses_its_disk();
    town.world.walrus_down(10);
    town.start_node().await;
    town.demands(&receipts[1]).await;
    town.waits(async || town.metric("atoma_node_read_back_errors_total").await > 0)
        .await;
    town.world.advance(HOUR / 2).await;
    assert_eq!(town.open_demands(stack).await, 1);
    town.world.walrus_down(0);
    town.waits(async || town.open_demands(stack).await == 0)
        .await;
    town.is_paid(&before, stack, &[units(&receipts)], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_examiner_that_is_drawn_after_the_journal_was_lost_is_shown_the_record() {
    let mut town = Town::examined(1_000).await;
    let before = town.accounts(&[]).await;
    let stack = town.buys_ungranted().await;
    town.grants(stack).await;
    let receipts = town.claims(stack, 6).await;
    let hit = async |town: &Town| {
        let (stack, node) = (town.stack(stack).await, town.id().await);
        let ticket = stack.lease(node).unwrap().tickets.first().cloned();
        match ticket.map(|ticket| ticket.exam) {
            Some(Exam::Hit(hit)) => Some(hit),
            _ => None,
        }
    };
    let disclosed = |hit: Option<Hit>, silent| {
        hit.is_some_and(|hit| (hit.stage, hit.silent.is_some()) == (HitStage::Examining, silent))
    };
    town.waits(async || disclosed(hit(&town).await, false))
        .await;
    let first = hit(&town).await.unwrap();
    town.loses_its_disk();
    // the first examiner is silent, so another one is drawn: it must be shown the same record
    town.world.advance(DAY).await;
    town.start_node().await;
    town.waits(async || disclosed(hit(&town).await, true)).await;
    let second = hit(&town).await.unwrap();
    assert_eq!((second.unit, second.seq), (first.unit, first.seq));
    assert_eq!(town.metric("atoma_node_tickets_read_back_total").await, 1);

    let (ledger, attesters) = (&town.world.ledger, &town.attesters);
    let _attesters = TestAttesters::start(ledger, attesters, stack, Says::examiner(false));
    let claim = town.price().cost(ComputeUnits(units(&receipts))).unwrap();
    let (claim, fee) = (claim.0 as i64, claim.0 as i64 / 100);
    town.paid(stack).await;
    let moved = [
        ("user", -claim),
        ("node's credit", claim - fee - DUE),
        ("task's fees", fee),
        // the one who was silent has nothing
        ("pool", DUE - 10 * CENT),
        ("attesters' fees", 10 * CENT),
    ];
    assert_eq!(before.moved(&town.accounts(&[stack]).await), moved);
    assert_eq!(town.on_ledger().await.standing.convicted, 0);
}
