//! Refusals: every way in which a node or gateway says no, each with a stable code, an HTTP status
//! and the error type of OpenAI's API. A refusal costs the user nothing and changes nothing.
//!
//! Here are the codes. The text of each stands where it is decided: docs/refusals.md names the files.

use serde::{Deserialize, Serialize};

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $kind:literal;)*) => {
        /// Why a request was refused. The code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RefusalCode { $($(#[$doc])* $variant),* }

        impl RefusalCode {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable code, as it stands in `error.code`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
            /// The HTTP status that the refusal is answered with.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }
            /// The type in OpenAI's error object.
            #[must_use]
            pub fn kind(self) -> &'static str {
                match self { $(Self::$variant => $kind),* }
            }
        }
    };
}

refusals! {
    /// The body isn't what the endpoint takes.
    InvalidBody = "invalid_body", 400, "invalid_request_error";
    /// The request header can't be decoded.
    InvalidHeader = "invalid_header", 400, "invalid_request_error";
    /// The header isn't there.
    MissingHeader = "missing_header", 401, "authentication_error";
    /// The signature doesn't fit the header under the stack's request key.
    BadSignature = "bad_signature", 401, "authentication_error";
    /// The API key is missing or unknown (gateway).
    InvalidApiKey = "invalid_api_key", 401, "authentication_error";
    /// Signed for another network.
    WrongNetwork = "wrong_network", 400, "invalid_request_error";
    /// Signed for another node.
    WrongNode = "wrong_node", 400, "invalid_request_error";
    /// The stack was bought for another task, or the node isn't subscribed to it.
    WrongTask = "wrong_task", 400, "invalid_request_error";
    /// The endpoint in the header isn't the one that was called.
    WrongEndpoint = "wrong_endpoint", 400, "invalid_request_error";
    /// The body's hash isn't the one in the header.
    BodyMismatch = "body_mismatch", 400, "invalid_request_error";
    /// No such stack, or this node holds no open lease on it.
    UnknownStack = "unknown_stack", 404, "invalid_request_error";
    /// The body names a model that the task doesn't have.
    UnknownModel = "model_not_found", 404, "invalid_request_error";
    /// No such receipt or path.
    NotFound = "not_found", 404, "invalid_request_error";
    /// The method isn't for this path.
    MethodNotAllowed = "method_not_allowed", 405, "invalid_request_error";
    /// The header is past its expiry, or its lifetime is longer than allowed.
    Expired = "request_expired", 400, "invalid_request_error";
    /// Issued before the node's last restart, whose memory of requests is gone: sign anew.
    IssuedBeforeRestart = "issued_before_restart", 400, "invalid_request_error";
    /// Issued in the future by more than the allowed skew.
    IssuedInFuture = "issued_in_future", 400, "invalid_request_error";
    /// The request id was seen before.
    Replayed = "request_replayed", 409, "invalid_request_error";
    /// The worst case doesn't fit `max_units`; names what would.
    MaxUnitsTooLow = "max_units_too_low", 402, "insufficient_quota";
    /// The lane's ceiling doesn't cover the worst case; names the ceiling needed.
    CeilingTooLow = "ceiling_too_low", 402, "insufficient_quota";
    /// The lease has too few units left; names how many.
    LeaseExhausted = "lease_exhausted", 402, "insufficient_quota";
    /// The grant is more than the node's free collateral stands for; names how many units more it takes.
    GrantTooLarge = "grant_too_large", 402, "insufficient_quota";
    /// The stack has expired or is closing.
    StackExpired = "stack_expired", 402, "insufficient_quota";
    /// The key's budget is spent (gateway).
    BudgetExceeded = "insufficient_quota", 402, "insufficient_quota";
    /// The prompt and the asked output don't fit the model's context.
    ContextTooLong = "context_length_exceeded", 400, "invalid_request_error";
    /// The body is larger than the limit.
    BodyTooLarge = "body_too_large", 413, "invalid_request_error";
    /// The body didn't arrive in time.
    BodyTimeout = "body_timeout", 408, "invalid_request_error";
    /// More lanes on one stack than a settlement can carry.
    TooManyLanes = "too_many_lanes", 400, "invalid_request_error";
    /// The header names a blob that isn't this request, signed by the same key.
    EvidenceInvalid = "evidence_invalid", 400, "invalid_request_error";
    /// Evidence that the request or the question needs can't be had or kept here and now.
    EvidenceUnavailable = "evidence_unavailable", 503, "server_error";
    /// The node's evidence log is full: Walrus doesn't take what it holds.
    EvidenceFull = "evidence_full", 503, "server_error";
    /// The task is confidential, and the request isn't sealed.
    NotSealed = "not_sealed", 400, "invalid_request_error";
    /// The node opens no sealed requests, or not in this task.
    SealedUnsupported = "sealed_unsupported", 400, "invalid_request_error";
    /// The sealed request isn't of the one form that it can have.
    SealedForm = "sealed_form", 400, "invalid_request_error";
    /// A request is sealed to one to four nodes, each once.
    SealedRecipients = "sealed_recipients", 400, "invalid_request_error";
    /// The text is longer than a sealed message may be.
    SealedTooLong = "sealed_too_long", 413, "invalid_request_error";
    /// Sealed for another network.
    SealedNetwork = "sealed_network", 400, "invalid_request_error";
    /// Not sealed to this node.
    SealedRecipient = "sealed_recipient", 400, "invalid_request_error";
    /// Sealed to a key that this node doesn't hold: it has restarted, or isn't the one that was attested.
    SealingKeyUnknown = "sealing_key_unknown", 400, "invalid_request_error";
    /// Sealed before its key counted.
    SealingKeyEarly = "sealing_key_early", 400, "invalid_request_error";
    /// Sealed after its key's end.
    SealingKeyEnded = "sealing_key_ended", 400, "invalid_request_error";
    /// The wrapped key is of another request, for another key, or was changed.
    WrappedKey = "wrapped_key", 400, "invalid_request_error";
    /// The wrapped key isn't the one that the head commits to.
    ContentKey = "content_key", 400, "invalid_request_error";
    /// The signed header asks for something else than the sealed request.
    SealedHeader = "sealed_header", 400, "invalid_request_error";
    /// The sealed request would live longer than requests may, or ends before it begins.
    SealedLifetime = "sealed_lifetime", 400, "invalid_request_error";
    /// The sealed request has expired.
    SealedExpired = "sealed_expired", 400, "invalid_request_error";
    /// The sealed request is of a later time.
    SealedFuture = "sealed_future", 400, "invalid_request_error";
    /// The sealed request is older than what the node remembers.
    SealedBeforeStart = "sealed_before_start", 400, "invalid_request_error";
    /// The sealed request was opened before.
    SealedReplayed = "sealed_replayed", 409, "invalid_request_error";
    /// More sealed requests than can be remembered came at once.
    SealedWindowFull = "sealed_window_full", 429, "rate_limit_error";
    /// A frame's length is none that it can have.
    FrameLength = "frame_length", 400, "invalid_request_error";
    /// A frame is of a kind that doesn't belong there.
    FrameKind = "frame_kind", 400, "invalid_request_error";
    /// A frame is missing, or came too early.
    FrameMissing = "frame_missing", 400, "invalid_request_error";
    /// A frame came again, or too late.
    FrameRepeated = "frame_repeated", 400, "invalid_request_error";
    /// A frame was changed, or is of another message.
    FrameForged = "frame_forged", 400, "invalid_request_error";
    /// The sealed request ends before its last frame.
    SealedTruncated = "sealed_truncated", 400, "invalid_request_error";
    /// Something stands behind the sealed request's end.
    SealedAfterEnd = "sealed_after_end", 400, "invalid_request_error";
    /// The text isn't padded in the one way that it can be.
    SealedPadding = "sealed_padding", 400, "invalid_request_error";
    /// Question and answer may be longer together than a record of them can be on Walrus, and the task is examined.
    EvidenceTooLong = "evidence_too_long", 413, "invalid_request_error";
    /// Too much work at once; try again.
    Overloaded = "overloaded", 429, "rate_limit_error";
    /// Too much work at once, and the request was passed on once already: it isn't passed on again.
    SecondHop = "second_hop", 429, "rate_limit_error";
    /// No node or engine can serve this now.
    Unavailable = "unavailable", 503, "server_error";
    /// Something broke on this side.
    Internal = "internal", 500, "server_error";
}

