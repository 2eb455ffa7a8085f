//! Who has how much of the log's room. What waits for Walrus is bounded, and of the bound nobody fills all: one wallet's
//! bodies have a quarter of what others leave. So whoever comes has room however many wallets are there before.

use atoma_types::{
    Address,
    refusal::{Refusal, RefusalCode},
};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// One wallet has at most this part of what others leave.
const SHARE: u64 = 4;

/// Bytes of bodies that Walrus doesn't have yet.
#[derive(Debug)]
pub(super) struct LogRoom(Mutex<Taken>);

/// Wallets that have none are not in it.
#[derive(Debug, Default)]
struct Taken {
    all: u64,
    wallets: BTreeMap<Address, u64>,
}

impl LogRoom {
    /// With what a journal has.
    pub(super) fn with(taken: &[(Address, u64)]) -> Self {
        let room = Self(Mutex::default());
        for &(wallet, bytes) in taken {
            room.take(wallet, bytes);
        }
        room
    }

    /// All that is taken.
    pub(super) fn taken(&self) -> u64 {
        self.0.lock().all
    }

    /// Takes so much for a wallet's bodies; what was taken before, by all.
    pub(super) fn take(&self, wallet: Address, bytes: u64) -> u64 {
        let mut taken = self.0.lock();
        let before = taken.all;
        taken.all = before.saturating_add(bytes);
        let of = taken.wallets.entry(wallet).or_default();
        *of = of.saturating_add(bytes);
        before
    }

    /// Walrus has these.
    pub(super) fn give_back(&self, stored: &[(Address, u64)]) {
        let mut taken = self.0.lock();
        for &(wallet, bytes) in stored {
            taken.all = taken.all.saturating_sub(bytes);
            let left = taken.wallets.get(&wallet).copied().unwrap_or_default();
            match left.saturating_sub(bytes) {
                0 => taken.wallets.remove(&wallet),
                left => taken.wallets.insert(wallet, left),
            };
        }
    }

    /// Whether anybody may take more of `most` bytes.
    pub(super) fn check(&self, most: u64) -> Result<(), Refusal> {
        if self.taken() < most {
            return Ok(());
        }
        Err(Refusal::new(
            RefusalCode::EvidenceFull,
            "the node's evidence log is full because Walrus doesn't take it: try another node, or later",
        ))
    }

    /// Whether this wallet may.
    pub(super) fn check_share(&self, wallet: Address, most: u64) -> Result<(), Refusal> {
        let taken = self.0.lock();
        let own = taken.wallets.get(&wallet).copied().unwrap_or_default();
        let others = taken.all.saturating_sub(own);
        if own == 0 || own < most.saturating_sub(others) / SHARE {
            return Ok(());
        }
        Err(Refusal::new(
            RefusalCode::EvidenceFull,
            "your part of the node's evidence log is full because Walrus doesn't take it: try another node, or later",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = 1_000;

    fn wallet(n: u8) -> Address {
        Address::new([n; 32])
    }

    /// What a wallet gets until it is refused, in pieces of one.
    fn fills(room: &LogRoom, n: u8) -> u64 {
        let mut bytes = 0;
        while room.check(MOST).is_ok() && room.check_share(wallet(n), MOST).is_ok() {
            room.take(wallet(n), 1);
            bytes += 1;
        }
        bytes
    }

    #[test]
    fn a_wallet_has_a_quarter_of_what_others_leave_and_nobody_fills_the_log() {
        let room = LogRoom::with(&[]);
        assert_eq!(fills(&room, 1), 250);
        assert_eq!(fills(&room, 1), 0);
        assert_eq!(fills(&room, 2), 187);
        for n in 3..=8 {
            assert!(fills(&room, n) > 0);
        }
        assert!(room.taken() < MOST);
        assert!(fills(&room, 9) > 20, "who comes last has room");
        // Walrus is back
        room.give_back(&[(wallet(1), 200), (wallet(2), 187)]);
        assert!(fills(&room, 1) > 0);
        assert!(!room.0.lock().wallets.contains_key(&wallet(2)));
    }

    #[test]
    fn what_a_journal_has_counts_for_whose_it_is() {
        let room = LogRoom::with(&[(wallet(1), 300), (wallet(2), 1)]);
        assert_eq!(room.taken(), 301);
        let code = |n| {
            room.check_share(wallet(n), MOST)
                .map_err(|refusal| refusal.code)
        };
        assert_eq!(code(1), Err(RefusalCode::EvidenceFull));
        assert_eq!((code(2), code(3)), (Ok(()), Ok(())));
        room.take(wallet(3), 2_000);
        assert!(room.check(MOST).is_err(), "a long body may go beyond it");
    }
}
