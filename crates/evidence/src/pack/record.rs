//! One record: who said what, and the bodies.

use super::{
    MAX_STATEMENT,
    body::{Body, Form, MAX_STORED},
    error::{PackError, within},
};
use atoma_types::{
    RequestId,
    hash::Hash32,
    merkle::{Proof, leaf_hash},
    message::{EvidenceLeaf, MessageSignature, Receipt, RequestHeader, Signed},
};
use atoma_walrus::wire::{Reader, WireError};
use bytes::Bytes;

/// Bytes of a content before the statement.
const CONTENT_HEAD: usize = 40;
/// Bytes of a record beside its content: length and leaf.
const FRAME: usize = 36;
/// The shortest and the longest record.
pub(super) const MIN_RECORD: usize = FRAME + CONTENT_HEAD;
pub(super) const MAX_RECORD: usize = MIN_RECORD + MAX_STATEMENT + 2 * MAX_STORED;

/// What a record is evidence of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request and its answer. The statement is an [`EvidenceLeaf`].
    Exchange,
    /// A request alone: what a user stores before it is sent, in `immediate` mode. The statement is
    /// the signed header.
    Request,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Exchange => 1,
            Self::Request => 2,
        }
    }

    fn from_code(code: u8) -> Result<Self, PackError> {
        match code {
            1 => Ok(Self::Exchange),
            2 => Ok(Self::Request),
            _ => Err(PackError::Format("an unknown kind of record")),
        }
    }
}

/// A record. Its parts fit together in shape; whether signatures and bodies fit the statement is
/// for those who verify it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    kind: Kind,
    request_id: RequestId,
    statement: Bytes,
    request: Body,
    answer: Body,
}

impl Record {
    /// A request and its answer.
    #[must_use]
    pub fn exchange(
        header: &Signed<RequestHeader>,
        receipt: &Signed<Receipt>,
        request: Body,
        answer: Body,
    ) -> Self {
        Self {
            kind: Kind::Exchange,
            request_id: header.message().request_id,
            statement: EvidenceLeaf::new(header, receipt).to_bytes().into(),
            request,
            answer,
        }
    }

    /// The record of a request that has no answer yet.
    #[must_use]
    pub fn request(header: &Signed<RequestHeader>, request: Body) -> Self {
        Self {
            kind: Kind::Request,
            request_id: header.message().request_id,
            statement: header.to_bytes().into(),
            request,
            answer: Body::absent(),
        }
    }

    /// What it is evidence of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which request it is about, by its own word.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// The signed messages as bytes.
    #[must_use]
    pub fn statement(&self) -> &Bytes {
        &self.statement
    }

    /// The request's body: absent, open or sealed.
    #[must_use]
    pub fn request_body(&self) -> &Body {
        &self.request
    }

    /// The answer's body: absent, open or sealed.
    #[must_use]
    pub fn answer_body(&self) -> &Body {
        &self.answer
    }

    /// The leaf that a settlement commits to; `None` if it is a request alone.
    ///
    /// # Errors
    /// If the statement isn't one.
    pub fn evidence_leaf(&self) -> Result<Option<EvidenceLeaf>, PackError> {
        if self.kind != Kind::Exchange {
            return Ok(None);
        }
        let leaf = EvidenceLeaf::from_bytes(&self.statement);
        leaf.map(Some)
            .map_err(|_| PackError::Format("the statement isn't an evidence leaf"))
    }

    /// The signed receipt; `None` if it is a request alone. Its signature isn't checked.
    ///
    /// # Errors
    /// If the statement has none.
    pub fn signed_receipt(&self) -> Result<Option<Signed<Receipt>>, PackError> {
        let malformed = || PackError::Format("the statement has no signed receipt");
        let Some(leaf) = self.evidence_leaf()? else {
            return Ok(None);
        };
        let signature = MessageSignature::try_from(leaf.receipt_signature.as_slice());
        let signature = signature.map_err(|_| malformed())?;
        let receipt = Signed::decode(leaf.receipt, signature);
        receipt.map(Some).map_err(|_| malformed())
    }

