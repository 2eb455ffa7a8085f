//! What strangers who register tasks and nodes can do to a gateway: to its money, to its users' patience,
//! and to the services that it alone can reach.

use crate::{
    arena::{Answer, Arena, PATIENCE, PRICE, SLOW, chat, eventually, slow_server},
    seller::{Act, Seller, register},
};
use atoma_engine::{
    builtin,
    testing::{InstantOptions, InstantUpstream},
};
use atoma_gateway::{
    ApiKey, ApiKeyConfig, Gateway, GatewayConfig, Limits, RequestLimits, RunningGateway,
    StackPolicy,
};
use atoma_http::client::{AnswerLimits, post_json};
use atoma_keys::SigningKey;
use atoma_network::create_task;
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, Price,
    chain::NewTask,
    http::RECEIPT,
    message::{Receipt, Signed},
};
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::Instant};

/// What the gateway may put into stacks.
const BUDGET: MicroUsdc = MicroUsdc(50_000_000);
/// What two purchases may lock up: more is never needed here.
const TWO_PURCHASES: MicroUsdc = MicroUsdc(2 * BUDGET.0 / 10);

/// A gateway, and who may use it.
pub(crate) struct Office {
    pub(crate) running: RunningGateway,
    key: ApiKey,
}

impl Office {
    pub(crate) async fn open(arena: &Arena, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let wallet = Arc::new(SigningKey::generate(&SystemRandom));
        let owner = wallet.public_key().address();
        arena.ledger.faucet(owner).await.unwrap();
        let key = ApiKey::generate(&SystemRandom);
        let mut config = GatewayConfig {
            ledger: arena.network.localnet.url(),
            deployment: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            admin_listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            data_dir: arena.folder.path().join("gateway"),
            api_keys: vec![ApiKeyConfig {
                name: "ann".to_owned(),
                hash: key.hash(),
                budget: MicroUsdc(1_000_000_000),
                max_concurrent: None,
            }],
            budget: BUDGET,
            // the task's ceiling: sellers ask what they like
            policy: StackPolicy {
                max_price: Some(Price(u64::MAX)),
                ..StackPolicy::default()
            },
            models: Vec::new(),
            limits: Limits::default(),
            requests: RequestLimits::default(),
            local_nodes: true,
            watch_settlements: true,
            no_forward: false,
            max_bonds: MicroUsdc::ZERO,
            close_stacks_on_stop: false,
            own_use: false,
            client_dir: None,
            confidential: None,
            through: None,
            purchases: None,
            runtime: Runtime::default(),
        };
        change(&mut config);
        let running = Gateway::start(config, wallet).await.unwrap();
        Self { running, key }
    }

    pub(crate) async fn ask(&self, arena: &Arena, body: String) -> Answer {
        self.ask_at(arena, "/v1/chat/completions", body).await
    }

    async fn ask_at(&self, arena: &Arena, path: &str, body: String) -> Answer {
        let url = format!("{}{path}", self.running.url());
        let mut request = post_json(&url, body);
        let key = format!("Bearer {}", self.key.reveal());
        let value = HeaderValue::from_str(&key).unwrap();
        request.headers_mut().insert(AUTHORIZATION, value);
        let limits = AnswerLimits::within(PATIENCE, 64 << 20);
        Answer(arena.http.ask(request, limits).await.unwrap())
    }

    /// A request as it goes over a connection.
    pub(crate) fn request(&self, path: &str, body: &str) -> String {
        let (key, length) = (self.key.reveal(), body.len());
        format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }

