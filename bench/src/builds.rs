//! What a clean release build of `atoma` costs: time, CPU, and its last and longest crates; and how long the demo
//! that it can run takes. Into a folder of its own, so that nothing is there yet.

use anyhow::{Context, Result, ensure};
use atoma_bench_report::{Report, Table};
use serde_json::Value;
use std::{
    cmp::Ordering,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The clean build, and the last crate: docs/performance.md says how they were set.
const GOAL_BUILD: &str = "8 min";
const GOAL_LAST: &str = "60 s";
/// The crate that is built last.
const LAST: &str = "atoma-cli";
/// So many of the longest others are named.
const LONGEST: usize = 6;
/// Ticks of a second in the kernel's books of processes, on every Linux that Rust builds for.
const TICKS: f64 = 100.0;

/// Builds and measures, in the folder of the workspace.
pub(crate) fn run() -> Result<Report> {
    let target = tempfile::tempdir()?;
    let (cpu, started) = (children_cpu()?, Instant::now());
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--timings", "-p", LAST])
        .env("CARGO_TARGET_DIR", target.path())
        .status()
        .context("cannot start cargo")?;
    ensure!(built.success(), "the build failed: {built}");
    let (wall, cpu) = (started.elapsed(), children_cpu()? - cpu);
    let page = target.path().join("cargo-timings/cargo-timing.html");
    let page =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let units = units(&page)?;
    let demo = demo(&target.path().join("release/atoma"))?;

    let mut table = Table::new(&["Figure"], &["Goal", "Measured"]);
    table.row([
        "a clean release build of `atoma`",
        GOAL_BUILD,
        &minutes(wall),
    ]);
    table.row(["the same, CPU", "", &minutes(cpu)]);
    let last = units.iter().filter(|unit| unit.name == LAST);
    let last = last.map(|unit| unit.seconds).fold(0.0, f64::max);
    table.row([
        &format!("its last crate, `{LAST}`"),
        GOAL_LAST,
        &seconds(last),
    ]);
    let others = units.iter().filter(|unit| unit.name != LAST);
    for unit in others.take(LONGEST) {
        let Unit {
            name,
            seconds: time,
        } = unit;
        table.row([&format!("of the others: `{name}`"), "", &seconds(*time)]);
    }
    table.row(["`atoma demo`, whole run", "", &seconds(demo.as_secs_f64())]);
    println!("{}", table.to_markdown());
    let setup = "a clean release build, every dependency fetched before".to_owned();
    Ok(Report::of_today("builds", setup, table))
}

/// What is compiled at once: a library, a program or a script.
struct Unit {
    name: String,
    seconds: f64,
}

/// Those of cargo's page of timings, the longest first.
fn units(page: &str) -> Result<Vec<Unit>> {
    let data = page.split_once("const UNIT_DATA = ");
    let (_, data) = data.context("cargo's page of timings has no UNIT_DATA")?;
    let mut data = serde_json::Deserializer::from_str(data).into_iter::<Vec<Value>>();
    let data = data.next().context("UNIT_DATA is empty")??;
    let mut units = data
        .iter()
        .map(|unit| {
            Ok(Unit {
                name: unit["name"]
                    .as_str()
                    .context("a unit has a name")?
                    .to_owned(),
                seconds: unit["duration"].as_f64().context("a unit has a duration")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    units.sort_by(|a, b| b.seconds.partial_cmp(&a.seconds).unwrap_or(Ordering::Equal));
    Ok(units)
}

fn demo(atoma: &Path) -> Result<Duration> {
    let started = Instant::now();
    let told = Command::new(atoma)
        .arg("demo")
        .stdout(Stdio::null())
        .status()
        .context("cannot start the demo")?;
    ensure!(told.success(), "the demo failed: {told}");
    Ok(started.elapsed())
}

/// User and system time of all children that have ended, and of theirs.
fn children_cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // the program's name, in brackets, may have spaces
    let (_, fields) = stat.rsplit_once(')').context("stat names the program")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // cutime and cstime, 16th and 17th of all fields, of which two stand before
    let ticks = fields.get(13..15).context("stat is short")?;
    let ticks = ticks
        .iter()
        .map(|ticks| ticks.parse::<u64>())
        .sum::<Result<u64, _>>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / TICKS))
}

fn minutes(time: Duration) -> String {
    format!("{:.1} min", time.as_secs_f64() / 60.0)
}

fn seconds(time: f64) -> String {
    match time < 10.0 {
        true => format!("{time:.1} s"),
        false => format!("{time:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_off_cargos_page_the_longest_first() {
        let page = "<script>\nconst UNIT_DATA = [\n{\"name\":\"a\",\"duration\":1.5},\n{\"name\":\"b\",\"duration\":2}];\nconst CONCURRENCY_DATA = [];";
        let units = units(page).unwrap();
        let read: Vec<(&str, f64)> = units.iter().map(|u| (u.name.as_str(), u.seconds)).collect();
        assert_eq!(read, [("b", 2.0), ("a", 1.5)]);
        assert!(super::units("<html>").is_err());
    }

    #[test]
    fn what_children_used_is_counted() {
        let before = children_cpu().unwrap();
        let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        assert!(
            Command::new("sh")
                .args(["-c", busy])
                .status()
                .unwrap()
                .success()
        );
        assert!(children_cpu().unwrap() > before);
    }
}
