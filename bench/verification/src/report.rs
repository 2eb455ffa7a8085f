//! The study's tables.

use crate::{Cost, Found, Honest, Row, Seen, Tolerant, interval, most_if_none};
use atoma_bench_report::{Report, Table};

/// All that was found out.
#[derive(Clone, Debug)]
pub struct Study {
    /// Of which model.
    pub model: String,
    /// Honest answers.
    pub honest: Honest,
    /// Cheats, kind by kind.
    pub rows: Vec<Row>,
    /// What a look costs.
    pub costs: Vec<Cost>,
    /// The tolerant classes.
    pub classes: Vec<Tolerant>,
}

impl Study {
    /// The tables, as the document has them: none of what was left out.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        let model = &self.model;
        let answers = grouped(self.rows.iter().map(|row| row.tried).sum());
        let cheats = format!("{model}, {answers} answers");
        let looked_at = grouped(self.honest.answers);
        let tokens = grouped(self.honest.tokens as usize);
        let honest = format!("{model}, {looked_at} answers of {tokens} tokens");
        let costs = format!("{model}, on one thread");
        let report = Report::of_today;
        let mut reports = Vec::new();
        if !self.rows.is_empty() {
            reports.push(report("verification-cheats", cheats, self.cheats()));
        }
        if self.honest.answers > 0 {
            reports.push(report("verification-honest", honest, self.variations()));
        }
        if !self.costs.is_empty() {
            reports.push(report("verification-cost", costs, self.costs()));
        }
        if let Some(class) = self.classes.first() {
            let tokens = grouped(class.tokens);
            let setup = format!("{model}, lines from about {tokens} honest tokens each");
            reports.push(report("verification-tolerant", setup, self.tolerant()));
        }
        reports
    }

    fn cheats(&self) -> Table {
        let mut table = Table::new(
            &["The node …", "Found as", "What is left"],
            &[
                "Answers",
                "No difference",
                "Caught",
                "Of 100, at least (95 %)",
            ],
        );
        for row in &self.rows {
            let found = row.findings.iter().filter(|(code, _)| **code != 0);
            let found: Vec<String> = found
                .map(|(code, (_, count))| format!("{code} ({count})"))
                .collect();
            let (low, high) = interval(row.caught, row.wrong());
            let (left, rate) = match row.kind.seen() {
                Seen::Always => ("nothing".to_owned(), format!("{:.1}", 100.0 * low)),
                Seen::Sometimes(why) | Seen::Never(why) => {
                    let rate = format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high);
                    (why.to_owned(), rate)
                }
            };
            table.row([
                row.kind.does().to_owned(),
                match found.is_empty() {
                    true => "–".to_owned(),
                    false => found.join(", "),
                },
                left,
                grouped(row.tried),
                grouped(row.alike),
                grouped(row.caught),
                rate,
            ]);
        }
        table
    }

    fn variations(&self) -> Table {
        let heads = ["Looked at", "Found guilty", "Rate, at most (95 %)"];
        let mut table = Table::new(&["Honest answers"], &heads);
        let (all, wronged) = (self.honest.answers, self.honest.wronged.len());
        let mut row = |name: &str, looked_at: usize, wronged: usize| {
            let rate = match wronged {
                0 => most_if_none(looked_at),
                _ => interval(wronged, looked_at).1,
            };
            let (looked_at, wronged) = (grouped(looked_at), grouped(wronged));
            table.row([name.to_owned(), looked_at, wronged, format!("{rate:.1e}")]);
        };
        row("all", all, wronged);
        for (name, (looked_at, wronged)) in &self.honest.variations {
            row(name, *looked_at, *wronged);
        }
        table
    }

    fn tolerant(&self) -> Table {
        let heads = [
            "Tokens",
            "Others, %",
            "Short, mean",
            "Apart, mean",
            "Answers guilty, %",
            "Audits of 200 tokens guilty, %",
            "Of those, between (95 %)",
        ];
        let mut table = Table::new(&["Class", "The node …"], &heads);
        for class in &self.classes {
            for row in &class.rows {
                let (honest, sums) = (&class.fitted, row.sums());
                let [alone, audits] =
                    [&row.answers, &row.audits].map(|sums| Found::of(honest, sums));
                let mean = |sum: f64| sum / sums.tokens.max(1) as f64;
                let percent = |found: Found| 100.0 * found.guilty as f64 / found.all.max(1) as f64;
                let (low, high) = audits.rates();
                table.row([
                    format!("{:?}", class.class).to_lowercase(),
                    row.does.clone(),
                    grouped(sums.tokens as usize),
                    format!("{:.2}", 100.0 * mean(sums.others as f64)),
                    format!("{:.1e}", mean(sums.short)),
                    format!("{:.1e}", mean(sums.apart)),
                    format!("{:.1}", percent(alone)),
                    format!("{:.1}", percent(audits)),
                    format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high),
                ]);
            }
        }
        table
    }

    fn costs(&self) -> Table {
        let heads = [
            "Answers",
            "Tokens",
            "To compute, CPU-ms each",
            "To look at, CPU-ms each",
            "Ratio",
        ];
        let mut table = Table::new(&["At once"], &heads);
        for cost in &self.costs {
            let each = |time: std::time::Duration| {
                format!(
                    "{:.2}",
                    1_000.0 * time.as_secs_f64() / cost.answers.max(1) as f64
                )
            };
            table.row([
                cost.at_once.to_string(),
                grouped(cost.answers),
                grouped(cost.tokens as usize),
                each(cost.computed),
                each(cost.looked_at),
                format!("{:.2}", cost.ratio()),
            ]);
        }
        table
    }
}

/// With a comma between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
