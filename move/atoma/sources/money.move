/// Money is micro-USDC in `u64`. Products go through `u128`, every division is a floor unless it says
/// otherwise, and nothing wraps: a sum that doesn't fit has an abort of its own.
module atoma::money;

use sui::balance::Balance;
use usdc::usdc::USDC;

/// The sum is more money than there can be.
const EAmountOverflow: u64 = 3;
/// Units times price is more money than there can be.
const EEscrowOverflow: u64 = 408;

/// Prices are per this many compute units.
const UNITS_PER_PRICE: u128 = 1_000_000;
/// Shares are in thousandths.
const PERMILLE: u128 = 1_000;
const MAX_U64: u128 = 18_446_744_073_709_551_615;

/// `a + b`.
public(package) fun add(a: u64, b: u64): u64 {
    let sum = (a as u128) + (b as u128);
    assert!(sum <= MAX_U64, EAmountOverflow);
    sum as u64
}

/// `a - b`.
public(package) fun sub(a: u64, b: u64): u64 {
    assert!(a >= b, EAmountOverflow);
    a - b
}

/// `a + b`, at most the largest number.
public(package) fun saturating_add(a: u64, b: u64): u64 {
    let sum = (a as u128) + (b as u128);
    sum.min(MAX_U64) as u64
}

/// `a - b`, at least zero.
public(package) fun saturating_sub(a: u64, b: u64): u64 {
    if (a > b) a - b else 0
}

/// `floor(units * price / 1_000_000)`.
public(package) fun cost(units: u64, price: u64): u64 {
    let cost = wide_cost(units, price);
    assert!(cost <= MAX_U64, EAmountOverflow);
    cost as u64
}

/// What a stack must hold for units that may cost this much:
/// `floor(cost * (1000 + surcharge_permille) / 1000)`.
public(package) fun escrow(units: u64, price: u64, surcharge_permille: u64): u64 {
    let cost = wide_cost(units, price);
    assert!(cost <= MAX_U64, EEscrowOverflow);
    let escrow = cost * (PERMILLE + (surcharge_permille as u128)) / PERMILLE;
    assert!(escrow <= MAX_U64, EEscrowOverflow);
    escrow as u64
}

/// `floor(amount * permille / 1000)`.
public(package) fun permille(amount: u64, permille: u64): u64 {
    let share = (amount as u128) * (permille as u128) / PERMILLE;
    assert!(share <= MAX_U64, EAmountOverflow);
    share as u64
}

/// `ceil(amount * permille / 1000)`, at most the amount: what a guilty party loses of it.
public(package) fun permille_up(amount: u64, permille: u64): u64 {
    let share = ((amount as u128) * (permille as u128)).divide_and_round_up(PERMILLE);
    share.min(amount as u128) as u64
}

/// `floor(pool * units / all)`; `units` are part of `all`, which isn't zero.
public(package) fun part(pool: u64, units: u64, all: u64): u64 {
    ((pool as u128) * (units as u128) / (all as u128)) as u64
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

/// Pays money out as a coin; nothing is paid by no coin.
public(package) fun pay(money: Balance<USDC>, to: address, ctx: &mut TxContext) {
    if (money.value() == 0) {
        money.destroy_zero();
    } else {
        transfer::public_transfer(money.into_coin(ctx), to);
    }
}

fun wide_cost(units: u64, price: u64): u128 {
    (units as u128) * (price as u128) / UNITS_PER_PRICE
}
