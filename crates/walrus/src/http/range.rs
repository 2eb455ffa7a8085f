//! The `Range` header: one closed range of bytes.

use super::error::ApiError;
use axum::http::{HeaderMap, header};
use std::ops::Range;

/// What a request asks for of a blob of `size` bytes; `None` for all of it.
pub(super) fn requested(headers: &HeaderMap, size: u64) -> Result<Option<Range<u64>>, ApiError> {
    let Some(value) = headers.get(header::RANGE) else {
        return Ok(None);
    };
    let range = value.to_str().ok().and_then(parse);
    let range =
        range.ok_or_else(|| ApiError::range("one range `bytes=first-last` is understood"))?;
    if range.start >= size {
        let message = format!("the range begins behind the {size} bytes of the blob");
        return Err(ApiError::range(message));
    }
    Ok(Some(range.start..range.end.min(size)))
}

fn parse(value: &str) -> Option<Range<u64>> {
    let (first, last) = value.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())?
    };
    let (first, last): (u64, u64) = (number(first)?, number(last)?);
    (first <= last).then_some(first..last.checked_add(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_closed_range_is_read_and_anything_else_refused() {
        assert_eq!(parse("bytes=0-0"), Some(0..1));
        assert_eq!(parse("bytes=5-9"), Some(5..10));
        let others = [
            "",
            "bytes=",
            "bytes=-5",
            "bytes=5-",
            "bytes=9-5",
            "bytes=0-1,3-4",
        ];
        for text in
            others
                .into_iter()
                .chain(["items=0-1", "bytes=+1-2", "bytes=0-18446744073709551615"])
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
