//! Bodies as users send them, right and wrong.

use super::*;
use atoma_engine::{ChatMessage, Conversation, Prompt};
use atoma_types::refusal::{Refusal, RefusalCode};
use proptest::prelude::*;

#[test]
fn a_chat_with_everything() {
    let body = br#"{"model":"m","messages":[
        {"role":"developer","content":"be brief"},
        {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
        {"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}],
        "max_tokens":5,"max_completion_tokens":7,"temperature":0,"top_k":-1,"stop":"x",
        "stream":true,"stream_options":{"include_usage":true},"logprobs":true,
        "top_logprobs":2,"seed":-1,"unknown":{"deep":[1]}}"#;
    let parsed = chat(body).unwrap();
    let Prompt::Chat(Conversation { messages, .. }) = parsed.prompt else {
        panic!("a chat")
    };
    assert_eq!(messages[0], ChatMessage::new("system", "be brief"));
    assert_eq!(messages[1].text(), "a\nb");
    assert!(messages[2].other("content").unwrap().is_null());
    assert_eq!(
        (parsed.max_tokens, parsed.logprobs, parsed.top_k),
        (Some(7), Some(2), 0)
    );
    assert!(parsed.stream && parsed.include_usage);
    assert_eq!(
        (parsed.seed, parsed.stop),
        (Some(u64::MAX), vec!["x".to_owned()])
    );
}

#[test]
fn faults_name_their_field() {
    let chat_with = |more: &str| {
        let message = r#"{"role":"user","content":"hi"}"#;
        chat(format!(r#"{{"model":"m","messages":[{message}]{more}}}"#).as_bytes())
    };
    assert!(chat_with("").is_ok());
    let param = |result: Result<Generation, Refusal>| result.unwrap_err().param;
    for (more, field) in [
        (r#","n":2"#, "n"),
        (r#","temperature":2.5"#, "temperature"),
        (r#","top_p":0"#, "top_p"),
        (r#","max_tokens":0"#, "max_tokens"),
        (r#","top_logprobs":21"#, "top_logprobs"),
        (r#","stop":["a",""]"#, "stop"),
        (r#","chat_template_kwargs":[1]"#, "chat_template_kwargs"),
    ] {
        assert_eq!(param(chat_with(more)).as_deref(), Some(field));
    }
    assert_eq!(
        param(chat(br#"{"model":"m"}"#)).as_deref(),
        Some("messages")
    );
    assert_eq!(
        param(chat(br#"{"model":"m","messages":[]}"#)).as_deref(),
        Some("messages")
    );
    let odd = br#"{"model":"m","messages":[{"role":"king","content":"hi"}]}"#;
    assert_eq!(param(chat(odd)).as_deref(), Some("messages"));
    let image = br#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#;
    assert_eq!(chat(image).unwrap_err().code, RefusalCode::InvalidBody);
    let format = chat_with(r#","response_format":{"type":"json_object"}"#).unwrap();
    assert_eq!(format.upstream_only, Some("response_format"));
}

#[test]
fn completions_and_embeddings() {
    let prompt = |body: &str| completion(body.as_bytes()).map(|parsed| parsed.prompt);
    let text = Prompt::Text("hi".to_owned());
    assert_eq!(prompt(r#"{"model":"m","prompt":"hi"}"#), Ok(text.clone()));
    assert_eq!(prompt(r#"{"model":"m","prompt":["hi"]}"#), Ok(text));
    let tokens = Prompt::Tokens(vec![1, 2]);
    assert_eq!(
        prompt(r#"{"model":"m","prompt":[1,2]}"#),
        Ok(tokens.clone())
    );
    assert_eq!(prompt(r#"{"model":"m","prompt":[[1,2]]}"#), Ok(tokens));
    assert!(prompt(r#"{"model":"m","prompt":["a","b"]}"#).is_err());
    assert!(prompt(r#"{"model":"m","prompt":"a","echo":true}"#).is_err());
    let two = br#"{"model":"m","input":["a","b"],"encoding_format":"base64"}"#;
    let parsed = embedding(two).unwrap();
    assert_eq!((parsed.inputs.len(), parsed.base64), (2, true));
    assert!(embedding(br#"{"model":"m","input":""}"#).is_err());
    assert!(embedding(br#"{"model":"m","input":[]}"#).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (chat(&body), completion(&body), embedding(&body));
    }
}
