//! The protocol's parameters, held by `AtomaDb` and set by the administrator one by one.

use serde::{Deserialize, Serialize};

macro_rules! params {
    ($($(#[$doc:meta])* $name:ident = $default:expr, $max:expr;)*) => {
        /// Numbers the rules depend on. BCS: `u64` each, in this order. A stack keeps those of its
        /// purchase, so a change never touches a deal already made.
        ///
        /// In configuration files, what isn't named has its default.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Params { $($(#[$doc])* pub $name: u64),* }

        impl Default for Params {
            fn default() -> Self { Self { $($name: $default),* } }
        }

        impl Params {
            /// The names, in the order of the fields.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The value of a parameter by name.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name { $(stringify!($name) => Some(self.$name),)* _ => None }
            }

            /// The largest value a parameter may have.
            #[must_use]
            pub fn limit(name: &str) -> Option<u64> {
                match name { $(stringify!($name) => Some($max),)* _ => None }
            }

            /// Sets a parameter by name; false if there is none such or the value is over its
            /// limit.
            #[must_use]
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) if value <= $max => { self.$name = value; true })*
                    _ => false,
                }
            }
        }
    };
}

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

params! {
    /// 1 stops new business (registration, tasks, subscriptions, stacks, leases); exits always work.
    paused = 0, 1;
    /// Collateral to register a node, micro-USDC.
    min_collateral = 100_000_000, u64::MAX;
    /// Collateral above this counts no more in the draw, micro-USDC.
    collateral_cap = 10_000_000_000, 1 << 50;
    /// How long a settlement can be disputed before it is paid.
    dispute_window_ms = HOUR, 30 * DAY;
    /// How long after a stack's expiry its nodes may still settle.
    settle_grace_ms = HOUR, 30 * DAY;
    /// The shortest life of a stack.
    min_lifetime_ms = SECOND, DAY;
    /// The longest life of a stack, extensions included.
    max_lifetime_ms = 90 * DAY, 366 * DAY;
    /// How long a leaving node's collateral stays liable.
    unbonding_ms = 7 * DAY, 90 * DAY;
    /// The protocol's share of what nodes earn.
    protocol_fee_permille = 10, 200;
    /// Escrowed on top of a stack's price to pay for audits, where its task samples.
    sampling_surcharge_permille = 20, 500;
    /// What a user stakes to demand a record, micro-USDC; a node that shows it keeps the stake.
    dispute_bond = 1_000_000, 1_000_000_000;
    /// How long a node has to show a record that is demanded.
    answer_window_ms = HOUR, 30 * DAY;
    /// The part of its collateral that a node loses by not answering, thousandths.
    silence_slash_permille = 100, 1_000;
    /// The part of its collateral that a node loses for proven fraud, thousandths.
    fraud_slash_permille = 500, 1_000;
    /// The part of a slash that goes to the stack's owner, thousandths; the rest goes to the treasury.
    slash_owner_permille = 500, 500;
    /// How long a convicted node gets no new business.
    jail_ms = 7 * DAY, 366 * DAY;
    /// The storage network's epoch: blobs that ended by it prove nothing.
    walrus_epoch = 0, u64::from(u32::MAX);
    /// A new node's reputation, of 1000.
    reputation_initial = 500, 1_000;
    /// Gained with a settlement that was paid.
    reputation_gain = 2, 1_000;
    /// Lost with a lease that the node let expire unsettled.
    reputation_loss = 50, 1_000;
    /// The length of an epoch of the treasury.
    epoch_ms = DAY, 366 * DAY;
    /// The share of the communal treasury that an epoch pays out.
    treasury_payout_permille = 100, 1_000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_by_name_within_limits() {
        let mut params = Params::default();
        assert!(params.set("protocol_fee_permille", 200));
        assert!(!params.set("protocol_fee_permille", 201));
        assert!(!params.set("nonsense", 0));
        assert_eq!(params.get("protocol_fee_permille"), Some(200));
        for name in Params::NAMES {
            assert!(params.get(name) <= Params::limit(name), "{name}");
        }
    }

    #[test]
    fn bcs_is_eight_bytes_each() {
        let bytes = bcs::to_bytes(&Params::default()).unwrap();
        assert_eq!(bytes.len(), 8 * Params::NAMES.len());
    }
}
