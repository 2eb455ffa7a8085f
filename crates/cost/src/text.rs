//! A report for people with a terminal: tables, and bars of characters.

use crate::{
    assumptions::Basis,
    report::{Amounts, Item, Report},
    usd::grouped,
};
use std::fmt::{self, Write};

/// Characters of a whole bar.
const BAR: u64 = 46;
/// Width of the names of lines.
const NAME: usize = 20;

/// The report as text. Its tables and bars are 80 characters wide at most, its sentences as long as they are.
#[must_use]
pub fn to_text(report: &Report) -> String {
    let mut out = String::new();
    // a `String` takes everything
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    head(out, report)?;
    bill(out, report)?;
    bars(out, report)?;
    bounds(out, report)?;
    grid(out, report)?;
    others(out, report)
}

fn head(out: &mut String, report: &Report) -> fmt::Result {
    let (a, v) = (&report.assumptions, &report.volume);
    let basis = match a.basis {
        Basis::Tokens => "at the nodes' prices of tokens",
        Basis::Gpu => "at the price of the GPUs",
    };
    writeln!(
        out,
        "{}, {} requests a day of {} + {} tokens, {basis}",
        a.model,
        n(a.requests_per_day),
        n(a.input_tokens),
        n(a.output_tokens),
    )?;
    writeln!(
        out,
        "a stack pays for {} requests; a pack holds {} records ({}), is full after {},",
        n(v.plan.requests_per_stack),
        n(v.plan.records_per_pack),
        bytes(v.pack_bytes),
        duration(v.pack_fill_seconds),
    )?;
    writeln!(
        out,
        "and is billed as {} for {} epochs\n",
        bytes(v.pack_encoded_bytes),
        v.epochs,
    )
}

fn bill(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(
        out,
        "{:NAME$} {:>15} {:>15} {:>16} {:>9}",
        "dollars", "per request", "per M tokens", "per month", "share"
    )?;
    for item in shown(report) {
        row(out, item.kind.label(), &item.cost, item.share_ppm)?;
    }
    row(out, "total", &report.total, 1_000_000)?;
    row(
        out,
        "of it the chain",
        &report.chain,
        report.chain_share_ppm,
    )?;
    writeln!(out)
}

/// What costs something.
fn shown(report: &Report) -> impl Iterator<Item = &Item> {
    let lines = report.lines.iter();
    lines.filter(|item| item.cost.per_month.pico() > 0)
}

fn row(out: &mut String, name: &str, cost: &Amounts, ppm: u64) -> fmt::Result {
    writeln!(
        out,
        "{name:NAME$} {:>15} {:>15} {:>16} {:>9}",
        cost.per_request.short(),
        cost.per_million_tokens.short(),
        cost.per_month.short(),
        percent(ppm),
    )
}

/// Everything on one scale, then the chain's lines on their own, as they would be too small to see.
fn bars(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "where the money goes")?;
    for item in shown(report) {
        bar(out, item.kind.label(), item.share_ppm)?;
    }
    if report.chain.per_month.pico() > 0 {
        writeln!(out, "\nthe chain's part of it")?;
        for item in shown(report).filter(|item| item.chain) {
            bar(out, item.kind.label(), report.part_of_chain_ppm(item))?;
        }
    }
    writeln!(out)
}

fn bar(out: &mut String, name: &str, ppm: u64) -> fmt::Result {
    let length = (ppm.saturating_mul(BAR) + 500_000) / 1_000_000;
    let bar = match usize::try_from(length).unwrap_or(0) {
        0 => ".".to_owned(),
        length => "#".repeat(length),
    };
    writeln!(out, "  {name:NAME$} {bar} {}", percent(ppm))
}

fn bounds(out: &mut String, report: &Report) -> fmt::Result {
    let (a, t) = (&report.assumptions, &report.thresholds);
    let target = percent(a.target_permille.saturating_mul(1_000));
    match (t.records_per_pack, t.pack_bytes, t.fill_seconds) {
        (Some(records), Some(size), Some(fill)) => writeln!(
            out,
            "chain below {target}, stacks as above: packs of {} records or more ({}, {})",
            n(records),
            bytes(size),
            duration(fill),
        )?,
        _ => writeln!(
            out,
            "chain below {target}, stacks as above: never, whatever the pack: make stacks larger"
        )?,
    }
    match (t.stack_tokens, t.requests_per_stack) {
        (Some(tokens), Some(requests)) => writeln!(
            out,
            "chain below {target}, packs as above: stacks of {} tokens or more ({} requests)\n",
            n(tokens),
            n(requests),
        ),
        _ => writeln!(
            out,
            "chain below {target}, packs as above: never, whatever the stack: make packs larger\n"
        ),
    }
}

fn grid(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(
        out,
        "the chain's share, by records a pack (down) and tokens a stack (across)"
    )?;
    let mut records = None;
    for cell in &report.grid {
        if records.is_none() {
            write!(out, "{:>10}", "")?;
            let first = cell.records_per_pack;
            for head in report.grid.iter().filter(|c| c.records_per_pack == first) {
                write!(out, " {:>14}", n(head.stack_tokens))?;
            }
        }
        if records != Some(cell.records_per_pack) {
            records = Some(cell.records_per_pack);
            write!(out, "\n{:>10}", n(cell.records_per_pack))?;
        }
        let share = cell.chain_share_ppm.map_or("-".to_owned(), percent);
        write!(out, " {share:>14}")?;
    }
    writeln!(out, "\n")
}

fn others(out: &mut String, report: &Report) -> fmt::Result {
    let gpu = &report.gpu;
    let (whole, milli) = (gpu.count_milli / 1_000, gpu.count_milli % 1_000);
    writeln!(
        out,
        "GPUs behind it: {}.{milli:03}, rented for {} a month, {} of what nodes get",
        n(whole),
        gpu.per_month.short(),
        percent(gpu.share_of_compute_ppm),
    )?;
    for other in &report.web2 {
        writeln!(
            out,
            "{} ({}): {} per M tokens, {} a month; ours is {} of that",
            other.price.name,
            other.price.date,
            other.cost.per_million_tokens.short(),
            other.cost.per_month.short(),
            percent(other.ours_ppm),
        )?;
    }
    Ok(())
}

/// `12.34 %`, rounded to the nearest.
pub(crate) fn percent(ppm: u64) -> String {
    let hundredths = ppm.saturating_add(50) / 100;
    format!("{}.{:02} %", n(hundredths / 100), hundredths % 100)
}

fn n(number: u64) -> String {
    grouped(number.into())
}

/// `67.1 MB`, in powers of ten.
fn bytes(bytes: u64) -> String {
    for (unit, name) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")] {
        if bytes >= unit {
            return format!("{}.{} {name}", n(bytes / unit), bytes % unit * 10 / unit);
        }
    }
    format!("{bytes} B")
}

/// `2 h 5 min`, `13 min 45 s`, `0 s`.
fn duration(seconds: u64) -> String {
    for (unit, name, part, part_name) in [
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ] {
        if seconds >= unit {
            return format!(
                "{} {name} {} {part_name}",
                n(seconds / unit),
                seconds % unit / part
            );
        }
    }
    format!("{seconds} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_in_words() {
        assert_eq!(percent(999_949), "99.99 %");
        assert_eq!(percent(999_950), "100.00 %");
        assert_eq!(percent(0), "0.00 %");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(66_034_000), "66.0 MB");
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(825), "13 min 45 s");
        assert_eq!(duration(90_000), "1 d 1 h");
    }
}
