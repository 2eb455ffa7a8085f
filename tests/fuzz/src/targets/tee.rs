//! Evidence of trusted hardware. Its seeds stand in the corpus: each run makes new keys, and so would make
//! others.

use super::{Memory, Target};
use atoma_tee::fuzzing;

pub(super) const TEE_BUNDLE: Target = Target {
    name: "tee_bundle",
    seeds: Vec::new,
    check: fuzzing::bundle,
    max_bytes: 20_000,
    memory: Memory::FLAT,
    mutants: 15_000,
};

pub(super) const TEE_CERTIFICATE: Target = Target {
    name: "tee_certificate",
    seeds: Vec::new,
    check: fuzzing::certificate,
    max_bytes: 4_000,
    memory: Memory::FLAT,
    mutants: 25_000,
};

pub(super) const TEE_REPORTS: Target = Target {
    name: "tee_reports",
    seeds: Vec::new,
    check: fuzzing::reports,
    max_bytes: 8_000,
    memory: Memory::TREE,
    mutants: 25_000,
};

pub(super) const TEE_MANIFEST: Target = Target {
    name: "tee_manifest",
    seeds: Vec::new,
    check: fuzzing::manifest,
    max_bytes: 24_000,
    memory: Memory::TREE,
    mutants: 2_000,
};

pub(super) const TEE_POLICY: Target = Target {
    name: "tee_policy",
    seeds: Vec::new,
    check: fuzzing::policy,
    max_bytes: 4_000,
    memory: Memory::TREE,
    mutants: 5_000,
};
