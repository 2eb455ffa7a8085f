//! The plain bodies of a record, as far as this machine's keys open them.

use crate::check::{Gap, Item};
use crate::pack::{Body, Form, Part, Record, SealContext};
use atoma_keys::SigningKey;
use atoma_types::message::{RequestHeader, Signed};
use bytes::Bytes;

type Header = Item<Signed<RequestHeader>>;

pub(super) fn request(record: &Item<Record>, header: &Header, keys: &[SigningKey]) -> Item<Bytes> {
    let record = record.as_ref().map_err(Clone::clone)?;
    plain(record.request_body(), Part::Request, header, keys)
}

pub(super) fn answer(record: &Item<Record>, header: &Header, keys: &[SigningKey]) -> Item<Bytes> {
    let record = record.as_ref().map_err(Clone::clone)?;
    plain(record.answer_body(), Part::Answer, header, keys)
}

fn plain(body: &Body, part: Part, header: &Header, keys: &[SigningKey]) -> Item<Bytes> {
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
    let opened = body.unseal(key, &context, header.hash(), part);
    opened.map_err(Gap::broken)?.ok_or_else(absent)
}
