//! The embedded engine as its callers see it.

use std::collections::HashMap;

use crate::common::{answer, options, random, read, sampled, tokens};
use atoma_engine::testing::RandomModel;
use atoma_engine::{
    CacheDomain, ChatMessage, Conversation, Embedded, EmbeddedOptions, Engine, EngineError, Event,
    Finish, GenerateRequest, Numerics, Prompt, builtin,
};
use atoma_runtime::{KeptLog, Threads};
use candle_core::Device;
use futures::StreamExt;

fn chat(text: &str) -> Prompt {
    Prompt::Chat(Conversation::new(vec![ChatMessage::new("user", text)]))
}

#[tokio::test]
async fn the_builtin_model_chats() {
    let engine = builtin::load_with(options()).expect("loaded");
    assert_eq!(engine.info().numerics, Numerics::DetBf16V1);
    let prompt = chat("Hello!");
    let rendered = "<|bos|><|user|>\nHello!<|eos|>\n<|assistant|>\n";
    assert_eq!(
        engine.tokenize(&prompt).expect("tokens"),
        engine
            .tokenize(&Prompt::Text(rendered.into()))
            .expect("tokens"),
    );
    let counted = engine.count_tokens(&prompt).expect("counted");
    let answer = answer(&engine, GenerateRequest::new(prompt, 60)).await;
    assert_eq!(answer.done.finish, Finish::Stop);
    assert_eq!(answer.done.usage.input as usize, counted);
    assert_eq!(answer.done.usage.output as usize, answer.tokens.len());
    assert!(
        answer.text.len() > 5 && answer.text.is_ascii(),
        "{:?}",
        answer.text
    );
    // The end token is counted and has no text.
    assert_eq!(engine.detokenize(&answer.ids), answer.text);
}

#[tokio::test]
async fn stop_strings_cut_and_length_ends() {
    let engine = builtin::load_with(options()).expect("loaded");
    let whole = answer(&engine, GenerateRequest::new(chat("Hello!"), 60)).await;
    let word = whole
        .text
        .split(' ')
        .nth(2)
        .expect("three words")
        .to_owned();
    let request = GenerateRequest {
        stop: vec![word.clone()],
        ..GenerateRequest::new(chat("Hello!"), 60)
    };
    let cut = answer(&engine, request).await;
    assert_eq!(cut.done.finish, Finish::Stop);
    assert_eq!(
        cut.text,
        whole.text[..whole.text.find(&word).expect("it occurs")]
    );
    let short = answer(&engine, GenerateRequest::new(chat("Hello!"), 3)).await;
    assert_eq!((short.done.finish, short.ids.len()), (Finish::Length, 3));
    assert_eq!(short.ids, whole.ids[..3]);
}

#[tokio::test]
async fn seeds_decide_and_log_probabilities_agree_with_scores() {
    let engine = builtin::load_with(options()).expect("loaded");
    let prompt = engine
        .tokenize(&chat("Tell me something."))
        .expect("tokens");
    let request = |seed| GenerateRequest {
        logprobs: Some(3),
        // the model is sure of what it tells
        temperature: 2.0,
        top_p: 0.95,
        ..sampled(prompt.clone(), 30, seed)
    };
    let first = answer(&engine, request(1)).await;
    assert_eq!(answer(&engine, request(1)).await.ids, first.ids);
    assert_ne!(answer(&engine, request(2)).await.ids, first.ids);
    let sampling = request(1).sampling();
    let score = engine
        .score(prompt.clone(), first.ids.clone(), sampling, None)
        .await
        .expect("scored");
    for (token, score) in first.tokens.iter().zip(&score.tokens) {
        let logprob = token.logprob.as_ref().expect("asked for");
        assert_eq!((logprob.id, logprob.logprob), (score.id, score.logprob));
        assert_eq!(token.top.len(), 3);
        assert!(token.top[0].logprob >= token.top[1].logprob);
        assert_eq!(score.margin, 0.0);
    }
    assert_eq!(score.fingerprint, first.done.fingerprint);

    // One foreign token, and everything from its chunk on departs.
    let mut forged = first.ids.clone();
    forged[4] = (forged[4] + 1) % 2000;
    let score = engine
        .score(prompt, forged, sampling, None)
        .await
        .expect("scored");
    assert_ne!(score.fingerprint, first.done.fingerprint);
    assert!(score.tokens[4].margin > 0.0 || score.tokens[4].reference != Some(score.tokens[4].id));
}

