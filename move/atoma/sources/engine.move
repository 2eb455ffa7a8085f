/// What a task computes: what things cost in units, and what a verifier must run.
module atoma::engine;

use atoma::bytes32::{Self, Bytes32};

/// There must be five unit weights, none above 2^40 and not all zero.
const EWeightsInvalid: u64 = 305;
/// The model's content hash must have 32 bytes.
const EModelHashInvalid: u64 = 306;
/// This version knows no such numerics.
const ENumericsUnknown: u64 = 307;
/// This version knows no such comparison rule.
const ERuleUnknown: u64 = 308;
/// The exact rule needs deterministic numerics.
const ERuleUnfit: u64 = 309;

/// Thousandths of a unit that one thing may cost: a billion units.
const MAX_WEIGHT: u64 = 1 << 40;
const WEIGHTS: u64 = 5;
/// Weights are in thousandths of a unit.
const WEIGHT_SCALE: u256 = 1_000;
const MAX_U64: u256 = 18_446_744_073_709_551_615;
/// Numerics: deterministic in f32, deterministic in bf16, tolerant.
const NUMERICS: u8 = 3;
const TOLERANT_NUMERICS: u8 = 2;
/// Rules: exact, tolerant.
const RULES: u8 = 2;
const TOLERANT_RULE: u8 = 1;

/// Thousandths of a unit that one of each thing costs.
public struct UnitWeights has copy, drop, store {
    input: u64,
    cached_input: u64,
    output: u64,
    image_step: u64,
    audio_second: u64,
}

/// What a verifier must run to reproduce an answer.
public struct EngineClass has copy, drop, store {
    model: Bytes32,
    numerics: u8,
    rule: u8,
}

public(package) fun read_weights(list: &vector<u64>): UnitWeights {
    let fit = list.length() == WEIGHTS
        && list.all!(|weight| *weight <= MAX_WEIGHT)
        && list.any!(|weight| *weight > 0);
    assert!(fit, EWeightsInvalid);
    UnitWeights {
        input: list[0],
        cached_input: list[1],
        output: list[2],
        image_step: list[3],
        audio_second: list[4],
    }
}

/// One differing bit is proof only where two honest runs never differ, so the exact rule needs one of
/// the deterministic numerics.
public(package) fun read(model: vector<u8>, numerics: u8, rule: u8): EngineClass {
    let model = bytes32::read(model);
    assert!(model.is_some(), EModelHashInvalid);
    assert!(numerics < NUMERICS, ENumericsUnknown);
    assert!(rule < RULES, ERuleUnknown);
    assert!(rule == TOLERANT_RULE || numerics != TOLERANT_NUMERICS, ERuleUnfit);
    EngineClass { model: model.destroy_some(), numerics, rule }
}

/// As a receipt says it; nothing if there are no such numerics or rule.
public(package) fun claimed(model: Bytes32, numerics: u8, rule: u8): Option<EngineClass> {
    if (numerics < NUMERICS && rule < RULES) option::some(EngineClass { model, numerics, rule })
    else option::none()
}

/// Whether honest answers may differ a little.
public(package) fun is_tolerant(self: &EngineClass): bool { self.rule == TOLERANT_RULE }

/// What this usage costs: `ceil(sum of weight * count / 1000)`; nothing if it is more than any receipt can say.
public(package) fun tariff(self: &UnitWeights, usage: &vector<u64>): Option<u64> {
    let weights = vector[
        self.input,
        self.cached_input,
        self.output,
        self.image_step,
        self.audio_second,
    ];
    let mut total = 0u256;
    weights.zip_do_ref!(usage, |weight, count| total = total + (*weight as u256) * (*count as u256));
    let units = total.divide_and_round_up(WEIGHT_SCALE);
    if (units <= MAX_U64) option::some(units as u64) else option::none()
}
