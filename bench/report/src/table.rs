//! A table of texts, and how Markdown writes it.

use serde::{Deserialize, Serialize};

/// Rows of cells under columns: words first, on the left, then numbers, on the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    words: Vec<String>,
    numbers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows, by the heads of its columns.
    #[must_use]
    pub fn new(words: &[&str], numbers: &[&str]) -> Self {
        let owned = |heads: &[&str]| heads.iter().map(|head| (*head).to_owned()).collect();
        Self {
            words: owned(words),
            numbers: owned(numbers),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Cells that it lacks are empty.
    pub fn row<T: ToString>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter().map(|cell| cell.to_string());
        self.rows.push(cells.collect());
    }

    /// As Markdown, each row in a line that ends.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<&str>| {
            let cells = cells.into_iter().map(|cell| match cell {
                "" => " ".to_owned(),
                cell => format!(" {} ", cell.replace('|', "\\|")),
            });
            format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
        };
        let heads = self.words.iter().chain(&self.numbers);
        let mut text = line(heads.map(String::as_str).collect());
        let sides = [
            vec!["---"; self.words.len()],
            vec!["--:"; self.numbers.len()],
        ]
        .concat();
        text.push_str(&format!("|{}|\n", sides.join("|")));
        for row in &self.rows {
            let cells = (0..sides.len()).map(|at| row.get(at).map_or("", String::as_str));
            text.push_str(&line(cells.collect()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_has_a_line_for_each_row_and_a_cell_for_each_column() {
        let mut table = Table::new(&["Figure"], &["ms", "Goal"]);
        table.row(["first | token", "0.6", "1"]);
        table.row(["memory", "7"]);
        assert_eq!(
            table.to_markdown(),
            "| Figure | ms | Goal |\n|---|--:|--:|\n| first \\| token | 0.6 | 1 |\n| memory | 7 | |\n"
        );
    }
}