    /// Stacks that were read from the ledger, for this reason.
    async fn reads(&self, arena: &Arena, reason: &str) -> u64 {
        let url = format!("{}/metrics", self.running.admin_url().unwrap());
        let text = arena.get(&url).await;
        let text = String::from_utf8_lossy(text.0.body()).into_owned();
        let name = format!("atoma_gateway_stack_reads_total{{reason=\"{reason}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |count| count.parse().unwrap())
    }

    fn locked(&self) -> MicroUsdc {
        self.running.stacks_account().spent.whole()
    }

    pub(crate) fn spent(&self) -> MicroUsdc {
        self.running.accounts()[0].spent.whole()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_needs_forty_million_units_does_not_get_them() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let seller = Seller::start(&arena, arena.task, PRICE, Act::Needs(40_000_000)).await;
    let office = Office::open(&arena, |_| {}).await;
    let mut asked = 0;
    while asked < 8 || seller.asked() == 0 {
        let answer = office.ask(&arena, chat(2, false)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
        asked += 1;
    }
    let locked = office.locked();
    assert!(locked <= TWO_PURCHASES, "{locked} are locked");
    office.running.shutdown().await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// It was believed, never blamed, and first for ever, being the cheapest that nobody had heard of.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_finds_fault_with_every_request_fails_none() {
    const REQUESTS: usize = 20;
    let arena = Arena::start().await;
    let node = arena.node().await;
    let seller = Seller::start(&arena, arena.task, Price(1), Act::FindsFault).await;
    let office = Office::open(&arena, |_| {}).await;
    for _ in 0..REQUESTS {
        let answer = office.ask(&arena, chat(2, false)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    }
    let asked = seller.asked();
    assert!((1..=2).contains(&asked), "it was asked {asked} times");
    office.running.shutdown().await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_of_two_owners_find_fault_with_is_refused() {
    let arena = Arena::start().await;
    let start = || Seller::start(&arena, arena.task, PRICE, Act::FindsFault);
    let sellers = [start().await, start().await];
    let office = Office::open(&arena, |_| {}).await;
    for asked in 1..=3 {
        let answer = office.ask(&arena, chat(2, false)).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{answer:?}");
        assert_eq!(sellers.each_ref().map(Seller::asked), [asked; 2]);
    }
    office.running.shutdown().await;
    arena.network.stop().await;
}

/// A seller who says this has no more bought for it than it needs, however often it is asked.
async fn a_sellers_word_buys_nothing(act: Act) {
    /// What a grant costs, and a stack of one grant.
    const GRANT: MicroUsdc = MicroUsdc(40_000);
    let arena = Arena::start().await;
    // nobody else is there, so that each request is sent to it
    let seller = Seller::start(&arena, arena.task, PRICE, act).await;
    let office = Office::open(&arena, |config| {
        config.policy.stack_units = ComputeUnits(20_000);
        config.policy.grant_units = ComputeUnits(20_000);
    })
    .await;
    while seller.asked() < 16 {
        let answer = office.ask(&arena, chat(2, false)).await;
        assert_ne!(answer.status(), StatusCode::OK);
    }
    // a stack, and once as much again: it might have missed something by a crash
    let locked = office.locked();
    let most = MicroUsdc(2 * GRANT.0);
    assert!((GRANT..=most).contains(&locked), "{act:?}: {locked}");
    office.running.shutdown().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_lease_is_always_used_up_gets_no_budget() {
    a_sellers_word_buys_nothing(Act::Exhausted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_calls_every_stack_expired_has_none_bought() {
    a_sellers_word_buys_nothing(Act::Expired).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_dear_task_locks_a_small_part_of_the_budget() {
    let arena = Arena::start().await;
    let dear = Price(24_000_000);
    let info = arena.network.engine.as_ref().unwrap().info().clone();
    let task = NewTask::chat("strangers-model", atoma_network::engine_class(&info), dear);
    let task = create_task(&arena.ledger, &arena.operator, task)
        .await
        .unwrap();
    let seller = Seller::start(&arena, task, dear, Act::Exhausted).await;
    let office = Office::open(&arena, |_| {}).await;
    let body = chat(2, false).replace(builtin::NAME, "strangers-model");
    let answer = office.ask(&arena, body).await;
    assert_ne!(answer.status(), StatusCode::OK);
    let locked = office.locked();
    assert!(locked <= TWO_PURCHASES, "{locked} are locked");
    assert!(seller.asked() > 0);
    office.running.shutdown().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_settle_early_comes_back_into_the_budget() {
    let arena = Arena::start().await;
    let mut config = arena.config();
    // this node settles after every request
    config.settlement.nearly_used_permille = 1;
    config.settlement.rest_ms = 0;
    let node = arena.node_with(config).await;
    let office = Office::open(&arena, |config| {
        // three stacks of 20,000 units, and no more
        config.budget = MicroUsdc(120_000);
        config.policy.stack_units = ComputeUnits(20_000);
        config.policy.grant_units = ComputeUnits(5_000);
        config.policy.max_purchase = Some(MicroUsdc(40_000));
    })
    .await;
    for asked in 0..8 {
        // the money comes back when the gateway next looks at its stacks; until then it says 503
        let answer = std::cell::RefCell::new(None);
        eventually(&format!("request {asked} is answered"), async || {
            let got = office.ask(&arena, chat(8, false)).await;
            let good = got.status() == StatusCode::OK;
            *answer.borrow_mut() = Some(got);
            good
        })
        .await;
        let answer = answer.into_inner().unwrap();
        let stack = receipt_of(&answer).stack;
        eventually("the node has settled it", async || {
            let stack = arena.ledger.stack(stack).await.unwrap();
            let lease = stack.lease(node.node_id()).unwrap();
            lease.paid_units > ComputeUnits::ZERO
        })
        .await;
    }
    office.running.shutdown().await;
    arena.network.localnet.audit().unwrap();
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// So often may something be looked at that isn't looked at more than once within a pause, from here on.
fn looks(begun: Instant, pause: Duration) -> u64 {
    1 + begun.elapsed().as_secs() / pause.as_secs()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_budget_has_no_request_read_the_ledger() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let office = Office::open(&arena, |config| {
        // two stacks of 20,000 units, and no more
        config.budget = MicroUsdc(80_000);
        config.policy.stack_units = ComputeUnits(20_000);
        config.policy.grant_units = ComputeUnits(20_000);
        config.policy.max_purchase = Some(MicroUsdc(40_000));
    })
    .await;
    let first = office.ask(&arena, chat(2, false)).await;
    assert_eq!(first.status(), StatusCode::OK, "{first:?}");
    let begun = Instant::now();
    for _ in 0..40 {
        // more than there is money for
        let answer = office.ask(&arena, chat(60_000, false)).await;
        assert_ne!(answer.status(), StatusCode::OK);
    }
    let reads = office.reads(&arena, "ShortBudget").await;
    let most = 2 * looks(begun, Duration::from_secs(2));
    assert!((1..=most).contains(&reads), "{reads} reads, {most} at most");
    office.running.shutdown().await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_calls_every_stack_expired_has_few_read() {
    let arena = Arena::start().await;
    let seller = Seller::start(&arena, arena.task, PRICE, Act::Expired).await;
    let office = Office::open(&arena, |_| {}).await;
    let begun = Instant::now();
    let asked = (0..32).map(|_| office.ask(&arena, chat(2, false)));
    for answer in futures::future::join_all(asked).await {
        assert_ne!(answer.status(), StatusCode::OK);
    }
    let reads = office.reads(&arena, "NodesWord").await;
    let most = looks(begun, Duration::from_secs(1));
    assert!(seller.asked() as u64 > most, "{} asked", seller.asked());
    assert!((1..=most).contains(&reads), "{reads} reads, {most} at most");
    office.running.shutdown().await;
    arena.network.stop().await;
}

/// The receipt of a whole answer.
pub(crate) fn receipt_of(answer: &Answer) -> Receipt {
    let text = answer.0.headers().get(RECEIPT).unwrap();
    let receipt = Signed::<Receipt>::from_text(text.to_str().unwrap()).unwrap();
    receipt.message().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nodes_url_does_not_lead_the_gateway_to_a_service_of_its_own() {
    let arena = Arena::start().await;
    // what only this machine can reach
    let service = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = service.local_addr().unwrap();
    let urls = [
        format!("http://{address}/secrets?x="),
        format!("http://{address}"),
        format!("http://localhost:{}/secrets#", address.port()),
    ];
    for url in &urls {
        let key = SigningKey::generate(&SystemRandom);
        register(&arena, &key, arena.task, PRICE, url).await;
    }
    for local_nodes in [false, true] {
        let office = Office::open(&arena, |config| config.local_nodes = local_nodes).await;
        let asked = office.ask(&arena, chat(2, false));
        let hit = async {
            let (mut socket, _) = service.accept().await.unwrap();
            let mut head = vec![0; 1_024];
            let read = tokio::io::AsyncReadExt::read(&mut socket, &mut head).await;
            String::from_utf8_lossy(&head[..read.unwrap_or(0)]).into_owned()
        };
        tokio::select! {
            biased;
            head = hit, if !local_nodes => panic!("the service was asked: {head}"),
            answer = asked => assert_ne!(answer.status(), StatusCode::OK),
        }
        office.running.shutdown().await;
    }
    // on a local network the plain one is a node like others, and was asked as one
    let (mut socket, _) = service.accept().await.unwrap();
    let mut text = String::new();
    let _ = tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut text).await;
    assert!(!text.contains("secrets"), "{text}");
    arena.network.stop().await;
}

/// Beside an honest node, three sellers who act so stand between nobody and an answer.
async fn three_sellers_keep_nobody_waiting(act: Act, stream: bool) {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let mut sellers = Vec::new();
    for _ in 0..3 {
        sellers.push(Seller::start(&arena, arena.task, Price(1_000_000), act).await);
    }
    let office = Office::open(&arena, |config| {
        config.requests.answer_begins_timeout_ms = DurationMs(1_000);
    })
    .await;
    let asked = || sellers.iter().map(Seller::asked).sum::<usize>();
    let mut longest = Duration::ZERO;
    for _ in 0..6 {
        let begun = Instant::now();
        let answer = office.ask(&arena, chat(2, stream)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
        let is_whole = !stream || answer.0.body().ends_with(b"data: [DONE]\n\n");
        assert!(is_whole, "{answer:?}");
        longest = longest.max(begun.elapsed());
    }
    assert!(longest < Duration::from_secs(20), "{longest:?}");
    assert!(asked() > 0, "somebody found out about them");
    assert!(asked() <= 6, "and few: {} tries", asked());
    office.running.shutdown().await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sellers_that_never_answer_keep_nobody_waiting() {
    three_sellers_keep_nobody_waiting(Act::Silent, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sellers_that_never_give_a_whole_answer_keep_nobody_waiting() {
    three_sellers_keep_nobody_waiting(Act::Silent, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_an_end_are_given_up() {
    three_sellers_keep_nobody_waiting(Act::Endless, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_without_an_end_are_given_up() {
    three_sellers_keep_nobody_waiting(Act::Endless, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_answers_that_come_byte_by_byte_are_given_up() {
    three_sellers_keep_nobody_waiting(Act::Trickle, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_come_byte_by_byte_are_given_up() {
    three_sellers_keep_nobody_waiting(Act::Trickle, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_comments_are_given_up() {
    three_sellers_keep_nobody_waiting(Act::Comments, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_gateways_whole_answer_pays_for_it() {
    let server = slow_server(400).await;
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let office = Office::open(&arena, |_| {}).await;
    // so that a stack and a lease stand
    let first = office.ask(&arena, chat(1, false).replace(builtin::NAME, SLOW));
    let first = first.await;
    assert_eq!(first.status(), StatusCode::OK, "{first:?}");
    let before = office.spent();

    let body = chat(400, false).replace(builtin::NAME, SLOW);
    let address = office.running.url();
    let address = address.trim_start_matches("http://");
    let mut user = TcpStream::connect(address).await.unwrap();
    let request = office.request("/v1/chat/completions", &body);
    user.write_all(request.as_bytes()).await.unwrap();
    let so_far = server.frames();
    eventually("it is half computed", async || {
        server.frames() > so_far + 50
    })
    .await;
    drop(user);
    eventually("the user has paid", async || office.spent() > before).await;
    office.running.shutdown().await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_node_answer_too_late_pays_for_it() {
    let options = InstantOptions {
        // longer than a gateway waits that is told so, and not for ever
        pause: Some(Duration::from_secs(8)),
        ..InstantOptions::default()
    };
    let server = InstantUpstream::start(options).await.unwrap();
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let office = Office::open(&arena, |config| {
        config.requests.answer_begins_timeout_ms = DurationMs(500);
    })
    .await;
    let inputs = vec!["some words that take their time"; 64];
    let body = serde_json::json!({ "model": SLOW, "input": inputs, "max_tokens": 1 });
    let answer = office
        .ask_at(&arena, "/v1/embeddings", body.to_string())
        .await;
    assert_ne!(answer.status(), StatusCode::OK, "{answer:?}");
    assert_eq!(server.embeddings(), 1);
    eventually("the user has paid", async || office.spent().0 > 0).await;
    office.running.shutdown().await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}
