//! What the node says of a sealed request that it doesn't open.

use atoma_channel::{Fault, replay::AdmitError};
use atoma_store::WriteError;
use atoma_types::refusal::{Refusal, RefusalCode};

/// A fault under its own code. One that only a client can find has none.
pub(super) fn refusal(fault: Fault) -> Refusal {
    let mut codes = RefusalCode::ALL.iter().copied();
    let code = codes.find(|code| code.as_str() == fault.code());
    Refusal::new(code.unwrap_or(RefusalCode::Internal), fault.to_string())
}

/// Why a request isn't admitted.
pub(super) fn not_admitted(error: &AdmitError<WriteError>) -> Refusal {
    match error {
        AdmitError::Fault(fault) => refusal(*fault),
        AdmitError::Store(_) => {
            let message = "the node cannot tell whether the request was opened before: seal anew";
            Refusal::new(RefusalCode::Unavailable, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_found_before_a_request_is_opened_has_a_code_of_its_own() {
        let faults = [
            Fault::RequestForm,
            Fault::Recipients,
            Fault::TooLong,
            Fault::Network,
            Fault::Recipient,
            Fault::KeyUnknown,
            Fault::KeyEarly,
            Fault::KeyEnded,
            Fault::WrappedKey,
            Fault::ContentKey,
            Fault::Header,
            Fault::Lifetime,
            Fault::Expired,
            Fault::Future,
            Fault::BeforeStart,
            Fault::Replayed,
            Fault::WindowFull,
            Fault::FrameLength,
            Fault::FrameKind,
            Fault::FrameMissing,
            Fault::FrameRepeated,
            Fault::FrameForged,
            Fault::Truncated,
            Fault::AfterEnd,
            Fault::Padding,
            Fault::NotSealed,
        ];
        for fault in faults {
            assert_eq!(refusal(fault).code.as_str(), fault.code());
        }
        assert_eq!(refusal(Fault::AnswerKey).code, RefusalCode::Internal);
    }
}
