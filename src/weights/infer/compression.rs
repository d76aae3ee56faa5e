//! The compression that explains the widths of transitions.

use crate::arch::Config;

/// The roundest share that [`Config::compressed`] turns into every width of (channels, kept): 0.5 and 1 first, then
/// the fewest decimals, then the smallest.
pub(super) fn compression(widths: &[(usize, usize)]) -> Option<f64> {
    let share = |(channels, kept): &(usize, usize)| *kept as f64 / *channels as f64;
    let least = widths.iter().map(share).fold(0.0, f64::max);
    let round = (1..=12).flat_map(|decimals| {
        let unit = 10f64.powi(decimals);
        let first = (least * unit).floor();
        // Rounding up to a width may need the multiple below or above the exact quotient.
        [first, first + 1.0, first + 2.0].map(|count| count / unit)
    });
    // Where no round number fits, the quotient itself does, or the number after it.
    let exact = [least, least.next_up()];
    let candidates = [0.5, 1.0].into_iter().chain(round).chain(exact);
    let explains = |theta: &f64| {
        let config = Config { compression: *theta, ..Config::densenet121() };
        widths.iter().all(|&(channels, kept)| config.compressed(channels) == kept)
    };
    candidates.filter(|theta| *theta > 0.0 && *theta <= 1.0).find(explains)
}