impl std::fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal with its explanation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// Why it was refused, for programs.
    pub code: RefusalCode,
    /// What to do about it, for a person.
    pub message: String,
    /// The field that is wrong, where it is one.
    pub param: Option<String>,
    /// The number that would have fit, where there is one (units, bytes, tokens).
    pub needed: Option<u64>,
}

impl Refusal {
    /// A refusal with a message.
    #[must_use]
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            param: None,
            needed: None,
        }
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Names the number that would have fit.
    #[must_use]
    pub fn needed(mut self, needed: u64) -> Self {
        self.needed = Some(needed);
        self
    }

    /// OpenAI's error object:
    /// `{"error":{"message","type","param","code","needed"?}}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let body = ErrorBody {
            error: ErrorObject {
                message: self.message.clone(),
                kind: self.code.kind().to_owned(),
                param: self.param.clone(),
                code: Some(self.code.as_str().to_owned()),
                needed: self.needed,
            },
        };
        // a struct of strings and numbers always serialises
        serde_json::to_string(&body).expect("a struct of texts and numbers is JSON")
    }
}

/// OpenAI's error body, as sent and as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What OpenAI's clients look for in an error's body.
    pub error: ErrorObject,
}

/// What is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorObject {
    /// What went wrong, in a sentence for a person.
    pub message: String,
    /// OpenAI's class of error.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The field that is wrong.
    #[serde(default)]
    pub param: Option<String>,
    /// The refusal's stable code, for programs.
    #[serde(default)]
    pub code: Option<String>,
    /// The number that would have fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique() {
        let codes: BTreeSet<_> = RefusalCode::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(codes.len(), RefusalCode::ALL.len());
    }

    #[test]
    fn shaped_as_openai_shapes_it() {
        let refusal = Refusal::new(RefusalCode::CeilingTooLow, "sign a ceiling of 42").needed(42);
        assert_eq!(
            refusal.to_json(),
            r#"{"error":{"message":"sign a ceiling of 42","type":"insufficient_quota","param":null,"code":"ceiling_too_low","needed":42}}"#
        );
    }
}
