/// The protocol's parameters, set by the administrator one by one. A stack keeps those of its purchase,
/// so a change never touches a deal already made.
module atoma::params;

use std::string::String;

/// No parameter has this name.
const EUnknownParam: u64 = 102;
/// The value is above the parameter's limit.
const EParamTooLarge: u64 = 103;
/// The value is below what the rules can work with.
const EParamTooSmall: u64 = 104;
/// The shortest life of a stack would be longer than the longest.
const EParamsContradict: u64 = 105;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 86_400_000;
const ANY: u64 = 18_446_744_073_709_551_615;

/// Times in milliseconds, money in micro-USDC, shares in thousandths.
public struct Params has copy, drop, store {
    /// 1 stops new business (registration, tasks, subscriptions, stacks, leases); exits always work.
    paused: u64,
    /// Collateral to register a node, micro-USDC.
    min_collateral: u64,
    /// Collateral above this counts no more in the draw, micro-USDC.
    collateral_cap: u64,
    /// How long a settlement can be disputed before it is paid.
    dispute_window_ms: u64,
    /// How long after a stack's expiry its nodes may still settle.
    settle_grace_ms: u64,
    /// The shortest life of a stack.
    min_lifetime_ms: u64,
    /// The longest life of a stack, extensions included.
    max_lifetime_ms: u64,
    /// How long a leaving node's collateral stays liable.
    unbonding_ms: u64,
    /// The protocol's share of what nodes earn.
    protocol_fee_permille: u64,
    /// Escrowed on top of a stack's price to pay for audits, where its task samples.
    sampling_surcharge_permille: u64,
    /// What a user stakes to demand a record, micro-USDC; a node that shows it keeps the stake.
    dispute_bond: u64,
    /// How long a node has to show a record that is demanded.
    answer_window_ms: u64,
    /// The part of its collateral that a node loses by not answering, thousandths.
    silence_slash_permille: u64,
    /// The part of its collateral that a node loses for proven fraud, thousandths.
    fraud_slash_permille: u64,
    /// The part of a slash that goes to the stack's owner, thousandths; the rest goes to the treasury.
    slash_owner_permille: u64,
    /// How long a convicted node gets no new business.
    jail_ms: u64,
    /// The storage network's epoch: blobs that ended by it prove nothing.
    walrus_epoch: u64,
    /// A new node's reputation, of 1000.
    reputation_initial: u64,
    /// Gained with a settlement that was paid.
    reputation_gain: u64,
    /// Lost with a lease that the node let expire unsettled.
    reputation_loss: u64,
    /// The length of an epoch of the treasury.
    epoch_ms: u64,
    /// The share of the communal treasury that an epoch pays out.
    treasury_payout_permille: u64,
}

/// What a fresh database begins with.
public(package) fun first(): Params {
    Params {
        paused: 0,
        min_collateral: 100_000_000,
        collateral_cap: 10_000_000_000,
        dispute_window_ms: HOUR,
        settle_grace_ms: HOUR,
        min_lifetime_ms: SECOND,
        max_lifetime_ms: 90 * DAY,
        unbonding_ms: 7 * DAY,
        protocol_fee_permille: 10,
        sampling_surcharge_permille: 20,
        dispute_bond: 1_000_000,
        answer_window_ms: HOUR,
        silence_slash_permille: 100,
        fraud_slash_permille: 500,
        slash_owner_permille: 500,
        jail_ms: 7 * DAY,
        walrus_epoch: 0,
        reputation_initial: 500,
        reputation_gain: 2,
        reputation_loss: 50,
        epoch_ms: DAY,
        treasury_payout_permille: 100,
    }
}

/// Sets a parameter, if the rules can work with the value: times are divided by the epoch's length,
/// weights multiply the cap, a stack that lives no time can't be used, an answer takes some.
public(package) fun set(self: &mut Params, name: &String, value: u64) {
    let (slot, least, most) = slot(self, name.as_bytes());
    assert!(value <= most, EParamTooLarge);
    assert!(value >= least, EParamTooSmall);
    *slot = value;
    assert!(self.min_lifetime_ms <= self.max_lifetime_ms, EParamsContradict);
}

