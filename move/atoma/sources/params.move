/// The protocol's parameters, set by the administrator one by one. A stack keeps those of its purchase, so a
/// change never touches a deal already made. Floors and caps stand here: lowering a floor means new code.
module atoma::params;

use std::string::String;

/// No parameter has this name.
const EUnknownParam: u64 = 102;
/// The value is above the parameter's cap.
const EParamTooLarge: u64 = 103;
/// The value is below the parameter's floor.
const EParamTooSmall: u64 = 104;
/// The parameters would not fit each other.
const EParamsContradict: u64 = 105;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 86_400_000;
const USDC: u64 = 1_000_000;
const MAX_U64: u128 = 18_446_744_073_709_551_615;

/// Times in milliseconds, money in micro-USDC, shares in thousandths.
public struct Params has copy, drop, store {
    /// 1 stops new business (registration, tasks, subscriptions, stacks, leases); exits always work.
    paused: u64,
    /// Collateral to register a node and to take leases, micro-USDC.
    min_collateral: u64,
    /// The fine for a ticket is its value times this.
    fine_multiple: u64,
    /// How long a ticket waits (D): a night's outage, and daily pay.
    dispute_window_ms: u64,
    /// How long a node has to answer a demand or to disclose a record (A).
    answer_window_ms: u64,
    /// How long after a stack's expiry its nodes may still settle (G); at least A.
    settle_grace_ms: u64,
    /// What a demand costs (F), micro-USDC: about the gas of an answer, whose node gets it.
    demand_fee: u64,
    /// How many of a thousand tickets are examined, where the task samples.
    sample_permille: u64,
    /// What an examiner, or a juror, gets, micro-USDC: gas times five, and a prefill.
    attest_fee: u64,
    /// What a ticket on a sampling task pays into the pool, micro-USDC; a quarter above what its examination costs on average.
    due: u64,
    /// How long an examiner has, a juror to commit, and to reveal (X).
    verdict_window_ms: u64,
    /// Jurors of a jury.
    jury_size: u64,
    /// Equal verdicts of a jury that decide.
    jury_quorum: u64,
    /// What an examiner pays whom a jury contradicts, micro-USDC: at least what the jury gets.
    examiner_fine: u64,
    /// What a juror pays on the losing side, micro-USDC.
    juror_fine: u64,
    /// What an attester deposits in a task, micro-USDC.
    attest_deposit: u64,
    /// The least bond of a challenge, micro-USDC.
    challenge_bond: u64,
    /// The least bond of a challenge, in thousandths of the ticket's value; and of what a jury gives back to an owner, the part
    /// for which a bond must have stood.
    challenge_bond_permille: u64,
    /// Attesters of others that must be there when a stack on a sampling task is bought: an examiner, a jury, and one to spare.
    min_attesters: u64,
    /// How long a fine can be pardoned: time for people to stop a bad release.
    slash_delay_ms: u64,
    /// How long a leaving node's collateral waits; at least the slash delay.
    unbonding_ms: u64,
    /// How long a convicted node takes no new leases; at least D and A together.
    jail_ms: u64,
    /// How long added collateral has no weight.
    maturity_ms: u64,
    /// How long a release waits before it is good.
    release_delay_ms: u64,
    /// The protocol's share of what nodes earn, thousandths.
    protocol_fee_permille: u64,
    /// The most of its fees that a node gets back from the treasury, thousandths.
    rebate_permille: u64,
    /// The share of the communal treasury that an epoch pays out, thousandths.
    treasury_payout_permille: u64,
    /// The shortest life of a stack.
    min_lifetime_ms: u64,
    /// The longest life of a stack, extensions included.
    max_lifetime_ms: u64,
}

/// What a fresh database begins with.
public(package) fun first(): Params {
    Params {
        paused: 0,
        min_collateral: 100 * USDC,
        fine_multiple: 10,
        dispute_window_ms: DAY,
        answer_window_ms: DAY,
        settle_grace_ms: DAY,
        demand_fee: 20_000,
        sample_permille: 200,
        attest_fee: 100_000,
        due: 25_000,
        verdict_window_ms: 12 * HOUR,
        jury_size: 7,
        jury_quorum: 5,
        examiner_fine: 2 * USDC,
        juror_fine: USDC,
        attest_deposit: 8 * USDC,
        challenge_bond: 5 * USDC,
        challenge_bond_permille: 100,
        min_attesters: 9,
        slash_delay_ms: 7 * DAY,
        unbonding_ms: 7 * DAY,
        jail_ms: 2 * DAY,
        maturity_ms: DAY,
        release_delay_ms: DAY,
        protocol_fee_permille: 10,
        rebate_permille: 900,
        treasury_payout_permille: 100,
        min_lifetime_ms: HOUR,
        max_lifetime_ms: 90 * DAY,
    }
}

