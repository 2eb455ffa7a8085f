//! Writes DER, element by element, for the evidence that tests make.

/// An element of this tag.
#[must_use]
pub fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = body.len();
    let head = match len {
        0..0x80 => vec![tag, len as u8],
        0x80..0x100 => vec![tag, 0x81, len as u8],
        0x100..0x1_0000 => vec![tag, 0x82, (len >> 8) as u8, len as u8],
        _ => vec![tag, 0x83, (len >> 16) as u8, (len >> 8) as u8, len as u8],
    };
    [&head, body].concat()
}

/// A SEQUENCE of these.
#[must_use]
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// A SET of these.
#[must_use]
pub fn set(parts: &[&[u8]]) -> Vec<u8> {
    element(0x31, &parts.concat())
}

/// An OBJECT IDENTIFIER, by its encoded body.
#[must_use]
pub fn oid(body: &[u8]) -> Vec<u8> {
    element(6, body)
}

/// An OCTET STRING.
#[must_use]
pub fn octets(body: &[u8]) -> Vec<u8> {
    element(4, body)
}

/// A BIT STRING of whole bytes.
#[must_use]
pub fn bits(body: &[u8]) -> Vec<u8> {
    element(3, &[&[0], body].concat())
}

/// A non-negative INTEGER, big-endian.
#[must_use]
pub fn integer(digits: &[u8]) -> Vec<u8> {
    let used = digits.iter().position(|byte| *byte != 0);
    let digits = used.map_or(&[0][..], |from| &digits[from..]);
    if digits[0] >= 0x80 {
        return element(2, &[&[0], digits].concat());
    }
    element(2, digits)
}

/// A GeneralizedTime of seconds since 1970.
#[must_use]
pub fn time(seconds: i64) -> Vec<u8> {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // the date whose days since 1970 these are, by search: years first, then the day of the year
    let mut year = 1970;
    let mut left = days;
    while left >= days_of(year) {
        left -= days_of(year);
        year += 1;
    }
    let mut month = 0;
    let lengths = [
        31,
        days_of(year) - 337,
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    let text = format!(
        "{year:04}{:02}{:02}{:02}{:02}{:02}Z",
        month + 1,
        left + 1,
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    );
    element(0x18, text.as_bytes())
}

fn days_of(year: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if leap { 366 } else { 365 }
}
