//! `cargo run -p atoma-sim --example sim -- advise [--json | --plots DIR]` and `… -- run STRATEGY [NODES [REQUESTS [SEED]]]`: what `atoma
//! sim` will do.

use atoma_sim::{Plan, Report, Size, Strategy, advise, measure};
use std::{env, error::Error, io::Write};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |place: usize, other: u64| match args.get(place) {
        Some(text) => text.parse(),
        None => Ok(other),
    };
    let text = match args.first().map(String::as_str) {
        Some("advise") => {
            let advice = advise(Size::default())?;
            match (args.get(1).map(String::as_str), args.get(2)) {
                (Some("--json"), _) => advice.to_json()?,
                (Some("--plots"), Some(folder)) => {
                    for (name, svg) in advice.plots() {
                        std::fs::write(std::path::Path::new(folder).join(name), svg)?;
                    }
                    advice.to_text()
                }
                _ => advice.to_text(),
            }
        }
        Some("run") => {
            let name = args.get(1).map_or("honest", String::as_str);
            let strategy = Strategy::named(name).ok_or("no such strategy")?;
            let plan = Plan::new(
                strategy,
                number(2, 100)?,
                number(3, 200_000)?,
                number(4, 1)?,
            );
            Report::new(&measure(&plan)?).to_text()
        }
        _ => "advise [--json | --plots DIR] | run STRATEGY [NODES [REQUESTS [SEED]]]\n".to_owned(),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
