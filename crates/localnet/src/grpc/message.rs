//! Messages made from objects, transactions, events and checkpoints, as far as a mask asks.

use crate::{
    objects,
    record::{Executed, Sealed},
};
use sui_rpc::{
    field::FieldMaskTree,
    merge::Merge,
    proto::{sui::rpc::v2 as pb, timestamp_ms_to_proto},
};
use sui_sdk_types::{Digest, Event, Object, UserSignature};

/// Where an event stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventPlace {
    pub(super) checkpoint: u64,
    pub(super) transaction: Digest,
    pub(super) position: u64,
    pub(super) number: u32,
}

/// An object as a message, as far as the mask asks.
pub(super) fn object(object: &Object, mask: &FieldMaskTree) -> pb::Object {
    let mut message = pb::Object::merge_from(object.clone(), mask);
    if mask.contains(pb::Object::BALANCE_FIELD) {
        message.balance = objects::as_coin(object).map(|(_, balance)| balance);
    }
    message
}

/// An event with its place.
pub(super) fn event(event: &Event, place: EventPlace, mask: &FieldMaskTree) -> pb::Event {
    let mut message = pb::Event::merge_from(event.clone(), mask);
    if mask.contains(pb::Event::CHECKPOINT_FIELD) {
        message.checkpoint = Some(place.checkpoint);
    }
    if mask.contains(pb::Event::TRANSACTION_DIGEST_FIELD) {
        message.transaction_digest = Some(place.transaction.to_string());
    }
    if mask.contains(pb::Event::TRANSACTION_INDEX_FIELD) {
        message.transaction_index = Some(place.position);
    }
    if mask.contains(pb::Event::EVENT_INDEX_FIELD) {
        message.event_index = Some(place.number);
    }
    if mask.contains(pb::Event::JSON_FIELD) {
        message.json = event_json(event).map(Box::new);
    }
    message
}

/// An event's fields, for those of the contract.
fn event_json(event: &Event) -> Option<prost_types::Value> {
    let module = event.type_.module().as_str();
    let name = event.type_.name().as_str();
    let known = atoma_types::chain::Event::from_bytes(module, name, &event.contents).ok()?;
    Some(json(known.to_json()))
}

/// JSON as protobuf has it. Numbers that a double can't hold become text, as on Sui.
fn json(value: serde_json::Value) -> prost_types::Value {
    use prost_types::value::Kind;
    let kind = match value {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(value) => Kind::BoolValue(value),
        serde_json::Value::Number(number) => Kind::StringValue(number.to_string()),
        serde_json::Value::String(text) => Kind::StringValue(text),
        serde_json::Value::Array(values) => Kind::ListValue(prost_types::ListValue {
            values: values.into_iter().map(json).collect(),
        }),
        serde_json::Value::Object(fields) => Kind::StructValue(prost_types::Struct {
            fields: fields.into_iter().map(|(k, v)| (k, json(v))).collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}

/// An executed transaction. Its checkpoint shows once it is sealed: at most `tip`.
pub(super) fn executed(
    executed: &Executed,
    tip: u64,
    mask: &FieldMaskTree,
) -> pb::ExecutedTransaction {
    type Message = pb::ExecutedTransaction;
    let mut message = Message::default();
    let sealed = executed.checkpoint <= tip;
    if mask.contains(Message::DIGEST_FIELD) {
        message.digest = Some(executed.digest.to_string());
    }
    if let Some(mask) = mask.subtree(Message::TRANSACTION_FIELD) {
        message.transaction = Some(pb::Transaction::merge_from(
            executed.transaction.clone(),
            &mask,
        ));
    }
    if let Some(mask) = mask.subtree(Message::SIGNATURES_FIELD) {
        message.signatures = signatures(&executed.signatures, &mask);
    }
    if let Some(mask) = mask.subtree(Message::EFFECTS_FIELD) {
        message.effects = Some(effects(executed, &mask));
    }
    if let (Some(mask), Some(events)) = (mask.subtree(Message::EVENTS_FIELD), &executed.events) {
        let mut list = pb::TransactionEvents::merge_from(events.clone(), &mask);
        if let Some(mask) = mask.subtree(pb::TransactionEvents::EVENTS_FIELD) {
            list.events = (0u32..)
                .zip(&events.0)
                .map(|(number, one)| {
                    let place = EventPlace {
                        checkpoint: executed.checkpoint,
                        transaction: executed.digest,
                        position: executed.position,
                        number,
                    };
                    event(one, place, &mask)
                })
                .collect();
        }
        message.events = Some(list);
    }
    if mask.contains(Message::BALANCE_CHANGES_FIELD) {
        let changes = &executed.extra.balance_changes;
        message.balance_changes = changes.iter().cloned().map(Into::into).collect();
    }
    if sealed && mask.contains(Message::CHECKPOINT_FIELD) {
        message.checkpoint = Some(executed.checkpoint);
    }
    if sealed && mask.contains(Message::TIMESTAMP_FIELD) {
        message.timestamp = Some(timestamp_ms_to_proto(executed.time.0));
    }
    if sealed && mask.contains(Message::TRANSACTION_INDEX_FIELD) {
        message.transaction_index = Some(executed.position);
    }
    message
}

fn signatures(signatures: &[UserSignature], mask: &FieldMaskTree) -> Vec<pb::UserSignature> {
    signatures
        .iter()
        .map(|signature| pb::UserSignature::merge_from(signature.clone(), mask))
        .collect()
}

/// Effects with the types of what they changed.
fn effects(executed: &Executed, mask: &FieldMaskTree) -> pb::TransactionEffects {
    let mut message = pb::TransactionEffects::merge_from(&executed.effects, mask);
    let path = pb::TransactionEffects::CHANGED_OBJECTS_FIELD;
    if let Some(mask) = mask.subtree(path) {
        let sui_sdk_types::TransactionEffects::V2(effects) = &executed.effects else {
            return message;
        };
        for (changed, source) in message
            .changed_objects
            .iter_mut()
            .zip(&effects.changed_objects)
        {
            if mask.contains(pb::ChangedObject::OBJECT_TYPE_FIELD) {
                changed.object_type = executed.type_of(&source.object_id).map(str::to_owned);
            }
        }
    }
    message
}

/// A sealed checkpoint.
pub(super) fn checkpoint(sealed: &Sealed, mask: &FieldMaskTree) -> pb::Checkpoint {
    let mut message = pb::Checkpoint::default();
    message.merge(&sealed.summary, mask);
    message.merge(sealed.contents.clone(), mask);
    if let Some(mask) = mask.subtree(pb::Checkpoint::TRANSACTIONS_FIELD) {
        let number = sealed.summary.sequence_number;
        message.transactions = sealed
            .transactions
            .iter()
            .map(|one| executed(one, number, &mask))
            .collect();
    }
    message
}
