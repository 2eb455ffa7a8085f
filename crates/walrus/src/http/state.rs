//! The options of the API, and what its handlers share.

use super::{
    admission::Admission,
    jwt::{Authenticator, JwtOptions},
};
use crate::store::Store;
use atoma_http::server::Limits;

/// A blob or a quilt must be here by then: 100 MiB at 3 Mbit/s.
const BODY_TIMEOUT_MS: u64 = 300_000;

/// Limits, and whether uploads need a token. The defaults of sizes are Walrus's.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// What strangers may do to the server: the same section in every configuration file. Blobs have at
    /// most `max_body_bytes`.
    pub limits: Limits,
    /// Bytes of a quilt's form.
    pub max_quilt_body: usize,
    /// Uploads at once; as many more may wait.
    pub max_uploads: usize,
    /// So many downloads are served at once; more get status 429.
    pub max_downloads: usize,
    /// Demands a token for uploads.
    pub jwt: Option<JwtOptions>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            limits: Limits {
                max_body_bytes: 10 << 20,
                body_timeout_ms: BODY_TIMEOUT_MS,
                ..Limits::default()
            },
            max_quilt_body: 100 << 20,
            max_uploads: 8,
            max_downloads: 256,
            jwt: None,
        }
    }
}

/// What every handler needs.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) store: Store,
    pub(super) options: HttpOptions,
    pub(super) authenticator: Option<Authenticator>,
    pub(super) uploads: Admission,
    pub(super) downloads: Admission,
}

impl Api {
    pub(super) fn new(store: Store, options: HttpOptions) -> Self {
        let clock = store.runtime().clock.clone();
        let jwt = options.jwt.clone();
        Self {
            store,
            authenticator: jwt.map(|jwt| Authenticator::new(jwt, clock)),
            uploads: Admission::new(options.max_uploads, options.max_uploads),
            downloads: Admission::new(options.max_downloads, 0),
            options,
        }
    }
}
