//! The blob's object on the ledger: the storage nodes' word that the bytes are stored, and until
//! when.

use super::gathered::{Gap, Gathered, Item, hold, need, own};

pub(super) fn certified(g: &Gathered) -> Item<String> {
    let object = own(&g.certified)?;
    let named = need(&g.blob_id)?;
    hold(object.blob_id == *named, || {
        format!("the object is of blob {}", object.blob_id)
    })?;
    let epoch = object.certified_epoch;
    let epoch = epoch.ok_or_else(|| Gap::broken("the blob is registered and not certified"))?;
    let deletable = object.deletable;
    hold(!deletable, || "its owner can delete it".to_owned())?;
    let (end, now) = (object.end_epoch, object.now);
    hold(u64::from(end) > now, || {
        format!("its storage ended in epoch {end}; it is {now}")
    })?;
    if let Ok(pack) = &g.pack {
        let length = pack.catalog.length();
        hold(object.size == length, || {
            format!("the object has {} bytes, the pack {length}", object.size)
        })?;
    }
    Ok(format!("since epoch {epoch}, until {end}"))
}
