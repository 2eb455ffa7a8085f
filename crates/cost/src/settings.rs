//! Defaults, then a file, then flags: what comes later wins.

use crate::{assumptions::Assumptions, error::CostError};
use serde::{Serialize, de::Error as _};
use toml::{Table, Value};

/// The figures of a question: the defaults of its model, over them those of a TOML file, over them
/// the flags (anything that serialises to fields of [`Assumptions`]; what is `None` isn't there).
///
/// # Errors
/// If a name isn't known, a value isn't what it should be, or a figure is outside its limits.
pub fn resolve(file: Option<&str>, flags: &impl Serialize) -> Result<Assumptions, CostError> {
    let mut given: Table = toml::from_str(file.unwrap_or_default())?;
    given.extend(table(flags)?);

    let model = match given.get("model") {
        None => None,
        Some(Value::String(name)) => Some(name.as_str()),
        Some(_) => return Err(toml::de::Error::custom("`model` must be a name").into()),
    };
    let mut all = table(&Assumptions::for_model(model)?)?;
    all.extend(given);
    let assumptions: Assumptions = all.try_into()?;
    assumptions.check()?;
    Ok(assumptions)
}

fn table(figures: &impl Serialize) -> Result<Table, CostError> {
    Table::try_from(figures).map_err(|error| toml::de::Error::custom(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize)]
    struct Flags {
        requests_per_day: Option<u64>,
        gpu_hour: Option<crate::Usd>,
    }

    #[test]
    fn later_wins() {
        let file =
            "model = \"llama-3.1-405b\"\nrequests_per_day = 5\nnodes = 3\ngpu_hour = \"4.00\"";
        let flags = Flags {
            requests_per_day: Some(7),
            gpu_hour: None,
        };
        let figures = resolve(Some(file), &flags).unwrap();
        assert_eq!((figures.requests_per_day, figures.nodes), (7, 3));
        assert_eq!(figures.gpu_hour.to_string(), "4.00");
        assert_eq!(figures.input_price.to_string(), "5.00");
        let none = resolve(None, &Flags::default()).unwrap();
        assert_eq!(none, Assumptions::for_model(None).unwrap());
    }

    #[test]
    fn mistakes_are_named() {
        let code = |file: &str| {
            let error = resolve(Some(file), &Flags::default()).unwrap_err();
            (error.code(), error.to_string())
        };
        assert!(code("colour = 1").1.contains("colour"));
        assert_eq!(code("gpu_hour = 2.5").0, "settings");
        assert_eq!(code("model = 3").0, "settings");
        assert_eq!(code("model = \"x\"").0, "unknown_model");
        assert_eq!(code("nodes = 0").0, "out_of_range");
        assert_eq!(code("nodes = ").0, "settings");
    }

    #[test]
    fn a_file_may_bring_its_own_price_list() {
        let file = "[[web2]]\nname = \"A\"\nmodel = \"llama-3.1-70b\"\ninput_price = \"1\"\noutput_price = 2\ndate = \"2027-01-01\"";
        let figures = resolve(Some(file), &Flags::default()).unwrap();
        assert_eq!(figures.web2.len(), 1);
        assert_eq!(figures.web2[0].output_price.to_string(), "2.00");
    }
}
