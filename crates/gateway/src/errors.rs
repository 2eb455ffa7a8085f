//! Whose fault a node's refusal is, and what the gateway does about it.
//!
//! A node speaks to the gateway, which holds stack, lease and signature; the user holds only an API
//! key. So what a node says about the body is passed on as it is, and what it says about money and
//! signatures is the gateway's to mend.

use atoma_types::refusal::{ErrorBody, Refusal, RefusalCode};

/// What follows from a node's refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The user's own fault: the answer goes on as it came.
    PassOn,
    /// The request may need this many units: allow them, at the same node.
    MoreUnits(u64),
    /// The lease is used up: get more units at this node.
    Relet,
    /// The stack has ended: take a new one.
    NewStack,
    /// It has too much to do: take another node.
    Busy,
    /// It can't or won't, whatever the reason: take another node.
    Elsewhere,
}

/// Reads a node's refusal from its status and body.
pub(crate) fn remedy(status: u16, body: &[u8]) -> Remedy {
    let error = serde_json::from_slice::<ErrorBody>(body).map(|body| body.error);
    let code = error.as_ref().ok().and_then(|error| {
        let code = error.code.as_deref()?;
        RefusalCode::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == code)
    });
    match code {
        Some(code) if code.status() == status => {
            of_code(code, error.ok().and_then(|error| error.needed))
        }
        // not in our words: a proxy before the node, or another version of it
        _ if status == 429 => Remedy::Busy,
        _ => Remedy::Elsewhere,
    }
}

fn of_code(code: RefusalCode, needed: Option<u64>) -> Remedy {
    use RefusalCode as Code;
    match code {
        Code::InvalidBody | Code::ContextTooLong | Code::BodyTooLarge => Remedy::PassOn,
        Code::MaxUnitsTooLow => needed.map_or(Remedy::Elsewhere, Remedy::MoreUnits),
        Code::LeaseExhausted => Remedy::Relet,
        Code::StackExpired => Remedy::NewStack,
        Code::Overloaded => Remedy::Busy,
        // what the client signed is wrong in this node's eyes, even after it has signed anew where
        // that helps (a higher ceiling, a restarted node): perhaps not in another's
        _ => Remedy::Elsewhere,
    }
}

/// What the user hears when no node was left to try.
pub(crate) fn exhausted(all_busy: bool) -> Refusal {
    if all_busy {
        Refusal::new(
            RefusalCode::Overloaded,
            "every node is at its limit: try again in a moment",
        )
    } else {
        Refusal::new(
            RefusalCode::Unavailable,
            "no node can serve this model now: try again later",
        )
    }
}

/// `/v1` knows no such model.
pub(crate) fn unknown_model(model: &str) -> Refusal {
    // enough to recognise a name, and no more of what may be anything
    const SHOWN: usize = 100;
    let name: String = model.chars().take(SHOWN).collect();
    let message = format!("the model `{name}` does not exist here: see /v1/models");
    Refusal::new(RefusalCode::UnknownModel, message).param("model")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(refusal: &Refusal) -> Remedy {
        remedy(refusal.code.status(), refusal.to_json().as_bytes())
    }

    #[test]
    fn each_to_its_own() {
        let refusal = |code| Refusal::new(code, "because");
        for code in RefusalCode::ALL {
            let remedy = of(&refusal(*code));
            // only what is about the body reaches the user
            let about_body = ["invalid_body", "context_length_exceeded", "body_too_large"];
            assert_eq!(
                remedy == Remedy::PassOn,
                about_body.contains(&code.as_str()),
                "{code}"
            );
        }
        let more = refusal(RefusalCode::MaxUnitsTooLow);
        assert_eq!(of(&more), Remedy::Elsewhere);
        assert_eq!(of(&more.needed(42)), Remedy::MoreUnits(42));
        assert_eq!(
            of(&refusal(RefusalCode::LeaseExhausted).needed(42)),
            Remedy::Relet
        );
        assert_eq!(of(&refusal(RefusalCode::Overloaded)), Remedy::Busy);
    }

    #[test]
    fn strangers_are_never_passed_on() {
        assert_eq!(remedy(429, b"slow down"), Remedy::Busy);
        for (status, body) in [
            (400, &b"<html>bad gateway</html>"[..]),
            (200, b""),
            (502, b"{}"),
            (
                400,
                br#"{"error":{"message":"m","type":"t","code":"new_code"}}"#,
            ),
            // a known code under a status that isn't its own
            (
                500,
                br#"{"error":{"message":"m","type":"t","code":"invalid_body"}}"#,
            ),
        ] {
            assert_eq!(remedy(status, body), Remedy::Elsewhere, "{status}");
        }
    }

    #[test]
    fn long_names_are_cut() {
        let refusal = unknown_model(&"ü".repeat(5_000));
        assert!(refusal.message.len() < 400);
        assert_eq!(refusal.param.as_deref(), Some("model"));
    }
}