/// Sets a parameter within its bounds; a database for development has no floors, and its numbers needn't fit.
public(package) fun set(self: &mut Params, name: &String, value: u64, development: bool) {
    let (slot, floor, cap) = slot(self, name.as_bytes());
    assert!(value <= cap, EParamTooLarge);
    assert!(value >= floor || development, EParamTooSmall);
    *slot = value;
    assert!(development || self.fit(), EParamsContradict);
}

/// Where a parameter stands, and its bounds.
fun slot(self: &mut Params, name: &vector<u8>): (&mut u64, u64, u64) {
    if (name == &b"paused") (&mut self.paused, 0, 1)
    else if (name == &b"min_collateral") (&mut self.min_collateral, USDC, 1 << 50)
    else if (name == &b"fine_multiple") (&mut self.fine_multiple, 5, 30)
    else if (name == &b"dispute_window_ms") (&mut self.dispute_window_ms, 6 * HOUR, 30 * DAY)
    else if (name == &b"answer_window_ms") (&mut self.answer_window_ms, 12 * HOUR, 7 * DAY)
    else if (name == &b"settle_grace_ms") (&mut self.settle_grace_ms, 12 * HOUR, 7 * DAY)
    else if (name == &b"demand_fee") (&mut self.demand_fee, 0, 100_000)
    else if (name == &b"sample_permille") (&mut self.sample_permille, 50, 1_000)
    else if (name == &b"attest_fee") (&mut self.attest_fee, 10_000, 10 * USDC)
    else if (name == &b"due") (&mut self.due, 0, 10 * USDC)
    else if (name == &b"verdict_window_ms") (&mut self.verdict_window_ms, 6 * HOUR, 3 * DAY)
    else if (name == &b"jury_size") (&mut self.jury_size, 7, 9)
    else if (name == &b"jury_quorum") (&mut self.jury_quorum, 5, 9)
    else if (name == &b"examiner_fine") (&mut self.examiner_fine, 100_000, 100 * USDC)
    else if (name == &b"juror_fine") (&mut self.juror_fine, 100_000, 100 * USDC)
    else if (name == &b"attest_deposit") (&mut self.attest_deposit, USDC, 1_000 * USDC)
    else if (name == &b"challenge_bond") (&mut self.challenge_bond, USDC, 1_000 * USDC)
    else if (name == &b"challenge_bond_permille") (&mut self.challenge_bond_permille, 80, 1_000)
    else if (name == &b"min_attesters") (&mut self.min_attesters, 9, 64)
    else if (name == &b"slash_delay_ms") (&mut self.slash_delay_ms, DAY, 30 * DAY)
    else if (name == &b"unbonding_ms") (&mut self.unbonding_ms, 7 * DAY, 90 * DAY)
    else if (name == &b"jail_ms") (&mut self.jail_ms, DAY, 60 * DAY)
    else if (name == &b"maturity_ms") (&mut self.maturity_ms, DAY, 30 * DAY)
    else if (name == &b"release_delay_ms") (&mut self.release_delay_ms, DAY, 30 * DAY)
    else if (name == &b"protocol_fee_permille") (&mut self.protocol_fee_permille, 0, 200)
    else if (name == &b"rebate_permille") (&mut self.rebate_permille, 0, 999)
    else if (name == &b"treasury_payout_permille") (&mut self.treasury_payout_permille, 0, 1_000)
    else if (name == &b"min_lifetime_ms") (&mut self.min_lifetime_ms, SECOND, DAY)
    else if (name == &b"max_lifetime_ms") (&mut self.max_lifetime_ms, DAY, 366 * DAY)
    else abort EUnknownParam
}

