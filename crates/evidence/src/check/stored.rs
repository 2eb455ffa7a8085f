//! Where the record is: in a pack, in a blob on Walrus.

use super::gathered::{Gap, Gathered, Item, hold, need, own};
use crate::pack::{Kind, Record, verify_record};
use atoma_types::{NetworkId, NodeId, message::EvidenceLeaf};

pub(super) fn record(g: &Gathered) -> Item<String> {
    let (record, _) = Record::from_bytes(own(&g.record)?).map_err(Gap::broken)?;
    let header = need(&g.header)?;
    let statement = match record.kind() {
        Kind::Exchange => EvidenceLeaf::new(header, need(&g.receipt)?).to_bytes(),
        Kind::Request => header.to_bytes(),
    };
    let same = *record.statement() == statement;
    hold(same, || "it holds another request or receipt".to_owned())?;
    let same = record.request_id() == header.message().request_id;
    hold(same, || "it is filed under another request".to_owned())?;
    let [request, answer] = [record.request_body(), record.answer_body()].map(|body| body.form());
    Ok(format!("request {request:?}, answer {answer:?}").to_lowercase())
}

pub(super) fn pack(g: &Gathered) -> Item<String> {
    let record = need(&g.record)?;
    let place = own(&g.place)?;
    // bytes that aren't a record fail the check before
    Record::from_bytes(record).map_err(Gap::absent)?;
    verify_record(record, &place.path, place.root).map_err(Gap::broken)?;
    let (index, count) = (place.path.index.saturating_add(1), place.path.count);
    Ok(format!("record {index} of {count}"))
}

pub(super) fn blob(g: &Gathered) -> Item<String> {
    let pack = own(&g.pack)?;
    let named = need(&g.blob_id).map_err(|_| {
        let (id, shards) = (pack.id, pack.shards);
        Gap::absent(format!("no blob is named; at {shards} shards it is {id}"))
    })?;
    hold(pack.id == *named, || {
        let shards = pack.shards;
        format!("at {shards} shards the bytes give {}, not {named}", pack.id)
    })?;
    let ours = |network: NetworkId, node: NodeId| {
        let header = pack.catalog.header();
        header.network == network && header.node == node
    };
    if let Ok(header) = &g.header {
        let header = header.message();
        let ours = ours(header.network, header.node);
        hold(ours, || "it is another node's pack".to_owned())?;
    }
    if let (Ok(record), Ok(place)) = (&g.record, &g.place) {
        hold(pack.catalog.root() == place.root, || {
            format!(
                "the pack's root is {}, not {}",
                pack.catalog.root(),
                place.root
            )
        })?;
        let (_, leaf) = Record::from_bytes(record).map_err(Gap::absent)?;
        let entries = pack.catalog.entries().iter();
        let there = entries.filter(|entry| entry.leaf == leaf);
        let there = there
            .map(|entry| entry.range())
            .any(|range| range == place.range);
        hold(there, || {
            "the record isn't where it is said to be".to_owned()
        })?;
    }
    let (length, shards) = (pack.catalog.length(), pack.shards);
    Ok(format!("{length} bytes, {shards} shards"))
}
