//! Child processes and what the kernel says they used.

use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The kernel counts CPU time of processes in hundredths of a second.
const TICKS_PER_SECOND: u64 = 100;

/// A child that is killed with us.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a command and waits for the first line of JSON in which `field` is text.
    pub(crate) fn start(command: &mut Command, field: &str) -> Result<(Self, serde_json::Value)> {
        let mut child = command
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let process = Self { child };
        for line in lines.by_ref() {
            let value: serde_json::Value = serde_json::from_str(&line?)?;
            if value[field].is_string() {
                // keep reading, or the child would block on a full pipe
                std::thread::spawn(move || lines.for_each(drop));
                return Ok((process, value));
            }
        }
        bail!("{command:?} ended before it said `{field}`")
    }

    /// User and system time so far, all threads.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // the name may hold spaces; the fields after it don't
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .context("stat has a name")?
            .1
            .split_whitespace()
            .collect();
        let ticks = |index: usize| -> Result<u64> {
            Ok(fields.get(index).context("stat is long enough")?.parse()?)
        };
        let total = ticks(11)? + ticks(12)?;
        Ok(Duration::from_millis(total * 1_000 / TICKS_PER_SECOND))
    }

    /// Resident memory in KiB.
    pub(crate) fn memory_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("status names VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
