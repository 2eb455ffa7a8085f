//! The sealed channel. What is behind its encryption is fed by itself.

use super::{Memory, Target};
use atoma_channel::fuzzing;

pub(super) const SEALED_REQUEST: Target = Target {
    name: "sealed_request",
    seeds: fuzzing::requests,
    check: fuzzing::request,
    max_bytes: 6_000,
    memory: Memory::FLAT,
    // each that is sealed to the right key is opened, which takes milliseconds
    mutants: 2_500,
};

pub(super) const SEALED_ANSWER: Target = Target {
    name: "sealed_answer",
    seeds: fuzzing::answers,
    check: fuzzing::answer,
    max_bytes: 2_000,
    memory: Memory::FLAT,
    mutants: 20_000,
};

pub(super) const SEALED_MODEL: Target = Target {
    name: "sealed_model",
    seeds: fuzzing::model::sealed,
    check: fuzzing::model::read,
    max_bytes: 1_000,
    memory: Memory::FLAT,
    mutants: 20_000,
};

pub(super) const MODEL_MANIFEST: Target = Target {
    name: "model_manifest",
    seeds: fuzzing::model::manifests,
    check: fuzzing::model::manifest,
    max_bytes: 2_000,
    memory: Memory::FLAT,
    mutants: 25_000,
};

pub(super) const RELEASED_KEY: Target = Target {
    name: "released_key",
    seeds: fuzzing::model::released,
    check: fuzzing::model::open,
    max_bytes: 1_500,
    memory: Memory::FLAT,
    // each of the right length is opened, which takes milliseconds
    mutants: 1_500,
};

pub(super) const SEALED_PADDING: Target = Target {
    name: "sealed_padding",
    seeds: || {
        let request = [&4_u32.to_le_bytes()[..], b"text", &[0; 1_016]].concat();
        let frame = |content: u8, length: usize| {
            let head = [&[content][..], &4_u32.to_le_bytes(), b"text"].concat();
            [&head[..], &vec![0; length - head.len()]].concat()
        };
        vec![request, frame(0, 256), frame(1, 256), frame(0, 4_096)]
    },
    check: fuzzing::padding,
    max_bytes: 5_000,
    memory: Memory::FLAT,
    mutants: 25_000,
};