#[tokio::test]
async fn prefixes_are_reused_and_reported() {
    let engine = random(&RandomModel::small(), options());
    let prompt = tokens(5, 100);
    let first = answer(&engine, sampled(prompt.clone(), 40, 1)).await;
    assert_eq!(first.cached, 0);
    let again = answer(&engine, sampled(prompt.clone(), 40, 1)).await;
    assert_eq!((again.cached, again.done.usage.cached_input), (96, 96));
    assert_eq!(again.done.fingerprint, first.done.fingerprint);
    // A next turn begins with prompt and answer of the last.
    let mut turn = prompt;
    turn.extend(&first.ids);
    turn.extend(tokens(6, 10));
    assert_eq!(answer(&engine, sampled(turn, 2, 1)).await.cached, 128);
}

#[tokio::test]
async fn what_one_domain_computed_another_neither_gets_nor_sees() {
    let engine = random(&RandomModel::small(), options());
    let asked = |domain| GenerateRequest {
        cache_domain: CacheDomain::new([domain; 32]),
        ..sampled(tokens(5, 100), 40, 1)
    };
    let first = answer(&engine, asked(1)).await;
    let stranger = answer(&engine, asked(2)).await;
    assert_eq!((stranger.cached, stranger.done.usage.cached_input), (0, 0));
    assert_eq!(answer(&engine, asked(1)).await.cached, 96);
    assert_eq!(stranger.done.fingerprint, first.done.fingerprint);
}

#[tokio::test]
async fn dropping_the_stream_cancels_and_frees_everything() {
    let engine = random(&RandomModel::small(), options());
    let total = engine.load().kv_blocks_total;
    let mut stream = engine
        .generate(sampled(tokens(1, 40), 400, 1))
        .await
        .expect("accepted");
    stream.next().await.expect("started").expect("no error");
    drop(stream);
    // Another request's steps show that the first is gone.
    answer(&engine, sampled(tokens(2, 10), 20, 1)).await;
    let mut load = engine.load();
    while load.running > 0 {
        tokio::task::yield_now().await;
        load = engine.load();
    }
    assert_eq!(
        (load.kv_blocks_free, load.waiting, load.healthy),
        (total, 0, true)
    );
    assert!(load.output_tokens < 400);
}

#[tokio::test]
async fn a_slow_reader_pauses_its_request_only() {
    let model = RandomModel {
        context: 2048,
        ..RandomModel::small()
    };
    let engine = random(&model, options());
    let slow = engine
        .generate(sampled(tokens(1, 10), 1500, 1))
        .await
        .expect("accepted");
    let quick = answer(&engine, sampled(tokens(2, 10), 600, 2)).await;
    assert_eq!(quick.done.usage.output, 600);
    let slow = read(slow).await;
    assert_eq!(slow.done.usage.output, 1500);
    let alone = answer(&engine, sampled(tokens(1, 10), 1500, 1)).await;
    assert_eq!(alone.done.fingerprint, slow.done.fingerprint);
}

#[tokio::test]
async fn the_output_limit_can_be_raised_while_it_runs() {
    let engine = random(&RandomModel::small(), options());
    let mut stream = engine
        .generate(sampled(tokens(1, 10), 8, 1))
        .await
        .expect("accepted");
    let limit = stream.limit();
    limit.raise(300);
    limit.raise(20);
    let mut output = 0;
    while let Some(event) = stream.next().await {
        if let Event::Done(done) = event.expect("no error") {
            output = done.usage.output;
        }
    }
    // The engine may have got to the first limit before it was raised.
    assert!(output == 300 || output >= 8);
    let stream = engine
        .generate(sampled(tokens(1, 10), 50, 1))
        .await
        .expect("accepted");
    stream.limit().lower(20);
    assert!(read(stream).await.done.usage.output <= 50);
}

#[tokio::test]
async fn overload_and_nonsense_are_refused_with_their_codes() {
    let few = EmbeddedOptions {
        max_running: 1,
        max_waiting: 2,
        ..options()
    };
    let engine = random(&RandomModel::small(), few);
    let mut streams = Vec::new();
    let refused = loop {
        match engine.generate(sampled(tokens(1, 10), 400, 1)).await {
            Ok(stream) => streams.push(stream),
            Err(error) => break error,
        }
    };
    assert_eq!((refused.code(), refused.status()), ("overloaded", 429));
    drop(streams);
    let error = |request| {
        let engine = &engine;
        async move { engine.generate(request).await.expect_err("refused").code() }
    };
    assert_eq!(
        error(sampled(tokens(1, 512), 1, 1)).await,
        "context_length_exceeded"
    );
    let limit = engine
        .generate(sampled(tokens(1, 600), 1, 1))
        .await
        .expect_err("refused");
    assert_eq!(
        limit,
        EngineError::ContextTooLong {
            limit: 511,
            got: 600
        }
    );
    assert_eq!(error(sampled(vec![], 1, 1)).await, "bad_request");
    assert_eq!(error(sampled(vec![999_999], 1, 1)).await, "bad_request");
    assert_eq!(error(sampled(tokens(1, 5), 0, 1)).await, "bad_request");
    let nan = GenerateRequest {
        temperature: f32::NAN,
        ..sampled(tokens(1, 5), 1, 1)
    };
    assert_eq!(error(nan).await, "bad_request");
}

