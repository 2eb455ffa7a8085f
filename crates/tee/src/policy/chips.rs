//! Chips in places that one knows.

use crate::{tier::Tier, verdict::Judge};
use std::collections::BTreeSet;

/// Whether a chip stands on the policy's list of known ones.
pub(super) fn judge_chip(known: &BTreeSet<String>, subject: &str, chip: &[u8], judge: &mut Judge) {
    let name = hex::encode(chip);
    if known.contains(&name) {
        judge.holds(subject, "known chip", name);
    } else {
        judge.lower(
            subject,
            "known chip",
            Tier::Manifests,
            format!("{name} is on no list of chips in known places"),
        );
    }
}
