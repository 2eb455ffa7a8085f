//! What the broker decided, a line of JSON each, without any secret. A key leaves once its line is on the disk.

use super::judge::Decision;
use crate::fault::KeyFault;
use atoma_runtime::files;
use atoma_types::TimestampMs;
use serde::Serialize;
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

/// Refusals that are written down in a minute; more are counted, and the next line has their number. Else whoever likes
/// could fill the disk. Those of strangers and those of guests whose evidence was accepted are counted apart: junk keeps
/// no guest's refusal out.
const REFUSALS_A_MINUTE: u32 = 120;
const MINUTE_MS: u64 = 60_000;

/// The file, which is only ever added to.
#[derive(Debug)]
pub(super) struct Record {
    file: File,
    /// The minute that refusals are counted in, and how many of strangers and of accepted guests it has.
    minute: u64,
    refusals: [u32; 2],
    unwritten: u64,
    /// The last line may lack its end: a program was killed, or the disk was full.
    is_torn: bool,
}

#[derive(Serialize)]
struct Line {
    at_ms: u64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reasons: Vec<&'static str>,
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<&'static str>,
    #[serde(skip_serializing_if = "is_zero")]
    refusals_unwritten: u64,
}

/// Serde gives it a reference.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Record {
    /// Opens the file, or makes it: for its owner alone, since it says whose nodes have a model.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = files::private_file().append(true).create(true).open(path)?;
        // one that was made by hand may be everybody's
        files::close_to_others(path)?;
        files::sync_name(path)?;
        Ok(Self {
            is_torn: file.metadata()?.len() > 0,
            file,
            minute: 0,
            refusals: [0; 2],
            unwritten: 0,
        })
    }

    /// Writes down that the key leaves, and returns once that is durable.
    pub(super) fn released(&mut self, decision: &Decision, now: TimestampMs) -> io::Result<()> {
        self.write(decision, None, now)?;
        self.file.sync_data()
    }

    /// Writes down why it doesn't, if there is room in this minute.
    pub(super) fn refused(
        &mut self,
        decision: &Decision,
        fault: KeyFault,
        now: TimestampMs,
    ) -> io::Result<()> {
        let minute = now.0 / MINUTE_MS;
        if minute != self.minute {
            (self.minute, self.refusals) = (minute, [0; 2]);
        }
        let accepted = decision
            .shown
            .as_ref()
            .is_some_and(|shown| shown.tier.is_some());
        let refusals = &mut self.refusals[usize::from(accepted)];
        if *refusals >= REFUSALS_A_MINUTE {
            self.unwritten += 1;
            return Ok(());
        }
        *refusals += 1;
        self.write(decision, Some(fault), now)
    }

    fn write(
        &mut self,
        decision: &Decision,
        fault: Option<KeyFault>,
        now: TimestampMs,
    ) -> io::Result<()> {
        let shown = decision.shown.as_ref();
        let line = Line {
            at_ms: now.0,
            outcome: match fault {
                None => "released",
                Some(_) => "refused",
            },
            code: fault.map(KeyFault::code),
            reasons: decision.reasons.clone(),
            model: decision.model.to_string(),
            network: shown.map(|shown| shown.network.to_string()),
            node: shown.map(|shown| shown.node.to_string()),
            release: shown.map(|shown| shown.release.to_string()),
            keyset: shown.map(|shown| shown.keyset.to_string()),
            evidence: shown.map(|shown| shown.bundle.to_string()),
            nonce: shown.and_then(|shown| Some(shown.nonce?.to_string())),
            tier: shown.and_then(|shown| Some(shown.tier?.as_str())),
            refusals_unwritten: self.unwritten,
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        if self.is_torn {
            // an empty line is no decision; half of one would swallow this
            line.insert(0, b'\n');
        }
        self.is_torn = true;
        self.file.write_all(&line)?;
        self.is_torn = false;
        self.unwritten = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::hash::Hash32;

    #[test]
    fn refusals_are_written_up_to_a_number_a_minute_and_counted_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.jsonl");
        let mut record = Record::open(&path).unwrap();
        let decision = Decision {
            model: Hash32([1; 32]),
            shown: None,
            reasons: Vec::new(),
            outcome: Err(KeyFault::Bundle),
        };
        for _ in 0..REFUSALS_A_MINUTE + 7 {
            let now = TimestampMs(MINUTE_MS);
            record.refused(&decision, KeyFault::Bundle, now).unwrap();
        }
        let next = TimestampMs(2 * MINUTE_MS);
        record.refused(&decision, KeyFault::Bundle, next).unwrap();
        // and an earlier record is added to
        let mut again = Record::open(&path).unwrap();
        again.refused(&decision, KeyFault::Bundle, next).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), REFUSALS_A_MINUTE as usize + 2);
        assert_eq!(lines[REFUSALS_A_MINUTE as usize]["refusals_unwritten"], 7);
        assert_eq!(lines[0]["code"], "key_bundle");
    }
}
