//! Keysets of a running node: each next one is there before the last one ends, and no two processes share one.

use super::sealed::{
    RELEASE, attested_at, confidential, header, policy, send, terms, user, user_over,
};
use crate::common::{Answer, Backend, PRICE, World, eventually};
use atoma_channel::{
    Fault, RequestTerms, VerifiedKeyset,
    limits::{KEY_OVERLAP, MAX_SKEW},
    seal_request,
};
use atoma_client::{AttestationFault, ClientError};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_ledger::{Ledger, LedgerConfig};
use atoma_network::{create_task, engine_class, release};
use atoma_node::{
    EvidenceConfig, Node, NodeConfig, NodeError, RegisterError, RunningNode, ServedModel,
    SubscriptionConfig,
};
use atoma_runtime::{Clock, Runtime, SystemClock, SystemRandom};
use atoma_types::{
    DurationMs, SecurityLevel, StackId, TimestampMs,
    chain::NewTask,
    hash::Hash32,
    message::{MAX_REQUEST_LIFETIME, RequestHeader},
};
use http::StatusCode;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// The shortest that a keyset may last.
const LIFETIME: DurationMs = DurationMs(2 * KEY_OVERLAP.0);

/// What all clocks but the ledger's are ahead by.
#[derive(Default)]
struct Ahead(Arc<AtomicU64>);

impl Ahead {
    fn runtime(&self) -> Runtime {
        let (machine, ahead) = (SystemClock::default(), Arc::clone(&self.0));
        let wall = move || TimestampMs(machine.now().0 + ahead.load(Relaxed));
        Runtime {
            clock: Arc::new(SystemClock::over(wall)),
            ..Runtime::system()
        }
    }

    fn now(&self) -> TimestampMs {
        self.runtime().now()
    }

    fn go_on(&self, by: DurationMs) {
        self.0.fetch_add(by.0, Relaxed);
    }

    fn go_to(&self, moment: TimestampMs) {
        self.go_on(moment.since(self.now()));
    }
}

/// A node whose clock runs ahead, and a user who signs by hand.
struct Watched {
    world: World,
    ahead: Ahead,
    config: NodeConfig,
    node: RunningNode,
    stack: StackId,
}

impl Watched {
    async fn start() -> Self {
        let server = InstantUpstream::start(InstantOptions::default()).await;
        let (world, config) = confidential(Backend::Upstream(server.unwrap())).await;
        let ahead = Ahead::default();
        let mut config = NodeConfig {
            runtime: ahead.runtime(),
            ..config
        };
        let guest = config.confidential.as_mut().unwrap();
        (guest.keyset_lifetime_ms, guest.tick_ms) = (LIFETIME, 20);
        let node = world.node_with(config.clone()).await;
        let stack = world.buy(100_000).await;
        Self {
            world,
            ahead,
            config,
            node,
            stack,
        }
    }

