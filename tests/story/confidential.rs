//! Questions that nobody on the way can read, by software that acts as hardware: it has to be allowed by name, and every
//! line says so.

use crate::{
    atoma::{self, Process, command, objects},
    others::{folder, python},
    proxy::an_sdk_works_at,
};
use serde_json::Value;
use std::path::Path;

struct World {
    home: tempfile::TempDir,
    devnet: Process,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let run = ["devnet", "--any-port", "--confidential"];
        let devnet = Process::start_at(home.path(), &run);
        let world = Self { home, devnet };
        world.does(&["wallet", "new"]);
        world.does(&["wallet", "fund", "--usdc", "20"]);
        world
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        let home = self.home.path();
        command(args).env("ATOMA_HOME", home).output().unwrap()
    }

    fn does(&self, args: &[&str]) -> Vec<Value> {
        let output = self.run(args);
        let said = objects(&output.stdout);
        assert!(output.status.success(), "{args:?}: {said:?}");
        said
    }

    fn policy(&self) -> &str {
        self.devnet.text("policy")
    }

    /// An SDK over a proxy with these arguments.
    fn an_sdk_works(&self, args: &[&str], program: &str, script: &Path) {
        let run = [
            "proxy",
            "--listen",
            "127.0.0.1:0",
            "--confidential",
            "--policy",
        ];
        let run = [&run[..], &[self.policy()], args].concat();
        let mut ready = command(&run);
        ready
            .env("ATOMA_HOME", self.home.path())
            .env("ATOMA_API_KEY", self.devnet.text("api_key"));
        let proxy = Process::start_command(ready, &run);
        an_sdk_works_at(proxy, self.devnet.text("model"), (program, script));
    }
}

#[test]
fn a_question_is_sealed_to_a_node_that_the_policy_accepts_or_not_sent() {
    let world = World::new();
    let ask = [
        "chat",
        "--budget",
        "1",
        "--max-tokens",
        "8",
        "What is the sun?",
    ];
    let sealed = |policy: &str| {
        let more = ["--confidential", "--policy", policy];
        world.run(&[&ask[..], &more].concat())
    };
    // in clear the node takes nothing, and without a policy nothing is sent
    let plain = world.run(&ask);
    assert!(!plain.status.success());
    let said = objects(&plain.stdout);
    let said = said[0]["error"].as_str().unwrap();
    assert!(
        said.contains("not_sealed") && said.contains("--confidential"),
        "{said}"
    );
    let unnamed = world.run(&[&ask[..], &["--confidential"]].concat());
    let said = objects(&unnamed.stdout);
    assert!(said[0]["error"].as_str().unwrap().contains("policy"));

    let strict = world.home.path().join("strict.toml");
    let text = std::fs::read_to_string(world.policy()).unwrap();
    std::fs::write(&strict, text.replace("[software]", "")).unwrap();
    let refused = sealed(&strict.to_string_lossy());
    let said = objects(&refused.stdout);
    let said = said[0]["error"].as_str().unwrap();
    assert!(said.contains("policy_platform"), "{said}");
    // and none of it has cost anything
    assert!(world.does(&["stack", "list"]).is_empty());
    let wallets = world.does(&["wallet", "list"]);
    assert_eq!(wallets[0]["balance_micro_usdc"], 20_000_000);

    let answered = sealed(world.policy());
    let told = String::from_utf8_lossy(&answered.stderr);
    assert!(answered.status.success(), "{told}");
    assert!(
        told.contains("tier software") && told.contains("protects against nobody"),
        "{told}"
    );
    let said = objects(&answered.stdout);
    assert!(
        said[0]["text"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{said:?}"
    );
    let receipts = world.does(&["receipt", "list"]);
    assert!(receipts.iter().all(|receipt| receipt["fault"].is_null()));

    // nobody here can compute it again, which says nothing against the node
    let text = |name: &str| receipts[0][name].as_str().unwrap();
    world.does(&["stack", "close", text("stack")]);
    let request = text("request");
    let verified = world.run(&["verify", request, "--recompute"]);
    let found = objects(&verified.stdout);
    let computed = found
        .iter()
        .find(|row| row["check"] == "computation")
        .unwrap();
    assert_eq!(computed["result"], "skipped", "{found:?}");
    assert!(
        computed["found"].as_str().unwrap().contains("sealed"),
        "{computed}"
    );
    assert_eq!(verified.status.code(), Some(2), "{found:?}");
    // nor is it advised
    let advised = found.iter().find_map(|row| row["not_checked"].as_str());
    assert!(
        advised.is_some_and(|advice| !advice.contains("--recompute")),
        "{found:?}"
    );
}

#[test]
fn openais_sdk_works_sealed_over_stacks_of_ones_own_and_through_a_gateway() {
    let world = World::new();
    let script = folder("sdk/python/proxy.py");
    world.an_sdk_works(&["--budget", "5"], &python(), &script);
    let endpoint = world.devnet.text("endpoint").to_owned();
    world.an_sdk_works(&["--gateway", &endpoint], &python(), &script);
}

#[test]
fn the_demo_says_in_each_step_that_its_hardware_is_software() {
    let output = atoma::run(&["demo", "--confidential", "--nodes", "1"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let steps = objects(&output.stdout);
    assert!(
        steps.iter().all(|step| step["mark"] == "software TEE"),
        "{steps:?}"
    );
    let step = |name: &str| {
        let found = steps.iter().find(|step| step["step"] == name);
        found.unwrap_or_else(|| panic!("no step `{name}`"))
    };
    assert!(
        step("refused")["reason"]
            .as_str()
            .unwrap()
            .contains("policy_platform")
    );
    assert_eq!(step("attested")["attested"]["tier"], "software");
    assert!(
        step("answer")["text"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert_eq!(step("summary")["conserved"], true);
    let searched = step("searched");
    assert!(searched["files"].as_u64() > Some(3) && searched["found"] == 0);
}
