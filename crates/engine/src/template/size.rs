//! How much a template may write. Its steps are counted, but a step may double a text: one that a stranger
//! wrote could ask for more memory than there is.

use std::io;

use minijinja::{Error, Value};

use super::args::wrong;

/// Bytes of a prompt, and of a text on the way to it: sixteen times the longest body of a request.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// Refuses a text of so many bytes before it is made.
pub(super) fn check_bytes(bytes: usize) -> Result<(), Error> {
    if bytes > MOST_BYTES {
        return Err(wrong(format!("a text of more than {MOST_BYTES} bytes")));
    }
    Ok(())
}

/// Refuses a value that is a text too long: what `~` and `+` made is seen where it is used.
pub(super) fn check(value: &Value) -> Result<(), Error> {
    value
        .as_str()
        .map_or(Ok(()), |text| check_bytes(text.len()))
}

/// Puts `new` for each `old`, at most `count` times if there is a count.
pub(super) fn replaced(
    text: &str,
    old: &str,
    new: &str,
    count: Option<i64>,
) -> Result<String, Error> {
    let count = count.and_then(|count| usize::try_from(count).ok());
    let count = count.unwrap_or(usize::MAX);
    let times = text.matches(old).take(count).count();
    check_bytes(times.saturating_mul(new.len()).saturating_add(text.len()))?;
    Ok(text.replacen(old, new, count))
}

/// Texts with another between them.
pub(super) fn joined(texts: &[String], between: &str) -> Result<String, Error> {
    let own = (texts.iter()).fold(0usize, |sum, text| sum.saturating_add(text.len()));
    check_bytes(own.saturating_add(texts.len().saturating_mul(between.len())))?;
    Ok(texts.join(between))
}

/// A prompt in the making, which ends where it is too long.
#[derive(Debug, Default)]
pub(super) struct Output(pub(super) Vec<u8>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > MOST_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
