//! How sure a count makes of a rate.

/// What lies outside an interval, on both sides together.
const OUTSIDE: f64 = 0.05;
/// Halvings of a search: more than a number of 64 bits has.
const HALVINGS: usize = 100;
/// Terms of a continued fraction: it has settled long before.
const TERMS: u32 = 500;

/// Between which rates the true one lies in 95 of 100 studies, if `hits` of `of` were seen: Clopper and Pearson's
/// interval, which is never too narrow.
#[must_use]
pub fn interval(hits: usize, of: usize) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (k, n) = (hits as f64, of as f64);
    let low = match hits {
        0 => 0.0,
        _ => rate_where(|p| beta(k, n - k + 1.0, p), OUTSIDE / 2.0),
    };
    let high = match hits == of {
        true => 1.0,
        false => rate_where(|p| beta(k + 1.0, n - k, p), 1.0 - OUTSIDE / 2.0),
    };
    (low, high)
}

/// The highest rate at which nothing is seen in so many tries, in one of twenty studies: three in the number of them,
/// roughly.
#[must_use]
pub fn most_if_none(of: usize) -> f64 {
    match of {
        0 => 1.0,
        _ => 1.0 - OUTSIDE.powf(1.0 / of as f64),
    }
}

/// Where a rising function of a rate has this value.
fn rate_where(rising: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        match rising(middle) < value {
            true => low = middle,
            false => high = middle,
        }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function.
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let front = (front + a * x.ln() + b * (1.0 - x).ln()).exp();
    // the fraction settles quickly on one side only
    match x < (a + 1.0) / (a + b + 2.0) {
        true => front * fraction(a, b, x) / a,
        false => 1.0 - front * fraction(b, a, 1.0 - x) / b,
    }
}

/// Its continued fraction, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let settled = |number: f64| {
        if number.abs() < 1e-300 {
            1e-300
        } else {
            number
        }
    };
    let mut c = 1.0;
    let mut d = 1.0 / settled(1.0 - (a + b) * x / (a + 1.0));
    let mut sum = d;
    for term in 1..TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = sum;
        for part in [even, odd] {
            d = 1.0 / settled(1.0 + part * d);
            c = settled(1.0 + part / c);
            sum *= c * d;
        }
        if (sum - before).abs() < 1e-15 * sum.abs() {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-5, "{found} {expected}");
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        // as R's binom.test gives them
        for (hits, of, low, high) in [
            (0, 10, 0.0, 0.30850),
            (10, 10, 0.69150, 1.0),
            (3, 10, 0.06674, 0.65245),
            (95, 100, 0.88717, 0.98357),
            (1, 1_000, 0.00003, 0.00556),
        ] {
            let found = interval(hits, of);
            near(found.0, low);
            near(found.1, high);
        }
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }

    #[test]
    fn nothing_in_n_tries_means_three_in_n_at_most() {
        near(most_if_none(100), 0.02951);
        near(most_if_none(30_000), 3.0 / 30_000.0);
        near(most_if_none(0), 1.0);
    }
}