#[tokio::test]
async fn answers_end_where_the_context_does() {
    let engine = random(
        &RandomModel {
            context: 64,
            ..RandomModel::small()
        },
        options(),
    );
    let answer = answer(&engine, sampled(tokens(1, 50), 100, 1)).await;
    assert_eq!(
        (answer.done.finish, answer.done.usage.output),
        (Finish::Length, 14)
    );
}

#[tokio::test]
async fn a_context_that_is_shortened_is_said_aloud_and_holds() {
    let load = |kv_blocks| {
        let options = EmbeddedOptions {
            kv_blocks,
            ..options()
        };
        let (said, engine) = KeptLog::during(|| random(&RandomModel::small(), options));
        (engine, said)
    };
    let (engine, said) = load(Some(3));
    assert_eq!(engine.info().context, 96);
    for part in [
        "WARN",
        "the context is shortened: keys and values have no room for more",
        "tokens=96",
        "of=512",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let answer = answer(&engine, sampled(tokens(1, 90), 100, 1)).await;
    assert_eq!(
        (answer.done.finish, answer.done.usage.output),
        (Finish::Length, 6)
    );
    let short = engine.info().revision;
    let (engine, said) = load(None);
    assert_eq!((engine.info().context, said.as_str()), (512, ""));
    // whoever compares answers takes it for another model
    assert_ne!(engine.info().revision, short);
}

#[tokio::test]
async fn a_context_that_is_chosen_is_the_same_model_wherever_it_is_chosen() {
    let load = |context, kv_blocks| {
        let options = EmbeddedOptions {
            context,
            kv_blocks,
            ..options()
        };
        random(&RandomModel::small(), options)
    };
    let info = |context, kv_blocks| {
        let engine = load(context, kv_blocks);
        (engine.info().context, engine.info().revision)
    };
    let chosen = info(Some(96), None);
    assert_eq!(chosen.0, 96);
    assert_eq!(info(None, Some(3)), chosen);
    assert_eq!(info(Some(96), Some(40)), chosen);
    assert_ne!(info(Some(95), None).1, chosen.1);
    assert_eq!(info(Some(9_999), None), info(None, None));
    let engine = load(Some(96), None);
    let answer = answer(&engine, sampled(tokens(1, 90), 100, 1)).await;
    assert_eq!(
        (answer.done.finish, answer.done.usage.output),
        (Finish::Length, 6)
    );
}

#[tokio::test]
async fn embeddings_have_unit_length_and_meaning() {
    let engine = builtin::load_with(options()).expect("loaded");
    let texts = [
        "What is a violin?",
        "What is a piano?",
        "And the LORD said unto Moses",
    ];
    let prompts = texts.map(|t| Prompt::Text(t.into())).to_vec();
    let (vectors, usage) = engine.embed(prompts.clone()).await.expect("embedded");
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    assert!(vectors.iter().all(|v| (dot(v, v) - 1.0).abs() < 1e-5));
    assert!(dot(&vectors[0], &vectors[1]) > dot(&vectors[0], &vectors[2]));
    let counted = |p| engine.count_tokens(p).expect("counted");
    assert_eq!(
        usage.input as usize,
        prompts.iter().map(counted).sum::<usize>()
    );
    let (alone, _) = engine
        .embed(prompts[1..2].to_vec())
        .await
        .expect("embedded");
    assert_eq!(alone[0], vectors[1]);
}

#[tokio::test]
async fn the_revision_names_the_files() {
    let of = |model: &RandomModel| random(model, options()).info().revision;
    let small = RandomModel::small();
    assert_eq!(of(&small), of(&small));
    assert_ne!(
        of(&small),
        of(&RandomModel {
            seed: 2,
            ..small.clone()
        })
    );
    assert_ne!(
        of(&small),
        of(&RandomModel {
            context: 500,
            ..small
        })
    );
}

#[tokio::test]
async fn shards_are_one_model_and_a_missing_template_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let model = RandomModel {
        bf16: true,
        ..RandomModel::small()
    };
    model.write(folder.path()).expect("written");
    let whole = Embedded::open(folder.path(), options()).expect("loaded");
    let tensors = candle_core::safetensors::load(path("model.safetensors"), &Device::Cpu);
    let mut shards = [HashMap::new(), HashMap::new()];
    let mut map = HashMap::new();
    for (i, (name, tensor)) in tensors.expect("read").into_iter().enumerate() {
        map.insert(name.clone(), format!("model-{}.safetensors", i % 2));
        shards[i % 2].insert(name, tensor);
    }
    for (i, shard) in shards.iter().enumerate() {
        let file = path(&format!("model-{i}.safetensors"));
        candle_core::safetensors::save(shard, file).expect("written");
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": map }).to_string();
    std::fs::write(path("model.safetensors.index.json"), index).expect("written");
    std::fs::remove_file(path("model.safetensors")).expect("removed");
    let sharded = Embedded::open(folder.path(), options()).expect("loaded");
    assert_eq!(sharded.info().revision, whole.info().revision);
    let request = || sampled(tokens(1, 40), 10, 1);
    assert_eq!(
        answer(&sharded, request()).await.done.fingerprint,
        answer(&whole, request()).await.done.fingerprint
    );

    std::fs::remove_file(path("tokenizer_config.json")).expect("removed");
    let mute = Embedded::open(folder.path(), options()).expect("loaded");
    assert_eq!(answer(&mute, request()).await.done.usage.output, 10);
    let chat = GenerateRequest::new(chat("Hello!"), 1);
    let refused = mute.generate(chat).await.expect_err("refused");
    assert_eq!(refused.code(), "bad_request");
    assert!(refused.to_string().contains("chat template"), "{refused}");
}

#[test]
fn an_engine_in_line_gives_the_answer_of_one_with_a_thread() {
    let model = RandomModel::small();
    let ask = |worker| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let options = EmbeddedOptions {
                worker,
                ..options()
            };
            let engine = random(&model, options);
            let (one, other) = (sampled(tokens(1, 40), 20, 3), sampled(tokens(2, 50), 20, 4));
            tokio::join!(answer(&engine, one), answer(&engine, other))
        })
    };
    assert_eq!(ask(Threads::InLine), ask(Threads::Real));
}

