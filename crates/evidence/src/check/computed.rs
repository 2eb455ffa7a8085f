//! Whether the model gives this answer: what came of computing it again, which whoever has the model does.

use super::gathered::{Gap, Gathered, Item, own};

pub(super) fn computation(g: &Gathered) -> Item<String> {
    let Some(again) = &g.recomputed else {
        return Err(Gap::absent("it was not asked for"));
    };
    own(again).cloned()
}
