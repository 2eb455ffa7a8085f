//! Making a pack's file out of the log. Blocks; runs on a thread for that.

use super::{
    error::EvidenceError,
    log::EvidenceLog,
    reader::{Logged, Reader},
};
use crate::identity::Identity;
use atoma_evidence::pack::{
    Body, ClosingPolicy, Header, Pack, PackError, PackWriter, Record, Recorded, Recorder,
    SaltedBody,
};
use atoma_keys::AtRestKey;
use atoma_runtime::SharedRandom;
use atoma_types::{NetworkId, NodeId, PublicKey, TimestampMs};
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
    /// it is whole: it may be stored already, and another seal would make another blob of it.
    pub(crate) fn build(&self, after: i64) -> Result<Option<Built>, EvidenceError> {
        let Some((first, created)) = self.reader.now(|log| log.first_after(after))? else {
            return Ok(None);
        };
        let path = path_of(&self.folder, first);
        let pack = match Pack::open(&path) {
            Ok(pack) if pack.catalog().header().first_seq == first.cast_unsigned() => pack,
            _ => self.write(&path, after, first, created)?,
        };
        let count = pack.catalog().entries().len() as i64;
        let last = first + count - 1;
        let raw = self.reader.now(|log| log.raw_bytes(first, last))?;
        Ok(Some(Built {
            first,
            last,
            raw,
            pack,
        }))
    }

    fn write(
        &self,
        path: &Path,
        after: i64,
        first: i64,
        created: TimestampMs,
    ) -> Result<Pack, EvidenceError> {
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
        self.reader.now(|log| {
            log.each_after(after, |logged| {
                let mut logged = logged.opened(&self.at_rest)?;
                let record = recorded(&mut recorder, &mut logged)?;
                let size = writer.length_with_record(&record);
                let is_first = writer.entries().is_empty();
                if !self.policy.has_room(size) && !is_first {
                    return Ok::<_, EvidenceError>(false);
                }
                if self.policy.has_room(size) {
                    writer.append(&record)?;
                } else {
                    // no blob of this network holds it: the signatures must do
                    let exchange = &logged.exchange;
                    tracing::warn!(
                        id = exchange.id,
                        size,
                        "bodies too long for Walrus are left out"
                    );
                    let (request, answer) = (Body::absent(), Body::absent());
                    let bare =
                        Record::exchange(&exchange.header, &exchange.receipt, request, answer);
                    writer.append(&bare)?;
                }
                Ok(self.policy.has_room(writer.length()))
            })
        })?;
        Ok(writer.close()?)
    }
}

fn recorded(recorder: &mut Recorder, logged: &mut Logged) -> Result<Record, PackError> {
    let salted = |body: &mut Vec<u8>| SaltedBody::from_bytes(mem::take(body).into());
    recorder.record(&Recorded {
        request: &salted(&mut logged.request)?,
        answer: &salted(&mut logged.answer)?,
        header: &logged.exchange.header,
        receipt: &logged.exchange.receipt,
        request_key: logged.request_key,
        open: logged.open,
    })
}
