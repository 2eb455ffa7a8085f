/// The examination of a ticket, and how far it is.
module atoma::exam;

use atoma::bytes32::Bytes32;
use atoma::draw;

/// An attester that was drawn. Its owner stands here so that acting for it needs no further object.
public struct Auditor has copy, drop, store {
    node: ID,
    owner: address,
}

/// How far an examination is.
public enum HitStage has copy, drop, store {
    /// The node must show the record to the examiner.
    Disclosing,
    /// The examiner works.
    Examining,
    /// It found the record bad; a jury decides.
    Accused,
    /// It found nothing wrong.
    Passed,
    /// The jury did not find the node guilty.
    Cleared,
}

/// A ticket that is examined.
public struct Hit has copy, drop, store {
    /// The unit whose record is examined.
    unit: u64,
    examiner: Auditor,
    /// Who was drawn before it and was silent.
    silent: Option<Auditor>,
    /// The record's `seq`, once it was disclosed.
    seq: u64,
    /// The last moment of the stage.
    deadline_ms: u64,
    stage: HitStage,
}

public enum Exam has copy, drop, store {
    /// The task doesn't sample.
    None,
    /// Nobody has drawn yet.
    Undrawn,
    /// Hit or miss follows from the seed, and the unit.
    Drawn { seed: Bytes32 },
    /// It was hit and an examiner drawn.
    Hit(Hit),
    /// It was hit, and nobody was there to examine it.
    Unexamined,
}

public(package) fun auditor(node: ID, owner: address): Auditor { Auditor { node, owner } }

public(package) fun node(self: &Auditor): ID { self.node }

public(package) fun owner(self: &Auditor): address { self.owner }

/// At the beginning of a ticket.
public(package) fun begin(samples: bool): Exam { if (samples) Exam::Undrawn else Exam::None }

public(package) fun drawn(seed: Bytes32): Exam { Exam::Drawn { seed } }

public(package) fun unexamined(): Exam { Exam::Unexamined }

/// Its examiner is drawn.
public(package) fun examined_by(
    unit: u64,
    examiner: Auditor,
    silent: Option<Auditor>,
    seq: u64,
    deadline_ms: u64,
): Exam {
    Exam::Hit(Hit { unit, examiner, silent, seq, deadline_ms, stage: HitStage::Disclosing })
}

public(package) fun is_undrawn(self: &Exam): bool { self == &Exam::Undrawn }

public(package) fun is_unexamined(self: &Exam): bool { self == &Exam::Unexamined }

/// The seed, while no examiner is drawn.
public(package) fun seed(self: &Exam): Option<Bytes32> {
    match (self) {
        Exam::Drawn { seed } => option::some(*seed),
        _ => option::none(),
    }
}

public(package) fun hit(self: &Exam): Option<Hit> {
    match (self) {
        Exam::Hit(hit) => option::some(*hit),
        _ => option::none(),
    }
}

/// Whether nothing about it is open.
public(package) fun is_over(self: &Exam, sample_permille: u64): bool {
    match (self) {
        Exam::None | Exam::Unexamined => true,
        Exam::Undrawn => false,
        Exam::Drawn { seed } => !draw::is_hit(seed, sample_permille),
        Exam::Hit(hit) => hit.stage == HitStage::Passed || hit.stage == HitStage::Cleared,
    }
}

// === of one that was hit ===

public(package) fun unit(self: &Hit): u64 { self.unit }

public(package) fun examiner(self: &Hit): Auditor { self.examiner }

public(package) fun silent(self: &Hit): Option<Auditor> { self.silent }

public(package) fun seq(self: &Hit): u64 { self.seq }

public(package) fun deadline_ms(self: &Hit): u64 { self.deadline_ms }

public(package) fun is_disclosing(self: &Hit): bool { self.stage == HitStage::Disclosing }

public(package) fun is_examining(self: &Hit): bool { self.stage == HitStage::Examining }

public(package) fun is_accused(self: &Hit): bool { self.stage == HitStage::Accused }

public(package) fun has_passed(self: &Hit): bool { self.stage == HitStage::Passed }

/// Whether its examiner has said what it found.
public(package) fun is_judged(self: &Hit): bool { !self.is_disclosing() && !self.is_examining() }

/// Whether the node has left the examiner without the record.
public(package) fun is_overdue(self: &Hit, now: u64): bool {
    self.is_disclosing() && now > self.deadline_ms
}

/// The record was shown.
public(package) fun disclosed(mut self: Hit, seq: u64, deadline_ms: u64): Exam {
    self.seq = seq;
    self.stage = HitStage::Examining;
    self.deadline_ms = deadline_ms;
    Exam::Hit(self)
}

/// The examiner said what it found.
public(package) fun judged(mut self: Hit, bad: bool): Exam {
    self.stage = if (bad) HitStage::Accused else HitStage::Passed;
    self.deadline_ms = 0;
    Exam::Hit(self)
}

/// The jury did not find the node guilty.
public(package) fun cleared(mut self: Hit): Exam {
    self.stage = HitStage::Cleared;
    Exam::Hit(self)
}
