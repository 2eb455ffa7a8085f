//! What somebody may have meant by a name that isn't known.

/// Two names so alike (Sørensen-Dice over pairs of letters) are worth naming together.
const ALIKE: f64 = 0.4;
/// So many guesses, and no more: the right one is to be seen at a glance.
const MAX_GUESSES: usize = 3;

/// What to say after "unknown": the likely names, else all of them.
pub(crate) fn meant(name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "none is known here".to_owned();
    }
    let guesses = match closest(name, known) {
        Some(closest) => vec![closest],
        None => alike(name, known),
    };
    match guesses.as_slice() {
        [] => format!("known are {}", known.join(", ")),
        [one] => format!("did you mean `{one}`?"),
        [first @ .., last] => format!("did you mean `{}` or `{last}`?", first.join("`, `")),
    }
}

/// The known name that a misspelt one is nearest to, if it is near.
fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = |other: &&str| strsim::damerau_levenshtein(name, other);
    let best = known.iter().min_by_key(|other| near(other))?;
    // one slip, and one more for every four letters
    (near(best) <= 1 + name.len() / 4).then_some(*best)
}

/// The names that share much with it, the likeliest first.
fn alike<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    let scored = known
        .iter()
        .map(|other| (strsim::sorensen_dice(name, other), *other));
    let mut scored: Vec<_> = scored.filter(|(score, _)| *score >= ALIKE).collect();
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let names = scored.into_iter().map(|(_, name)| name);
    names.take(MAX_GUESSES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = [
        "max_body_bytes",
        "body_timeout_ms",
        "idle_timeout_ms",
        "write_timeout_ms",
        "max_streams",
    ];

    #[test]
    fn a_slip_is_one_guess_and_half_a_name_is_some() {
        assert_eq!(meant("max_stream", &KNOWN), "did you mean `max_streams`?");
        assert_eq!(
            meant("timeout", &KNOWN),
            "did you mean `body_timeout_ms`, `idle_timeout_ms` or `write_timeout_ms`?"
        );
        assert_eq!(meant("max_requets", &KNOWN), "did you mean `max_streams`?");
    }

    #[test]
    fn of_a_name_like_no_other_all_are_told() {
        assert_eq!(
            meant("colour", &KNOWN),
            format!("known are {}", KNOWN.join(", "))
        );
        assert_eq!(meant("colour", &[]), "none is known here");
    }
}
