//! Tables for people: they fit the terminal, or 80 columns where there is none, unless all of it is asked
//! for.

use super::{fact::text, unit::Unit, wrap::width};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, presets::NOTHING};
use serde_json::Value;
use std::collections::BTreeSet;

/// Ids are cut to this many characters where that tells them apart.
const SHORT_ID: usize = 10;
/// Longer numbers in hexadecimal digits are ids, hashes or keys,
const LONGEST_NUMBER: usize = 24;
/// and so are longer words of letters and digits alone: blob ids and digests.
const LONGEST_WORD: usize = 40;

/// Longer URLs are broken where a table must fit: no room would be left for anything else.
const LONGEST_URL: usize = 40;

/// One row's names and values.
type Row<N> = Vec<(N, Value)>;

/// A table of rows, with a column for each name that any of them has. Without `wide`, ids are cut and the columns
/// named in `only_wide` are left out.
pub(super) fn draw<N: AsRef<str>>(rows: &[Row<N>], only_wide: &[&str], wide: bool) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !names.contains(&name.as_ref()) {
            names.push(name.as_ref());
        }
    }
    let shown = |name: &str| wide || !only_wide.contains(&name);
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING);
    let mut columns: Vec<(String, Unit, Vec<String>)> = Vec::new();
    for name in names.into_iter().filter(|name| shown(name)) {
        let (label, unit) = Unit::of(name);
        let cells = rows.iter().map(|row| {
            let own = row.iter().find(|(own, _)| own.as_ref() == name);
            text(unit, own.map_or(&Value::Null, |(_, value)| value))
        });
        let mut cells: Vec<String> = cells.collect();
        if !wide {
            shorten(&mut cells);
        }
        columns.push((label, unit, cells));
    }
    table.set_header(columns.iter().map(|(label, ..)| label));
    for place in 0..rows.len() {
        table.add_row(columns.iter().map(|(_, _, cells)| &cells[place]));
    }
    for (place, (_, unit, cells)) in columns.iter().enumerate() {
        let Some(column) = table.column_mut(place) else {
            continue;
        };
        if unit.is_amount() {
            column.set_cell_alignment(CellAlignment::Right);
        }
        // a URL that is broken can't be copied
        if !wide
            && cells.iter().any(|cell| is_url(cell))
            && cells.iter().all(|cell| cell.len() <= LONGEST_URL)
        {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    if !wide {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width());
    }
    table.trim_fmt()
}

/// Cuts the ids of a column to the shortest beginnings that tell them apart.
fn shorten(cells: &mut [String]) {
    let ids: BTreeSet<String> = cells.iter().filter(|cell| is_id(cell)).cloned().collect();
    let longest = ids.iter().map(String::len).max().unwrap_or(0);
    let apart = |length: &usize| {
        let cut: BTreeSet<&str> = ids.iter().map(|id| &id[..id.len().min(*length)]).collect();
        cut.len() == ids.len()
    };
    let length = (SHORT_ID..longest).find(apart).unwrap_or(longest);
    for cell in cells {
        if is_id(cell) && cell.len() > length {
            *cell = format!("{}{ELLIPSIS}", &cell[..length]);
        }
    }
}

/// What stands for the rest of an id. Commands take it as they take the beginning alone.
pub(crate) const ELLIPSIS: char = '…';

/// An id in prose: its beginning, which commands take for the whole.
pub(crate) fn short(id: impl std::fmt::Display) -> String {
    let id = id.to_string();
    match id.get(..SHORT_ID) {
        Some(beginning) if is_id(&id) => format!("{beginning}{ELLIPSIS}"),
        _ => id,
    }
}

fn is_url(text: &str) -> bool {
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    is_web && text.len() <= LONGEST_URL
}

fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_number = digits.len() > LONGEST_NUMBER && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let has_digit = || text.bytes().any(|b| b.is_ascii_digit());
    is_number || (text.len() > LONGEST_WORD && text.bytes().all(plain) && has_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows() -> Vec<Row<&'static str>> {
        let row = |id: &str, url: &str, amount: u64| {
            vec![
                ("node", json!(format!("0x{}", id.repeat(32)))),
                ("url", json!(url)),
                ("owner", json!(format!("0x{}", "7".repeat(64)))),
                ("collateral_micro_usdc", json!(amount)),
            ]
        };
        vec![
            row("ab", "http://127.0.0.1:8101", 100_000_000),
            row("cd", "http://127.0.0.1:8102", 5),
        ]
    }

    #[test]
    fn a_table_fits_and_ids_are_cut() {
        let drawn = draw(&rows(), &["owner"], false);
        assert!(
            drawn.lines().all(|line| line.chars().count() <= 80),
            "{drawn}"
        );
        assert!(
            drawn.contains("0xabababab…") && !drawn.contains("0x7777"),
            "{drawn}"
        );
        assert!(
            drawn.contains("100.00 USDC") && drawn.contains("0.000005 USDC"),
            "{drawn}"
        );
        assert!(!drawn.contains("micro"), "{drawn}");
    }

    #[test]
    fn urls_are_whole_however_narrow_the_table_is() {
        let row = |url: &str| {
            let money = |name| (name, json!(12_345_678_901_u64));
            let mut row = vec![
                ("node", json!(format!("0x{}", "ab".repeat(32)))),
                ("url", json!(url)),
            ];
            row.extend(["a_micro_usdc", "b_micro_usdc", "c_micro_usdc"].map(money));
            row
        };
        let url = "https://node-17.atoma.example.com:8443";
        let drawn = draw(&[row(url)], &[], false);
        assert!(drawn.contains(url), "{drawn}");
        assert!(
            drawn.lines().all(|line| line.chars().count() <= 80),
            "{drawn}"
        );
        let long = format!("{url}/{}", "x".repeat(80));
        assert!(draw(&[row(&long)], &[], true).contains(&long));
    }

    #[test]
    fn all_of_it_is_shown_where_that_is_asked_for() {
        let drawn = draw(&rows(), &["owner"], true);
        assert!(drawn.contains(&format!("0x{}", "ab".repeat(32))), "{drawn}");
        assert!(drawn.contains(&format!("0x{}", "7".repeat(64))), "{drawn}");
    }

    #[test]
    fn values_stand_under_their_own_names_in_rows_of_several_kinds() {
        let demand = vec![("kind", json!("demand")), ("unit", json!(72_999))];
        let verdict = vec![("kind", json!("verdict")), ("at_ms", json!(1_000))];
        let [one, other] = [[&demand, &verdict], [&verdict, &demand]]
            .map(|rows| draw(&rows.map(Clone::clone), &[], true));
        for drawn in [one, other] {
            assert!(drawn.contains("72999"), "{drawn}");
            assert!(drawn.contains("1970-01-01 00:00:01Z"), "{drawn}");
            assert!(!drawn.contains("00:01:12"), "{drawn}");
        }
    }

    #[test]
    fn ids_that_begin_alike_are_cut_later() {
        let id = |end: &str| format!("0019abcdef0123456789{}", end.repeat(6));
        let mut cells = vec![id("ab"), id("cd"), "plain".to_owned()];
        shorten(&mut cells);
        assert_eq!(
            cells,
            ["0019abcdef0123456789a…", "0019abcdef0123456789c…", "plain"]
        );
    }

    #[test]
    fn words_of_prose_and_names_of_models_are_no_ids() {
        for text in [
            "http://127.0.0.1:9",
            "meta-llama/Llama-3.1-70B-Instruct",
            "a-very-long-name-without-any-digit-in-it-at-all",
            "Qwen2-7B-Instruct-of-somebody",
            "checked, and found to be so",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }
}
