//! The model, held to the contract: random parties play the same calls on both, well-timed or not, and every refusal
//! and every balance must be the same.

mod both;
mod calls;
mod compare;
mod play;
mod records;

use play::Play;

/// Plays, and steps of each. `ATOMA_SIM_PLAYS` takes more.
const PLAYS: u64 = 16;
const STEPS: u64 = 3_000;

#[test]
fn the_model_refuses_and_pays_as_the_contract_does() {
    let plays = std::env::var("ATOMA_SIM_PLAYS")
        .ok()
        .and_then(|plays| plays.parse().ok())
        .unwrap_or(PLAYS);
    let mut done = play::Done::default();
    for seed in 0..plays {
        let mut play = Play::new(seed);
        for _ in 0..STEPS {
            play.step();
        }
        done += play.done;
    }
    println!("{done:?}");
    // the plays reach what they are for
    let rare = [
        done.claims,
        done.convictions,
        done.answers,
        done.verdicts,
        done.guilty,
        done.acquitted,
        done.hung,
        done.unexamined,
        done.shares,
    ];
    assert!(rare.iter().all(|&count| count > 0), "{done:?}");
}
