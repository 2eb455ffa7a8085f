//! Tokens that allow an upload (JWT with HS256).
//!
//! `exp` and `jti` are required, and each `jti` is good for one upload; `iat`, `send_object_to`,
//! `epochs` or `max_epochs`, and `size` or `max_size` bind what may be uploaded.

use super::{error::ApiError, query::PutQuery};
use crate::token::Claims;
use atoma_runtime::SharedClock;
use aws_lc_rs::hmac;
use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// Longer tokens are refused unread.
const MAX_TOKEN: usize = 8 * 1024;
/// Longer ids of tokens are refused: they are remembered.
const MAX_TOKEN_ID: usize = 256;

/// Which tokens are accepted.
#[derive(Clone)]
pub struct JwtOptions {
    /// The key that tokens are signed with.
    pub secret: Vec<u8>,
    /// `exp - iat` must be exactly this many seconds.
    pub expiring_sec: Option<u64>,
    /// Uploads are held to what the token says of them.
    pub verify_upload: bool,
    /// Ids of used tokens to remember. Tokens that haven't expired are never forgotten; when there
    /// are as many, uploads are refused.
    pub cache_size: usize,
}

impl JwtOptions {
    /// Tokens signed with a key, held to what they say.
    #[must_use]
    pub fn new(secret: Vec<u8>) -> Self {
        Self {
            secret,
            expiring_sec: None,
            verify_upload: true,
            cache_size: 10_000,
        }
    }
}

impl fmt::Debug for JwtOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtOptions")
            .field("expiring_sec", &self.expiring_sec)
            .field("verify_upload", &self.verify_upload)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Debug)]
pub(super) struct Authenticator {
    options: JwtOptions,
    /// Used tokens and when they end.
    used: Mutex<BTreeMap<String, u64>>,
    clock: SharedClock,
}

impl Authenticator {
    pub(super) fn new(options: JwtOptions, clock: SharedClock) -> Self {
        Self {
            options,
            used: Mutex::default(),
            clock,
        }
    }

    /// Checks a request before its body is read. The token is used up.
    pub(super) fn admit(&self, headers: &HeaderMap, query: &PutQuery) -> Result<Claims, ApiError> {
        let claims = self.verify(headers)?;
        let bad = |reason, message| ApiError::token(StatusCode::BAD_REQUEST, reason, message);
        if let Some(seconds) = self.options.expiring_sec
            && claims.iat.and_then(|iat| claims.exp.checked_sub(iat)) != Some(seconds)
        {
            return Err(bad("INVALID_EXPIRATION", "the token's lifetime is another"));
        }
        if claims.epochs.is_some() && claims.max_epochs.is_some()
            || claims.size.is_some() && claims.max_size.is_some()
        {
            return Err(bad(
                "INCONSISTENT_TOKEN",
                "an exact value and a limit exclude each other",
            ));
        }
        if self.options.verify_upload {
            let epochs = query.epochs();
            if claims.epochs.is_some_and(|exact| exact != epochs)
                || claims.max_epochs.is_some_and(|most| most < epochs)
            {
                return Err(bad("INVALID_EPOCHS", "the token is for other epochs"));
            }
            if claims.send_object_to.is_some() && claims.send_object_to != query.send_object_to {
                let message = "the token is for another owner";
                return Err(bad("INVALID_SEND_OBJECT_TO", message));
            }
        }
        self.use_up(&claims)?;
        Ok(claims)
    }

    /// Checks how much was uploaded.
    pub(super) fn check_size(&self, claims: &Claims, size: u64) -> Result<(), ApiError> {
        let wrong = claims.size.is_some_and(|exact| exact != size)
            || claims.max_size.is_some_and(|most| most < size);
        if self.options.verify_upload && wrong {
            let message = "the token is for another size";
            return Err(ApiError::token(
                StatusCode::BAD_REQUEST,
                "INVALID_SIZE",
                message,
            ));
        }
        Ok(())
    }

    fn verify(&self, headers: &HeaderMap) -> Result<Claims, ApiError> {
        let invalid =
            |message: &str| ApiError::token(StatusCode::UNAUTHORIZED, "INVALID_SIGNATURE", message);
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .filter(|token| token.len() <= MAX_TOKEN)
            .ok_or_else(|| invalid("a bearer token is needed"))?;
        let malformed = || invalid("the token can't be read");
        let (signed, tag) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (head, body) = signed.split_once('.').ok_or_else(malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
        let head: Header = serde_json::from_slice(&decode(head)?).map_err(|_| malformed())?;
        if head.alg != "HS256" {
            return Err(invalid("tokens are signed with HS256 here"));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.options.secret);
        hmac::verify(&key, signed.as_bytes(), &decode(tag)?)
            .map_err(|_| invalid("the token's signature is wrong"))?;
        let claims: Claims = serde_json::from_slice(&decode(body)?).map_err(|_| malformed())?;
        if claims.jti.is_empty() || claims.jti.len() > MAX_TOKEN_ID {
            return Err(malformed());
        }
        if claims.exp <= self.now() {
            let status = StatusCode::GATEWAY_TIMEOUT;
            return Err(ApiError::token(
                status,
                "EXPIRED_SIGNATURE",
                "the token has expired",
            ));
        }
        Ok(claims)
    }

    fn use_up(&self, claims: &Claims) -> Result<(), ApiError> {
        let mut used = self.used.lock();
        let again = StatusCode::TOO_MANY_REQUESTS;
        if used.contains_key(&claims.jti) {
            let message = "the token was used before";
            return Err(ApiError::token(again, "TOKEN_ALREADY_USED", message));
        }
        if used.len() >= self.options.cache_size {
            let now = self.now();
            used.retain(|_, exp| *exp > now);
            if used.len() >= self.options.cache_size {
                return Err(ApiError::Overloaded);
            }
        }
        used.insert(claims.jti.clone(), claims.exp);
        Ok(())
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        self.clock.now().0 / 1_000
    }
}
