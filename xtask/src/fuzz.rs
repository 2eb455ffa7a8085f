//! The fuzz targets under libFuzzer, led by coverage.
//!
//! Only the workspace's own crates are instrumented, by a wrapper around rustc: this program again, which cargo
//! calls with the compiler's command line. So the dependencies are those that tests have built already, and a
//! stable compiler will do; what happens inside of a dependency leads nobody, though.

use crate::shell::{root, run_with};
use anyhow::{Context, Result, bail, ensure};
use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Minutes for each target where none are named.
const MINUTES: u64 = 5;
/// Bytes of corpus that a target keeps in the repository beside what once failed.
const KEPT_BYTES: u64 = 6 << 10;
/// An input that takes longer is a fault: they are a few thousand bytes.
const SLOW_S: u64 = 10;
/// What the whole process may hold. The targets themselves are stricter, see `Memory` there.
const MEMORY_MB: u64 = 2_048;
/// The passes that make libFuzzer see edges and comparisons.
const INSTRUMENTED: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

const HELP: &str = "\
cargo xtask fuzz [TARGET]... [--minutes N]   each target (all of them) for N minutes, 5 where none are named,
                                             after a build that instruments our own crates
cargo xtask fuzz --list                      the targets' names
cargo xtask fuzz --keep [TARGET]...          put what reaches something new into tests/fuzz/corpus, the smallest
                                             inputs first, 6 KiB for each target

Inputs that were found lie in target/fuzz/TARGET/corpus, and go on there in the next run. One that fails ends its
target's run; it is named then: put it into tests/fuzz/corpus/TARGET, and `cargo xtask test` has it from then on.";

/// What the command line asks for.
#[derive(Debug, Default)]
struct Asked<'a> {
    targets: Vec<&'a str>,
    minutes: Option<u64>,
    list: bool,
    keep: bool,
}

