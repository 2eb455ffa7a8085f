//! Several servers with one model: each conversation stays where its beginning is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use atoma_engine::testing::{InstantOptions, InstantUpstream, Reply, Scripted};
use atoma_engine::{
    ChatMessage, Conversation, Engine, GenerateRequest, PrefixLoad, Prompt, Upstream,
    UpstreamOptions,
};

use crate::upstream::{engine_at, outcome};

/// What a user wrote: long enough to be worth keeping.
fn turns(conversation: usize, count: usize) -> GenerateRequest {
    let texts = (0..count).map(|turn| format!("{conversation} said {turn} ").repeat(40));
    let turns = texts.map(|text| ChatMessage::new("user", text));
    let conversation = Conversation::new(turns.collect::<Vec<_>>());
    GenerateRequest::new(Prompt::Chat(conversation), 4)
}

async fn servers(count: usize) -> Vec<InstantUpstream> {
    let mut servers = Vec::new();
    for _ in 0..count {
        let server = InstantUpstream::start(InstantOptions::default()).await;
        servers.push(server.expect("a free port"));
    }
    servers
}

/// Which server answered, by what each has been asked so far.
async fn asked(engine: &Upstream, servers: &[InstantUpstream], request: GenerateRequest) -> usize {
    let count = || servers.iter().map(InstantUpstream::requests);
    let before: Vec<u64> = count().collect();
    outcome(engine, request).await.1.expect("answered");
    let mut grown = count().zip(before).enumerate();
    let (at, _) = grown
        .find(|(_, (now, before))| now > before)
        .expect("somebody was asked");
    at
}

#[tokio::test]
async fn the_next_turns_of_a_conversation_go_where_its_first_went() {
    let servers = servers(3).await;
    let engine = engine_at(servers.iter().map(InstantUpstream::url).collect());
    let mut places = Vec::new();
    for conversation in 0..6 {
        places.push(asked(&engine, &servers, turns(conversation, 1)).await);
    }
    for count in 2..5 {
        for (conversation, place) in places.iter().enumerate() {
            let request = turns(conversation, count);
            assert_eq!(asked(&engine, &servers, request).await, *place);
        }
    }
    let expected = PrefixLoad {
        new: 6,
        kept: 18,
        moved: 0,
    };
    assert_eq!(engine.load().prefixes, expected);
}

#[tokio::test]
async fn a_conversation_moves_when_its_server_goes_and_stays_there() {
    let servers = servers(2).await;
    let engine = engine_at(servers.iter().map(InstantUpstream::url).collect());
    let first = asked(&engine, &servers, turns(0, 1)).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    servers[first].set_ill(true);
    while engine.load().upstreams[first].healthy {
        ticks.tick().await;
    }
    assert_eq!(asked(&engine, &servers, turns(0, 2)).await, 1 - first);
    servers[first].set_ill(false);
    while !engine.load().upstreams[first].healthy {
        ticks.tick().await;
    }
    assert_eq!(asked(&engine, &servers, turns(0, 3)).await, 1 - first);
}

#[tokio::test]
async fn a_server_that_does_not_take_a_prompt_does_not_get_its_next_turns() {
    let refusing = InstantUpstream::start(InstantOptions {
        refuse: Some(503),
        ..InstantOptions::default()
    });
    let refusing = refusing.await.expect("a free port");
    let well = servers(1).await.remove(0);
    let engine = engine_at(vec![refusing.url(), well.url()]);
    for count in 1..5 {
        let answer = outcome(&engine, turns(0, count)).await;
        answer.1.expect("answered by the other");
    }
    assert_eq!(well.requests(), 4);
    assert!(refusing.requests() <= 1, "{}", refusing.requests());
}

