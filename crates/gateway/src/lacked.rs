//! What nodes would have needed to get units for a request, where it wasn't they that failed.

use crate::pool::LeaseError;
use atoma_client::ClientError;
use atoma_ledger::{Amount, ExecuteError};
use atoma_types::{Address, MicroUsdc};

/// What was lacking at the nodes that were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lacked {
    /// The budget: less of it is left than a stack costs.
    Money {
        /// So much, at the node that takes the least.
        needed: MicroUsdc,
        /// So much is left.
        left: MicroUsdc,
    },
    /// Money or gas in our wallet, though the budget would have paid.
    Wallet {
        /// The wallet's address.
        owner: Address,
        /// So much, at the node that was tried last.
        needed: Amount,
        /// So much is there.
        has: Amount,
    },
    /// Free collateral of their own.
    Collateral,
}

impl Lacked {
    /// What is lacking once another node got no units. Money comes first: with more of it one of them would have served.
    pub(crate) fn after(before: Option<Self>, error: &LeaseError) -> Option<Self> {
        match (before, error) {
            (before, &LeaseError::Budget { needed, left }) => {
                let needed = match before {
                    Some(Self::Money { needed: other, .. }) => needed.min(other),
                    Some(Self::Wallet { .. } | Self::Collateral) | None => needed,
                };
                Some(Self::Money { needed, left })
            }
            (
                Some(Self::Wallet { .. } | Self::Collateral) | None,
                &LeaseError::Client(ClientError::Execute(ExecuteError::InsufficientFunds {
                    owner,
                    needed,
                    available,
                })),
            ) => Some(Self::Wallet {
                owner,
                needed,
                has: available,
            }),
            (None, LeaseError::TooLarge) => Some(Self::Collateral),
            (before, _) => before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_money_that_would_have_done_is_what_lacks() {
        let short = |needed| LeaseError::Budget {
            needed: MicroUsdc(needed),
            left: MicroUsdc(1),
        };
        let mut lacked = Lacked::after(None, &LeaseError::TooLarge);
        assert_eq!(lacked, Some(Lacked::Collateral));
        for error in [
            short(7),
            short(5),
            short(9),
            LeaseError::TooLarge,
            LeaseError::TimedOut,
        ] {
            lacked = Lacked::after(lacked, &error);
        }
        let (needed, left) = (MicroUsdc(5), MicroUsdc(1));
        assert_eq!(lacked, Some(Lacked::Money { needed, left }));
    }

    #[test]
    fn an_empty_wallet_lacks_what_the_budget_would_pay() {
        let (needed, has) = (
            Amount::Usdc(MicroUsdc(200_000)),
            Amount::Usdc(MicroUsdc::ZERO),
        );
        let owner = Address::ZERO;
        let short = ExecuteError::InsufficientFunds {
            owner,
            needed,
            available: has,
        };
        let error = LeaseError::Client(short.into());
        let wallet = Some(Lacked::Wallet { owner, needed, has });
        assert_eq!(Lacked::after(None, &error), wallet);
        assert_eq!(Lacked::after(wallet, &LeaseError::TooLarge), wallet);
    }
}
