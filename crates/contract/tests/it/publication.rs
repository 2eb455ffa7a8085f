//! What publishing the package makes: what a ledger with it is born with.

use crate::world::{ADMIN, NETWORK, address};
use atoma_contract::{Env, State};
use atoma_types::{
    TimestampMs,
    chain::{Deployment, Params},
};
use sui_sdk_types::Digest;

#[test]
fn publishing_makes_what_a_ledger_is_born_with() {
    let deployment = Deployment::localnet(NETWORK);
    let first = Params::default();
    let mut state = State::unpublished(&deployment, address(ADMIN), &first);
    let env = Env {
        sender: address(ADMIN),
        now: TimestampMs(1),
        network: NETWORK,
        transaction: Digest::new([7; 32]),
        created: 0,
        seed: [0; 32],
    };
    let changes = {
        let mut txn = state.begin(env);
        txn.publish(deployment.db);
        txn.finish()
    };
    assert!(changes.events.is_empty() && changes.payouts.is_empty());
    state.commit(changes);
    assert_eq!(state, State::genesis(&deployment, address(ADMIN), first));
}
