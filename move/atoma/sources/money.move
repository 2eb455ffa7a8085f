/// Money is micro-USDC in `u64`. Products go through `u128`, every division is a floor, and nothing wraps: a
/// sum that doesn't fit has an abort of its own.
module atoma::money;

use sui::balance::Balance;
use usdc::usdc::USDC;

/// The sum is more money than there can be.
const EAmountOverflow: u64 = 3;
/// There is no credit.
const ENothingToWithdraw: u64 = 6;
/// The payment is zero.
const ENothingAdded: u64 = 209;
/// Units times price is more money than there can be.
const EEscrowOverflow: u64 = 408;

/// Prices are per this many compute units.
const UNITS_PER_PRICE: u128 = 1_000_000;
/// Shares are in thousandths.
const PERMILLE: u128 = 1_000;
const MAX_U64: u128 = 18_446_744_073_709_551_615;

/// `a + b`.
public(package) fun add(a: u64, b: u64): u64 { narrow((a as u128) + (b as u128)) }

/// `a - b`.
public(package) fun sub(a: u64, b: u64): u64 {
    assert!(a >= b, EAmountOverflow);
    a - b
}

/// `a * b`.
public(package) fun times(a: u64, b: u64): u64 { narrow((a as u128) * (b as u128)) }

/// `a + b`, at most the largest number.
public(package) fun saturating_add(a: u64, b: u64): u64 {
    ((a as u128) + (b as u128)).min(MAX_U64) as u64
}

/// `a * b`, at most the largest number.
public(package) fun saturating_times(a: u64, b: u64): u64 {
    ((a as u128) * (b as u128)).min(MAX_U64) as u64
}

/// `a - b`, at least zero.
public(package) fun saturating_sub(a: u64, b: u64): u64 {
    if (a > b) a - b else 0
}

/// `floor(units * price / 1_000_000)`.
public(package) fun cost(units: u64, price: u64): u64 { narrow(wide_cost(units, price)) }

/// The same for a whole stack.
public(package) fun escrow(units: u64, price: u64): u64 {
    let cost = wide_cost(units, price);
    assert!(cost <= MAX_U64, EEscrowOverflow);
    cost as u64
}

/// What the units between cost.
public(package) fun value(from: u64, to: u64, price: u64): u64 {
    sub(cost(to, price), cost(from, price))
}

/// `floor(amount * permille / 1000)`.
public(package) fun permille(amount: u64, permille: u64): u64 {
    narrow((amount as u128) * (permille as u128) / PERMILLE)
}

/// The largest amount of which these thousandths are no more than a part: `floor((part * 1000 + 999) / permille)`.
public(package) fun stood_for(part: u64, permille: u64): u64 {
    let amount = ((part as u128) * PERMILLE + PERMILLE - 1) / (permille as u128);
    amount.min(MAX_U64) as u64
}

/// `min(floor(pool * fees / all), floor(fees * rebate / 1000))`: no cycle of one's own money gains.
public(package) fun share(pool: u64, fees: u64, all: u64, rebate_permille: u64): u64 {
    let part = (pool as u128) * (fees as u128) / (all.max(1) as u128);
    let rebate = (fees as u128) * (rebate_permille as u128) / PERMILLE;
    let least = part.min(rebate);
    if (least <= MAX_U64) least as u64 else 0
}

/// Adds money to a balance.
public(package) fun put(into: &mut Balance<USDC>, money: Balance<USDC>) {
    add(into.value(), money.value());
    into.join(money);
}

/// Takes money out of a balance.
public(package) fun take(from: &mut Balance<USDC>, amount: u64): Balance<USDC> {
    sub(from.value(), amount);
    from.split(amount)
}

/// Takes so much, or what there is.
public(package) fun take_up_to(from: &mut Balance<USDC>, amount: u64): Balance<USDC> {
    let there = from.value();
    from.split(amount.min(there))
}

/// Pays a whole credit out as a coin; says how much it was.
public(package) fun pay_out(
    credit: &mut Balance<USDC>,
    to: address,
    ctx: &mut TxContext,
): u64 {
    let amount = credit.value();
    assert!(amount > 0, ENothingToWithdraw);
    transfer::public_transfer(credit.withdraw_all().into_coin(ctx), to);
    amount
}

/// What is added must be some.
public(package) fun assert_added(amount: u64) {
    assert!(amount > 0, ENothingAdded);
}

fun narrow(amount: u128): u64 {
    assert!(amount <= MAX_U64, EAmountOverflow);
    amount as u64
}

fun wide_cost(units: u64, price: u64): u128 {
    (units as u128) * (price as u128) / UNITS_PER_PRICE
}
