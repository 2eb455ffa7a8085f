//! Names that travel in HTTP between user, gateway and node.

/// Request header: base64 of the BCS of a [`RequestHeader`](crate::message::RequestHeader).
pub const REQUEST: &str = "atoma-request";
/// Request header: base64 of the 64-byte signature over those bytes.
pub const SIGNATURE: &str = "atoma-signature";
/// Request header: base64 of the request's 32-byte [`Salt`](crate::message::Salt). Beside an answer of a
/// gateway the same, for its user to check the receipt with. It is for nobody else: whoever has it can check
/// guesses of request and answer.
pub const SALT: &str = "atoma-salt";
/// Response header of an answer that isn't streamed: a receipt in its text form
/// (see [`Signed::to_text`](crate::message::Signed::to_text)). Where the request was passed on, a space and the
/// second record follow: base64 of an [`EvidenceLeaf`](crate::message::EvidenceLeaf).
pub const RECEIPT: &str = "atoma-receipt";
/// A stream's receipt stands in an SSE comment line that begins so, just before `data: [DONE]`.
/// SSE clients skip comments, so every OpenAI client still works.
pub const RECEIPT_COMMENT: &str = ": atoma-receipt ";
/// Request header: `sealed`, the default, or `open` with an
/// [`OpenEvidence`](crate::message::OpenEvidence) in its text form after a space: whether the bodies
/// become evidence that only their parties can read, or everyone.
pub const EVIDENCE: &str = "atoma-evidence";
/// Request header of a question about a lease: a [`LeaseQuery`](crate::message::LeaseQuery) in its text
/// form.
pub const QUERY: &str = "atoma-query";
/// Request header, of any value, of whoever asks an operator's port to do something: a page in the
/// operator's browser can't send it, nor can a service that fetches other people's URLs.
pub const OPERATOR: &str = "atoma-operator";
/// Response header that names the request in logs and at `/v1/receipts/{id}`.
pub const REQUEST_ID: &str = "x-request-id";
