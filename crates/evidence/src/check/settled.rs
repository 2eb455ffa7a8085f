//! What the node settled on the ledger.

use super::gathered::{Gathered, Item, hold, need, own};
use atoma_types::message::EvidenceLeaf;

pub(super) fn settled(g: &Gathered) -> Item<String> {
    let (header, receipt) = (need(&g.header)?, need(&g.receipt)?);
    let (settlement, path) = (need(&g.settlement)?, own(&g.path)?);
    let seq = receipt.message().seq;
    let place = settlement.from_seq.checked_add(path.index);
    hold(
        place.and_then(|place| place.checked_add(1)) == Some(seq),
        || {
            let (place, from) = (path.index, settlement.from_seq);
            format!("the path is of place {place} after {from}, the receipt {seq}")
        },
    )?;
    hold(path.count == settlement.count(), || {
        let (path, settled) = (path.count, settlement.count());
        format!("the path is in a tree of {path} records, {settled} were settled")
    })?;
    let leads = path.root(EvidenceLeaf::hash_of(header, receipt)) == Some(settlement.root);
    hold(leads, || {
        "the path doesn't lead to the settled root".to_owned()
    })?;
    Ok(format!("record {seq} of {}", settlement.to_seq))
}

pub(super) fn claim(g: &Gathered) -> Item<String> {
    let receipt = need(&g.receipt)?.message();
    let settlement = own(&g.settlement)?;
    let (seq, sum) = (receipt.seq, receipt.cumulative_units);
    let (count, units) = (settlement.to_seq, settlement.units);
    hold(seq <= count, || {
        format!("{count} receipts were settled, this is number {seq}")
    })?;
    hold(sum <= units, || {
        format!("{units} were claimed, less than this receipt's sum of {sum}")
    })?;
    hold(seq != count || sum == units, || {
        format!("{units} were claimed, the last receipt's sum is {sum}")
    })?;
    Ok(format!("{count} receipts, {units}"))
}
