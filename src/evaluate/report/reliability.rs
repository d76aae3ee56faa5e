//! The reliability diagram: whether probabilities are right as often as they say.

use super::chart::{COLOURS, Chart};
use crate::evaluate::evaluation::Evaluation;

/// The diagram; `None` without probabilities.
pub(super) fn plot(evaluation: &Evaluation) -> Option<String> {
    let bins = evaluation.reliability.as_ref()?;
    let total: u64 = bins.iter().map(|bin| bin.count).sum();
    let mut chart = Chart::new("Reliability", "probability", "share that is right");
    for bin in bins {
        let (Some(confidence), Some(accuracy)) = (bin.confidence, bin.accuracy) else { continue };
        let share = 100.0 * bin.count as f64 / total as f64;
        let title = format!("{} of {total} ({share:.1} %)\nprobability {confidence:.3}\nright {accuracy:.3}", bin.count);
        chart.rectangle([bin.range[0], 0.0], [bin.range[1], accuracy], COLOURS[0], &title);
    }
    chart.diagonal();
    chart.curve(bins.iter().filter_map(|bin| Some([bin.confidence?, bin.accuracy?])), COLOURS[1], "");
    let number = |number: Option<f64>| number.map_or("none".to_owned(), |number| format!("{number:.4}"));
    chart.legend(&[
        ("", format!("calibration error {}", number(evaluation.ece))),
        ("", format!("log loss {}", number(evaluation.log_loss))),
        ("", format!("Brier score {}", number(evaluation.brier))),
    ]);
    Some(chart.finish())
}
