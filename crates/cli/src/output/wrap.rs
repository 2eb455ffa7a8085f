//! Lines that fit: prose is broken between words, and a word that is longer than a line (an id, a URL) stays whole.

use std::io::IsTerminal;

/// As wide as output is where nobody says otherwise.
const COLUMNS: u16 = 80;

/// How wide lines may be, in characters.
pub(crate) fn columns() -> usize {
    usize::from(width())
}

/// How wide output is: as `COLUMNS` says, else the terminal, else 80. One that doesn't know says 0.
pub(super) fn width() -> u16 {
    let named = std::env::var("COLUMNS").ok().and_then(|n| n.parse().ok());
    let terminal = || {
        let table = comfy_table::Table::new();
        table.width().filter(|_| std::io::stdout().is_terminal())
    };
    first_known([named, terminal()]).unwrap_or(COLUMNS)
}

fn first_known(said: [Option<u16>; 2]) -> Option<u16> {
    said.into_iter().flatten().find(|width| *width > 0)
}

/// A text whose lines have at most so many characters where that can be. A line that goes on begins where the one that
/// it belongs to does, and so much further in.
pub(crate) fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| one(line, columns, indent))
        .collect();
    lines.join("\n")
}

fn one(line: &str, columns: usize, indent: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let own = line.chars().take_while(|c| *c == ' ').count();
    let next = own + indent;
    let (mut done, mut begun, mut length) = (String::new(), false, 0);
    let mut rest = line;
    while !rest.is_empty() {
        // a word, with the blanks before it
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let word = rest[blanks..].split(' ').next().unwrap_or_default();
        let (piece, after) = rest.split_at(blanks + word.len());
        let wide = word.chars().count();
        let too_long = length + blanks + wide > columns;
        // a word may be longer than any line
        if begun && too_long && next < length + blanks && wide > 0 {
            done.push('\n');
            done.push_str(&" ".repeat(next));
            done.push_str(word);
            length = next + wide;
        } else {
            done.push_str(piece);
            length += blanks + wide;
        }
        begun = true;
        rest = after;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_broken_between_words_and_goes_on_further_in() {
        assert_eq!(wrapped("one two three", 80, 2), "one two three");
        assert_eq!(wrapped("one two three", 8, 2), "one two\n  three");
        assert_eq!(
            wrapped("    name  one two three four", 14, 6),
            "    name  one\n          two\n          three\n          four"
        );
        assert_eq!(wrapped("a b\nc d", 2, 0), "a\nb\nc\nd");
    }

    #[test]
    fn a_terminal_without_a_size_is_no_terminal_without_room() {
        assert_eq!(first_known([Some(0), Some(120)]), Some(120));
        assert_eq!(first_known([Some(0), Some(0)]), None);
        assert_eq!(first_known([Some(60), Some(120)]), Some(60));
    }

    #[test]
    fn what_cannot_be_broken_stays_whole() {
        let id = format!("0x{}", "a".repeat(64));
        let told = wrapped(&format!("stack {id} is closed"), 20, 2);
        assert_eq!(told, format!("stack\n  {id}\n  is closed"));
        assert!(told.contains(&id));
        assert_eq!(wrapped(&id, 20, 2), id);
        assert_eq!(wrapped("", 20, 2), "");
    }
}
