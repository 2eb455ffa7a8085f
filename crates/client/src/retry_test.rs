use super::*;
use atoma_types::refusal::Refusal;

const UNITS: UnitBounds = UnitBounds {
    signed: ComputeUnits(10),
    most: ComputeUnits(50),
};

fn refused(code: RefusalCode, needed: Option<u64>) -> Failure {
    let mut refusal = Refusal::new(code, "because");
    refusal.needed = needed;
    let (status, body) = (code.status(), refusal.to_json());
    Failure::Refused(NodeRefusal::read(status, body.as_bytes()))
}

/// The whole table, in the refusals' own order: what a direct client does first, what a gateway does.
#[test]
fn every_refusal_has_its_remedy_for_both_callers() {
    use Decision::{Again, PassOn};
    let elsewhere = Decision::Elsewhere { busy: false };
    let busy = Decision::Elsewhere { busy: true };
    let units = Again(Mend::RaiseUnits(ComputeUnits(42)));
    let ceiling = Again(Mend::RaiseCeiling(ComputeUnits(42)));
    let anew = Again(Mend::SignAnew);
    let table = [
        ("invalid_body", PassOn, PassOn),
        ("invalid_header", PassOn, elsewhere),
        ("missing_header", PassOn, elsewhere),
        ("bad_signature", PassOn, elsewhere),
        ("invalid_api_key", PassOn, elsewhere),
        ("wrong_network", PassOn, elsewhere),
        ("wrong_node", PassOn, elsewhere),
        ("wrong_task", PassOn, elsewhere),
        ("wrong_endpoint", PassOn, elsewhere),
        ("body_mismatch", PassOn, elsewhere),
        ("unknown_stack", PassOn, Again(Mend::NewStack)),
        ("model_not_found", PassOn, elsewhere),
        ("not_found", PassOn, elsewhere),
        ("method_not_allowed", PassOn, elsewhere),
        ("request_expired", PassOn, elsewhere),
        ("issued_before_restart", anew, anew),
        ("issued_in_future", PassOn, elsewhere),
        ("request_replayed", PassOn, elsewhere),
        ("max_units_too_low", units, units),
        ("ceiling_too_low", ceiling, ceiling),
        ("lease_exhausted", PassOn, Again(Mend::RenewLease)),
        ("grant_too_large", PassOn, elsewhere),
        ("stack_expired", PassOn, Again(Mend::NewStack)),
        ("insufficient_quota", PassOn, elsewhere),
        ("context_length_exceeded", PassOn, PassOn),
        ("body_too_large", PassOn, PassOn),
        ("body_timeout", PassOn, elsewhere),
        ("too_many_lanes", PassOn, elsewhere),
        ("evidence_invalid", PassOn, elsewhere),
        ("evidence_unavailable", PassOn, elsewhere),
        ("evidence_full", PassOn, elsewhere),
        ("not_sealed", PassOn, PassOn),
        ("sealed_unsupported", PassOn, elsewhere),
        ("sealed_form", PassOn, PassOn),
        ("sealed_recipients", PassOn, PassOn),
        ("sealed_too_long", PassOn, PassOn),
        ("sealed_network", PassOn, PassOn),
        ("sealed_recipient", PassOn, elsewhere),
        ("sealing_key_unknown", anew, anew),
        ("sealing_key_early", PassOn, elsewhere),
        ("sealing_key_ended", anew, anew),
        ("wrapped_key", PassOn, PassOn),
        ("content_key", PassOn, PassOn),
        ("sealed_header", PassOn, PassOn),
        ("sealed_lifetime", PassOn, PassOn),
        ("sealed_expired", PassOn, PassOn),
        ("sealed_future", PassOn, PassOn),
        ("sealed_before_start", anew, anew),
        ("sealed_replayed", PassOn, PassOn),
        ("sealed_window_full", PassOn, busy),
        ("frame_length", PassOn, PassOn),
        ("frame_kind", PassOn, PassOn),
        ("frame_missing", PassOn, PassOn),
        ("frame_repeated", PassOn, PassOn),
        ("frame_forged", PassOn, PassOn),
        ("sealed_truncated", PassOn, PassOn),
        ("sealed_after_end", PassOn, PassOn),
        ("sealed_padding", PassOn, PassOn),
        ("evidence_too_long", PassOn, PassOn),
        ("overloaded", PassOn, busy),
        ("second_hop", PassOn, busy),
        ("unavailable", PassOn, elsewhere),
        ("internal", PassOn, elsewhere),
    ];
    assert_eq!(table.len(), RefusalCode::ALL.len());
    for (code, (name, direct, routed)) in RefusalCode::ALL.iter().zip(table) {
        assert_eq!(code.as_str(), name);
        let failure = refused(*code, Some(42));
        assert_eq!(Retries::direct().after(failure, UNITS), direct, "{name}");
        assert_eq!(Retries::routed(3).after(failure, UNITS), routed, "{name}");
    }
}

#[test]
fn a_number_that_is_missing_or_out_of_bounds_is_not_signed() {
    let elsewhere = Decision::Elsewhere { busy: false };
    let code = RefusalCode::MaxUnitsTooLow;
    for needed in [None, Some(10), Some(51)] {
        let failure = refused(code, needed);
        assert_eq!(Retries::routed(1).after(failure, UNITS), elsewhere);
        assert_eq!(Retries::direct().after(failure, UNITS), Decision::PassOn);
    }
    let failure = refused(RefusalCode::CeilingTooLow, None);
    assert_eq!(Retries::routed(1).after(failure, UNITS), elsewhere);
}

#[test]
fn each_reason_counts_once_per_node_and_all_together_five_times() {
    let restart = refused(RefusalCode::IssuedBeforeRestart, None);
    let mut retries = Retries::routed(9);
    let mut tries = 0;
    while retries.begin_node() {
        tries += 1;
        while let Decision::Again(_) = retries.after(restart, UNITS) {
            tries += 1;
        }
    }
    assert_eq!(tries, 9 + MENDS_MAX);

    let reasons = [
        refused(RefusalCode::MaxUnitsTooLow, Some(42)),
        refused(RefusalCode::CeilingTooLow, Some(42)),
        restart,
        Failure::NoRoom,
        refused(RefusalCode::StackExpired, None),
    ];
    let again = |retries: &mut Retries| {
        let decisions = reasons.map(|reason| retries.after(reason, UNITS));
        let again = |decision: &&Decision| matches!(decision, Decision::Again(_));
        decisions.iter().filter(again).count()
    };
    let mut direct = Retries::direct();
    assert_eq!((again(&mut direct), again(&mut direct)), (3, 0));
    let mut routed = Retries::routed(2);
    assert_eq!((again(&mut routed), again(&mut routed)), (5, 0));
    assert!(routed.begin_node());
    assert_eq!(again(&mut routed), 0, "all are used up");
}

#[test]
fn what_is_not_in_our_words_is_never_passed_on() {
    let read = |status, body: &[u8]| NodeRefusal::read(status, body).remedy();
    assert_eq!(read(429, b"slow down"), Remedy::Busy);
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
        assert_eq!(read(status, body), Remedy::Elsewhere, "{status}");
    }
}
