/// Juries: who sits, what they commit to and reveal, how it is counted; and challenges, which call for one.
module atoma::jury;

use atoma::bytes32::{Self, Bytes32};
use atoma::exam::Auditor;
use atoma::money;
use std::bcs;
use sui::balance::Balance;
use usdc::usdc::USDC;

/// A verdict that finds nothing wrong has a digest of zeros.
const EVerdictInvalid: u64 = 766;
/// Digest, salt and commitment must have 32 bytes.
const EDigestInvalid: u64 = 768;
/// Only the owner of the node that was drawn may do this.
const ENotAuditor: u64 = 755;

const DOMAIN: vector<u8> = b"atoma/verdict/v1";
const OK: u8 = 0;

/// What a juror found: equal for all honest ones.
public struct Verdict has copy, drop, store {
    /// 0: the record is what it says. Anything else is a kind of bad.
    kind: u8,
    /// Digest of what is there instead; zero if it is ok.
    digest: Bytes32,
}

/// One of a jury.
public struct Juror has copy, drop, store {
    auditor: Auditor,
    /// Hash of its verdict.
    commitment: Option<Bytes32>,
    verdict: Option<Verdict>,
}

/// A jury at work. It is gone once it has decided.
public struct Jury has copy, drop, store {
    /// The unit whose record it looks at.
    unit: u64,
    /// The record's `seq`; zero until the node has disclosed it.
    seq: u64,
    jurors: vector<Juror>,
    /// The last moment to disclose; then, to commit.
    deadline_ms: u64,
    /// The last moment to reveal.
    reveal_ms: u64,
}

/// An owner's accusation.
public struct Challenge has store {
    /// What is staked on it; gone once it is over.
    bond: Balance<USDC>,
    /// The unit, where the owner may choose it; else it is drawn with the jury.
    unit: Option<u64>,
    /// The jury, once it is drawn.
    jury: Option<Jury>,
    /// Whether it is over without a conviction.
    over: bool,
}

/// How a jury ended.
public enum Outcome has copy, drop {
    /// So many found the same bad that the node is convicted.
    Guilty,
    /// So many found nothing wrong.
    Acquitted,
    /// Neither.
    Hung,
    /// It could not be drawn.
    Dissolved,
}

// === verdicts ===

/// A verdict in its one form: nothing wrong has no digest.
public(package) fun verdict(kind: u8, digest: vector<u8>): Verdict {
    let verdict = Verdict { kind, digest: read_digest(digest) };
    assert!(verdict.is_bad() || verdict == nothing_wrong(), EVerdictInvalid);
    verdict
}

public(package) fun read_digest(bytes: vector<u8>): Bytes32 {
    let digest = bytes32::read(bytes);
    assert!(digest.is_some(), EDigestInvalid);
    digest.destroy_some()
}

public(package) fun is_bad(self: &Verdict): bool { self.kind != OK }

fun nothing_wrong(): Verdict { Verdict { kind: OK, digest: bytes32::zero() } }

/// What a juror commits to. Its id is under the hash, so that a copied commitment can't be revealed by who copied
/// it; it isn't in the verdict, which is the same for all honest jurors.
public(package) fun commitment(
    stack: ID,
    node: ID,
    to_seq: u64,
    challenge: bool,
    juror: ID,
    verdict: &Verdict,
    salt: Bytes32,
): Bytes32 {
    let mut bytes = DOMAIN;
    bytes.append(stack.to_bytes());
    bytes.append(node.to_bytes());
    bytes.append(bcs::to_bytes(&to_seq));
    bytes.append(bcs::to_bytes(&challenge));
    bytes.append(juror.to_bytes());
    bytes.append(bcs::to_bytes(verdict));
    bytes.append(salt.to_bytes());
    bytes32::hash(&bytes)
}

// === juries ===

public(package) fun seat(unit: u64, auditors: vector<Auditor>, deadline_ms: u64): Jury {
    let jurors = auditors.map!(|auditor| Juror {
        auditor,
        commitment: option::none(),
        verdict: option::none(),
    });
    Jury { unit, seq: 0, jurors, deadline_ms, reveal_ms: 0 }
}

public(package) fun unit(self: &Jury): u64 { self.unit }

public(package) fun seq(self: &Jury): u64 { self.seq }

public(package) fun size(self: &Jury): u64 { self.jurors.length() }

public(package) fun nodes(self: &Jury): vector<ID> { self.jurors.map_ref!(|juror| juror.auditor.node()) }

public(package) fun is_disclosed(self: &Jury): bool { self.seq != 0 }

/// Whether the node has left the jury without the record.
public(package) fun is_overdue(self: &Jury, now: u64): bool {
    self.seq == 0 && now > self.deadline_ms
}

public(package) fun deadline_ms(self: &Jury): u64 { self.deadline_ms }

