//! Each kind of dispute from a user's command to money in the right accounts.

use crate::case::{self, Case, bodies, evidence, pays, settles, types};
use atoma_keys::SigningKey;
use atoma_network::{
    COLLATERAL,
    testing::{DAY, PARTS, UNITS},
};
use atoma_types::{ComputeUnits, chain::events::Charge, message::Signed};
use serde_json::{Value, json};

impl Case {
    /// Runs `atoma dispute` for a party; its lines.
    async fn command(&self, key: &SigningKey, args: &[&str]) -> Result<Vec<Value>, String> {
        types(&self.world, key, &[&["dispute"], args].concat()).await
    }
}

#[tokio::test]
async fn a_node_that_shows_nothing_is_convicted() {
    let trial = Case::of_a_wallet().await;
    let before = trial.accounts().await;
    settles(&trial).await;
    let receipt = trial.records[1].1.to_text();
    let demand = ["demand", "--receipt", &receipt];
    // only the owner, or whom it names, can demand anything
    let refused = trial.command(&trial.operator, &demand).await.unwrap_err();
    assert!(refused.contains("not_watcher"), "{refused}");
    let demanded = trial.command(&trial.user, &demand).await.unwrap();
    assert_eq!(demanded[0]["outcome"], json!("demanded"));
    let unit = trial.unit(2).0.to_string();
    assert_eq!(demanded[0]["unit"].to_string(), unit);
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());
    let shown = trial.command(&trial.user, &["show", &stack]).await.unwrap();
    assert_eq!(
        (&shown[0]["state"], &shown[1]["state"]),
        (&json!("claimed"), &json!("demanded"))
    );

    let silence = ["silence", &stack, &node, &unit];
    let early = trial.command(&trial.user, &silence).await.unwrap_err();
    assert!(early.contains("answer_time_not_over"), "{early}");
    trial.advance(DAY + 1).await;
    // anyone may
    let convicted = trial.command(&trial.operator, &silence).await.unwrap();
    let claimed: u64 = PARTS.iter().sum();
    assert_eq!(convicted[0]["charge"], json!(Charge::Silence));
    assert_eq!(convicted[0]["fine_micro_usdc"], json!(10 * claimed));
    let fee = trial.stack().await.terms.demand_fee.0;
    let freed = UNITS + fee;
    assert_eq!(convicted[0]["freed_micro_usdc"], json!(freed));
    assert_eq!(
        convicted[0]["collateral_left_micro_usdc"],
        json!(COLLATERAL.0 - 10 * claimed)
    );
    let shown = trial.command(&trial.user, &["show", &stack]).await.unwrap();
    assert_eq!(shown[0]["state"], json!("closed"));
    let after = trial.accounts().await;
    assert_eq!(before.moved(&after), case::convicted(fee));

    // the user takes it out, and a week later the fine is the protocol's
    types(&trial.world, &trial.user, &["stack", "withdraw", &stack])
        .await
        .unwrap();
    trial.advance(7 * DAY).await;
    types(&trial.world, &trial.user, &["node", "forfeit", &node])
        .await
        .unwrap();
    let (freed, fine) = (freed as i64, 10 * claimed as i64);
    let moved = [
        ("user", freed),
        ("stack's credit", -freed),
        ("fines", -fine),
        ("treasury", fine),
    ];
    assert_eq!(after.moved(&trial.accounts().await), moved);
}

#[tokio::test]
async fn an_answer_by_hand_ends_a_demand() {
    let trial = Case::start().await;
    let before = trial.accounts().await;
    settles(&trial).await;
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());
    let unit = trial.unit(3).0.to_string();
    let demand = [
        "demand", "--stack", &stack, "--node", &node, "--unit", &unit,
    ];
    trial.command(&trial.user, &demand).await.unwrap();
    let (good, wrong) = (evidence(&trial, 3), evidence(&trial, 2));
    let bodies = bodies(&trial);
    let answer = |file| {
        [
            "answer",
            &stack,
            &node,
            &unit,
            "--evidence",
            file,
            "--bodies",
            &bodies,
        ]
    };
    let refused = trial.command(&trial.operator, &answer(&wrong)).await;
    assert!(refused.unwrap_err().contains("record_wrong_unit"));
    let answered = trial
        .command(&trial.operator, &answer(&good))
        .await
        .unwrap();
    assert_eq!(answered[0]["outcome"], "answered");
    assert_eq!(answered[0]["record"], 3);
    let listed = trial.command(&trial.user, &["list", &stack]).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["what"], "demand");
    assert_eq!(listed[0]["state"], "answered: record 3");
    // whoever demands it again is told that it was shown, before anything is paid
    let shown = trial.accounts().await;
    let again = trial.command(&trial.user, &demand).await.unwrap_err();
    assert!(
        again.contains("was demanded before, and the node has shown its record, number 3"),
        "{again}"
    );
    assert_eq!(shown.moved(&trial.accounts().await), []);
    trial.advance(DAY + 1).await;
    pays(&trial).await;
    let (sum, fee) = (PARTS.iter().sum::<u64>() as i64, 35);
    let demand_fee = trial.stack().await.terms.demand_fee.0 as i64;
    let moved = [
        ("user", -demand_fee),
        ("escrow", -sum),
        ("node's credit", sum - fee + demand_fee),
        ("task's fees", fee),
    ];
    assert_eq!(before.moved(&trial.accounts().await), moved);
}

#[tokio::test]
async fn a_node_that_signs_two_receipts_for_one_request_is_convicted() {
    let trial = Case::start().await;
    let before = trial.accounts().await;
    settles(&trial).await;
    let one = trial.records[1].1.clone();
    let mut dear = one.message().clone();
    dear.units = ComputeUnits(dear.units.0 + 1);
    let other = Signed::new(dear, &trial.operator).to_text();
    let (one, next) = (one.to_text(), trial.records[2].1.to_text());
    let innocent = ["equivocation", &one, &next];
    let innocent = trial.command(&trial.user, &innocent).await.unwrap_err();
    assert!(innocent.contains("receipts_agree"), "{innocent}");
    let guilty = ["equivocation", &one, &other];
    let lines = trial.command(&trial.user, &guilty).await.unwrap();
    assert_eq!(lines[0]["outcome"], "convicted");
    assert_eq!(lines[0]["charge"], json!(Charge::Equivocation));
    assert_eq!(before.moved(&trial.accounts().await), case::convicted(0));
}
