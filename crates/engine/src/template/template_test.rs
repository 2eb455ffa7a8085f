//! What Python's Jinja renders, set up as transformers sets it up, is what comes out here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

/// Small templates of our own, one feature each, and what Jinja2 3.1 makes of them; null where it
/// raises.
const VECTORS: &str = include_str!("../../testdata/jinja.json");

#[derive(Deserialize)]
struct Vectors {
    context: Python,
    cases: Vec<(String, Option<String>)>,
}

#[test]
fn small_templates_render_as_in_python() {
    let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
    let mut wrong = Vec::new();
    for (template, expected) in &vectors.cases {
        let mut environment = environment();
        environment.add_global("strftime_now", now(1_795_957_509));
        let source = syntax::normalised(template);
        let rendered = environment
            .template_from_str(&source)
            .and_then(|template| template.render(&vectors.context.0));
        if rendered.as_ref().ok() != expected.as_ref() {
            wrong.push(format!(
                "{template}\n  is     {rendered:?}\n  not {expected:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Other people's templates with what transformers renders; too many and not ours to keep here.
#[derive(Deserialize)]
struct Published {
    conversations: BTreeMap<String, Sent>,
    templates: BTreeMap<String, Own>,
    expected: BTreeMap<String, BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize)]
struct Sent {
    messages: Vec<ChatMessage>,
    tools: Option<RawJson>,
}

#[derive(Deserialize)]
struct Own {
    template: Text,
    bos: Option<String>,
    eos: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    One(String),
    More(Configured),
}

#[test]
fn published_templates_render_as_in_transformers() {
    let Some(path) = std::env::var_os("ATOMA_CHAT_TEMPLATES") else {
        eprintln!("skipped: ATOMA_CHAT_TEMPLATES names no file with templates and renderings");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let published: Published = serde_json::from_str(&text).unwrap();
    let (mut wrong, mut equal) = (Vec::new(), 0);
    for (name, own) in published.templates {
        let tokens = [("bos_token", own.bos), ("eos_token", own.eos)];
        let tokens = tokens
            .into_iter()
            .filter_map(|(n, text)| Some((n.to_owned(), text?)));
        let templates = match own.template {
            Text::One(text) => Templates::from(Configured::One(text)),
            Text::More(configured) => configured.into(),
        };
        let template = match ChatTemplate::new(templates, tokens.collect()) {
            Ok(template) => template.unwrap(),
            Err(error) => {
                wrong.push(format!("{name} can't be read: {error}"));
                continue;
            }
        };
        for (kind, sent) in &published.conversations {
            let conversation = Conversation {
                messages: sent.messages.clone(),
                tools: sent.tools.clone().filter(|tools| !tools.is_null()),
                variables: None,
                time: 1_795_957_509,
            };
            let rendered = template.render(&conversation);
            match &published.expected[&name][kind] {
                Some(expected) if rendered.as_ref() != Ok(expected) => {
                    wrong.push(format!(
                        "{name}, {kind}\n  is  {rendered:?}\n  not {expected:?}"
                    ));
                }
                // Where the reference raises, arguments as text may help.
                None if rendered.is_ok() && !sent.messages.iter().any(calls_tools) => {
                    wrong.push(format!("{name}, {kind}\n  is {rendered:?}, not an error"));
                }
                _ => equal += 1,
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(equal > 0, "the file has no templates");
}

fn one(template: &str) -> ChatTemplate {
    let templates = Templates::from(Configured::One(template.to_owned()));
    let tokens = vec![("bos_token".to_owned(), "<s>".to_owned())];
    ChatTemplate::new(templates, tokens).unwrap().unwrap()
}

fn conversation(messages: &str) -> Conversation {
    Conversation::new(serde_json::from_str(messages).unwrap())
}

#[test]
fn null_and_unknown_fields_reach_the_template_as_they_were_sent() {
    let messages = r#"[{"role":"assistant","content":null,"reasoning_content":"hm","x":{"b":1,"a":2}},
        {"role":"user"}]"#;
    let template = "{{ messages[0].content is none }} {{ messages[1].content is defined }} \
                    {{ messages[0].reasoning_content }} {{ messages[0].x }} {{ bos_token }} \
                    {{ eos_token is defined }}";
    assert_eq!(
        one(template).render(&conversation(messages)).unwrap(),
        "True False hm {'b': 1, 'a': 2} <s> False"
    );
}

#[test]
fn arguments_are_objects_unless_the_template_wants_text() {
    let messages = r#"[{"role":"assistant","tool_calls":[{"function":
        {"name":"f","arguments":"{\"z\": 1, \"a\": true}"}}]}]"#;
    let render = |template: String| one(&template).render(&conversation(messages)).unwrap();
    let arguments = "messages[0].tool_calls[0].function.arguments";
    assert_eq!(
        render(format!("{{{{ {arguments} | tojson }}}}")),
        r#"{"z": 1, "a": true}"#
    );
    assert_eq!(
        render(format!("{{{{ 'f' + {arguments} }}}}")),
        r#"f{"z": 1, "a": true}"#
    );
}

#[test]
fn the_template_for_tools_is_taken_where_there_are_tools() {
    let configured = r#"[{"name":"default","template":"plain"},{"name":"rag","template":"rag"},
        {"name":"tool_use","template":"{{ tools|length }} tools"}]"#;
    let configured: Configured = serde_json::from_str(configured).unwrap();
    let template = ChatTemplate::new(configured.into(), Vec::new())
        .unwrap()
        .unwrap();
    let with = |tools: &str| {
        let tools = serde_json::from_str(tools).unwrap();
        template
            .render(&Conversation {
                tools,
                ..Conversation::default()
            })
            .unwrap()
    };
    assert_eq!(
        (with("null"), with("[]"), with("[{}]")),
        ("plain".into(), "plain".into(), "1 tools".into())
    );
}

#[test]
fn variables_of_the_request_reach_the_template_but_replace_nothing_of_it() {
    let conversation = Conversation {
        variables: serde_json::from_str(
            r#"{"enable_thinking":false,"messages":[],"strftime_now":1}"#,
        )
        .unwrap(),
        time: 86_400,
        ..conversation(r#"[{"role":"user","content":"hi"}]"#)
    };
    let template = "{{ enable_thinking }} {{ messages|length }} {{ strftime_now('%Y-%m-%d') }}";
    assert_eq!(
        one(template).render(&conversation).unwrap(),
        "False 1 1970-01-02"
    );
}

#[test]
fn what_a_template_raises_is_what_the_client_reads() {
    let raised =
        one("{{ raise_exception('roles must alternate') }}").render(&Conversation::default());
    assert_eq!(
        raised.unwrap_err().to_string(),
        "chat template: roles must alternate"
    );
    let unreadable = ChatTemplate::new(Configured::One("{% if".to_owned()).into(), Vec::new());
    assert!(
        unreadable
            .unwrap_err()
            .to_string()
            .starts_with("chat template: ")
    );
}

#[test]
fn files_beat_the_configuration() {
    let files = |names: &'static [&'static str]| {
        move |name: &str| {
            names.contains(&name).then(|| match name {
                "chat_template.json" => br#"{"chat_template":"older"}"#.to_vec(),
                name => name.as_bytes().to_vec(),
            })
        }
    };
    let configured = || Some(Configured::One("configured".to_owned()));
    let default = |names| {
        Templates::choose(files(names), configured())
            .default
            .unwrap()
    };
    assert_eq!(default(&[]), "configured");
    assert_eq!(default(&["chat_template.json"]), "older");
    assert_eq!(
        default(&["chat_template.json", "chat_template.jinja"]),
        "chat_template.jinja"
    );
    let more = Templates::choose(
        files(&["additional_chat_templates/tool_use.jinja"]),
        configured(),
    );
    assert!(more.tool_use.is_some() && more.default.is_some());
}

#[test]
fn a_template_that_makes_texts_without_an_end_is_refused() {
    let doubled = "{% set x = x.replace('a', x) %}".repeat(6);
    for made in [
        "{% for i in range(200) %}{{ x * 1000 }}{% endfor %}",
        &doubled,
        "{{ ([x] * 40000) | join(x) }}",
        "{{ ('\\n' * 100000) | indent(60000, blank=true) }}",
    ] {
        let template = format!("{{% set x = 'a' * 1000 %}}{made}");
        assert!(
            one(&template).render(&Conversation::default()).is_err(),
            "{made}"
        );
    }
}
