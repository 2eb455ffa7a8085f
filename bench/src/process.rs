//! Child processes and what the kernel says they used.

use anyhow::{Context, Result, bail};
use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Says that this process already runs on its core.
const PINNED: &str = "ATOMA_BENCH_PINNED";
/// The load, the upstream and the ledger run here,
const LOAD_CORE: &str = "0";
/// and what is measured runs here.
const MEASURED_CORE: &str = "1";

/// Starts this program again on the load's core, so that the measured part has one to itself.
/// Without `taskset` or a second core the run goes on unpinned, and says so.
pub(crate) fn pin_self() -> Result<()> {
    if std::env::var_os(PINNED).is_some() {
        return Ok(());
    }
    let error = Command::new("taskset")
        .args(["-c", LOAD_CORE])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(PINNED, "yes")
        .exec();
    eprintln!("not pinned to cores ({error}): the figures include other processes' noise");
    Ok(())
}

/// A command for what is measured: on a core of its own, where that is possible.
pub(crate) fn measured(program: impl AsRef<OsStr>) -> Command {
    if std::env::var_os(PINNED).is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", MEASURED_CORE]).arg(program);
    command
}

/// A child that is killed with us.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a command and waits for the first line of JSON in which `field` is text.
    ///
    /// # Errors
    /// It cannot be started, or it ended before, which tells what it said last.
    pub(crate) fn start(command: &mut Command, field: &str) -> Result<(Self, serde_json::Value)> {
        let mut child = command
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let process = Self { child };
        let mut last = String::new();
        for line in lines.by_ref() {
            last = line?;
            let value: serde_json::Value = serde_json::from_str(&last)?;
            if value[field].is_string() {
                // keep reading, or the child would block on a full pipe
                std::thread::spawn(move || lines.for_each(drop));
                return Ok((process, value));
            }
        }
        bail!("{command:?} ended before it said `{field}`; its last line: {last}")
    }

    /// User and system time so far of all threads that still run, to the nanosecond.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        self.cpu_of(|_| true)
    }

    /// The same of the threads with such a name.
    pub(crate) fn cpu_of(&self, counts: impl Fn(&str) -> bool) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let folder = thread?.path();
            let file = |name: &str| std::fs::read_to_string(folder.join(name));
            // a thread may have ended since it was listed
            let (Ok(name), Ok(stat)) = (file("comm"), file("schedstat")) else {
                continue;
            };
            let first = stat
                .split_whitespace()
                .next()
                .context("schedstat is empty")?;
            if counts(name.trim_end()) {
                nanoseconds += first.parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Resident memory in KiB.
    pub(crate) fn memory_kib(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most that it was, in KiB.
    pub(crate) fn peak_memory_kib(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .with_context(|| format!("status names {name}"))?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
