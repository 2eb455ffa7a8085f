/// What a stack's parties agreed on, copied when it is bought: no exit asks the database.
module atoma::terms;

use atoma::money;
use atoma::params::Params;

/// The task, or the stack, is not examined.
const ENotSampling: u64 = 326;

/// Dues that the smallest ticket is worth: its fine must pay a jury.
const SMALLEST_TICKET_DUES: u64 = 4;

/// The terms of a stack.
public struct Terms has copy, drop, store {
    /// The fine for a ticket is its value times this.
    fine_multiple: u64,
    /// The protocol's share, thousandths.
    fee_permille: u64,
    /// How long a ticket waits (D).
    dispute_window_ms: u64,
    /// How long a node has to answer or disclose (A).
    answer_window_ms: u64,
    /// How long after the expiry nodes may settle (G); at least A.
    settle_grace_ms: u64,
    /// What a demand costs (F); the node's once it answers.
    demand_fee: u64,
    /// How long a convicted node takes no new leases.
    jail_ms: u64,
    /// How long a fine can be pardoned.
    slash_delay_ms: u64,
    /// How it is examined, where its task samples.
    sampling: Option<SamplingTerms>,
}

/// The terms of examinations.
public struct SamplingTerms has copy, drop, store {
    /// How many of a thousand tickets are examined.
    sample_permille: u64,
    /// What each ticket pays into the task's pool.
    due: u64,
    /// What an examiner, or a juror, gets.
    attest_fee: u64,
    /// How long an examiner has, a juror for its commitment, and for revealing it (X).
    verdict_window_ms: u64,
    /// Jurors of a jury.
    jury_size: u64,
    /// Equal verdicts that decide.
    jury_quorum: u64,
    /// What an examiner pays whom a jury contradicts.
    examiner_fine: u64,
    /// What a juror pays on the losing side.
    juror_fine: u64,
    /// The least bond of a challenge.
    challenge_bond: u64,
    /// The least bond of a challenge, in thousandths of the ticket's value.
    challenge_bond_permille: u64,
}

/// The parameters of this moment.
public(package) fun of(params: &Params, samples: bool): Terms {
    let sampling = if (samples) {
        option::some(SamplingTerms {
            sample_permille: params.sample_permille(),
            due: params.due(),
            attest_fee: params.attest_fee(),
            verdict_window_ms: params.verdict_window_ms(),
            jury_size: params.jury_size(),
            jury_quorum: params.jury_quorum(),
            examiner_fine: params.examiner_fine(),
            juror_fine: params.juror_fine(),
            challenge_bond: params.challenge_bond(),
            challenge_bond_permille: params.challenge_bond_permille(),
        })
    } else {
        option::none()
    };
    Terms {
        fine_multiple: params.fine_multiple(),
        fee_permille: params.protocol_fee_permille(),
        dispute_window_ms: params.dispute_window_ms(),
        answer_window_ms: params.answer_window_ms(),
        settle_grace_ms: params.settle_grace_ms(),
        demand_fee: params.demand_fee(),
        jail_ms: params.jail_ms(),
        slash_delay_ms: params.slash_delay_ms(),
        sampling,
    }
}

public(package) fun fee_permille(self: &Terms): u64 { self.fee_permille }

public(package) fun dispute_window_ms(self: &Terms): u64 { self.dispute_window_ms }

public(package) fun answer_window_ms(self: &Terms): u64 { self.answer_window_ms }

public(package) fun settle_grace_ms(self: &Terms): u64 { self.settle_grace_ms }

public(package) fun demand_fee(self: &Terms): u64 { self.demand_fee }

public(package) fun jail_ms(self: &Terms): u64 { self.jail_ms }

public(package) fun slash_delay_ms(self: &Terms): u64 { self.slash_delay_ms }

/// What a claim of this value costs its node if it is convicted.
public(package) fun fine(self: &Terms, value: u64): u64 { money::times(value, self.fine_multiple) }

/// The value of the smallest ticket: some, and enough for an examination where there may be one.
public(package) fun smallest_ticket(self: &Terms): u64 {
    if (self.sampling.is_none()) return 1;
    money::saturating_times(self.sampling.borrow().due, SMALLEST_TICKET_DUES).max(1)
}

/// What a ticket pays into the pool.
public(package) fun due(self: &Terms): u64 {
    if (self.samples()) self.sampling.borrow().due else 0
}

public(package) fun samples(self: &Terms): bool { self.sampling.is_some() }

/// The terms of examinations, which there must be.
public(package) fun sampling(self: &Terms): &SamplingTerms {
    assert!(self.sampling.is_some(), ENotSampling);
    self.sampling.borrow()
}

/// A task, or a stack, that isn't examined.
public(package) fun assert_samples(samples: bool) {
    assert!(samples, ENotSampling);
}

public(package) fun sample_permille(self: &SamplingTerms): u64 { self.sample_permille }

public(package) fun attest_fee(self: &SamplingTerms): u64 { self.attest_fee }

public(package) fun verdict_window_ms(self: &SamplingTerms): u64 { self.verdict_window_ms }

public(package) fun jury_size(self: &SamplingTerms): u64 { self.jury_size }

public(package) fun jury_quorum(self: &SamplingTerms): u64 { self.jury_quorum }

public(package) fun examiner_fine(self: &SamplingTerms): u64 { self.examiner_fine }

public(package) fun juror_fine(self: &SamplingTerms): u64 { self.juror_fine }

/// What an owner gets back of a claim, at most, by a jury before which such a bond stood for the accusation.
public(package) fun refund(self: &SamplingTerms, bond: u64): u64 {
    money::stood_for(bond, self.challenge_bond_permille)
}

/// The least bond of a challenge to a ticket of this value.
public(package) fun bond(self: &SamplingTerms, value: u64): u64 {
    self.challenge_bond.max(money::permille(value, self.challenge_bond_permille))
}
