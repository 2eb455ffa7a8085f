//! What must hold of the server's parsers, for whatever bytes clients send. Each function panics where
//! something doesn't; the fuzz targets of `tests/fuzz` call them.

use super::{jwt::Authenticator, jwt::JwtOptions, query, range};
use crate::{Claims, sign_token};
use atoma_runtime::Runtime;
use axum::http::{HeaderMap, HeaderValue, Uri, header};

/// A request's head: the query of its target, its range and its token, each in a line.
pub fn head(bytes: &[u8]) {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    if let Ok(uri) = Uri::try_from(line()) {
        if let Ok(put) = query::read::<query::PutQuery>(&uri) {
            let _ = (put.options(false), put.options(true));
        }
        let _ = query::read::<query::GetQuery>(&uri).map(|get| get.check());
        let _ = query::read::<query::RangeQuery>(&uri);
    }
    let mut headers = HeaderMap::new();
    let mut insert = |name, value: &[u8]| {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    };
    insert(header::RANGE, line());
    insert(header::AUTHORIZATION, line());
    for size in [0, 1, 1_000, u64::MAX] {
        if let Ok(Some(range)) = range::requested(&headers, size) {
            assert!(range.start < range.end && range.end <= size, "{range:?}");
        }
    }
    let secret = b"nobody knows".to_vec();
    let options = JwtOptions::new(secret);
    let authenticator = Authenticator::new(options, Runtime::default().clock);
    let admitted = authenticator.admit(&headers, &query::PutQuery::default());
    assert!(admitted.is_err(), "a token that was never signed");
}

/// A token that is signed: its claims are any JSON.
pub fn token(bytes: &[u8]) {
    let Ok(claims) = serde_json::from_slice::<Claims>(bytes) else {
        return;
    };
    let secret = b"known to all".to_vec();
    let token = format!("Bearer {}", sign_token(&secret, &claims));
    let authenticator = Authenticator::new(JwtOptions::new(secret), Runtime::default().clock);
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&token) {
        headers.insert(header::AUTHORIZATION, value);
    }
    if authenticator
        .admit(&headers, &query::PutQuery::default())
        .is_ok()
    {
        let again = authenticator.admit(&headers, &query::PutQuery::default());
        assert!(again.is_err(), "a token is good for one upload");
    }
}
