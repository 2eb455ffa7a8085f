//! From HTTP headers to a signed request that may be served. Pure: each check has its own code, the cheap
//! ones come first, and none changes anything.

use crate::{account::SignedRequest, config::MAX_CLOCK_SKEW_MS, identity::Identity, lease::Lease};
use atoma_types::{
    DurationMs, TimestampMs,
    hash::Hash32,
    http::{REQUEST, SALT, SIGNATURE},
    message::{Endpoint, MAX_REQUEST_LIFETIME, MessageSignature, RequestHeader, Salt, Signed},
    refusal::{Refusal, RefusalCode},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;

/// Base64 of the longest request header (260 bytes) and of the longest signature (226) is shorter.
const MAX_HEADER_TEXT: usize = 512;

/// Decodes the two headers. The signature isn't checked yet: the key depends on the stack.
pub(crate) fn read_signed(headers: &HeaderMap) -> Result<SignedRequest, Refusal> {
    let bytes = decode(headers, REQUEST)?;
    let signature = decode(headers, SIGNATURE)?;
    let signature = MessageSignature::try_from(signature.as_slice()).map_err(|_| {
        invalid(format!(
            "{SIGNATURE} is neither 64 bytes nor a batch's signature"
        ))
    })?;
    let signed = Signed::<RequestHeader>::decode(bytes, signature)
        .map_err(|error| invalid(format!("{REQUEST}: {error}")))?;
    Ok(Arc::new(signed))
}

/// The salt under which the header commits to the body, and the receipt will to the answer. What is wrong
/// with one isn't shown.
pub(crate) fn read_salt(headers: &HeaderMap) -> Result<Salt, Refusal> {
    let text = header(headers, SALT)?.to_str().unwrap_or_default();
    text.parse()
        .map_err(|error| invalid(format!("{SALT}: {error}")))
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a HeaderValue, Refusal> {
    headers.get(name).ok_or_else(|| {
        let message = format!("the request has no `{name}` header");
        Refusal::new(RefusalCode::MissingHeader, message)
    })
}

fn decode(headers: &HeaderMap, name: &'static str) -> Result<Vec<u8>, Refusal> {
    let value = header(headers, name)?;
    if value.len() > MAX_HEADER_TEXT {
        return Err(invalid(format!("{name} is too long")));
    }
    BASE64_STANDARD
        .decode(value.as_bytes().trim_ascii())
        .map_err(|error| invalid(format!("{name} is not base64: {error}")))
}

fn invalid(message: String) -> Refusal {
    Refusal::new(RefusalCode::InvalidHeader, message)
}

/// What can be said before the stack is known.
pub(crate) fn check_addressee(request: &RequestHeader, us: &Identity) -> Result<(), Refusal> {
    let refuse = |code, message| Err(Refusal::new(code, message));
    if request.network != us.network {
        return refuse(
            RefusalCode::WrongNetwork,
            "the request is signed for another network",
        );
    }
    if request.node != us.node {
        return refuse(
            RefusalCode::WrongNode,
            "the request is signed for another node",
        );
    }
    Ok(())
}

/// What can be said before the body is read: signature, task, endpoint and time.
pub(crate) fn check_request(
    request: &SignedRequest,
    lease: &Lease,
    endpoint: Endpoint,
    started_at: TimestampMs,
    now: TimestampMs,
) -> Result<(), Refusal> {
    let refuse = |code, message: &str| Err(Refusal::new(code, message));
    if request.verify(&lease.verifier).is_err() {
        let message = "the signature does not fit the header under the stack's request key";
        return refuse(RefusalCode::BadSignature, message);
    }
    let header = request.message();
    if header.task != lease.task {
        return refuse(
            RefusalCode::WrongTask,
            "the stack was bought for another task",
        );
    }
    if header.endpoint != endpoint {
        return refuse(
            RefusalCode::WrongEndpoint,
            "the request is signed for another endpoint",
        );
    }
    check_times(header, started_at, now)
}

fn check_times(
    header: &RequestHeader,
    started_at: TimestampMs,
    now: TimestampMs,
) -> Result<(), Refusal> {
    let (issued, expires) = (header.issued_at_ms, header.expires_at_ms);
    let refuse = |code, message: String| Err(Refusal::new(code, message));
    if expires <= now {
        return refuse(RefusalCode::Expired, "the request has expired".to_owned());
    }
    if expires < issued || expires.since(issued) > MAX_REQUEST_LIFETIME {
        let message = format!("a request may live at most {MAX_REQUEST_LIFETIME}");
        return refuse(RefusalCode::Expired, message);
    }
    if issued > now.saturating_add(DurationMs(MAX_CLOCK_SKEW_MS)) {
        let message = "the request was issued in the future; set the clock".to_owned();
        return refuse(RefusalCode::IssuedInFuture, message);
    }
    if issued < started_at {
        let message = "the node has restarted since; sign the request anew".to_owned();
        return refuse(RefusalCode::IssuedBeforeRestart, message);
    }
    Ok(())
}

/// Whether the body is the one that was signed for.
pub(crate) fn check_body(request: &RequestHeader, body: Hash32) -> Result<(), Refusal> {
    if request.body_hash == body {
        return Ok(());
    }
    let message = "body and salt are not the ones that were signed";
    Err(Refusal::new(RefusalCode::BodyMismatch, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{account::Phase, journal::LeaseRecord};
    use atoma_keys::SigningKey;
    use atoma_types::{
        Address, ComputeUnits, NetworkId, NodeId, Price, RequestId, StackId, TaskId,
        message::{Domain, Origin},
    };
    use proptest::prelude::*;
    use tokio::time::Instant;

    const NOW: TimestampMs = TimestampMs(1_000_000);

    fn us() -> Identity {
        Identity {
            network: NetworkId([1; 32]),
            node: NodeId(Address::new([3; 32])),
            started_at: TimestampMs(900_000),
            started: Instant::now(),
            hold: DurationMs(0),
        }
    }

    fn header() -> RequestHeader {
        RequestHeader {
            domain: Domain::default(),
            network: us().network,
            stack: StackId(Address::new([2; 32])),
            node: us().node,
            task: TaskId(Address::new([4; 32])),
            request_id: RequestId([5; 16]),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::of(b"body"),
            lane: 0,
            ceiling: ComputeUnits(100),
            max_units: ComputeUnits(100),
            issued_at_ms: TimestampMs(990_000),
            expires_at_ms: TimestampMs(1_050_000),
            origin: Origin::Own,
        }
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(&[8; 32])
    }

    fn lease() -> Lease {
        let record = LeaseRecord {
            stack: header().stack,
            task: header().task,
            owner: Address::new([6; 32]),
            request_key: key().public_key(),
            units: ComputeUnits(1_000),
            price: Price(1),
            expires_at: TimestampMs(2_000_000),
            settle_grace: DurationMs(1_000),
            closing: false,
            phase: Phase::Open,
            base: crate::account::Position::default(),
        };
        Lease::new(&record, NOW).unwrap()
    }

    fn verdict(header: RequestHeader, key: &SigningKey) -> Option<RefusalCode> {
        let request = Arc::new(Signed::new(header, key));
        check_addressee(request.message(), &us())
            .and_then(|()| {
                let endpoint = Endpoint::ChatCompletions;
                check_request(&request, &lease(), endpoint, us().started_at, NOW)
            })
            .and_then(|()| check_body(request.message(), Hash32::of(b"body")))
            .err()
            .map(|refusal| refusal.code)
    }

    #[test]
    fn each_fault_has_its_code() {
        use RefusalCode as Code;
        assert_eq!(verdict(header(), &key()), None);
        let foreign = SigningKey::from_seed(&[9; 32]);
        assert_eq!(verdict(header(), &foreign), Some(Code::BadSignature));
        let times = |issued, expires| RequestHeader {
            issued_at_ms: TimestampMs(issued),
            expires_at_ms: TimestampMs(expires),
            ..header()
        };
        let other = Address::new([99; 32]);
        let cases = [
            (
                RequestHeader {
                    network: NetworkId([9; 32]),
                    ..header()
                },
                Code::WrongNetwork,
            ),
            (
                RequestHeader {
                    node: NodeId(other),
                    ..header()
                },
                Code::WrongNode,
            ),
            (
                RequestHeader {
                    task: TaskId(other),
                    ..header()
                },
                Code::WrongTask,
            ),
            (
                RequestHeader {
                    endpoint: Endpoint::Embeddings,
                    ..header()
                },
                Code::WrongEndpoint,
            ),
            (
                RequestHeader {
                    body_hash: Hash32::ZERO,
                    ..header()
                },
                Code::BodyMismatch,
            ),
            (times(950_000, 1_000_000), Code::Expired),
            (times(990_000, 990_000 + 120_001), Code::Expired),
            (times(1_040_000, 1_039_999), Code::Expired),
            (times(1_030_001, 1_040_000), Code::IssuedInFuture),
            (times(899_999, 1_000_001), Code::IssuedBeforeRestart),
        ];
        for (header, code) in cases {
            assert_eq!(verdict(header, &key()), Some(code), "{code}");
        }
    }

    fn headers(request: &[u8], signature: &[u8]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, bytes) in [(REQUEST, request), (SIGNATURE, signature)] {
            let text = BASE64_STANDARD.encode(bytes);
            map.insert(name, HeaderValue::from_str(&text).unwrap());
        }
        map
    }

    #[test]
    fn headers_are_read_whole_or_not_at_all() {
        let signed = Signed::new(header(), &key());
        let (bytes, signature) = (signed.bytes(), signed.signature().to_bytes());
        assert_eq!(*read_signed(&headers(bytes, &signature)).unwrap(), signed);
        let code = |map: &HeaderMap| read_signed(map).unwrap_err().code;
        assert_eq!(code(&HeaderMap::new()), RefusalCode::MissingHeader);
        for length in 0..bytes.len() {
            assert_eq!(
                code(&headers(&bytes[..length], &signature)),
                RefusalCode::InvalidHeader
            );
        }
        assert_eq!(
            code(&headers(bytes, &signature[..63])),
            RefusalCode::InvalidHeader
        );
        let mut map = headers(bytes, &signature);
        map.insert(REQUEST, HeaderValue::from_static("%%%"));
        assert_eq!(code(&map), RefusalCode::InvalidHeader);
    }

    #[test]
    fn a_salt_is_asked_for_and_a_bad_one_is_not_told() {
        let mut map = HeaderMap::new();
        assert_eq!(
            read_salt(&map).unwrap_err().code,
            RefusalCode::MissingHeader
        );
        let salt = Salt::new([7; 32]);
        let text = salt.to_text();
        map.insert(SALT, HeaderValue::from_str(&text).unwrap());
        assert_eq!(read_salt(&map).unwrap().reveal(), salt.reveal());
        map.insert(SALT, HeaderValue::from_str(&text[1..]).unwrap());
        let refusal = read_salt(&map).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::InvalidHeader);
        assert!(
            !refusal.message.contains(&text[1..9]),
            "{}",
            refusal.message
        );
    }

    proptest! {
        #[test]
        fn random_headers_never_pass(
            request in prop::collection::vec(any::<u8>(), 0..300),
            signature in prop::collection::vec(any::<u8>(), 60..68),
        ) {
            prop_assert!(read_signed(&headers(&request, &signature)).is_err());
        }
    }
}
