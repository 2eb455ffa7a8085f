//! Whether a record was kept for those who look when it was shown to them: by what the ledger has of the transaction that
//! certified its pack. That never changes, so all who look say the same, whatever Walrus gives to whom, and when.

use atoma_ledger::SealedTransaction;
use atoma_types::{BlobId, chain::events::BlobCertified};

/// A pack is kept to the end of the epoch after the one in which its record is shown, at least: whoever looks has hours,
/// and Walrus's epochs are days.
pub const KEPT_FOR: u32 = 2;

/// When a record was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownAt {
    /// The checkpoint of the transaction that showed it.
    pub checkpoint: u64,
    /// Walrus's epoch at that moment, where it can be known.
    pub epoch: Option<u32>,
}

/// Why a record was withheld, though Walrus may have it by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncertified {
    /// The transaction certified another blob, or none: a transaction that failed did nothing.
    #[error("the transaction that is named didn't certify the pack's blob")]
    OtherBlob,
    /// The blob was certified later.
    #[error("the pack was certified in checkpoint {certified}, and its record shown in {shown}")]
    Late {
        /// The checkpoint of its certification.
        certified: u64,
        /// The checkpoint in which its record was shown.
        shown: u64,
    },
    /// The owner of the blob can drop it at any moment.
    #[error("the pack's blob may be deleted")]
    Deletable,
    /// The blob may be gone before all have looked.
    #[error("the pack's time ends with epoch {end}, and its record was shown in epoch {shown}")]
    EndsSoon {
        /// It is kept until this epoch begins.
        end: u32,
        /// The epoch in which its record was shown.
        shown: u32,
    },
}

impl ShownAt {
    /// Holds the transaction that is said to have certified a blob against this moment. What stands in the same
    /// checkpoint is in time: its parts have one time for everyone.
    ///
    /// Who registered the blob doesn't matter: a permanent one can be dropped by nobody, and its id proves its bytes.
    ///
    /// # Errors
    /// If whoever looks can't count on the blob.
    pub fn check(&self, blob: BlobId, by: &SealedTransaction) -> Result<(), Uncertified> {
        let of_it = by.certified.iter().filter(|event| event.blob_id == blob);
        let best = of_it.max_by_key(|event| (!event.deletable, event.end_epoch));
        let event = best.ok_or(Uncertified::OtherBlob)?;
        if by.checkpoint > self.checkpoint {
            return Err(Uncertified::Late {
                certified: by.checkpoint,
                shown: self.checkpoint,
            });
        }
        self.check_event(event)
    }

    fn check_event(&self, event: &BlobCertified) -> Result<(), Uncertified> {
        if event.deletable {
            return Err(Uncertified::Deletable);
        }
        // it was shown after it was certified
        let shown = self.epoch.unwrap_or_default().max(event.epoch);
        if event.end_epoch < shown.saturating_add(KEPT_FOR) {
            let end = event.end_epoch;
            return Err(Uncertified::EndsSoon { end, shown });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    const BLOB: BlobId = BlobId([3; 32]);
    const AT: ShownAt = ShownAt {
        checkpoint: 100,
        epoch: Some(7),
    };

    fn event() -> BlobCertified {
        BlobCertified {
            epoch: 6,
            blob_id: BLOB,
            end_epoch: 9,
            deletable: false,
            object_id: Address::new([4; 32]),
            is_extension: false,
        }
    }

    fn by(checkpoint: u64, certified: Vec<BlobCertified>) -> SealedTransaction {
        SealedTransaction {
            checkpoint,
            certified,
        }
    }

    #[test]
    fn what_was_certified_by_the_checkpoint_of_the_disclosure_is_in_time_and_one_later_is_late() {
        for (checkpoint, late) in [(1, false), (99, false), (100, false), (101, true)] {
            let checked = AT.check(BLOB, &by(checkpoint, vec![event()]));
            let expected = match late {
                false => Ok(()),
                true => Err(Uncertified::Late {
                    certified: 101,
                    shown: 100,
                }),
            };
            assert_eq!(checked, expected, "{checkpoint}");
        }
    }

    #[test]
    fn a_certificate_of_another_blob_or_none_is_as_good_as_nothing() {
        let other = BlobCertified {
            blob_id: BlobId([4; 32]),
            ..event()
        };
        for certified in [vec![], vec![other.clone()]] {
            let checked = AT.check(BLOB, &by(1, certified));
            assert_eq!(checked, Err(Uncertified::OtherBlob));
        }
        assert_eq!(AT.check(BLOB, &by(1, vec![other, event()])), Ok(()));
    }

    #[test]
    fn a_blob_that_may_be_deleted_or_ends_before_all_have_looked_cant_be_counted_on() {
        let deletable = BlobCertified {
            deletable: true,
            end_epoch: 50,
            ..event()
        };
        let checked = AT.check(BLOB, &by(1, vec![deletable.clone()]));
        assert_eq!(checked, Err(Uncertified::Deletable));
        assert_eq!(AT.check(BLOB, &by(1, vec![deletable, event()])), Ok(()));
        let ends = |end_epoch, epoch| {
            let soon = BlobCertified {
                end_epoch,
                ..event()
            };
            ShownAt { epoch, ..AT }.check(BLOB, &by(1, vec![soon]))
        };
        assert_eq!(ends(9, Some(7)), Ok(()));
        let soon = Err(Uncertified::EndsSoon { end: 8, shown: 7 });
        assert_eq!(ends(8, Some(7)), soon);
        // where Walrus can't be asked for its epoch, the certificate's own is the least that it was
        assert_eq!(ends(8, None), Ok(()));
        let soon = Err(Uncertified::EndsSoon { end: 7, shown: 6 });
        assert_eq!(ends(7, None), soon);
    }
}
