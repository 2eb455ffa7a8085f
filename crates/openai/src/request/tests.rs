//! Bodies as users send them, right and wrong.

use super::*;
use atoma_engine::{ChatMessage, Conversation, Format, Prompt, SamplingDefaults, ToolChoice};
use atoma_types::refusal::{Refusal, RefusalCode};
use proptest::prelude::*;

fn chat(body: &[u8]) -> Result<Generation, Refusal> {
    super::chat::chat(body, SamplingDefaults::default())
}

fn completion(body: &[u8]) -> Result<Generation, Refusal> {
    super::completion::completion(body, SamplingDefaults::default())
}

/// A chat with these fields beside its one message.
fn chat_with(more: &str) -> Result<Generation, Refusal> {
    let message = r#"{"role":"user","content":"hi"}"#;
    chat(format!(r#"{{"model":"m","messages":[{message}]{more}}}"#).as_bytes())
}

#[test]
fn a_chat_with_everything() {
    let body = br#"{"model":"m","messages":[
        {"role":"developer","content":"be brief"},
        {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
        {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}],
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
    assert!(chat_with("").is_ok());
    let param = |result: Result<Generation, Refusal>| result.unwrap_err().param;
    for (more, field) in [
        (r#","n":17"#, "n"),
        (r#","temperature":2.5"#, "temperature"),
        (r#","top_p":0"#, "top_p"),
        (r#","max_tokens":0"#, "max_tokens"),
        (r#","chat_template_kwargs":[1]"#, "chat_template_kwargs"),
        (r#","top_logprobs":21"#, "top_logprobs"),
        (r#","stop":["a",""]"#, "stop"),
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
    assert_eq!(
        (format.server_only, format.format),
        (None, Some(Format::JsonObject))
    );
    let nothing = chat_with(r#","response_format":{"type":"json_schema"}"#);
    assert_eq!(param(nothing).as_deref(), Some("response_format"));
}

#[test]
fn what_only_servers_understand_is_written_anew() {
    let body = br#"{"model":"m","n":2,"repetition_penalty":1.2,"messages":[
        {"role":"user","content":"hi","priority":1,"prefix":true},
        {"role":"assistant","content":null,"reasoning":"t",
            "tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":{"b":1,"a":2}}}]},
        {"role":"tool","tool_call_id":"1","content":"x"}],
        "tools":[{"type":"function","x":1,"function":{"name":"f","parameters":{"b":1,"a":2},"y":1}}],
        "tool_choice":{"type":"function","function":{"name":"f","z":1}},
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{},"w":1}},
        "logit_bias":{"5":-100},"chat_template_kwargs":{"enable_thinking":false}}"#;
    let parsed = chat(body).unwrap();
    let messages = parsed.server.messages.as_ref().unwrap().get();
    let expected = concat!(
        r#"[{"role":"user","content":"hi"},{"role":"assistant","content":null,"reasoning_content":"t","#,
        r#""tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"b\":1,\"a\":2}"}}]},"#,
        r#"{"role":"tool","content":"x","tool_call_id":"1"}]"#
    );
    assert_eq!(messages, expected);
    assert_eq!(
        (parsed.server.answers, parsed.server.repetition_penalty),
        (2, 1.2)
    );
    let more: Vec<_> = parsed
        .server
        .more
        .iter()
        .map(|(name, value)| (*name, value.get()))
        .collect();
    let expected = [
        (
            "tool_choice",
            r#"{"type":"function","function":{"name":"f"}}"#,
        ),
        (
            "tools",
            r#"[{"type":"function","function":{"name":"f","parameters":{"b":1,"a":2}}}]"#,
        ),
        ("chat_template_kwargs", r#"{"enable_thinking":false}"#),
        (
            "response_format",
            r#"{"type":"json_schema","json_schema":{"name":"n","schema":{}}}"#,
        ),
        ("logit_bias", r#"{"5":-100.0}"#),
    ];
    assert_eq!(more, expected);
    assert_eq!(parsed.tool_choice, ToolChoice::Named("f".to_owned()));
    assert_eq!(parsed.server_only, Some("logit_bias"));
}

#[test]
fn tools_that_may_not_be_called_are_shown_to_no_template() {
    let tools = r#","tools":[{"type":"function","function":{"name":"f"}}]"#;
    for (choice, shown) in [
        ("", true),
        (r#","tool_choice":null"#, true),
        (r#","tool_choice":"auto""#, true),
        (r#","tool_choice":"required""#, true),
        (r#","tool_choice":"none""#, false),
    ] {
        let parsed = chat_with(&format!("{tools}{choice}")).unwrap();
        let Prompt::Chat(conversation) = &parsed.prompt else {
            panic!("a chat")
        };
        assert_eq!(conversation.tools.is_some(), shown, "{choice}");
        let mut sent = parsed.server.more.iter();
        assert_eq!(sent.any(|(name, _)| *name == "tools"), shown, "{choice}");
    }
    let none = chat_with(&format!(r#"{tools},"tool_choice":"none""#)).unwrap();
    let sent = none
        .server
        .more
        .iter()
        .map(|(name, raw)| (*name, raw.get()));
    assert_eq!(sent.collect::<Vec<_>>(), [("tool_choice", r#""none""#)]);
    // they must be tools all the same
    let wrong = chat_with(r#","tools":[{"type":"custom"}],"tool_choice":"none""#);
    assert_eq!(wrong.unwrap_err().param.as_deref(), Some("tools"));
}

#[test]
fn what_an_engine_in_the_node_cannot_do_is_named() {
    let server_only = |more: &str| chat_with(more).unwrap().server_only;
    for (more, field) in [
        (r#","repetition_penalty":1.1"#, Some("repetition_penalty")),
        (r#","n":2"#, Some("n")),
        (r#","logit_bias":{"5":1}"#, Some("logit_bias")),
        (r#","repetition_penalty":1,"n":1,"logit_bias":{}"#, None),
        (r#","tool_choice":"required""#, None),
        (r#","response_format":{"type":"json_object"}"#, None),
    ] {
        assert_eq!(server_only(more), field, "{more}");
    }
}

#[test]
fn servers_fields_have_bounds() {
    let param = |more: &str| chat_with(more).err().and_then(|refusal| refusal.param);
    for (more, field) in [
        (
            r#","chat_template_kwargs":{"chat_template":"x"}"#,
            "chat_template_kwargs",
        ),
        (
            r#","chat_template_kwargs":{"tokenize":true}"#,
            "chat_template_kwargs",
        ),
        (r#","logit_bias":{"x":1}"#, "logit_bias"),
        (r#","logit_bias":{"1":101}"#, "logit_bias"),
        (
            r#","response_format":{"type":"structural_tag"}"#,
            "response_format",
        ),
        (r#","tools":[{"type":"custom"}]"#, "tools"),
        (r#","tool_choice":"some""#, "tool_choice"),
        (r#","kv_transfer_params":{"x":1}"#, "kv_transfer_params"),
        (r#","stream_interval":1000"#, "stream_interval"),
        (r#","n_predict":-1"#, "n_predict"),
    ] {
        assert_eq!(param(more).as_deref(), Some(field), "{more}");
    }
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
