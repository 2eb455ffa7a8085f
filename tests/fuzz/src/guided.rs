//! One target under libFuzzer, led by coverage: what `cargo xtask fuzz` builds and starts. The target's name
//! stands in `ATOMA_FUZZ_TARGET`, a folder for its seeds in `ATOMA_FUZZ_SEEDS`; the rest of the command line is
//! libFuzzer's own. Without a name it tells those that there are.

#![no_main]

use atoma_fuzz::{TARGETS, Target, target};
use std::sync::LazyLock;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("ATOMA_FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("ATOMA_FUZZ_TARGET names no target: {name:?}"))
});

fn begin() {
    // libFuzzer's own hook ends the program at panics that somebody catches, too
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    if std::env::var_os("ATOMA_FUZZ_TARGET").is_none() {
        TARGETS
            .iter()
            .for_each(|target| println!("{}", target.name));
        std::process::exit(0);
    }
    if let Some(folder) = std::env::var_os("ATOMA_FUZZ_SEEDS") {
        TARGET
            .write_seeds(folder.as_ref())
            .expect("a folder for seeds");
    }
}

libfuzzer_sys::fuzz_target!(init: begin(), |input: &[u8]| TARGET.feed(input));
