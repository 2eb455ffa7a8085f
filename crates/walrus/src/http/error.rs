//! Errors in the form that Walrus's daemons give them.

use crate::{
    api::{ErrorBody, ErrorDetail, ErrorStatus},
    coding::CodingError,
    quilt::QuiltError,
    store::{RegistryError, StoreError},
};
use atoma_runtime::WithCauses;
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Whose reasons these are.
const DAEMON: &str = "daemon.walrus.space";
/// Whose reasons those about tokens are.
const AUTH: &str = "auth.publisher.walrus.space";

/// Why a request is refused, as HTTP tells it.
#[derive(Debug)]
pub(super) enum ApiError {
    /// With a reason that programs look at.
    Refused {
        status: StatusCode,
        reason: &'static str,
        domain: &'static str,
        message: String,
    },
    /// The body is too long.
    TooLong(usize),
    /// Too many requests at once.
    Overloaded,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "literals and errors alike, also with map_err"
)]
impl ApiError {
    fn daemon(status: StatusCode, reason: &'static str, message: impl ToString) -> Self {
        Self::Refused {
            status,
            reason,
            domain: DAEMON,
            message: message.to_string(),
        }
    }

    /// What a request lacks.
    pub(super) fn malformed(message: impl ToString) -> Self {
        Self::daemon(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST", message)
    }

    pub(super) fn persistence() -> Self {
        let message = "a blob is either deletable or permanent";
        Self::daemon(StatusCode::BAD_REQUEST, "INVALID_BLOB_PERSISTENCE", message)
    }

    pub(super) fn range(message: impl ToString) -> Self {
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        Self::daemon(status, "INVALID_BYTE_RANGE", message)
    }

    /// About a token.
    pub(super) fn token(status: StatusCode, reason: &'static str, message: impl ToString) -> Self {
        Self::Refused {
            status,
            reason,
            domain: AUTH,
            message: message.to_string(),
        }
    }
}

impl From<QuiltError> for ApiError {
    fn from(error: QuiltError) -> Self {
        match &error {
            QuiltError::NoPatch => {
                Self::daemon(StatusCode::NOT_FOUND, "QUILT_PATCH_NOT_FOUND", error)
            }
            QuiltError::TooLarge => too_large(&error),
            // what is asked for isn't a quilt, or what is sent isn't one
            _ => Self::malformed(error),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) | StoreError::NoObject(_) => {
                Self::daemon(StatusCode::NOT_FOUND, "BLOB_NOT_FOUND", error)
            }
            StoreError::NoQuorum { .. } => {
                let status = StatusCode::GATEWAY_TIMEOUT;
                Self::daemon(status, "INSUFFICIENT_CONFIRMATIONS", error)
            }
            StoreError::Unavailable { .. } => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::daemon(status, "BLOB_UNAVAILABLE", error)
            }
            StoreError::Range { .. } => Self::range(error),
            StoreError::Epochs(_)
            | StoreError::Registry(RegistryError::Epochs(_) | RegistryError::NotShared) => {
                Self::malformed(error)
            }
            StoreError::Coding(CodingError::TooLarge { .. }) => too_large(&error),
            StoreError::Quilt(error) => error.into(),
            other => {
                tracing::error!(error = %WithCauses(&other), "a request failed");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self::daemon(status, "INTERNAL", "an internal error occurred")
            }
        }
    }
}

fn too_large(error: &dyn std::error::Error) -> ApiError {
    ApiError::daemon(StatusCode::PAYLOAD_TOO_LARGE, "BLOB_TOO_LARGE", error)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, reason, domain, message) = match self {
            Self::Refused {
                status,
                reason,
                domain,
                message,
            } => (status, reason, domain, message),
            Self::TooLong(most) => {
                let text = format!("length limit exceeded: {most} bytes at most");
                return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
            }
            Self::Overloaded => {
                let text = "the server is overloaded; try again later";
                return (StatusCode::TOO_MANY_REQUESTS, text).into_response();
            }
        };
        let detail = ErrorDetail {
            kind: "ErrorInfo".to_owned(),
            reason: reason.to_owned(),
            domain: domain.to_owned(),
            metadata: std::collections::BTreeMap::new(),
        };
        let body = ErrorBody {
            error: ErrorStatus {
                code: status.as_u16(),
                status: class(status).to_owned(),
                message,
                details: vec![detail],
            },
        };
        (status, Json(body)).into_response()
    }
}

/// The canonical class of a status.
fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 | 413 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 | 451 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        416 => "OUT_OF_RANGE",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}