/// A server of vLLM's that refuses prompts which say so, with this status, and how many it took.
async fn refuses_on_demand() -> (Scripted, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let server = Scripted::start(move |path, body| {
        let has = |word: &str| body.windows(word.len()).any(|w| w == word.as_bytes());
        match path {
            "/v1/chat/completions" if has("too many") => Reply::json(429, "{}"),
            "/v1/chat/completions" if has("a bad one") => {
                Reply::json(400, r#"{"error":{"message":"no"}}"#)
            }
            "/v1/chat/completions" => {
                count.fetch_add(1, SeqCst);
                let choice = r#"{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}"#;
                Reply::stream(format!(
                    "data: {{\"choices\":[{choice}]}}\n\ndata: [DONE]\n\n"
                ))
            }
            _ => Reply::json(200, "{}"),
        }
    });
    (server.await.expect("a free port"), taken)
}

/// The first turn of a conversation, and a long one that says this.
fn one_more(conversation: usize, word: &str) -> GenerateRequest {
    let mut request = turns(conversation, 1);
    if let Prompt::Chat(chat) = &mut request.prompt {
        let last = ChatMessage::new("user", word.repeat(6_000));
        chat.messages.push(last);
    }
    request
}

/// Asks for a conversation's turns one after the other, with refusals in between; which of two servers took each.
async fn places(refused: impl Fn(usize) -> Vec<GenerateRequest>) -> Vec<usize> {
    let (one, one_took) = refuses_on_demand().await;
    let (other, other_took) = refuses_on_demand().await;
    let engine = engine_at(vec![one.url(), other.url()]);
    let mut places = Vec::new();
    for count in 1..6 {
        let before = one_took.load(SeqCst);
        outcome(&engine, turns(0, count)).await.1.expect("answered");
        places.push(one_took.load(SeqCst) - before);
        for request in refused(count) {
            outcome(&engine, request).await.1.expect_err("refused");
        }
    }
    assert_eq!(one_took.load(SeqCst) + other_took.load(SeqCst), 5);
    places
}

#[tokio::test]
async fn a_server_that_is_too_busy_for_one_prompt_still_has_its_beginning() {
    let places = places(|count| vec![one_more(0, &format!("{count} too many "))]).await;
    assert!(places.windows(2).all(|w| w[0] == w[1]), "{places:?}");
}

#[tokio::test]
async fn prompts_that_are_refused_push_no_others_beginnings_out() {
    // once more blocks than are kept of all
    let bad = |count: usize| {
        let bad = (0..80).map(|at| one_more(0, &format!("{at} a bad one ")));
        bad.filter(|_| count == 2).collect()
    };
    let places = places(bad).await;
    assert!(places.windows(2).all(|w| w[0] == w[1]), "{places:?}");
}

#[tokio::test]
async fn a_beginning_that_all_have_does_not_put_all_on_one_server() {
    const SERVERS: usize = 4;
    const REQUESTS: usize = 40;
    let pause = Some(Duration::from_secs(60));
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        let options = InstantOptions {
            pause,
            ..InstantOptions::default()
        };
        let server = InstantUpstream::start(options).await;
        servers.push(server.expect("a free port"));
    }
    let engine = Upstream::new(UpstreamOptions {
        // nothing comes for longer than the test takes
        stall: Duration::from_secs(600),
        ..UpstreamOptions::new("m", servers.iter().map(InstantUpstream::url).collect())
    })
    .expect("set up");
    let requests = (0..REQUESTS).map(|_| engine.generate(turns(7, 1)));
    let running = futures::future::join_all(requests);
    tokio::pin!(running);
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    while engine.load().running < REQUESTS {
        tokio::select! {
            _ = &mut running => panic!("none ends"),
            _ = ticks.tick() => {}
        }
    }
    // a quarter more than its share
    let most = REQUESTS * 125 / 100 / SERVERS + 1;
    let load = engine.load();
    assert!(
        load.upstreams.iter().all(|server| server.running <= most),
        "{load:?}"
    );
    assert!(
        load.prefixes.kept >= 25 && load.prefixes.moved > 0,
        "{load:?}"
    );
}
