//! The records of a ticket, found again in packs: what a node answers from that has lost its own log.
//!
//! Packs are taken one after the other, in the order of the records, and nothing of them is kept but a hash and a place
//! for each record of the ticket. Only what the last receipt on the ledger binds is given out.

use super::{Pack, PackError};
use atoma_types::{
    ComputeUnits, NodeId, StackId,
    hash::Hash32,
    history::{LastReceipt, ReceiptTree},
    merkle::Proof,
};

/// A ticket as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketKey {
    /// The stack that paid.
    pub stack: StackId,
    /// The node that served the requests and settles them.
    pub node: NodeId,
    /// Its last receipt. The records are those that it binds, from its base on, and its own: the ticket's, and where its
    /// history begins before the ticket, those before.
    pub last: LastReceipt,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketPlace {
    /// The pack, by its number among those that were taken, from 0.
    pub pack: u32,
    /// The record's place in it.
    pub place: u32,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// The lease's units with it.
    cumulative: ComputeUnits,
    at: TicketPlace,
}

/// The records that were found so far. About 50 bytes for each.
#[derive(Debug)]
pub struct TicketSearch {
    key: TicketKey,
    packs: u32,
    hashes: Vec<Hash32>,
    rows: Vec<Row>,
}

/// All records of a ticket. About 80 bytes for each.
#[derive(Debug)]
pub struct TicketRecords {
    key: TicketKey,
    tree: ReceiptTree,
    rows: Vec<Row>,
}

impl TicketSearch {
    /// Nothing is found yet.
    #[must_use]
    pub fn new(key: TicketKey) -> Self {
        Self {
            key,
            packs: 0,
            hashes: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// How many packs were taken.
    #[must_use]
    pub fn packs(&self) -> u32 {
        self.packs
    }

    /// Takes the next pack. Records of other leases, and those that aren't the next of this one, are passed over.
    ///
    /// # Errors
    /// If it is another node's, or a record in it can't be read; nothing is taken then.
    pub fn take(&mut self, pack: &Pack) -> Result<(), PackError> {
        if pack.catalog().header().node != self.key.node {
            return Err(PackError::Format("the pack is another node's"));
        }
        let before = self.rows.len();
        if let Err(error) = self.take_records(pack) {
            self.rows.truncate(before);
            self.hashes.truncate(before);
            return Err(error);
        }
        self.packs += 1;
        Ok(())
    }

    fn take_records(&mut self, pack: &Pack) -> Result<(), PackError> {
        for (place, record) in pack.records().enumerate() {
            let record = record?;
            let Some(receipt) = record.signed_receipt()? else {
                continue;
            };
            let hash = receipt.hash();
            let receipt = receipt.message();
            let next = self.key.last.base + self.rows.len() as u64 + 1;
            let ours = receipt.stack == self.key.stack && receipt.node == self.key.node;
            if !ours || receipt.seq != next || next > self.key.last.seq {
                continue;
            }
            self.hashes.push(hash);
            self.rows.push(Row {
                cumulative: receipt.cumulative_units,
                at: TicketPlace {
                    pack: self.packs,
                    // a pack has far fewer records
                    place: place as u32,
                },
            });
        }
        Ok(())
    }

    /// Whether no more packs are needed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.rows.len() as u64 >= self.key.last.seq.saturating_sub(self.key.last.base)
    }

    /// All of it.
    ///
    /// # Errors
    /// If records are missing, or they aren't those that were settled.
    pub fn finish(self) -> Result<TicketRecords, PackError> {
        if !self.is_complete() {
            return Err(PackError::NoRecord(self.rows.len()));
        }
        let tree = ReceiptTree::new(self.key.last.base, self.hashes);
        let tree = tree.filter(|tree| tree.last() == self.key.last);
        let tree = tree.ok_or(PackError::OtherRecords)?;
        Ok(TicketRecords {
            key: self.key,
            tree,
            rows: self.rows,
        })
    }
}

impl TicketRecords {
    /// The `seq` of the record that charges a unit.
    #[must_use]
    pub fn seq_of(&self, unit: ComputeUnits) -> Option<u64> {
        // sums rise with places, and each begins where the one before ends
        let place = self.rows.partition_point(|row| row.cumulative <= unit);
        (place < self.rows.len()).then_some(self.key.last.base + place as u64 + 1)
    }

