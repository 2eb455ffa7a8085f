//! Dates as Python's `strftime` writes them, in UTC and in English.

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const SECONDS_PER_DAY: u64 = 86_400;

/// A moment's parts.
struct Moment {
    year: u64,
    /// 1 to 12.
    month: usize,
    day: u64,
    /// 1 to 366.
    day_of_year: u64,
    /// 0 is Sunday.
    weekday: usize,
    hour: u64,
    minute: u64,
    second: u64,
}

/// `seconds` since 1970 in the form that `format` describes.
pub(super) fn strftime(seconds: u64, format: &str) -> String {
    Moment::new(seconds).format(format)
}

impl Moment {
    fn new(seconds: u64) -> Self {
        let (days, rest) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let is_leap = |year: u64| {
            year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
        };
        // Whole cycles of 400 years first, so that no time takes long.
        const CYCLE: u64 = 146_097;
        let (mut year, mut left) = (1970 + 400 * (days / CYCLE), days % CYCLE);
        let length = |year| if is_leap(year) { 366 } else { 365 };
        while left >= length(year) {
            left -= length(year);
            year += 1;
        }
        let day_of_year = left + 1;
        let february = if is_leap(year) { 29 } else { 28 };
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut month = 0;
        while left >= lengths[month] {
            left -= lengths[month];
            month += 1;
        }
        Self {
            year,
            month: month + 1,
            day: left + 1,
            day_of_year,
            weekday: ((days + 4) % 7) as usize,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            // glibc's dash: without leading zeros or spaces
            let (dash, directive) = match chars.next() {
                Some('-') => ("-", chars.next()),
                directive => ("", directive),
            };
            match directive.and_then(|directive| self.directive(directive)) {
                Some(text) if dash.is_empty() => out.push_str(&text),
                Some(text) => {
                    let bare = text.trim_start_matches(['0', ' ']);
                    out.push_str(if bare.is_empty() { "0" } else { bare });
                }
                None => {
                    out.push('%');
                    out.push_str(dash);
                    out.extend(directive);
                }
            }
        }
        out
    }

    fn directive(&self, directive: char) -> Option<String> {
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let twelve = match self.hour % 12 {
            0 => 12,
            hour => hour,
        };
        Some(match directive {
            'Y' => self.year.to_string(),
            'C' => format!("{:02}", self.year / 100),
            'y' => format!("{:02}", self.year % 100),
            'm' => format!("{:02}", self.month),
            'd' => format!("{:02}", self.day),
            'e' => format!("{:2}", self.day),
            'H' => format!("{:02}", self.hour),
            'I' => format!("{twelve:02}"),
            'M' => format!("{:02}", self.minute),
            'S' => format!("{:02}", self.second),
            'f' => "000000".into(),
            'j' => format!("{:03}", self.day_of_year),
            'p' => half.into(),
            'A' => DAYS[self.weekday].into(),
            'a' => DAYS[self.weekday][..3].into(),
            'B' => MONTHS[self.month - 1].into(),
            'b' | 'h' => MONTHS[self.month - 1][..3].into(),
            'w' => self.weekday.to_string(),
            'u' => (if self.weekday == 0 { 7 } else { self.weekday }).to_string(),
            'U' => format!("{:02}", (self.day_of_year + 6 - self.weekday as u64) / 7),
            'W' => format!(
                "{:02}",
                (self.day_of_year + 6 - (self.weekday as u64 + 6) % 7) / 7
            ),
            // A time without a zone, as Python's datetime.now() is.
            'Z' | 'z' => String::new(),
            'T' | 'X' => self.format("%H:%M:%S"),
            'R' => self.format("%H:%M"),
            'F' => self.format("%Y-%m-%d"),
            'D' | 'x' => self.format("%m/%d/%y"),
            'c' => self.format("%a %b %e %T %Y"),
            'r' => self.format("%I:%M:%S %p"),
            'n' => "\n".into(),
            't' => "\t".into(),
            '%' => "%".into(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_python_does() {
        // 29 November 2026, a Sunday, 13:05:09
        let at = 1_795_957_509;
        for (format, text) in [
            ("%d %B %Y", "29 November 2026"),
            ("%Y-%m-%d", "2026-11-29"),
            ("%A, %b %-d, %I:%M %p", "Sunday, Nov 29, 01:05 PM"),
            ("%H:%M:%S|%T|%j|%-H", "13:05:09|13:05:09|333|13"),
            (
                "%c|%x|%y|%u%w|%U|%W",
                "Sun Nov 29 13:05:09 2026|11/29/26|26|70|48|47",
            ),
            ("100%%|%Z|%Q|%", "100%||%Q|%"),
        ] {
            assert_eq!(strftime(at, format), text, "{format}");
        }
        assert_eq!(strftime(951_782_400, "%F %-d %e"), "2000-02-29 29 29");
        assert_eq!(strftime(0, "%F %a %e"), "1970-01-01 Thu  1");
    }
}
