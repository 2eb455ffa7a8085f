//! Moments on the command line.

use atoma_types::TimestampMs;
use std::str::FromStr;

/// A moment as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) TimestampMs);

impl FromStr for Moment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(milliseconds) = text.parse() {
            return Ok(Self(TimestampMs(milliseconds)));
        }
        let expected = || "expected a time such as 2026-11-18T12:00:00Z".to_owned();
        let date_time = text.strip_suffix('Z').ok_or_else(expected)?;
        let (date, time) = date_time.split_once('T').ok_or_else(expected)?;
        let numbers = |text: &str, by: char| -> Option<[u64; 3]> {
            let parts: Result<Vec<u64>, _> = text.split(by).map(str::parse).collect();
            parts.ok()?.try_into().ok()
        };
        let [year, month, day] = numbers(date, '-').ok_or_else(expected)?;
        let [hour, minute, second] = numbers(time, ':').ok_or_else(expected)?;
        let fits = (1970..10_000).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !fits {
            return Err(expected());
        }
        let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60;
        Ok(Self(TimestampMs((seconds + second) * 1_000)))
    }
}

/// Days to a date of the Gregorian calendar, whose years are counted from March here.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_years = 365 * year + year / 4 - year / 100 + year / 400;
    let of_months = (153 * ((month + 9) % 12) + 2) / 5;
    // the days before 1970-01-01, counted the same way
    const EPOCH: u64 = 719_468;
    of_years + of_months + day - 1 - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_and_programs_write_them() {
        let read = |text: &str| text.parse::<Moment>().map(|moment| moment.0.0);
        assert_eq!(read("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(read("2026-11-18T11:06:40Z"), Ok(1_795_000_000_000));
        assert_eq!(read("1795000000000"), Ok(1_795_000_000_000));
        for bad in [
            "",
            "now",
            "2026-11-18",
            "2026-13-18T12:00:00Z",
            "2026-11-18T12:00Z",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
