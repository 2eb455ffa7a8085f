//! Stacks that no node wants, and those that are over: they stand in nobody's way, and are shown for what they are.

use crate::{atoma::Process, walk::does};
use serde_json::Value;

fn stack(list: &[Value], id: &str) -> Value {
    let found = list.iter().find(|row| row["stack"] == id);
    found
        .unwrap_or_else(|| panic!("{id} is in {list:?}"))
        .clone()
}

#[test]
fn a_stack_that_no_node_takes_stands_in_no_questions_way() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let _devnet = Process::start_at(home, &["devnet", "--any-port"]);
    does(home, &["wallet", "new"]);
    does(home, &["wallet", "fund", "--usdc", "5"]);
    let buy = |units: &str| {
        let bought = does(
            home,
            &[
                "stack",
                "buy",
                "atoma-tiny",
                "--units",
                units,
                "--max-price",
                "5",
            ],
        );
        bought[0]["stack"].as_str().unwrap().to_owned()
    };
    let large = buy("100000");
    // the newest is asked first, and is worth no transaction to any node
    let small = buy("10");
    let told = does(home, &["chat", "hi", "--max-tokens", "4"]);
    assert_eq!(told[0]["stack"], Value::from(large.clone()));
    let listed = does(home, &["stack", "list"]);
    let (small_row, large_row) = (stack(&listed, &small), stack(&listed, &large));
    assert_eq!(
        (&small_row["used_units"], &small_row["left_units"]),
        (&0.into(), &10.into())
    );
    let used = told[0]["units"].as_u64().unwrap();
    assert_eq!(large_row["used_units"], used);
    assert_eq!(large_row["left_units"], 100_000 - used);
    // one that is over is told so at once
    does(home, &["stack", "close", &small]);
    let all = does(home, &["stack", "list", "--all"]);
    assert_eq!(stack(&all, &small)["state"], "closed");
}
