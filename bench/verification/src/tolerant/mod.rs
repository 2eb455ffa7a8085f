//! The tolerant class: providers whose numbers are close to the scorer's, how far their tokens depart, and which cheats show.
//!
//! What a real server's arithmetic does is done here by weights, each moved a little, in several ways. [`BF16_MOVES`] makes
//! the built-in model's log probabilities differ as those of vLLM in bf16 did (0.016 in the mean), [`F32_MOVES`] as in f32.

mod play;

use crate::{interval::interval, model::Model};
use anyhow::{Context, Result};
use atoma_audit::{
    testing::{Arithmetic, moved, options, write_moved},
    tolerant::{Honest, Seen, Sums, Verdict, judge},
};
use atoma_engine::Engine;
use atoma_network::cheat::{Cheat, cheating_with};
use play::{Edit, Player};
use rand::{SeedableRng, rngs::StdRng};
use std::sync::Arc;

/// By how much of themselves weights are moved so that numbers differ as in bf16.
const BF16_MOVES: f32 = 0.015;
/// The same for f32.
const F32_MOVES: f32 = 2e-6;
/// Weights of the model that is served and scored: the built-in model's are bf16, and rounding them would change nothing.
const BASE: Arithmetic = Arithmetic::Moved(0.01, 77);
/// Tokens of an audit: answers are put together until there are so many.
const AUDIT: u64 = 200;
/// Answers that are computed side by side.
const AT_ONCE: usize = 16;

/// The arithmetic of honest providers whose tokens are drawn by our sampler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// As of f32: numbers are off by some 1e-5.
    F32,
    /// As of bf16: numbers are off by some hundredths.
    Bf16,
}

/// What was found out about one class.
#[derive(Clone, Debug)]
pub struct Tolerant {
    /// Which.
    pub class: Class,
    /// How many honest tokens its lines are fitted from.
    pub tokens: usize,
    /// What honest tokens are like, by one half of the honest answers.
    pub fitted: Honest,
    /// The other half of them first, then each cheat.
    pub rows: Vec<TolerantRow>,
}

/// What came of answers of one kind.
#[derive(Clone, Debug)]
pub struct TolerantRow {
    /// What their node does, as of [`Kind`](crate::Kind)s.
    pub does: String,
    /// Whether it is honest.
    pub is_honest: bool,
    /// Answer by answer.
    pub answers: Vec<Sums>,
    /// Those answers in audits of 200 tokens.
    pub audits: Vec<Sums>,
}

/// What was found of several sums, by numbers that are held to be honest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// All of them.
    pub all: usize,
    /// Worth a second look.
    pub unsure: usize,
    /// Guilty.
    pub guilty: usize,
}

impl Found {
    /// What is found of these.
    #[must_use]
    pub fn of(honest: &Honest, sums: &[Sums]) -> Self {
        let mut found = Self::default();
        for sums in sums {
            found.all += 1;
            // decoding gives the bits of prefill here
            match judge(honest, sums, Some(sums)) {
                Verdict::Ok => {}
                Verdict::Unsure(_) => found.unsure += 1,
                Verdict::Guilty(_) => found.guilty += 1,
            }
        }
        found
    }

    /// Between which rates the guilty are, in 95 of 100 studies.
    #[must_use]
    pub fn rates(&self) -> (f64, f64) {
        interval(self.guilty, self.all)
    }
}

impl TolerantRow {
    fn new(does: &str, is_honest: bool, answers: &[Vec<Seen>]) -> Self {
        let answers: Vec<Sums> = answers.iter().map(|seen| seen.iter().collect()).collect();
        let mut audits = Vec::new();
        let mut audit = Sums::default();
        for answer in &answers {
            audit += *answer;
            if audit.tokens >= AUDIT {
                audits.push(std::mem::take(&mut audit));
            }
        }
        Self {
            does: does.to_owned(),
            is_honest,
            answers,
            audits,
        }
    }

    /// All answers together.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let mut all = Sums::default();
        self.answers.iter().for_each(|answer| all += *answer);
        all
    }
}

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Trials {
    /// Honest tokens of each class.
    pub honest: u64,
    /// Tokens of each cheat.
    pub cheats: u64,
    /// Which requests are drawn.
    pub seed: u64,
}