pub(crate) fn fuzz(args: &[&str]) -> Result<()> {
    if args.iter().any(|arg| matches!(*arg, "--help" | "-h")) {
        println!("{HELP}");
        return Ok(());
    }
    let asked = Asked::read(args)?;
    let program = build()?;
    let all = names(&program)?;
    if asked.list {
        println!("{}", all.join("\n"));
        return Ok(());
    }
    let unknown = |name: &&str| !all.iter().any(|known| known == *name);
    if let Some(name) = asked.targets.iter().copied().find(|name| unknown(name)) {
        bail!("there is no target {name}; there are {}", all.join(", "));
    }
    let wanted = all
        .iter()
        .filter(|name| asked.targets.is_empty() || asked.targets.contains(&name.as_str()));
    let mut failed = Vec::new();
    for name in wanted {
        let place = Place::of(name)?;
        if asked.keep {
            place.keep(&program)?;
        } else if let Err(error) = place.run(&program, asked.minutes.unwrap_or(MINUTES)) {
            eprintln!("{error:#}");
            failed.push(name.as_str());
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

impl<'a> Asked<'a> {
    fn read(args: &[&'a str]) -> Result<Self> {
        let mut asked = Self::default();
        let mut args = args.iter();
        while let Some(&arg) = args.next() {
            match arg {
                "--list" => asked.list = true,
                "--keep" => asked.keep = true,
                "--minutes" => {
                    let minutes = args.next().context("--minutes needs a number")?;
                    asked.minutes = Some(minutes.parse().context("--minutes needs a number")?);
                }
                option if option.starts_with('-') => bail!("unknown: {option}\n{HELP}"),
                target => asked.targets.push(target),
            }
        }
        Ok(asked)
    }
}

/// Where a target's inputs lie.
struct Place {
    name: String,
    /// In `target/`: what failed, and below it `corpus`.
    work: PathBuf,
    /// In the repository.
    kept: PathBuf,
}

impl Place {
    fn of(name: &str) -> Result<Self> {
        let place = Self {
            name: name.to_owned(),
            work: root().join("target/fuzz").join(name),
            kept: root().join("tests/fuzz/corpus").join(name),
        };
        fs::create_dir_all(place.corpus())?;
        fs::create_dir_all(&place.kept)?;
        Ok(place)
    }

    fn corpus(&self) -> PathBuf {
        self.work.join("corpus")
    }

    fn run(&self, program: &str, minutes: u64) -> Result<()> {
        let corpus = self.corpus();
        self.libfuzzer(
            program,
            &[
                &format!("-max_total_time={}", 60 * minutes),
                &format!("-timeout={SLOW_S}"),
                &format!("-rss_limit_mb={MEMORY_MB}"),
                &format!("-artifact_prefix={}/", self.work.display()),
                "-print_final_stats=1",
                "-verbosity=0",
                &corpus.to_string_lossy(),
                &self.kept.to_string_lossy(),
            ],
        )
        .with_context(|| format!("{}: an input fails; see {}", self.name, self.work.display()))
    }

    /// The smallest inputs that together reach all that was reached, as far as there is room.
    fn keep(&self, program: &str) -> Result<()> {
        let merged = self.work.join("merged");
        let _ = fs::remove_dir_all(&merged);
        fs::create_dir_all(&merged)?;
        let (corpus, kept) = (self.corpus(), self.kept.clone());
        let folders = [&merged, &kept, &corpus].map(|folder| folder.to_string_lossy());
        let [merged_name, kept_name, corpus_name] = &folders;
        self.libfuzzer(
            program,
            &[
                "-merge=1",
                "-verbosity=0",
                merged_name,
                kept_name,
                corpus_name,
            ],
        )?;
        let mut room = KEPT_BYTES.saturating_sub(files(&kept)?.iter().map(|(size, _)| size).sum());
        for (size, file) in files(&merged)? {
            let to = kept.join(file.file_name().unwrap_or_default());
            if size > room || to.exists() {
                continue;
            }
            room -= size;
            fs::copy(&file, to)?;
        }
        if files(&kept)?.is_empty() {
            fs::remove_dir(&kept)?;
        }
        Ok(())
    }

    fn libfuzzer(&self, program: &str, args: &[&str]) -> Result<()> {
        run_with(
            program,
            args,
            &[
                ("ATOMA_FUZZ_TARGET", &self.name),
                ("ATOMA_FUZZ_SEEDS", &self.corpus().to_string_lossy()),
            ],
        )
    }
}

/// A folder's files with their sizes, the smallest first.
fn files(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.len(), entry.path()));
    }
    files.sort();
    Ok(files)
}

/// The instrumented program.
fn build() -> Result<String> {
    let wrapper = std::env::current_exe()?;
    run_with(
        "cargo",
        &[
            "build",
            "--locked",
            "-p",
            "atoma-fuzz",
            "--features",
            "guided",
            "--bin",
            "atoma-fuzz",
        ],
        &[("RUSTC_WORKSPACE_WRAPPER", &wrapper.to_string_lossy())],
    )?;
    let program = root().join("target/debug/atoma-fuzz");
    Ok(program.to_string_lossy().into_owned())
}

/// The targets that it has: it tells them when it is given none.
fn names(program: &str) -> Result<Vec<String>> {
    let told = Command::new(program)
        .env_remove("ATOMA_FUZZ_TARGET")
        .output()?;
    ensure!(told.status.success(), "{program} doesn't tell its targets");
    Ok(String::from_utf8(told.stdout)?
        .lines()
        .map(str::to_owned)
        .collect())
}

/// Compiles for cargo, if that is what this program was called for: then its arguments are a compiler and the
/// compiler's own.
pub(crate) fn as_wrapper() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let compiler = args.next().filter(|first| is_compiler(first))?;
    let rest: Vec<OsString> = args.collect();
    let status = Command::new(compiler)
        .args(rest)
        .args(INSTRUMENTED)
        .status();
    Some(match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn is_compiler(program: &OsStr) -> bool {
    Path::new(program)
        .file_stem()
        .is_some_and(|name| name == "rustc")
}
