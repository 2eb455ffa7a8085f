use super::*;
use atoma_types::{
    Address,
    chain::{
        Verdict,
        events::{
            Challenged, DemandAnswered, JuryDecided, NodeConvicted, RecordDemanded, Revealed,
        },
    },
};

const STACK: StackId = StackId(Address::new([2; 32]));
const NODE: NodeId = NodeId(Address::new([3; 32]));
const OTHER: NodeId = NodeId(Address::new([4; 32]));
const TICKET: u64 = 7;
const BOND: MicroUsdc = MicroUsdc(5_000);
const FEE: MicroUsdc = MicroUsdc(100);

fn demanded(node: NodeId, unit: u64) -> Event {
    let event = RecordDemanded {
        stack: STACK,
        node,
        unit: ComputeUnits(unit),
        deadline_ms: TimestampMs(9),
    };
    event.into()
}

fn answered(unit: u64, seq: u64) -> Event {
    let event = DemandAnswered {
        stack: STACK,
        node: NODE,
        unit: ComputeUnits(unit),
        seq,
        record: Vec::new(),
        blob: None,
        bodies: Vec::new(),
    };
    event.into()
}

fn challenged(ticket: u64) -> Event {
    let event = Challenged {
        stack: STACK,
        node: NODE,
        ticket,
        bond: BOND,
        unit: Some(ComputeUnits(1)),
    };
    event.into()
}

fn revealed(challenge: bool) -> Event {
    let event = Revealed {
        stack: STACK,
        node: NODE,
        ticket: TICKET,
        challenge,
        juror: OTHER,
        verdict: Verdict::OK,
    };
    event.into()
}

fn decided(challenge: bool, outcome: Outcome) -> Event {
    let event = JuryDecided {
        stack: STACK,
        node: NODE,
        ticket: TICKET,
        challenge,
        outcome,
    };
    event.into()
}

fn convicted(charge: Charge) -> Event {
    let event = NodeConvicted {
        stack: STACK,
        node: NODE,
        charge,
        value: MicroUsdc(1),
        fine: MicroUsdc(10),
        jurors: MicroUsdc::ZERO,
        freed: MicroUsdc(1),
        kept: MicroUsdc::ZERO,
        collateral: MicroUsdc(1),
        until_ms: TimestampMs(9),
    };
    event.into()
}

/// How each that was brought ended.
fn ends(events: &[Event]) -> Vec<End> {
    let brought = Brought::all_of((1..).zip(events));
    brought.iter().map(|brought| brought.end).collect()
}

/// What came back of the one bond.
fn back(events: &[Event]) -> Option<u64> {
    let brought = Brought::all_of((1..).zip(events));
    brought[0].bond_back(FEE).map(|back| back.0)
}

#[test]
fn a_demand_ends_by_its_own_answer() {
    let events = [demanded(NODE, 5), demanded(NODE, 6), answered(6, 2)];
    assert_eq!(ends(&events), [End::Open, End::Answered(2)]);
    // asked once more, it is open once more
    let again = [demanded(NODE, 6), answered(6, 2), demanded(NODE, 6)];
    assert_eq!(ends(&again), [End::Answered(2), End::Open]);
}

#[test]
fn a_conviction_ends_all_that_is_open_about_the_lease_and_nothing_else() {
    let silence = convicted(Charge::Silence);
    let events = [
        demanded(NODE, 4),
        answered(4, 1),
        demanded(NODE, 5),
        challenged(TICKET),
        demanded(OTHER, 5),
        silence,
    ];
    let convicted = End::Convicted(Charge::Silence);
    let expected = [End::Answered(1), convicted, convicted, End::Open];
    assert_eq!(ends(&events), expected);
}

#[test]
fn a_bond_comes_back_as_the_jury_decided() {
    assert_eq!(back(&[challenged(TICKET)]), None);
    // the jury of an examination says nothing about it
    let examined = [challenged(TICKET), decided(false, Outcome::Acquitted)];
    assert_eq!(back(&examined), None);
    let lost = [challenged(TICKET), decided(true, Outcome::Acquitted)];
    assert_eq!(back(&lost), Some(0));
    let dissolved = [challenged(TICKET), decided(true, Outcome::Dissolved)];
    assert_eq!(back(&dissolved), Some(BOND.0));
    let won = [
        challenged(TICKET),
        decided(true, Outcome::Guilty),
        convicted(Charge::Challenged),
    ];
    assert_eq!(ends(&won), [End::Convicted(Charge::Challenged)]);
    assert_eq!(back(&won), Some(BOND.0));
    let hung = [
        challenged(TICKET),
        revealed(false),
        revealed(true),
        revealed(true),
        decided(true, Outcome::Hung),
    ];
    assert_eq!(ends(&hung), [End::Hung(2)]);
    assert_eq!(back(&hung), Some(BOND.0 - 2 * FEE.0));
}

#[test]
fn each_ticket_has_a_challenge_of_its_own() {
    let events = [
        challenged(TICKET - 1),
        challenged(TICKET),
        decided(true, Outcome::Acquitted),
    ];
    assert_eq!(ends(&events), [End::Open, End::Acquitted]);
    assert_eq!(Brought::all_of([]), []);
}