/// Where a parameter stands, and its least and largest value.
fun slot(self: &mut Params, name: &vector<u8>): (&mut u64, u64, u64) {
    if (name == &b"paused") (&mut self.paused, 0, 1)
    else if (name == &b"min_collateral") (&mut self.min_collateral, 0, ANY)
    else if (name == &b"collateral_cap") (&mut self.collateral_cap, 1, 1 << 50)
    else if (name == &b"dispute_window_ms") (&mut self.dispute_window_ms, 0, 30 * DAY)
    else if (name == &b"settle_grace_ms") (&mut self.settle_grace_ms, 0, 30 * DAY)
    else if (name == &b"min_lifetime_ms") (&mut self.min_lifetime_ms, 0, DAY)
    else if (name == &b"max_lifetime_ms") (&mut self.max_lifetime_ms, 1, 366 * DAY)
    else if (name == &b"unbonding_ms") (&mut self.unbonding_ms, 0, 90 * DAY)
    else if (name == &b"protocol_fee_permille") (&mut self.protocol_fee_permille, 0, 200)
    else if (name == &b"sampling_surcharge_permille") (&mut self.sampling_surcharge_permille, 0, 500)
    else if (name == &b"dispute_bond") (&mut self.dispute_bond, 0, 1_000_000_000)
    else if (name == &b"answer_window_ms") (&mut self.answer_window_ms, SECOND, 30 * DAY)
    else if (name == &b"silence_slash_permille") (&mut self.silence_slash_permille, 0, 1_000)
    else if (name == &b"fraud_slash_permille") (&mut self.fraud_slash_permille, 0, 1_000)
    else if (name == &b"slash_owner_permille") (&mut self.slash_owner_permille, 0, 500)
    else if (name == &b"jail_ms") (&mut self.jail_ms, 0, 366 * DAY)
    else if (name == &b"walrus_epoch") (&mut self.walrus_epoch, 0, (1 << 32) - 1)
    else if (name == &b"reputation_initial") (&mut self.reputation_initial, 0, 1_000)
    else if (name == &b"reputation_gain") (&mut self.reputation_gain, 0, 1_000)
    else if (name == &b"reputation_loss") (&mut self.reputation_loss, 0, 1_000)
    else if (name == &b"epoch_ms") (&mut self.epoch_ms, SECOND, 366 * DAY)
    else if (name == &b"treasury_payout_permille") (&mut self.treasury_payout_permille, 0, 1_000)
    else abort EUnknownParam
}

public(package) fun paused(self: &Params): u64 { self.paused }

public(package) fun min_collateral(self: &Params): u64 { self.min_collateral }

public(package) fun collateral_cap(self: &Params): u64 { self.collateral_cap }

public(package) fun dispute_window_ms(self: &Params): u64 { self.dispute_window_ms }

public(package) fun settle_grace_ms(self: &Params): u64 { self.settle_grace_ms }

public(package) fun min_lifetime_ms(self: &Params): u64 { self.min_lifetime_ms }

public(package) fun max_lifetime_ms(self: &Params): u64 { self.max_lifetime_ms }

public(package) fun unbonding_ms(self: &Params): u64 { self.unbonding_ms }

public(package) fun protocol_fee_permille(self: &Params): u64 { self.protocol_fee_permille }

public(package) fun sampling_surcharge_permille(self: &Params): u64 { self.sampling_surcharge_permille }

public(package) fun dispute_bond(self: &Params): u64 { self.dispute_bond }

public(package) fun answer_window_ms(self: &Params): u64 { self.answer_window_ms }

public(package) fun silence_slash_permille(self: &Params): u64 { self.silence_slash_permille }

public(package) fun fraud_slash_permille(self: &Params): u64 { self.fraud_slash_permille }

public(package) fun slash_owner_permille(self: &Params): u64 { self.slash_owner_permille }

public(package) fun jail_ms(self: &Params): u64 { self.jail_ms }

public(package) fun walrus_epoch(self: &Params): u64 { self.walrus_epoch }

public(package) fun reputation_initial(self: &Params): u64 { self.reputation_initial }

public(package) fun reputation_gain(self: &Params): u64 { self.reputation_gain }

public(package) fun reputation_loss(self: &Params): u64 { self.reputation_loss }

public(package) fun epoch_ms(self: &Params): u64 { self.epoch_ms }

public(package) fun treasury_payout_permille(self: &Params): u64 { self.treasury_payout_permille }
