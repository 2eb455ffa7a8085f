//! The plain bodies of a request with their salt: given, or of a record, as far as this machine's keys
//! open it.

use super::{given::Given, sources::Sources};
use crate::check::{Gap, Item};
use crate::pack::{Body, Form, Record, SaltedBody, SealContext};
use atoma_keys::SigningKey;
use atoma_types::{
    hash::Hash32,
    message::{CommitmentKind, Receipt, RequestHeader, Salt, Signed},
};
use bytes::Bytes;

/// Where bodies are looked for.
pub(super) struct Bodies<'a> {
    pub(super) given: &'a Given,
    pub(super) sources: &'a Sources,
    pub(super) header: &'a Item<Signed<RequestHeader>>,
    pub(super) receipt: &'a Item<Signed<Receipt>>,
    pub(super) record: &'a Item<Record>,
}

impl Bodies<'_> {
    pub(super) fn request(&self) -> Item<SaltedBody> {
        let recorded = || self.recorded(CommitmentKind::Request, Record::request_body);
        let header = self.header.as_ref().ok();
        let signed = header.map(|header| header.message().body_hash);
        match &self.given.request_body {
            Some(bytes) => self.salted(bytes, CommitmentKind::Request, signed, recorded),
            None => recorded(),
        }
    }

    pub(super) fn answer(&self) -> Item<SaltedBody> {
        let recorded = || self.recorded(CommitmentKind::Answer, Record::answer_body);
        let receipt = self.receipt.as_ref().ok();
        let signed = receipt.map(|receipt| receipt.message().response_hash);
        match &self.given.answer_body {
            Some(bytes) => self.salted(bytes, CommitmentKind::Answer, signed, recorded),
            None => recorded(),
        }
    }

    /// A given body under the first salt that makes it what was signed: the given one, the record's, the one
    /// that our own client would have chosen (others choose as they like). Where none does, under the first
    /// there is, so that the check says so.
    fn salted(
        &self,
        bytes: &Bytes,
        kind: CommitmentKind,
        signed: Option<Hash32>,
        recorded: impl Fn() -> Item<SaltedBody>,
    ) -> Item<SaltedBody> {
        let recorded = recorded().ok().map(|body| body.salt());
        let salts = [self.given.salt.clone(), recorded, self.derived_salt()];
        let mut bodies = salts
            .iter()
            .flatten()
            .map(|salt| SaltedBody::new(salt, bytes));
        let first = bodies.next().ok_or_else(|| {
            Gap::absent("its salt is not at hand, under which the hash was signed (--salt)")
        })?;
        let fits = |body: &SaltedBody| signed.is_none_or(|hash| body.commitment(kind) == hash);
        if fits(&first) {
            return Ok(first);
        }
        Ok(bodies.find(fits).unwrap_or(first))
    }

    /// The salt as it follows from a key at hand that signed the request.
    fn derived_salt(&self) -> Option<Salt> {
        let header = self.header.as_ref().ok()?;
        let signs = |key: &&SigningKey| header.verify(&key.public_key()).is_ok();
        let key = self.sources.keys.iter().find(signs)?;
        Some(key.salt_of(header.message().request_id))
    }

    fn recorded(&self, kind: CommitmentKind, body: fn(&Record) -> &Body) -> Item<SaltedBody> {
        let record = self.record.as_ref().map_err(Clone::clone)?;
        let plain = plain(body(record), kind, self.header, &self.sources.keys)?;
        SaltedBody::from_bytes(plain).map_err(Gap::broken)
    }
}

fn plain(
    body: &Body,
    kind: CommitmentKind,
    header: &Item<Signed<RequestHeader>>,
    keys: &[SigningKey],
) -> Item<Bytes> {
    let absent = || Gap::absent("the record has no such body");
    if body.form() != Form::Sealed {
        return body.plain().map_err(Gap::broken)?.ok_or_else(absent);
    }
    let header = header.as_ref().map_err(Clone::clone)?;
    let parties = body.parties().map_err(Gap::broken)?;
    let key = keys.iter().find(|key| parties.contains(&key.public_key()));
    let key = key.ok_or_else(|| Gap::absent("it is sealed, and no key here opens it"))?;
    let message = header.message();
    let context = SealContext {
        network: message.network,
        stack: message.stack,
        node: message.node,
    };
    let opened = body.unseal(key, &context, header.hash(), kind);
    opened.map_err(Gap::broken)?.ok_or_else(absent)
}
