//! What must hold of the parsers that this crate keeps to itself, for whatever bytes users send. Each function
//! panics where something doesn't; the fuzz targets of `tests/fuzz` call them.

use crate::admission::read_signed;
use atoma_engine::{MAX_ANSWERS, Prompt, SamplingDefaults};
use atoma_openai::request;
use atoma_types::{
    http::{REQUEST, SIGNATURE},
    message::{RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue};

/// The body of a request for text. What is taken is within the limits of the API, and an engine takes it.
pub fn text_body(header: &Signed<RequestHeader>, body: &[u8]) {
    let Ok(asked) = request::read_signed(header, body, SamplingDefaults::default()) else {
        return;
    };
    assert!(
        (1..=MAX_ANSWERS).contains(&asked.server.answers),
        "{asked:?}"
    );
    assert!(asked.max_tokens != Some(0), "{asked:?}");
    assert!(asked.stop.iter().all(|stop| !stop.is_empty()), "{asked:?}");
    let engine_request = asked.engine_request(Prompt::Text(String::new()), 1);
    assert!(engine_request.sampling().validate().is_ok(), "{asked:?}");
}

/// The body of a request for vectors.
pub fn embedding_body(body: &[u8]) {
    if let Ok(asked) = request::embedding(body) {
        assert!(!asked.inputs.is_empty(), "{asked:?}");
    }
}

/// The two headers of a signed request, a line feed between them.
pub fn signed_headers(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in [REQUEST, SIGNATURE] {
        let line = lines.next().unwrap_or_default();
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.insert(name, value);
        }
    }
    if let Ok(signed) = read_signed(&headers) {
        let again = |name: &str, bytes: &[u8]| {
            let given = headers[name].as_bytes().trim_ascii();
            assert_eq!(BASE64_STANDARD.encode(bytes).as_bytes(), given);
        };
        again(REQUEST, signed.bytes());
        again(SIGNATURE, &signed.signature().to_bytes());
    }
}
