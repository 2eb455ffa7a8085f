//! Making a pack's file out of the log. Blocks; runs on a thread for that.

use super::{
    error::EvidenceError,
    log::EvidenceLog,
    reader::{Exchange, Logged, Reader},
};
use crate::identity::Identity;
use atoma_evidence::pack::{
    Body, ClosingPolicy, Header, Pack, PackError, PackWriter, Record, Recorded, Recorder,
    SaltedBody,
};
use atoma_keys::AtRestKey;
use atoma_runtime::{SharedRandom, WithCauses};
use atoma_types::{Address, NetworkId, NodeId, PublicKey, TimestampMs, message::EvidenceLeaf};
use std::{
    fs, mem,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Who packs, and how.
#[derive(Clone, Debug)]
pub(crate) struct Builder {
    folder: PathBuf,
    reader: Reader,
    pub(super) policy: ClosingPolicy,
    network: NetworkId,
    node: NodeId,
    /// The node is a party of every seal.
    response_key: PublicKey,
    /// Opens the bodies in the log.
    at_rest: Arc<AtRestKey>,
    /// Draws the keys of seals.
    random: SharedRandom,
}

/// A pack that waits to be stored.
#[derive(Debug)]
pub(crate) struct Built {
    pub first: i64,
    pub last: i64,
    /// Bytes of its bodies in the log.
    pub raw: u64,
    /// The same by whose they are.
    pub raw_of: Vec<(Address, u64)>,
    /// Records that this try made without their bodies.
    pub left_out: u64,
    pub pack: Pack,
}

/// Where a pack lies.
pub(crate) fn path_of(folder: &Path, first: i64) -> PathBuf {
    folder.join(format!("{first:019}.pack"))
}

impl Builder {
    /// Packs of `log`, sealed for their users and for `response_key`, which is ours.
    pub(crate) fn new(log: &EvidenceLog, us: Identity, response_key: PublicKey) -> Self {
        Self {
            folder: log.folder.clone(),
            reader: log.reader.clone(),
            policy: log.policy.clone(),
            network: us.network,
            node: us.node,
            response_key,
            at_rest: log.at_rest.clone(),
            random: log.runtime.random.clone(),
        }
    }

    /// The pack of the records after `after`, as many as fit. A file that a crash left is used if
    /// it is whole and has these records: it may be stored already, and another seal would make another blob of
    /// it. After the journal was lost or put back, files of another journal lie here under the same numbers.
    pub(crate) fn build(&self, after: i64) -> Result<Option<Built>, EvidenceError> {
        let Some((first, created)) = self.reader.now(|log| log.first_after(after))? else {
            return Ok(None);
        };
        let path = path_of(&self.folder, first);
        let (pack, left_out) = match Pack::open(&path) {
            Ok(pack) if self.is_of_log(&pack, after)? => (pack, 0),
            _ => self.write(&path, after, first, created)?,
        };
        let count = pack.catalog().entries().len() as i64;
        let last = first + count - 1;
        let raw_of = self.reader.now(|log| log.raw_bytes(first, last))?;
        Ok(Some(Built {
            first,
            last,
            raw: raw_of.iter().map(|(_, bytes)| bytes).sum(),
            raw_of,
            left_out,
            pack,
        }))
    }

    /// Whether a pack has the records of the log after `after`, each of them and no other.
    fn is_of_log(&self, pack: &Pack, after: i64) -> Result<bool, EvidenceError> {
        let first = pack.catalog().header().first_seq;
        let mut records = pack.records();
        let (mut differs, mut seen) = (false, 0);
        self.reader.now(|log| {
            log.each_after(after, |logged| {
                let Some(record) = records.next() else {
                    return Ok::<_, EvidenceError>(false);
                };
                let exchange = &logged.exchange;
                let leaf = EvidenceLeaf::new(&exchange.header, &exchange.receipt).to_bytes();
                let in_place = exchange.id.cast_unsigned() == first + seen;
                let same = record.is_ok_and(|record| record.statement()[..] == leaf[..]);
                differs = !in_place || !same;
                seen += 1;
                Ok(!differs)
            })
        })?;
        Ok(!differs && seen == pack.catalog().entries().len() as u64)
    }

    fn write(
        &self,
        path: &Path,
        after: i64,
        first: i64,
        created: TimestampMs,
    ) -> Result<(Pack, u64), EvidenceError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(PackError::Io(error).into());
            }
            _ => {}
        }
        let header = Header {
            network: self.network,
            node: self.node,
            first_seq: first.cast_unsigned(),
            created,
        };
        let mut writer = PackWriter::create(path, header)?;
        let mut recorder = Recorder::new(
            self.network,
            self.node,
            self.response_key,
            self.random.clone(),
        );
        let mut left_out = 0;
        self.reader.now(|log| {
            log.each_after(after, |logged| {
                let mut logged = logged.opened(&self.at_rest)?;
                let mut made = recorded(&mut recorder, &mut logged);
                let size = writer.length_with_record(&made.record);
                if !self.policy.has_room(size) {
                    if !writer.entries().is_empty() {
                        return Ok::<_, EvidenceError>(false);
                    }
                    made = Made::bare(&logged.exchange, WithoutBodies::TooLong { size });
                }
                writer.append(&made.record)?;
                if let Some(reason) = made.without_bodies {
                    left_out += 1;
                    let (id, reason) = (logged.exchange.id, WithCauses(&reason));
                    tracing::error!(id, %reason, "a record is packed without its bodies");
                }
                Ok(self.policy.has_room(writer.length()))
            })
        })?;
        Ok((writer.close()?, left_out))
    }
}

