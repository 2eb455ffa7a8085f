//! A strict reader of DER: definite minimal lengths, one-byte tags, nothing left over. It hands out
//! slices of the input, so what is hashed is what was received.

pub use crate::fault::DerFault;
use crate::fault::Result;

pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BITS: u8 = 0x03;
    pub(crate) const OCTETS: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// A context-specific, constructed element `[n]`.
    pub(crate) const fn context(n: u8) -> u8 {
        0xa0 | n
    }
}

/// One element of DER, whose body may hold others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
    /// Tag, length and body.
    pub(crate) raw: &'a [u8],
}

/// Reads elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The elements within the only element of `bytes`, a SEQUENCE.
    pub(crate) fn within(bytes: &'a [u8]) -> Result<Self> {
        only(bytes, tag::SEQUENCE).map(|element| Self(element.body))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever its tag.
    pub(crate) fn next(&mut self) -> Result<Element<'a>> {
        let [tag, first, ..] = *self.0 else {
            return Err(DerFault::Truncated.into());
        };
        if tag & 0x1f == 0x1f {
            return Err(DerFault::Tag.into());
        }
        let (head, len) = match first {
            0..=0x7f => (2, usize::from(first)),
            0x81..=0x83 => long_length(self.0, usize::from(first & 0x7f))?,
            _ => return Err(DerFault::Length.into()),
        };
        let (raw, rest) = self
            .0
            .split_at_checked(head + len)
            .ok_or(DerFault::Truncated)?;
        self.0 = rest;
        Ok(Element {
            tag,
            body: &raw[head..],
            raw,
        })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>> {
        let element = self.next()?;
        if element.tag != tag {
            return Err(DerFault::Tag.into());
        }
        Ok(element)
    }

    /// The next element where it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>> {
        if self.0.first() == Some(&tag) {
            return self.next().map(Some);
        }
        Ok(None)
    }

    /// The next element, a SEQUENCE, as a reader of what is in it.
    pub(crate) fn sequence(&mut self) -> Result<Self> {
        self.expect(tag::SEQUENCE).map(|element| Self(element.body))
    }

    /// The next element, which must have this tag and be the last.
    pub(crate) fn last(mut self, tag: u8) -> Result<Element<'a>> {
        let element = self.expect(tag)?;
        self.end()?;
        Ok(element)
    }

    /// Nothing is left.
    pub(crate) fn end(&self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(DerFault::Trailing.into())
        }
    }
}

/// Length in `count` bytes, which one byte fewer couldn't hold: (size of tag and length, length).
fn long_length(bytes: &[u8], count: usize) -> Result<(usize, usize)> {
    let digits = bytes.get(2..2 + count).ok_or(DerFault::Truncated)?;
    let len = digits
        .iter()
        .fold(0, |len, byte| len << 8 | usize::from(*byte));
    let least = if count == 1 {
        0x80
    } else {
        1 << (8 * (count - 1))
    };
    if len < least {
        return Err(DerFault::Length.into());
    }
    Ok((2 + count, len))
}

/// The only element of `bytes`.
pub(crate) fn only(bytes: &[u8], tag: u8) -> Result<Element<'_>> {
    Reader::new(bytes).last(tag)
}

impl<'a> Element<'a> {
    /// The bytes of a BIT STRING of whole bytes.
    pub(crate) fn bits(self) -> Result<&'a [u8]> {
        match self.body {
            [0, bytes @ ..] if self.tag == tag::BITS => Ok(bytes),
            _ => Err(DerFault::Bits.into()),
        }
    }

    /// Seconds since 1970 of a UTCTime or GeneralizedTime, both with seconds and `Z`.
    pub(crate) fn time(self) -> Result<i64> {
        let (year, rest) = match (self.tag, self.body) {
            (tag::UTC_TIME, [y0, y1, rest @ ..]) => {
                let year = number(&[*y0, *y1])?;
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            (tag::GENERALIZED_TIME, [y0, y1, y2, y3, rest @ ..]) => {
                (number(&[*y0, *y1, *y2, *y3])?, rest)
            }
            _ => return Err(DerFault::Time.into()),
        };
        let [mo0, mo1, d0, d1, h0, h1, mi0, mi1, s0, s1, b'Z'] = *rest else {
            return Err(DerFault::Time.into());
        };
        let [month, day] = [number(&[mo0, mo1])?, number(&[d0, d1])?];
        let [hour, minute, second] = [number(&[h0, h1])?, number(&[mi0, mi1])?, number(&[s0, s1])?];
        let fits = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !fits {
            return Err(DerFault::Time.into());
        }
        Ok(days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
    }
}

fn number(digits: &[u8]) -> Result<i64> {
    digits.iter().try_fold(0, |n, digit| {
        if digit.is_ascii_digit() {
            Ok(10 * n + i64::from(digit - b'0'))
        } else {
            Err(DerFault::Time.into())
        }
    })
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. A year is counted from March, so that
/// the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let of_years = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let of_months = (153 * month + 2) / 5;
    // the days before 1970-01-01, counted the same way
    const EPOCH: i64 = 719_468;
    of_years + of_months + day - 1 - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(tag: u8, text: &str) -> Result<i64> {
        let body = text.as_bytes();
        Element {
            tag,
            body,
            raw: body,
        }
        .time()
    }

    #[test]
    fn times_are_seconds_since_1970() {
        assert_eq!(time(tag::UTC_TIME, "700101000000Z"), Ok(0));
        assert_eq!(time(tag::UTC_TIME, "000229120000Z"), Ok(951_825_600));
        assert_eq!(time(tag::UTC_TIME, "491231235959Z"), Ok(2_524_607_999));
        assert_eq!(
            time(tag::GENERALIZED_TIME, "99991231235959Z"),
            Ok(253_402_300_799)
        );
        for wrong in [
            "7001010000Z",
            "700101000000+",
            "701301000000Z",
            "70010100000aZ",
        ] {
            assert_eq!(
                time(tag::UTC_TIME, wrong),
                Err(DerFault::Time.into()),
                "{wrong}"
            );
        }
    }

    #[test]
    fn only_the_shortest_length_is_read() {
        let read = |bytes: &[u8]| only(bytes, tag::OCTETS).map(|element| element.body.len());
        assert_eq!(read(&[4, 1, 7]), Ok(1));
        assert_eq!(read(&[4, 0x81, 1, 7]), Err(DerFault::Length.into()));
        assert_eq!(read(&[4, 0x80]), Err(DerFault::Length.into()));
        let long = |head: &[u8], len: usize| [head, &vec![0; len]].concat();
        assert_eq!(read(&long(&[4, 0x81, 0x80], 128)), Ok(128));
        assert_eq!(read(&long(&[4, 0x82, 1, 0], 256)), Ok(256));
        assert_eq!(
            read(&long(&[4, 0x82, 0, 0xff], 255)),
            Err(DerFault::Length.into())
        );
        assert_eq!(read(&[4, 2, 7]), Err(DerFault::Truncated.into()));
        assert_eq!(read(&[4, 1, 7, 0]), Err(DerFault::Trailing.into()));
        assert_eq!(read(&[5, 1, 7]), Err(DerFault::Tag.into()));
    }
}