    /// A question that is sealed at this time.
    fn sealed(&self, keys: &VerifiedKeyset, at: TimestampMs) -> Result<Vec<u8>, Fault> {
        let terms = RequestTerms {
            issued_at: at,
            expires_at: at.saturating_add(MAX_REQUEST_LIFETIME),
            ..terms(&self.world)
        };
        let text = self.world.chat(r#","max_tokens":4"#);
        let keys = std::slice::from_ref(keys);
        seal_request(&terms, keys, text.as_bytes(), &SystemRandom).map(|(sealed, _)| sealed)
    }

    /// Sends it to a node under a header of now.
    async fn sends(&self, node: &RunningNode, sealed: &[u8]) -> Answer {
        let runtime = self.ahead.runtime();
        let now = runtime.now();
        let header = RequestHeader {
            request_id: runtime.request_id(),
            issued_at_ms: now,
            expires_at_ms: now.saturating_add(DurationMs(60_000)),
            ..header(&self.world, node.node_id(), self.stack, sealed)
        };
        send(&self.world, &node.url(), header, sealed).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_changes_its_keys_with_an_overlap_and_clients_follow() {
    let watched = Watched::start().await;
    let Watched {
        world, ahead, node, ..
    } = &watched;
    let runtime = ahead.runtime();
    let over = LedgerConfig {
        url: world.ledger.url().to_owned(),
        deployment: None,
        faucet: None,
        runtime,
    };
    let over = Ledger::open(over).await.unwrap();
    let (client, stack) = user_over(world, over, policy(world)).await;
    stack.engage().await.unwrap();
    let chats = async || {
        let body = world.chat(r#","max_tokens":4"#);
        let answer = stack.chat(node.node_id(), body).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.whole().await.unwrap().receipt.is_some());
        let attested = client.attested(node.node_id(), world.task.id).await;
        attested.unwrap().verdict.keyset
    };
    let (old, first) = attested_at(world, node, "", ahead.now()).await;
    assert_eq!(chats().await, old.keyset.digest());

    // the next one is attested, on the ledger, and shown, four minutes before the first one's end
    ahead.go_to(TimestampMs(old.keyset.not_after.0 - KEY_OVERLAP.0));
    eventually("the next keyset is there", || async {
        let (shown, _) = attested_at(world, node, "", ahead.now()).await;
        shown.keyset.digest() != old.keyset.digest()
    })
    .await;
    let (new, second) = attested_at(world, node, "", ahead.now()).await;
    let registered = world.ledger.node(node.node_id()).await.unwrap();
    let registered = registered.attestation.unwrap();
    assert_eq!(registered.evidence.0, new.digest().0);
    assert_eq!(registered.expires_at_ms, new.keyset.not_after);
    for keys in [&first, &second] {
        let sealed = watched.sealed(keys, ahead.now()).unwrap();
        let answer = watched.sends(node, &sealed).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    // what was sealed in the first one's last moment is still opened, a minute later; no more is sealed to it
    let end = old.keyset.not_after;
    let last = TimestampMs(end.0 - 1);
    let [late, too_late] = [(); 2].map(|()| watched.sealed(&first, last).unwrap());
    ahead.go_to(end.saturating_add(DurationMs(60_000)));
    let answer = watched.sends(node, &late).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let again = watched.sends(node, &late).await;
    assert_eq!(again.code(), "sealed_replayed");
    let ended = watched.sealed(&first, ahead.now());
    assert_eq!(ended.unwrap_err(), Fault::KeysetEnded);
    assert_ne!(chats().await, old.keyset.digest());

    // then its secret is wiped
    let wiped = MAX_REQUEST_LIFETIME.0 + MAX_SKEW.0 + 1;
    ahead.go_to(end.saturating_add(DurationMs(wiped)));
    eventually("the secret is wiped", || async {
        let code = watched.sends(node, &too_late).await.code();
        assert!(code.starts_with("sealing_key_"), "{code}");
        code == "sealing_key_unknown"
    })
    .await;
    assert_ne!(chats().await, old.keyset.digest());
    watched.node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_is_not_opened_again_and_no_second_process_has_the_folder() {
    let watched = Watched::start().await;
    let Watched {
        world,
        ahead,
        config,
        node,
        ..
    } = &watched;
    let (_, keys) = attested_at(world, node, "", ahead.now()).await;
    let sealed = watched.sealed(&keys, ahead.now()).unwrap();
    assert_eq!(watched.sends(node, &sealed).await.status, StatusCode::OK);
    let again = watched.sends(node, &sealed).await;
    assert_eq!(
        (again.status.as_u16(), again.code().as_str()),
        (409, "sealed_replayed")
    );

    // two processes don't share a folder, whoever starts them
    let served = ServedModel {
        model: world.task.model_name.clone(),
        engine: world.engine.clone(),
    };
    let second = Node::start(config.clone(), vec![served]).await;
    assert!(matches!(second, Err(NodeError::Folder(_))), "{second:?}");
    watched.node.drain_and_stop().await;
}

/// Nobody could examine what nobody but the asker can read: a node doesn't begin to promise both.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_does_not_start_for_a_task_whose_answers_are_examined_and_sealed() {
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let (world, config) = confidential(Backend::Upstream(server.unwrap())).await;
    let info = world.engine.info();
    let both = NewTask {
        security: SecurityLevel::SamplingAndConfidential,
        ..NewTask::chat(info.id.clone(), engine_class(info), PRICE)
    };
    let both = create_task(&world.ledger, &world.operator, both).await;
    let config = NodeConfig {
        subscriptions: vec![SubscriptionConfig {
            task: both.unwrap(),
            price: PRICE,
        }],
        // it could keep evidence, and is a guest
        evidence: Some(EvidenceConfig::new(
            "http://127.0.0.1:9",
            "http://127.0.0.1:9",
            10,
        )),
        ..config
    };
    let served = ServedModel {
        model: info.id.clone(),
        engine: world.engine.clone(),
    };
    let refused = Node::start(config, vec![served]).await.unwrap_err();
    let NodeError::Register(RegisterError::BothLevels { .. }) = refused else {
        panic!("{refused:?}");
    };
}

/// A release is of a task. Earlier a node that had been found good for one passed for all others.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_attested_for_one_task_does_not_pass_for_another() {
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let (world, config) = confidential(Backend::Upstream(server.unwrap())).await;
    let node = world.node_with(config).await;
    let id = node.node_id();
    let info = world.engine.info();
    let other = NewTask {
        security: SecurityLevel::ConfidentialCompute,
        ..NewTask::chat(info.id.clone(), engine_class(info), PRICE)
    };
    let other = create_task(&world.ledger, &world.operator, other).await;
    let other = other.unwrap();
    let announced = release(&world.ledger, &world.operator, other, Hash32([0x5d; 32]));
    announced.await.unwrap();
    let (client, _) = user(&world, policy(&world)).await;
    let is_refused = |answer: Result<_, ClientError>| {
        let reason = match answer {
            Err(ClientError::Attestation { reason, .. }) => Some(reason),
            _ => None,
        };
        matches!(reason, Some(AttestationFault::Release))
    };
    assert!(client.attested(id, world.task.id).await.is_ok());
    assert!(is_refused(client.attested(id, other).await));

    let announced = release(&world.ledger, &world.operator, other, Hash32(RELEASE.0));
    announced.await.unwrap();
    assert!(client.attested(id, other).await.is_ok());
    assert!(client.attested(id, world.task.id).await.is_ok());
    node.drain_and_stop().await;
}
