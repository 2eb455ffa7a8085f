//! `cargo run -p atoma-sim --example sim -- advise [--json]` and `… -- run STRATEGY [NODES [REQUESTS [SEED]]]`: what `atoma
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
            if args.get(1).is_some_and(|arg| arg == "--json") {
                advice.to_json()?
            } else {
                advice.to_text()
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
        _ => "advise [--json] | run STRATEGY [NODES [REQUESTS [SEED]]]\n".to_owned(),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