/// Whether the numbers fit each other: what a theorem needs of two or more of them.
fun fit(self: &Params): bool {
    let (p, fee, due) = (self.sample_permille as u128, self.attest_fee as u128, self.due as u128);
    let jury = (self.jury_size as u128) * fee;
    let m = self.fine_multiple as u128;
    let (convicting, wrong, juries) = juries(self.jury_size, self.jury_quorum);
    let jail_after = (self.dispute_window_ms as u128) + (self.answer_window_ms as u128);
    let two_fines = ((self.examiner_fine as u128) * 2).min(MAX_U64);
    self.min_lifetime_ms <= self.max_lifetime_ms
        // who is away for less than A can still settle, and is out of jail after their own tickets end
        && self.answer_window_ms <= self.settle_grace_ms
        && self.slash_delay_ms <= self.unbonding_ms
        && jail_after.min(MAX_U64) <= (self.jail_ms as u128)
        // the pool grows
        && due * 4 * 1_000 >= 5 * p * fee
        // the fine of the smallest ticket pays a jury, and so do an examiner's fine and a bond
        && m * 4 * due >= jury
        && (self.examiner_fine as u128) >= jury
        && (self.challenge_bond as u128) >= jury
        && (self.attest_deposit as u128) >= two_fines
        // whoever can be fined as an examiner can be as a juror, or stacks were sold that no jury could be drawn for
        && self.juror_fine <= self.examiner_fine
        // theorem 12: an answer that saves 0.8 of the price doesn't pay while a third of the attesters' weight lies,
        // caught (1 + m) >= 0.8, where caught = p * 2/3 * convicting / juries: who is caught has saved it, too
        && p * convicting * (m + 1) >= 1_200 * juries
        // theorem 3: nor does accusing an honest node, which gains what comes back where a jury is the liars', and costs the bond
        // where it acquits
        && (self.challenge_bond_permille as u128) * convicting >= 1_000 * wrong
        // neither a minority nor two sides can decide
        && self.jury_quorum * 2 > self.jury_size
        && self.min_attesters >= self.jury_size + 2
}

/// While a third of the weight lies: of so many equally likely juries, those in which a quorum doesn't, and those in which a quorum
/// does. Of five of seven 1,248 and 99 in 2,187.
fun juries(size: u64, quorum: u64): (u128, u128, u128) {
    // C(size, honest) * 2^honest
    let mut ways: u128 = 1;
    let (mut convicting, mut wrong, mut all) = (0, 0, 0);
    (size + 1).do!(|honest| {
        if (honest >= quorum) convicting = convicting + ways;
        if (honest + quorum <= size) wrong = wrong + ways;
        all = all + ways;
        ways = ways * 2 * ((size - honest) as u128) / ((honest + 1) as u128);
    });
    (convicting, wrong, all)
}

public(package) fun paused(self: &Params): u64 { self.paused }

public(package) fun min_collateral(self: &Params): u64 { self.min_collateral }

public(package) fun fine_multiple(self: &Params): u64 { self.fine_multiple }

public(package) fun dispute_window_ms(self: &Params): u64 { self.dispute_window_ms }

public(package) fun answer_window_ms(self: &Params): u64 { self.answer_window_ms }

public(package) fun settle_grace_ms(self: &Params): u64 { self.settle_grace_ms }

public(package) fun demand_fee(self: &Params): u64 { self.demand_fee }

public(package) fun sample_permille(self: &Params): u64 { self.sample_permille }

public(package) fun attest_fee(self: &Params): u64 { self.attest_fee }

public(package) fun due(self: &Params): u64 { self.due }

public(package) fun verdict_window_ms(self: &Params): u64 { self.verdict_window_ms }

public(package) fun jury_size(self: &Params): u64 { self.jury_size }

public(package) fun jury_quorum(self: &Params): u64 { self.jury_quorum }

public(package) fun examiner_fine(self: &Params): u64 { self.examiner_fine }

public(package) fun juror_fine(self: &Params): u64 { self.juror_fine }

public(package) fun attest_deposit(self: &Params): u64 { self.attest_deposit }

public(package) fun challenge_bond(self: &Params): u64 { self.challenge_bond }

public(package) fun challenge_bond_permille(self: &Params): u64 { self.challenge_bond_permille }

public(package) fun min_attesters(self: &Params): u64 { self.min_attesters }

public(package) fun slash_delay_ms(self: &Params): u64 { self.slash_delay_ms }

public(package) fun unbonding_ms(self: &Params): u64 { self.unbonding_ms }

public(package) fun jail_ms(self: &Params): u64 { self.jail_ms }

public(package) fun maturity_ms(self: &Params): u64 { self.maturity_ms }

public(package) fun release_delay_ms(self: &Params): u64 { self.release_delay_ms }

public(package) fun protocol_fee_permille(self: &Params): u64 { self.protocol_fee_permille }

public(package) fun rebate_permille(self: &Params): u64 { self.rebate_permille }

public(package) fun treasury_payout_permille(self: &Params): u64 { self.treasury_payout_permille }

public(package) fun min_lifetime_ms(self: &Params): u64 { self.min_lifetime_ms }

public(package) fun max_lifetime_ms(self: &Params): u64 { self.max_lifetime_ms }
