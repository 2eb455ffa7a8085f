//! The package published on a ledger that was born without it: the way every Sui network goes.

use crate::atoma::{Process, objects, run};
use serde_json::Value;
use std::path::Path;

/// A ledger with its data folder, and a user's own.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// Starts the ledger, which is unpublished while it is new.
    fn ledger(&self, listen: &str) -> Process {
        let data = self.folder.path().join("ledger");
        let run = ["localnet", "run", "--unpublished", "--listen", listen];
        Process::start(&[&run[..], &["--data-dir", data.to_str().unwrap()]].concat())
    }

    /// A command in a data folder: what it printed, and whether it went well.
    fn try_as(&self, home: &str, args: &[&str]) -> (Vec<Value>, bool) {
        let home = self.home(home);
        let output = run(&[&["--home", home.to_str().unwrap()], args].concat());
        (objects(&output.stdout), output.status.success())
    }

    fn run_as(&self, home: &str, args: &[&str]) -> Vec<Value> {
        let (objects, success) = self.try_as(home, args);
        assert!(success, "{args:?}: {objects:?}");
        objects
    }

    fn refused(&self, home: &str, args: &[&str]) -> String {
        let (objects, success) = self.try_as(home, args);
        assert!(!success, "{args:?}: {objects:?}");
        let error = objects.last().and_then(|line| line["error"].as_str());
        error.unwrap_or_default().to_owned()
    }

    /// Someone who uses the network with a funded key; their address.
    fn join(&self, home: &str, url: &str) -> String {
        self.run_as(home, &["--ledger", url, "network", "add", "mine"]);
        self.run_as(home, &["network", "use", "mine"]);
        let made = self.run_as(home, &["wallet", "new"]);
        let funded = self.run_as(home, &["wallet", "fund", "--usdc", "10"]);
        assert!(funded[0]["gas_mist"].as_u64().unwrap() > 0);
        made[0]["address"].as_str().unwrap().to_owned()
    }

    fn home(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}

/// Every line of the doctor's report is `ok`.
fn all_is_well(report: &[Value]) {
    assert!(report.len() > 10, "{report:?}");
    for line in report {
        assert_eq!(line["result"], "ok", "{line}");
    }
}

#[test]
fn the_package_is_published_found_again_and_outlives_a_crash() {
    let world = World {
        folder: tempfile::tempdir().unwrap(),
    };
    let mut ledger = world.ledger("127.0.0.1:0");
    assert!(ledger.ready["package"].is_null() && ledger.ready["db"].is_null());
    let url = ledger.text("ledger").to_owned();

    // money comes first, and nothing else works
    let publisher = world.join("publisher", &url);
    let listed = world.run_as("publisher", &["wallet", "list"]);
    assert!(listed[0]["gas_mist"].as_u64().unwrap() > 0, "{listed:?}");
    world.refused("publisher", &["task", "list"]);
    world.refused("publisher", &["network", "doctor"]);
    world.refused("publisher", &["network", "upgrade"]);

    // without --yes it is only tried out, and can be tried again
    for _ in 0..2 {
        let tried = world.run_as("publisher", &["network", "publish"]);
        assert_eq!(tried[0]["state"], "tried out");
        assert_eq!(tried[0]["administrator"], publisher.as_str());
        assert!(tried[0]["gas_mist"].as_u64().unwrap() > 0);
    }
    world.refused("publisher", &["task", "list"]);

    // said as above what it takes, and then done
    let told = world.run_as("publisher", &["network", "publish", "--yes"]);
    assert_eq!(told[0]["state"], "tried out");
    let published = told.last().unwrap();
    assert_eq!(published["state"], "published");
    let place = |line: &Value| {
        let ids = ["package", "db", "admin_cap", "upgrade_cap"];
        ids.map(|name| line[name].as_str().unwrap().to_owned())
    };
    let ids = place(published);
    let report = world.run_as("publisher", &["network", "doctor"]);
    all_is_well(&report);
    let code = report.iter().find(|line| line["check"] == "code").unwrap();
    assert!(!code["found"].as_str().unwrap().is_empty());

    // its parameters are the publisher's to set
    world.join("stranger", &url);
    all_is_well(&world.run_as("stranger", &["network", "doctor"]));
    let set = ["network", "set-param", "min_collateral", "1000000"];
    world.refused("stranger", &set);
    world.run_as("publisher", &set);
    let params = world.run_as("stranger", &["network", "params"]);
    assert_eq!(params[0]["min_collateral"], 1_000_000);

    // anyone uses it
    let create = ["task", "create", "builtin"];
    world.run_as("stranger", &create);
    assert_eq!(world.run_as("publisher", &["task", "list"]).len(), 1);

    // nobody publishes a second one
    let again = ["network", "publish", "--yes", "--again"];
    for home in ["publisher", "stranger"] {
        assert!(world.refused(home, &again).contains("takes no other"));
    }

    // kill -9: everything is there
    let address = url.trim_start_matches("http://").to_owned();
    ledger.kill();
    let ledger = world.ledger(&address);
    assert_eq!(ledger.text("package"), ids[0]);
    all_is_well(&world.run_as("publisher", &["network", "doctor"]));
    assert_eq!(world.run_as("publisher", &["task", "list"]).len(), 1);

    // repeated, it is known; by one who has lost the profile, it is found on the ledger by its code
    let known = world.run_as("publisher", &["network", "publish", "--yes"]);
    assert_eq!(known[0]["state"], "published already");
    let keystore = world.home("publisher").join("sui.keystore");
    let keystore = ["--keystore", keystore.to_str().unwrap()];
    world.run_as("lost", &["--ledger", &url, "network", "add", "mine"]);
    world.run_as("lost", &["network", "use", "mine"]);
    let found = [&keystore[..], &["network", "publish", "--yes"]].concat();
    let found = world.run_as("lost", &found);
    assert_eq!(found[0]["state"], "found");
    assert_eq!(place(&found[0]), ids);
}
