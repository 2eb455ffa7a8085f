#[test_only]
module atoma::money_tests;

use atoma::money;

const MAX: u64 = 18_446_744_073_709_551_615;

#[test]
fun floors_and_ceilings() {
    assert!(money::cost(333_333, 3) == 0 && money::cost(333_334, 3) == 1);
    assert!(money::cost(MAX, 1_000_000) == MAX);
    // rounded down twice
    assert!(money::escrow(334_000, 3, 999) == 1 && money::escrow(334_000, 3, 1_000) == 2);
    assert!(money::escrow(MAX, 1_000_000, 0) == MAX);
    assert!(money::permille(999, 1) == 0 && money::permille(1_000, 1) == 1);
    assert!(money::permille_up(999, 1) == 1 && money::permille_up(999, 0) == 0);
    assert!(money::permille_up(0, 1_000) == 0 && money::permille_up(7, 1_001) == 7);
    assert!(money::permille_up(MAX, MAX) == MAX);
    assert!(money::part(100, 1, 3) == 33 && money::part(MAX, MAX, MAX) == MAX);
    assert!(money::saturating_add(MAX, 1) == MAX && money::saturating_sub(0, MAX) == 0);
    assert!(money::add(MAX, 0) == MAX && money::sub(MAX, MAX) == 0);
}

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_sum_too_large() { money::add(MAX, 1); }

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_difference_below_nothing() { money::sub(0, 1); }

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_cost_too_large() { money::cost(MAX, 1_000_001); }

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_share_too_large() { money::permille(MAX, 1_001); }

#[test, expected_failure(abort_code = money::EEscrowOverflow)]
fun an_escrow_too_large() { money::escrow(MAX, 1_000_000, 1); }

#[test, expected_failure(abort_code = money::EEscrowOverflow)]
fun an_escrow_of_a_cost_too_large() { money::escrow(MAX, MAX, 0); }
