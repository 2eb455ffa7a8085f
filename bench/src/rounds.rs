//! Measuring in rounds: everything that is compared gets its turn in each round, a few tenths of a
//! second apart. The machine's speed changes by half within a minute, so figures of one round
//! belong together, and only the quietest round says what a request costs.

use crate::{
    load::{self, Outcome, Prepared},
    process::Process,
};
use anyhow::Result;
use std::time::Duration;

/// Connections of the throughput cells.
pub(crate) const CONNECTIONS: usize = 64;
/// The unit of what is measured in rounds.
pub(crate) const CPU_A_REQUEST: &str = "CPU-µs a request";
/// Requests before a lane is measured: connections, caches and the allocator are warm then.
const WARM_UP: usize = 2_000;

/// How much is measured.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Size {
    /// Turns of each.
    #[arg(long, default_value_t = 12)]
    pub(crate) rounds: usize,
    /// Requests in each turn.
    #[arg(long, default_value_t = 4_000)]
    pub(crate) requests: usize,
}

/// Makes a request by its number.
pub(crate) type Requests = Box<dyn Fn(usize) -> Prepared + Send + Sync>;

/// Something that takes requests, and the processes whose work for them counts.
pub(crate) struct Lane<'a> {
    pub(crate) name: &'static str,
    /// CPU-microseconds per request.
    pub(crate) goal: Option<f64>,
    pub(crate) measured: Vec<&'a Process>,
    pub(crate) address: String,
    /// So many requests, made before the clock starts: what signing them costs the load is not the
    /// lane's.
    pub(crate) prepare: Box<dyn Fn(usize) -> Requests + 'a>,
}

/// One turn: the load's outcome, and what each measured process used for a request.
pub(crate) struct Turn {
    /// Processor time for a request, in microseconds, of each measured process in order.
    pub(crate) cpu: Vec<f64>,
    pub(crate) outcome: Outcome,
}

/// All turns of a lane.
pub(crate) struct Turns {
    name: &'static str,
    goal: Option<f64>,
    pub(crate) turns: Vec<Turn>,
}

impl Lane<'_> {
    async fn turn(&self, requests: usize) -> Result<Turn> {
        let prepared = (self.prepare)(requests);
        let used = || {
            let each = self.measured.iter().map(|process| process.cpu());
            each.collect::<Result<Vec<_>>>()
        };
        let before = used()?;
        let outcome = load::run(&self.address, CONNECTIONS, requests, prepared).await?;
        let spent = used()?.into_iter().zip(before);
        let cpu = spent.map(|(after, before)| per(after.saturating_sub(before), requests));
        Ok(Turn {
            cpu: cpu.collect(),
            outcome,
        })
    }
}

/// Gives each lane its turn in each round, and calls `beside` once a round.
pub(crate) async fn run(
    lanes: &[Lane<'_>],
    Size { rounds, requests }: Size,
    mut beside: impl FnMut(),
) -> Result<Vec<Turns>> {
    for lane in lanes {
        lane.turn(WARM_UP.min(requests)).await?;
    }
    let mut all: Vec<_> = lanes
        .iter()
        .map(|lane| Turns {
            name: lane.name,
            goal: lane.goal,
            turns: Vec::new(),
        })
        .collect();
    for _ in 0..rounds {
        beside();
        for (lane, turns) in lanes.iter().zip(&mut all) {
            turns.turns.push(lane.turn(requests).await?);
        }
    }
    Ok(all)
}

impl Turn {
    /// CPU of all measured processes.
    pub(crate) fn total(&self) -> f64 {
        self.cpu.iter().sum()
    }
}

impl Turns {
    /// CPU-microseconds per request, turn by turn.
    pub(crate) fn totals(&self) -> Vec<f64> {
        self.turns.iter().map(Turn::total).collect()
    }

    /// The quietest turn.
    pub(crate) fn best(&self) -> Option<&Turn> {
        let by_cost = |turn: &&Turn| (turn.total(), turn.outcome.wall);
        self.turns.iter().min_by(|a, b| {
            let (a, b) = (by_cost(a), by_cost(b));
            a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
        })
    }

    /// For a report: the goal, and what a request took in the quietest turn and in the middle one.
    pub(crate) fn cells(&self) -> [String; 3] {
        let best = self.best().map_or(0.0, Turn::total);
        let goal = self
            .goal
            .map_or_else(String::new, |goal| format!("{goal:.0}"));
        [
            goal,
            format!("{best:.0}"),
            format!("{:.0}", median(&self.totals())),
        ]
    }

    /// A line of the table.
    pub(crate) fn print(&self) {
        let Some(best) = self.best() else {
            return;
        };
        let counts = !best.cpu.is_empty();
        let text = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.1}"));
        println!(
            "{:34} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            self.name,
            text(counts.then(|| best.total())),
            text(counts.then(|| median(&self.totals()))),
            text(self.goal),
            Outcome::micros(&best.outcome.total, 0.5),
            Outcome::micros(&best.outcome.total, 0.99),
            (best.outcome.ok as u128 * 1_000_000)
                .checked_div(best.outcome.wall.as_micros())
                .unwrap_or(0),
        );
    }
}

impl Size {
    /// What a report says of how it was measured.
    pub(crate) fn setup(self) -> String {
        format!(
            "{CONNECTIONS} connections, {} turns of {} requests each",
            self.rounds, self.requests
        )
    }
}

/// The table's head.
pub(crate) fn head(size: Size) {
    println!("{}", size.setup());
    println!(
        "{:34} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "CPU-us per request", "best", "median", "goal", "p50 us", "p99 us", "req/s"
    );
}

/// Microseconds of each of so many.
#[allow(clippy::cast_precision_loss)] // counts and durations far below 2^52
pub(crate) fn per(duration: Duration, count: usize) -> f64 {
    duration.as_secs_f64() * 1e6 / count as f64
}

/// The middle one; of none, zero.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The least; of none, zero.
pub(crate) fn least(values: &[f64]) -> f64 {
    values
        .iter()
        .copied()
        .min_by(f64::total_cmp)
        .unwrap_or_default()
}

/// What `of` came to beside `by`, turn by turn: the middle one.
pub(crate) fn ratio(of: &[f64], by: &[f64]) -> f64 {
    let each: Vec<_> = of.iter().zip(by).map(|(of, by)| of / by).collect();
    median(&each)
}