    /// The request's signed header, of either kind. Its signature and its id aren't checked.
    ///
    /// # Errors
    /// If the statement has none.
    pub fn signed_request(&self) -> Result<Signed<RequestHeader>, PackError> {
        let malformed = || PackError::Format("the statement has no signed request");
        let Some(leaf) = self.evidence_leaf()? else {
            return Signed::from_bytes(self.statement.to_vec()).map_err(|_| malformed());
        };
        let signature = MessageSignature::try_from(leaf.header_signature.as_slice());
        let signature = signature.map_err(|_| malformed())?;
        Signed::decode(leaf.header, signature).map_err(|_| malformed())
    }

    /// Its length in a pack.
    #[must_use]
    pub fn length(&self) -> usize {
        MIN_RECORD + self.statement.len() + self.request.stored().len() + self.answer.stored().len()
    }

    /// Its bytes in a pack.
    ///
    /// # Errors
    /// If its statement is too long, which those of the protocol aren't.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackError> {
        let mut out = Vec::with_capacity(self.length());
        self.put(&mut out)?;
        Ok(out)
    }

    /// Appends its bytes and gives its leaf.
    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<Hash32, PackError> {
        within("a statement", self.statement.len(), MAX_STATEMENT)?;
        let content = self.length() - FRAME;
        let bodies = [&self.request, &self.answer];
        // all are within their limits, which are far below 4 GiB
        out.extend_from_slice(&(content as u32).to_le_bytes());
        let start = out.len();
        let forms = bodies.map(|body| body.form().code());
        out.extend_from_slice(&[self.kind.code(), forms[0], forms[1], 0]);
        out.extend_from_slice(&self.request_id.0);
        out.extend_from_slice(&(self.statement.len() as u32).to_le_bytes());
        for body in bodies {
            out.extend_from_slice(&(body.size() as u32).to_le_bytes());
            out.extend_from_slice(&(body.stored().len() as u32).to_le_bytes());
        }
        out.extend_from_slice(&self.statement);
        out.extend_from_slice(self.request.stored());
        out.extend_from_slice(self.answer.stored());
        let leaf = leaf_hash(&out[start..]);
        out.extend_from_slice(&leaf.0);
        Ok(leaf)
    }

    /// Reads one and its leaf.
    ///
    /// # Errors
    /// If the bytes aren't exactly one record.
    pub fn from_bytes(bytes: &Bytes) -> Result<(Self, Hash32), PackError> {
        within("a record", bytes.len(), MAX_RECORD)?;
        let mut reader = Reader::new(bytes);
        let length = reader.u32()? as usize;
        let content = reader.take(length)?;
        let leaf = Hash32(reader.array()?);
        reader.end()?;
        if leaf_hash(content) != leaf {
            return Err(PackError::Hash("record"));
        }
        Ok((Self::from_content(&bytes.slice_ref(content))?, leaf))
    }

    fn from_content(content: &Bytes) -> Result<Self, PackError> {
        let mut reader = Reader::new(content);
        let kind = Kind::from_code(reader.u8()?)?;
        let forms = [reader.u8()?, reader.u8()?].map(Form::from_code);
        let [request_form, answer_form] = forms;
        let (request_form, answer_form) = (request_form?, answer_form?);
        reader.tag(0)?;
        if kind == Kind::Request && answer_form != Form::Absent {
            return Err(PackError::Format("an answer in a request"));
        }
        let request_id = RequestId(reader.array()?);
        let statement_length = reader.u32()? as usize;
        within("a statement", statement_length, MAX_STATEMENT)?;
        let (request_size, request_length) = (reader.u32()? as usize, reader.u32()? as usize);
        let (answer_size, answer_length) = (reader.u32()? as usize, reader.u32()? as usize);
        let mut part =
            |length| -> Result<Bytes, WireError> { Ok(content.slice_ref(reader.take(length)?)) };
        let statement = part(statement_length)?;
        let request = Body::from_parts(request_form, request_size, part(request_length)?)?;
        let answer = Body::from_parts(answer_form, answer_size, part(answer_length)?)?;
        reader.end()?;
        Ok(Self {
            kind,
            request_id,
            statement,
            request,
            answer,
        })
    }
}

/// The record, if the path leads from its bytes to the root of a pack. The place that the path
/// names is the record's if its count is the pack's.
///
/// # Errors
/// If the bytes aren't a record, or one of another pack.
pub fn verify_record(bytes: &Bytes, path: &Proof, root: Hash32) -> Result<Record, PackError> {
    let (record, leaf) = Record::from_bytes(bytes)?;
    if path.root(leaf) != Some(root) {
        return Err(PackError::NotProved);
    }
    Ok(record)
}