/// Writes a model, its tensors renamed or added to by `change`.
fn changed(change: impl Fn(&mut HashMap<String, candle_core::Tensor>)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    RandomModel::small().write(folder.path()).expect("written");
    let file = folder.path().join("model.safetensors");
    let mut tensors = candle_core::safetensors::load(&file, &Device::Cpu).expect("read");
    change(&mut tensors);
    candle_core::safetensors::save(&tensors, &file).expect("written");
    folder
}

#[tokio::test]
async fn names_without_their_model_are_understood() {
    let whole = random(&RandomModel::small(), options());
    let bare = changed(|tensors| {
        let whole = std::mem::take(tensors);
        let bare =
            |(name, tensor): (String, _)| (name.trim_start_matches("model.").to_owned(), tensor);
        tensors.extend(whole.into_iter().map(bare));
    });
    let bare = Embedded::open(bare.path(), options()).expect("loaded");
    assert_eq!(bare.info().revision, whole.info().revision);
}

#[tokio::test]
async fn tensors_that_would_be_left_out_are_refused() {
    let odd = changed(|tensors| {
        let norm = tensors["model.norm.weight"].clone();
        tensors.insert("model.layers.0.self_attn.sinks".into(), norm);
    });
    let refused = Embedded::open(odd.path(), options()).expect_err("refused");
    assert!(refused.to_string().contains("self_attn.sinks"), "{refused}");
    let derived = changed(|tensors| {
        let norm = tensors["model.norm.weight"].clone();
        tensors.insert("model.layers.0.self_attn.rotary_emb.inv_freq".into(), norm);
    });
    Embedded::open(derived.path(), options()).expect("what follows from the configuration is left");
}

#[tokio::test]
async fn a_stale_index_and_files_of_other_formats_do_not_matter() {
    let folder = changed(|_| ());
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("consolidated.safetensors"), "another format").expect("written");
    let index = r#"{"weight_map":{"model.norm.weight":"model-00001-of-00002.safetensors"}}"#;
    std::fs::write(path("model.safetensors.index.json"), index).expect("written");
    let engine = Embedded::open(folder.path(), options()).expect("loaded");
    let whole = random(&RandomModel::small(), options());
    assert_eq!(engine.info().revision, whole.info().revision);
}