public(package) fun disclosed(self: &mut Jury, seq: u64, deadline_ms: u64, reveal_ms: u64) {
    self.seq = seq;
    self.deadline_ms = deadline_ms;
    self.reveal_ms = reveal_ms;
}

public(package) fun is_committing(self: &Jury, now: u64): bool {
    self.seq != 0 && now <= self.deadline_ms
}

/// Once all have committed, or the time for it is over.
public(package) fun is_revealing(self: &Jury, now: u64): bool {
    let all = self.jurors.all!(|juror| juror.commitment.is_some());
    self.seq != 0 && now <= self.reveal_ms && (all || now > self.deadline_ms)
}

/// Once all have revealed, or the time for it is over.
public(package) fun is_over(self: &Jury, now: u64): bool {
    let all = self.jurors.all!(|juror| juror.verdict.is_some());
    self.seq != 0 && (all || now > self.reveal_ms)
}

/// A juror that the sender acts for.
public(package) fun own_seat(self: &mut Jury, juror: ID, sender: address): &mut Juror {
    let place = self.jurors.find_index!(|seat| {
        seat.auditor.node() == juror && seat.auditor.owner() == sender
    });
    assert!(place.is_some(), ENotAuditor);
    &mut self.jurors[place.destroy_some()]
}

/// The sender must act for the examiner.
public(package) fun assert_acts_for(auditor: &Auditor, sender: address) {
    assert!(auditor.owner() == sender, ENotAuditor);
}

public(package) fun committed(self: &Juror): Option<Bytes32> { self.commitment }

public(package) fun has_revealed(self: &Juror): bool { self.verdict.is_some() }

public(package) fun commit(self: &mut Juror, commitment: Bytes32) {
    self.commitment = option::some(commitment);
}

public(package) fun reveal(self: &mut Juror, verdict: Verdict) {
    self.verdict = option::some(verdict);
}

// === counting ===

/// How it ended, and which verdict has it.
public(package) fun count(self: &Jury, quorum: u64): (Outcome, Verdict) {
    let mut at = 0;
    while (at < self.jurors.length()) {
        let verdict = self.jurors[at].verdict;
        if (verdict.is_some()) {
            let equal = self.jurors.count!(|juror| juror.verdict == verdict);
            if (equal >= quorum) {
                let verdict = verdict.destroy_some();
                let outcome = if (verdict.is_bad()) Outcome::Guilty else Outcome::Acquitted;
                return (outcome, verdict)
            }
        };
        at = at + 1;
    };
    (Outcome::Hung, nothing_wrong())
}

public(package) fun is_guilty(outcome: &Outcome): bool { outcome == &Outcome::Guilty }

public(package) fun is_acquitted(outcome: &Outcome): bool { outcome == &Outcome::Acquitted }

public(package) fun is_hung(outcome: &Outcome): bool { outcome == &Outcome::Hung }

public(package) fun dissolved(): Outcome { Outcome::Dissolved }

/// Those who revealed this verdict, and those who revealed another.
public(package) fun sides(self: &Jury, winning: Verdict): (vector<ID>, vector<ID>) {
    let (mut winners, mut losers) = (vector[], vector[]);
    self.jurors.do_ref!(|juror| {
        if (juror.verdict.is_some()) {
            let node = juror.auditor.node();
            if (juror.verdict.contains(&winning)) winners.push_back(node) else losers.push_back(node)
        }
    });
    (winners, losers)
}

/// Those who revealed, in their order.
public(package) fun voters(self: &Jury): vector<ID> {
    let mut voters = vector[];
    self.jurors.do_ref!(|juror| {
        if (juror.verdict.is_some()) voters.push_back(juror.auditor.node())
    });
    voters
}

/// Those who didn't.
public(package) fun silent(self: &Jury): vector<ID> {
    let mut silent = vector[];
    self.jurors.do_ref!(|juror| {
        if (juror.verdict.is_none()) silent.push_back(juror.auditor.node())
    });
    silent
}

// === challenges ===

public(package) fun challenge(bond: Balance<USDC>, unit: Option<u64>): Challenge {
    Challenge { bond, unit, jury: option::none(), over: false }
}

public(package) fun challenged_unit(self: &Challenge): Option<u64> { self.unit }

public(package) fun is_challenge_over(self: &Challenge): bool { self.over }

public(package) fun challenge_jury(self: &Challenge): &Option<Jury> { &self.jury }

public(package) fun challenge_jury_mut(self: &mut Challenge): &mut Option<Jury> { &mut self.jury }

public(package) fun challenge_bond(self: &Challenge): u64 { self.bond.value() }

/// It ends without a conviction; its bond.
public(package) fun end_challenge(self: &mut Challenge): Balance<USDC> {
    self.over = true;
    self.jury = option::none();
    self.bond.withdraw_all()
}

/// It is void: its bond, if it is not over.
public(package) fun void_challenge(self: Challenge, into: &mut Balance<USDC>) {
    let Challenge { bond, .. } = self;
    money::put(into, bond);
}
