//! What the node settled on the ledger.

use super::gathered::{Gathered, Item, hold, need, own};

pub(super) fn settled(g: &Gathered) -> Item<String> {
    let receipt = need(&g.receipt)?;
    let (settlement, path) = (need(&g.settlement)?, own(&g.path)?);
    let (seq, last) = (receipt.message().seq, settlement.last);
    let place = last.base.checked_add(path.index);
    hold(
        place.and_then(|place| place.checked_add(1)) == Some(seq),
        || {
            let (place, base) = (path.index, last.base);
            format!("the path is of place {place} after {base}, the receipt {seq}")
        },
    )?;
    hold(path.count == last.count(), || {
        let (path, settled) = (path.count, last.count());
        format!("the path is among {path} receipts, the last one's history has {settled}")
    })?;
    let leads = last.place_of(receipt.hash(), path) == Some(seq) && seq > settlement.from_seq;
    hold(leads, || {
        "the path doesn't lead to the settlement's last receipt".to_owned()
    })?;
    Ok(format!("record {seq} of {}", last.seq))
}

pub(super) fn claim(g: &Gathered) -> Item<String> {
    let receipt = need(&g.receipt)?.message();
    let settlement = own(&g.settlement)?;
    let (seq, sum) = (receipt.seq, receipt.cumulative_units);
    let (count, units) = (settlement.last.seq, settlement.units);
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
