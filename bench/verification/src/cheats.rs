//! How many answers of each cheat are found, and as what.

use crate::{
    kinds::{Kind, Record, Seen},
    model::Model,
    play::Player,
    requests::drawn,
    world::World,
};
use anyhow::Result;
use atoma_audit::{Finding, Work, examine};
use atoma_engine::Engine;
use atoma_network::cheat::Cheat;
use futures::future::{join_all, try_join_all};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::collections::BTreeMap;

/// Answers that are computed, and looked at, side by side.
const AT_ONCE: usize = 8;
/// Tries for each answer that is wanted: a cheat that so seldom changes anything is none.
const TRIES: usize = 4;

/// What came of one kind.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub kind: Kind,
    /// Answers that were tried.
    pub tried: usize,
    /// Those of them that were the honest one's to the bit, so that there is nothing to find.
    pub alike: usize,
    /// Those that were found.
    pub caught: usize,
    /// By the finding's code: its text, and how many.
    pub findings: BTreeMap<u8, (String, usize)>,
}

impl Row {
    /// Answers that differ from the honest one's.
    #[must_use]
    pub fn wrong(&self) -> usize {
        self.tried - self.alike
    }

    /// Whether it is as it must be: all is found that always can be, and nothing that never can.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        match self.kind.seen() {
            Seen::Always => self.wrong() > 0 && self.caught == self.wrong(),
            Seen::Sometimes(_) => self.wrong() > 0,
            Seen::Never(_) => self.wrong() > 0 && self.caught == 0,
        }
    }
}

/// Tries all kinds, so many answers of each that differ from the honest one's.
///
/// # Errors
/// If an engine can't be loaded, or can't tell.
pub async fn cheats(model: &Model, answers: usize, done: impl Fn(&Row)) -> Result<Vec<Row>> {
    if answers == 0 {
        return Ok(Vec::new());
    }
    let world = World::new(model)?;
    let mut rows = Vec::new();
    for (number, kind) in Kind::all().into_iter().enumerate() {
        let row = one(&world, kind, answers, number as u64).await?;
        done(&row);
        rows.push(row);
    }
    Ok(rows)
}

async fn one(world: &World, kind: Kind, answers: usize, seed: u64) -> Result<Row> {
    let mut random = StdRng::seed_from_u64(seed);
    let made = match kind {
        Kind::Engine(cheat) => Some(world.cheat(cheat)?),
        Kind::Record(Record::CheapWords) => Some(world.cheat(Cheat::Int4)?),
        Kind::Record(Record::CoarseLeft) => Some(world.cheat(Cheat::Int8)?),
        Kind::Record(_) => None,
    };
    let player = Player {
        world,
        by: made.as_ref().unwrap_or(&world.honest),
    };
    let auditor = match kind {
        Kind::Record(Record::OtherCall) => &world.caller.engine,
        _ => &world.auditor,
    };
    let mut row = Row {
        kind,
        tried: 0,
        alike: 0,
        caught: 0,
        findings: BTreeMap::new(),
    };
    while row.wrong() < answers && row.tried < TRIES * answers {
        let many = AT_ONCE.min(answers - row.wrong());
        let played = play(&player, kind, many, &mut random).await;
        row.tried += many;
        row.alike += played.iter().filter(|work| work.is_none()).count();
        let works: Vec<Work> = played.into_iter().flatten().collect();
        for finding in look(&**auditor, &works).await? {
            row.caught += usize::from(finding != Finding::Honest);
            let entry = row.findings.entry(finding.code());
            entry.or_insert_with(|| (finding.to_string(), 0)).1 += 1;
        }
    }
    Ok(row)
}

async fn play(
    player: &Player<'_>,
    kind: Kind,
    many: usize,
    random: &mut StdRng,
) -> Vec<Option<Work>> {
    match kind {
        Kind::Engine(_) => {
            let requests: Vec<_> = (0..many).map(|_| drawn(random, &json!({}))).collect();
            join_all(requests.iter().map(|signed| player.engine(signed))).await
        }
        Kind::Record(record) => {
            let drawn = (0..many).map(|_| {
                let signed = record.sign(random);
                (signed, StdRng::seed_from_u64(random.random()))
            });
            let drawn: Vec<_> = drawn.collect();
            let played = drawn.iter();
            join_all(played.map(|(signed, chance)| player.record(record, signed, chance.clone())))
                .await
        }
    }
}

/// What is found of records that are looked at side by side.
pub(crate) async fn look(engine: &dyn Engine, works: &[Work]) -> Result<Vec<Finding>> {
    let examined = works.iter().map(|work| examine(engine, work));
    let examined = try_join_all(examined).await?;
    Ok(examined
        .into_iter()
        .map(|examined| examined.finding)
        .collect())
}
