//! Every target for a second or two: its corpus, and mutants of it. `ATOMA_FUZZ_MUTANTS` asks for another
//! number of these; `cargo xtask fuzz` goes on for as long as one likes.

use atoma_fuzz::{TARGETS, target};

fn run(name: &str) {
    let target = target(name).unwrap();
    let asked = std::env::var("ATOMA_FUZZ_MUTANTS").ok();
    target.run(asked.map_or(target.mutants, |asked| asked.parse().unwrap()));
}

macro_rules! hold {
    ($($name:ident),* $(,)?) => {
        mod targets_hold {
            $(#[test] fn $name() { super::run(stringify!($name)); })*
        }
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

#[test]
fn every_target_is_run_and_stands_in_the_documentation() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, NAMES);
    let page = include_str!("../../../docs/testing.md");
    for name in names {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}

hold! {
    messages,
    proofs,
    objects,
    events,
    calls,
    texts,
    keystore,
    sse,
    receipt_stream,
    upstream_stream,
    upstream_answers,
    node_answers,
    node_body,
    embedding_body,
    signed_headers,
    gateway_body,
    chat_message,
    chat_template,
    tool_calls,
    model_config,
    checkpoint,
    tokenizer,
    answer_schema,
    pack,
    record,
    sealed_body,
    proof_files,
    blob_metadata,
    sliver,
    quilt,
    certificate,
    walrus_head,
    tee_bundle,
    tee_certificate,
    tee_reports,
    tee_manifest,
    tee_policy,
    sealed_request,
    sealed_answer,
    sealed_padding,
    sealed_model,
    model_manifest,
    released_key,
    grpc,
    transaction,
    config_files,
}
