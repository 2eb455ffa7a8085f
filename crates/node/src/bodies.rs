//! What is said in a request: committed to in its receipt, and kept where evidence is.

use crate::confidential::Seal;
use atoma_http::server::HeldRoom;
use atoma_types::{
    hash::{Hash32, Hasher},
    message::{CommitmentKind, SALT_BYTES, Salt},
};
use bytes::Bytes;
use std::{fmt, mem};

/// One request's words on their way: hashed under its salt, and kept if they are to be evidence.
pub(crate) struct Words {
    salt: Salt,
    answer: Hasher,
    kept: Option<Bodies>,
    /// What the answer goes through, where the request was sealed: all of this is then of sealed bytes.
    seal: Option<Seal>,
    /// The request's body is in memory as long as this.
    held: HeldRoom,
}

/// Bodies on their way into the log. Cheap to fill: the pieces are shared, not copied.
pub(crate) struct Bodies {
    /// For everyone to read, by the user's wish; sealed otherwise.
    pub open: bool,
    salt: Salt,
    request: Bytes,
    answer: Vec<Bytes>,
}

impl Words {
    pub(crate) fn new(salt: Salt, held: HeldRoom) -> Self {
        Self {
            answer: salt.hasher(CommitmentKind::Answer),
            salt,
            kept: None,
            seal: None,
            held,
        }
    }

    /// The body's share of the room, for whoever has the body from now on.
    pub(crate) fn take_held(&mut self) -> HeldRoom {
        mem::replace(&mut self.held, HeldRoom::unlimited())
    }

    /// They go into the log, `open` or not.
    pub(crate) fn keep(&mut self, request: Bytes, open: bool) {
        self.kept = Some(Bodies {
            open,
            salt: self.salt.clone(),
            request,
            answer: Vec::new(),
        });
    }

    /// The answer is sealed before it is anything else.
    pub(crate) fn sealed_by(&mut self, seal: Option<Seal>) {
        self.seal = seal;
    }

    /// What the answer goes through, if anything.
    pub(crate) fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// The next bytes of the answer, as they are sent.
    pub(crate) fn sending(&mut self, bytes: Bytes) -> Bytes {
        let sent = match &self.seal {
            Some(seal) => seal.text(&bytes),
            None => bytes,
        };
        self.sent(&sent);
        sent
    }

    /// The last bytes of the answer, as they are sent.
    pub(crate) fn ending(&mut self, bytes: Bytes) -> Bytes {
        let sent = match &self.seal {
            Some(seal) => seal.end(&bytes),
            None => bytes,
        };
        self.sent(&sent);
        sent
    }

    fn sent(&mut self, bytes: &Bytes) {
        self.answer.update(bytes);
        if let Some(kept) = &mut self.kept {
            kept.answer.push(bytes.clone());
        }
    }

    /// Bytes of what is kept so far; none if nothing is.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.as_ref().map_or(0, Bodies::size)
    }

    /// The commitment to all that was sent.
    pub(crate) fn answer(&self) -> Hash32 {
        self.answer.finish()
    }

    /// The commitment to the fingerprint of the engine's scores.
    pub(crate) fn scores(&self, fingerprint: Hash32) -> Hash32 {
        self.salt
            .commit(CommitmentKind::Fingerprint, &fingerprint.0)
    }

    /// What goes into the log, once.
    pub(crate) fn take_kept(&mut self) -> Option<Bodies> {
        self.kept.take()
    }
}

impl Bodies {
    /// What was asked, behind its salt, as it is written.
    pub(crate) fn request(&self) -> Vec<u8> {
        [self.salt.reveal(), &*self.request].concat()
    }

    /// All that was sent, behind its salt, as it is written.
    pub(crate) fn answer(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(SALT_BYTES + self.answered());
        all.extend_from_slice(self.salt.reveal());
        for piece in &self.answer {
            all.extend_from_slice(piece);
        }
        all
    }

    /// Bytes of both, as they are written.
    pub(crate) fn size(&self) -> u64 {
        (self.request.len() + self.answered() + 2 * SALT_BYTES) as u64
    }

    fn answered(&self) -> usize {
        self.answer.iter().map(Bytes::len).sum()
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Words").field(&self.kept).finish()
    }
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bodies({} bytes)", self.size())
    }
}