/// A record, and what it lacks.
#[derive(Debug)]
struct Made {
    record: Record,
    without_bodies: Option<WithoutBodies>,
}

/// Why a record has its signatures alone. Says nothing of what is in the bodies.
#[derive(Debug, thiserror::Error)]
enum WithoutBodies {
    #[error("no blob of this network holds a record of {size} bytes")]
    TooLong { size: u64 },
    #[error("its bodies can't be recorded")]
    Unfit(#[source] PackError),
}

impl Made {
    /// The signatures must do.
    fn bare(exchange: &Exchange, why: WithoutBodies) -> Self {
        let (request, answer) = (Body::absent(), Body::absent());
        Self {
            record: Record::exchange(&exchange.header, &exchange.receipt, request, answer),
            without_bodies: Some(why),
        }
    }
}

/// The record of what was logged. What can't be recorded is left out: one exchange must not keep those
/// after it from being stored.
fn recorded(recorder: &mut Recorder, logged: &mut Logged) -> Made {
    match with_bodies(recorder, logged) {
        Ok(record) => Made {
            record,
            without_bodies: None,
        },
        Err(error) => Made::bare(&logged.exchange, WithoutBodies::Unfit(error)),
    }
}

fn with_bodies(recorder: &mut Recorder, logged: &mut Logged) -> Result<Record, PackError> {
    let salted = |body: &mut Vec<u8>| SaltedBody::from_vec(mem::take(body));
    recorder.record(&Recorded {
        request: &salted(&mut logged.request)?,
        answer: &salted(&mut logged.answer)?,
        header: &logged.exchange.header,
        receipt: &logged.exchange.receipt,
        request_key: logged.request_key,
        open: logged.open,
    })
}

#[cfg(test)]
#[path = "build_test.rs"]
mod file_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{
        Link,
        tests::{receipt, request},
    };
    use atoma_evidence::pack::Form;
    use atoma_keys::SigningKey;
    use atoma_runtime::SystemRandom;
    use atoma_types::{Address, ComputeUnits, hash::Hash32};

    fn logged(id: u8, request_body: &[u8]) -> Logged {
        let request = request(id, 0, 7);
        let link = Link {
            seq: u64::from(id),
            cumulative_units: ComputeUnits(7),
            previous: Hash32::ZERO,
            base: 0,
            history: Hash32::ZERO,
        };
        let receipt = receipt(&request, link, 7).sign(&SigningKey::from_seed(&[9; 32]));
        Logged {
            exchange: Exchange {
                id: i64::from(id),
                header: (*request).clone(),
                receipt,
            },
            request_key: SigningKey::from_seed(&[1; 32]).public_key(),
            open: false,
            request: request_body.to_vec(),
            answer: vec![5; 40],
        }
    }

    #[test]
    fn a_body_without_a_salt_costs_its_own_record_its_bodies_and_no_other() {
        let mut recorder = Recorder::new(
            NetworkId([1; 32]),
            NodeId(Address::new([3; 32])),
            SigningKey::from_seed(&[9; 32]).public_key(),
            Arc::new(SystemRandom),
        );
        let forms = |made: &Made| {
            let record = &made.record;
            [record.request_body().form(), record.answer_body().form()]
        };
        let short = recorded(&mut recorder, &mut logged(1, b"too short"));
        assert_eq!(forms(&short), [Form::Absent; 2]);
        let why = WithCauses(&short.without_bodies.unwrap()).to_string();
        assert!(why.contains("a body without a salt"), "{why}");
        let whole = recorded(&mut recorder, &mut logged(2, &[4; 40]));
        assert!(whole.without_bodies.is_none());
        assert!(!forms(&whole).contains(&Form::Absent));
    }
}
