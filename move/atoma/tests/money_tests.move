#[test_only]
module atoma::money_tests;

use atoma::money;

const MAX: u64 = 18_446_744_073_709_551_615;

#[test]
fun floors() {
    assert!(money::cost(333_333, 3) == 0 && money::cost(333_334, 3) == 1);
    assert!(money::cost(MAX, 1_000_000) == MAX && money::escrow(MAX, 1_000_000) == MAX);
    // what is between costs a micro more or less than as many from the beginning
    assert!(money::value(333_333, 666_667, 3) == 2 && money::value(0, 333_334, 3) == 1);
    assert!(money::permille(999, 1) == 0 && money::permille(1_000, 1) == 1);
    assert!(money::saturating_add(MAX, 1) == MAX && money::saturating_sub(0, MAX) == 0);
    assert!(money::saturating_times(MAX, 2) == MAX && money::saturating_times(3, 4) == 12);
    assert!(money::add(MAX, 0) == MAX && money::sub(MAX, MAX) == 0 && money::times(MAX, 1) == MAX);
}

#[test]
fun a_share_is_never_what_was_paid() {
    assert!(money::share(100, 1, 3, 1_000) == 1 && money::share(100, 40, 100, 900) == 36);
    assert!(money::share(10, 40, 100, 900) == 4 && money::share(10, 0, 0, 900) == 0);
    assert!(money::share(MAX, MAX, MAX, 999) == 18_428_297_329_635_842_063);
}

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_sum_too_large() { money::add(MAX, 1); }

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_difference_below_nothing() { money::sub(0, 1); }

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_product_too_large() { money::times(MAX, 2); }

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_cost_too_large() { money::cost(MAX, 1_000_001); }

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun a_share_too_large() { money::permille(MAX, 1_001); }

#[test, expected_failure(abort_code = money::EEscrowOverflow)]
fun an_escrow_too_large() { money::escrow(MAX, 1_000_001); }