/// Tries both classes.
///
/// # Errors
/// If an engine can't be loaded, or fails.
pub async fn tolerant(
    model: &Model,
    trials: Trials,
    done: impl Fn(&Tolerant),
) -> Result<Vec<Tolerant>> {
    if trials.honest == 0 {
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir()?;
    let base = folder.path().join("base");
    std::fs::create_dir_all(&base)?;
    write_moved(model.0.as_deref(), BASE, &base).context("cannot write the model")?;
    let base = Model(Some(base));
    let scorer = engine(&base, Arithmetic::Same)?;
    let cheats = cheats(&base, &scorer, trials).await?;
    let mut classes = Vec::new();
    for class in [Class::F32, Class::Bf16] {
        let (mut of_fit, mut judged) = (Vec::new(), Vec::new());
        let answers = honest(&base, &scorer, class, trials).await?;
        for (number, answer) in answers.into_iter().enumerate() {
            match number % 2 {
                0 => of_fit.extend(answer),
                _ => judged.push(answer),
            }
        }
        let mut rows = vec![TolerantRow::new("computes what it is asked", true, &judged)];
        if class == Class::Bf16 {
            let player = Player::new(&scorer, engine(&base, Arithmetic::Rounded)?);
            let mut random = StdRng::seed_from_u64(trials.seed * 100 + 10);
            let answers = player
                .play(trials.cheats, &mut random, Edit::Nothing)
                .await?;
            rows.push(TolerantRow::new(
                "computes with weights rounded to bf16",
                true,
                &answers,
            ));
        }
        rows.extend(cheats.iter().cloned());
        let class = Tolerant {
            class,
            tokens: of_fit.len(),
            fitted: Honest::fit(&of_fit),
            rows,
        };
        done(&class);
        classes.push(class);
    }
    Ok(classes)
}

fn engine(base: &Model, arithmetic: Arithmetic) -> Result<Arc<dyn Engine>> {
    Ok(moved(base.0.as_deref(), arithmetic, options(1, 128))?)
}

/// Answers of honest providers of a class, in turn.
async fn honest(
    base: &Model,
    scorer: &Arc<dyn Engine>,
    class: Class,
    trials: Trials,
) -> Result<Vec<Vec<Seen>>> {
    let by = match class {
        Class::F32 => F32_MOVES,
        Class::Bf16 => BF16_MOVES,
    };
    let ways = [1, 2, 3].map(|seed| Arithmetic::Moved(by, seed));
    let mut answers = Vec::new();
    for (number, way) in ways.into_iter().enumerate() {
        let player = Player::new(scorer, engine(base, way)?);
        let mut random = StdRng::seed_from_u64(trials.seed * 100 + number as u64);
        let tokens = trials.honest / ways.len() as u64;
        answers.extend(player.play(tokens, &mut random, Edit::Nothing).await?);
    }
    Ok(answers)
}

/// All cheats, by nodes that compute as the scorer does: departures of their arithmetic would come to those of the cheat.
async fn cheats(
    base: &Model,
    scorer: &Arc<dyn Engine>,
    trials: Trials,
) -> Result<Vec<TolerantRow>> {
    let folder = tempfile::tempdir()?;
    let with = |cheat: Cheat| {
        let folder = folder.path().join(cheat.as_str());
        cheating_with(cheat, scorer, base.0.as_deref(), &folder)
    };
    let mut random = StdRng::seed_from_u64(trials.seed * 100 + 50);
    let mut rows = Vec::new();
    for cheat in [
        Cheat::OtherCheckpoint,
        Cheat::Int8,
        Cheat::Int6,
        Cheat::Int4,
        Cheat::GreedyForSampled,
        Cheat::OtherTemperature,
        Cheat::WrongSeed,
        Cheat::ShorterPrompt,
        Cheat::ChangedSystemPrompt,
        Cheat::Cached,
    ] {
        let player = Player::new(scorer, with(cheat)?);
        let answers = player
            .play(trials.cheats, &mut random, Edit::Nothing)
            .await?;
        rows.push(TolerantRow::new(cheat.does(), false, &answers));
    }
    let cheap = Player::new(scorer, with(Cheat::Int4)?);
    let answers = cheap
        .play(trials.cheats, &mut random, Edit::Reported)
        .await?;
    let does = "has weights of 4 bits write, and the true model report its numbers";
    rows.push(TolerantRow::new(does, false, &answers));
    let player = Player::new(scorer, scorer.clone());
    for (share, does) in [
        (
            0.01,
            "changes 1 % of the tokens (one at least) to others that the model might have drawn",
        ),
        (0.05, "changes 5 % of them so"),
        (0.2, "changes 20 % of them so"),
    ] {
        let answers = player
            .play(trials.cheats, &mut random, Edit::Share(share))
            .await?;
        rows.push(TolerantRow::new(does, false, &answers));
    }
    Ok(rows)
}