    /// Where the record of a `seq` stands, and its path to the ticket's last receipt.
    #[must_use]
    pub fn find(&self, seq: u64) -> Option<(TicketPlace, Proof)> {
        let place = usize::try_from(seq.checked_sub(self.key.last.base + 1)?).ok()?;
        Some((self.rows.get(place)?.at, self.tree.prove(seq)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{NODE, Plan, STACK, Sample};
    use atoma_types::Address;

    fn key(sample: &Sample) -> TicketKey {
        let proof = sample.proof();
        TicketKey {
            stack: STACK,
            node: NODE,
            last: proof.settlement.unwrap().last,
        }
    }

    #[test]
    fn a_unit_leads_to_its_record_and_that_to_the_last_receipt() {
        let sample = Sample::new(&Plan::default());
        let pack = Pack::from_bytes(sample.pack.clone()).unwrap();
        let mut search = TicketSearch::new(key(&sample));
        assert!(!search.is_complete());
        search.take(&pack).unwrap();
        assert!(search.is_complete());
        // what is there already isn't taken twice
        search.take(&pack).unwrap();
        let records = search.finish().unwrap();
        // 1000, 500 and 2000 units
        let units = [0, 999, 1_000, 1_499, 1_500, 3_499].map(ComputeUnits);
        let seqs = units.map(|unit| records.seq_of(unit).unwrap());
        assert_eq!(seqs, [1, 1, 2, 2, 3, 3]);
        assert_eq!(records.seq_of(ComputeUnits(3_500)), None);
        for (seq, (_, receipt)) in (1..).zip(&sample.exchanges) {
            let (at, path) = records.find(seq).unwrap();
            assert_eq!((at.pack, u64::from(at.place)), (0, seq - 1));
            let last = key(&sample).last;
            assert_eq!(last.place_of(receipt.hash(), &path), Some(seq));
        }
        assert!(records.find(0).is_none() && records.find(4).is_none());
    }

    #[test]
    fn records_before_a_history_begins_are_not_needed() {
        let sample = Sample::new(&Plan::default());
        let pack = Pack::from_bytes(sample.pack.clone()).unwrap();
        let hashes = sample.exchanges.iter().map(|(_, receipt)| receipt.hash());
        let tree = ReceiptTree::new(1, hashes.skip(1)).unwrap();
        let last = tree.last();
        let mut search = TicketSearch::new(TicketKey {
            last,
            ..key(&sample)
        });
        search.take(&pack).unwrap();
        let records = search.finish().unwrap();
        assert!(records.find(1).is_none());
        for seq in [2, 3] {
            let (at, path) = records.find(seq).unwrap();
            assert_eq!(u64::from(at.place), seq - 1);
            let hash = sample.exchanges[seq as usize - 1].1.hash();
            assert_eq!(last.place_of(hash, &path), Some(seq));
        }
    }

    #[test]
    fn what_is_missing_or_not_the_settled_one_is_never_given_out() {
        let sample = Sample::new(&Plan::default());
        let pack = Pack::from_bytes(sample.pack.clone()).unwrap();
        let search = |key| {
            let mut search = TicketSearch::new(key);
            search.take(&pack).map(|()| search)
        };
        let good = key(&sample);
        let longer = search(TicketKey {
            last: LastReceipt {
                seq: 4,
                ..good.last
            },
            ..good
        });
        let missing = longer.unwrap().finish().unwrap_err();
        assert!(matches!(missing, PackError::NoRecord(3)), "{missing}");
        let other = search(TicketKey {
            last: LastReceipt {
                history: Hash32([9; 32]),
                ..good.last
            },
            ..good
        });
        let other = other.unwrap().finish().unwrap_err();
        assert!(matches!(other, PackError::OtherRecords), "{other}");
        let node = NodeId(Address::new([7; 32]));
        assert!(search(TicketKey { node, ..good }).is_err());
        let stack = StackId(Address::new([7; 32]));
        let others = search(TicketKey { stack, ..good }).unwrap();
        assert!(others.finish().is_err());
    }
}
