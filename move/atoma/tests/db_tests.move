/// Rights to other databases. The ledger lets nobody pass another's right; one's own may be for another database.
#[test_only]
module atoma::db_tests;

use atoma::db;
use atoma::node;
use atoma::world;

#[test, expected_failure(abort_code = db::EWrongDatabase)]
fun a_right_to_another_database_sets_nothing() {
    let (mut s, mut db, _cap, _clock) = world::begin();
    let cap = db::foreign_cap_for_testing(s.ctx());
    db.set_param(&cap, b"paused".to_string(), 1);
    abort
}

#[test, expected_failure(abort_code = db::EWrongDatabase)]
fun a_right_to_another_database_takes_no_floors_away() {
    let (mut s, mut db, _cap, _clock) = world::begin();
    let cap = db::foreign_cap_for_testing(s.ctx());
    db.set_development(&cap);
    abort
}

#[test, expected_failure(abort_code = db::EWrongDatabase)]
fun a_right_to_another_database_announces_nothing() {
    let (mut s, mut db, _cap, clock) = world::begin();
    let cap = db::foreign_cap_for_testing(s.ctx());
    db.announce(&cap, &clock);
    abort
}

#[test, expected_failure(abort_code = db::EWrongDatabase)]
fun a_right_to_another_database_pardons_nobody() {
    let (mut s, db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    let cap = db::foreign_cap_for_testing(s.ctx());
    node::pardon(&db, &cap, &mut node, 1, &clock);
    abort
}
