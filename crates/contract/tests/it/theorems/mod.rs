//! The theorems of `docs/protocol.md`, each searched for a counter-example.
//!
//! `play` lets honest parties follow the protocol while others do whatever a pair of dice says: coalitions of owners, nodes and
//! attesters under many names, in any order, at any time (`acts`). `watch` looks at every call for what theorems 3 to 8 forbid; `end`
//! lets strangers alone bring everything to its end, and then looks at theorems 1, 2 and 9; `attesters` come and go, for
//! theorem 10; in `away` a node stays away for ever. In `hunt` somebody does not throw dice but wants one theorem broken, and looks ahead. What
//! theorems 11 and 12 say of numbers has tests of its own.
//!
//! `ATOMA_SEARCH_RUNS` is the number of plays, `ATOMA_SEARCH_FROM` the seed of the first; a play that finds something prints its own.

mod acts;
mod attesters;
mod away;
mod broken;
mod end;
mod honest;
mod hunt;
mod keys;
mod numbers;
mod play;
mod prey;
mod watch;

use play::Play;

/// Plays unless `ATOMA_SEARCH_RUNS` says otherwise: some twenty seconds of a processor.
const RUNS: u64 = 40;
/// Steps of one play.
const STEPS: usize = 500;

/// So many steps of a play.
pub(crate) fn short_play(seed: u64, steps: usize) {
    let mut play = Play::new(seed);
    for _ in 0..steps {
        play.step();
    }
}

#[test]
fn no_play_breaks_a_theorem() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let runs = number("ATOMA_SEARCH_RUNS").unwrap_or(RUNS);
    let from: u64 = number("ATOMA_SEARCH_FROM").unwrap_or(0);
    let mut seen = play::Seen::default();
    for seed in from..from + runs {
        let played = std::panic::catch_unwind(|| {
            let mut play = Play::new(seed);
            for _ in 0..STEPS {
                play.step();
            }
            play.finish();
            play.seen
        });
        match played {
            Ok(of_one) => seen.add(&of_one),
            Err(reason) => {
                eprintln!("seed {seed}");
                std::panic::resume_unwind(reason);
            }
        }
    }
    eprintln!("{runs} plays: {seen:?}");
    // a search that meets nothing finds nothing
    assert!(seen.claims > 0 && seen.convictions > 0 && seen.answers > 0);
    assert!(seen.examined > 0 && seen.juries > 0);
    assert!(seen.resigned > 0 && seen.leaving > 0 && seen.returned > 0);
    assert!(seen.forwarders > 0 && seen.keys > 0 && seen.equivocations > 0);
}
