//! The pictures of an advice.

use crate::{
    advise::Advice,
    answers::Answer,
    closed::most_saving,
    svg::{Bars, Chart, Series},
};
use atoma_types::chain::Params;

/// What honesty earns.
const HONESTY: (f64, &str) = (1.0, "honesty");
/// What is drawn of a strategy's profit: below it, it only matters that it loses.
const RANGE: (f64, f64) = (-4.0, 8.0);

impl Advice {
    /// Each picture with the name of its file.
    #[must_use]
    pub fn plots(&self) -> Vec<(String, String)> {
        let mut plots = vec![
            ("strategies.svg".to_owned(), self.strategies_plot().to_svg()),
            ("deterrence.svg".to_owned(), deterrence().to_svg()),
        ];
        let swept = self.answers.iter().filter(|answer| {
            answer.figures.len() > 1 && answer.name != "saving" && answer.name != "leverage"
        });
        for answer in swept {
            plots.push((format!("{}.svg", answer.name), sweep(answer).to_svg()));
        }
        plots
    }

    fn strategies_plot(&self) -> Bars {
        let pairs = self.strategies.iter().map(|line| {
            let weaker = line.weaker.as_ref();
            let values = [
                line.report.profit_relative_to_honesty,
                weaker.and_then(|weaker| weaker.profit_relative_to_honesty),
            ];
            (line.report.strategy.to_owned(), values)
        });
        Bars {
            title: "Profit relative to honesty".to_owned(),
            range: RANGE,
            mark: HONESTY,
            names: ["under the defaults", "under the strategy's weaker set"],
            pairs: pairs.collect(),
        }
    }
}

fn sweep(answer: &Answer) -> Chart {
    let points = answer
        .figures
        .iter()
        .map(|&(value, gain)| (value as f64, gain))
        .collect();
    Chart {
        title: answer.question.to_owned(),
        across: answer.name.to_owned(),
        range: RANGE,
        mark: Some(HONESTY),
        series: vec![Series {
            name: "profit relative to honesty, simulated".to_owned(),
            points,
        }],
    }
}

/// What a cheap model may save, by the share of false weight, for some pairs of rate and multiple.
fn deterrence() -> Chart {
    let pairs = [(200, 10), (100, 20), (50, 5)];
    let series = pairs.map(|(sample_permille, fine_multiple)| {
        let params = Params {
            sample_permille,
            fine_multiple,
            ..Params::default()
        };
        let shares = (0..=25).map(|step| step * 20);
        Series {
            name: format!(
                "{sample_permille} of 1,000 examined, fine {fine_multiple} times the value"
            ),
            points: shares
                .map(|share| {
                    (
                        f64::from(share),
                        most_saving(&params, f64::from(share) / 1_000.0),
                    )
                })
                .collect(),
        }
    });
    Chart {
        title: "The largest saving at which cheating doesn't pay".to_owned(),
        across: "false share of attester weight, thousandths".to_owned(),
        range: (0.0, 3.0),
        mark: Some((0.8, "the largest there is")),
        series: series.into(),
    }
}
