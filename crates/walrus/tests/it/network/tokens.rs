//! Uploads that need a token.

use super::server::{Reply, Server};
use atoma_runtime::Runtime;
use atoma_walrus::{
    client::{SharedSecret, StoreRequest, WalrusClient},
    http::{Claims, HttpOptions, JwtOptions, sign_token},
};
use std::sync::Arc;

const SECRET: &[u8] = b"a secret of the publisher's";

async fn start(change: impl FnOnce(&mut JwtOptions)) -> Server {
    let mut jwt = JwtOptions::new(SECRET.to_vec());
    change(&mut jwt);
    let options = HttpOptions {
        jwt: Some(jwt),
        ..HttpOptions::default()
    };
    Server::start_with(options, |routes| routes).await
}

fn now() -> u64 {
    Runtime::system().now().0 / 1_000
}

fn claims(jti: &str) -> Claims {
    Claims {
        exp: now() + 100,
        iat: Some(now()),
        jti: jti.to_owned(),
        ..Claims::default()
    }
}

async fn put(server: &Server, query: &str, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let path = format!("/v1/blobs{query}");
    server
        .send("PUT", &path, &[("authorization", &bearer)], "12345")
        .await
}

#[tokio::test]
async fn tokens_bind_what_is_uploaded_and_are_good_for_once() {
    let server = start(|_| {}).await;
    let bare = server.send("PUT", "/v1/blobs", &[], "12345").await;
    assert_eq!(
        (bare.status.as_u16(), bare.reason().as_str()),
        (401, "INVALID_SIGNATURE")
    );
    let good = sign_token(SECRET, &claims("1"));
    assert_eq!(put(&server, "", &good).await.status, 200);
    let again = put(&server, "", &good).await;
    assert_eq!(
        (again.status.as_u16(), again.reason().as_str()),
        (429, "TOKEN_ALREADY_USED")
    );
    assert_eq!(
        again.json()["error"]["details"][0]["domain"],
        "auth.publisher.walrus.space"
    );

    let forged = put(&server, "", &sign_token(b"another", &claims("2"))).await;
    assert_eq!(
        (forged.status.as_u16(), forged.reason().as_str()),
        (401, "INVALID_SIGNATURE")
    );
    for garbage in ["", ".", "..", "a.b.c", "e30.e30.e30"] {
        assert_eq!(put(&server, "", garbage).await.status, 401, "{garbage}");
    }
    let change = |jti: &str, change: fn(&mut Claims)| {
        let mut claims = claims(jti);
        change(&mut claims);
        sign_token(SECRET, &claims)
    };
    type Wrong = fn(&mut Claims);
    let cases: [(Wrong, u16, &str); 8] = [
        (|c| c.exp = now() - 1, 504, "EXPIRED_SIGNATURE"),
        (|c| c.epochs = Some(2), 400, "INVALID_EPOCHS"),
        (|c| c.max_epochs = Some(0), 400, "INVALID_EPOCHS"),
        (|c| c.size = Some(4), 400, "INVALID_SIZE"),
        (|c| c.max_size = Some(4), 400, "INVALID_SIZE"),
        (
            |c| c.send_object_to = "0x5".parse().ok(),
            400,
            "INVALID_SEND_OBJECT_TO",
        ),
        (
            |c| (c.size, c.max_size) = (Some(5), Some(5)),
            400,
            "INCONSISTENT_TOKEN",
        ),
        (|c| c.jti = String::new(), 401, "INVALID_SIGNATURE"),
    ];
    for (number, (wrong, status, reason)) in cases.into_iter().enumerate() {
        let reply = put(&server, "", &change(&format!("case-{number}"), wrong)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (status, reason)
        );
    }
    let fitting = change("fits", |c| {
        (c.size, c.epochs) = (Some(5), Some(2));
        c.send_object_to = "0x5".parse().ok();
    });
    assert_eq!(
        put(&server, "?epochs=2&send_object_to=0x5", &fitting)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn lifetimes_can_be_demanded_and_the_memory_is_bounded() {
    let server = start(|jwt| (jwt.expiring_sec, jwt.cache_size) = (Some(100), 2)).await;
    let mut other = claims("other");
    other.exp += 1;
    let reply = put(&server, "", &sign_token(SECRET, &other)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.reason().as_str()),
        (400, "INVALID_EXPIRATION")
    );
    for (jti, status) in [("1", 200), ("2", 200), ("3", 429), ("1", 429)] {
        let mut claims = claims(jti);
        claims.iat = Some(claims.exp - 100);
        assert_eq!(
            put(&server, "", &sign_token(SECRET, &claims)).await.status,
            status,
            "{jti}"
        );
    }
}

#[tokio::test]
async fn the_client_brings_tokens() {
    let server = start(|_| {}).await;
    let mut config = server.config();
    config.tokens = Some(Arc::new(SharedSecret::new(
        SECRET.to_vec(),
        Runtime::default(),
    )));
    let client = WalrusClient::new(config).unwrap();
    client
        .store("12345".into(), StoreRequest::permanent(2))
        .await
        .unwrap();
}
