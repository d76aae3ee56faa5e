//! How long one thing takes when it is done again and again.

use std::time::{Duration, Instant};

/// Wall times of runs, one after the other.
pub(crate) struct Latencies {
    /// Of each run in milliseconds, the shortest first.
    sorted_ms: Vec<f64>,
    /// Of all runs together.
    total: Duration,
}

/// When runs end: after so many, and not before so much time has passed.
#[derive(Clone, Copy)]
struct Enough {
    runs: usize,
    time: Duration,
}

/// Without a number of runs that was asked for.
const ENOUGH: Enough = Enough { runs: 10, time: Duration::from_secs(2) };

/// Before those that are measured: a device that idled is slow at first.
const WARM: Enough = Enough { runs: 2, time: Duration::from_millis(200) };

impl Latencies {
    /// Does `run` until it is warm, and then as often as `runs` says, else for two seconds and at least ten times.
    pub(crate) fn measure<E>(runs: Option<u32>, mut run: impl FnMut() -> Result<(), E>) -> Result<Self, E> {
        Self::until(WARM, &mut run)?;
        Self::until(runs.map_or(ENOUGH, |runs| Enough { runs: runs as usize, time: Duration::ZERO }), &mut run)
    }

    fn until<E>(enough: Enough, run: &mut impl FnMut() -> Result<(), E>) -> Result<Self, E> {
        let mut sorted_ms = Vec::new();
        let start = Instant::now();
        let mut total = Duration::ZERO;
        while sorted_ms.len() < enough.runs || total < enough.time {
            let before = total;
            run()?;
            total = start.elapsed();
            sorted_ms.push((total - before).as_secs_f64() * 1e3);
        }
        sorted_ms.sort_by(f64::total_cmp);
        Ok(Self { sorted_ms, total })
    }

    /// What so many percent of the runs took at the most, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (percent * self.sorted_ms.len()).div_ceil(100);
        self.sorted_ms[rank.max(1) - 1]
    }

    /// Runs a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.sorted_ms.len() as f64 / self.total.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_runs() {
        let of = |runs: u32| Latencies { sorted_ms: (1..=runs).map(f64::from).collect(), total: Duration::from_secs(2) };
        for (runs, p50, p95) in [(1, 1.0, 1.0), (2, 1.0, 2.0), (10, 5.0, 10.0), (100, 50.0, 95.0)] {
            let latencies = of(runs);
            assert_eq!((latencies.percentile_ms(50), latencies.percentile_ms(95)), (p50, p95), "{runs}");
            assert_eq!(latencies.per_second(), f64::from(runs) / 2.0);
        }
    }

    #[test]
    fn as_many_runs_as_were_asked_for() {
        let mut runs = 0;
        let latencies = Latencies::measure(Some(3), || {
            runs += 1;
            std::thread::sleep(WARM.time);
            Ok::<(), ()>(())
        });
        assert_eq!((runs, latencies.unwrap().sorted_ms.len()), (WARM.runs + 3, 3));
        assert!(Latencies::measure(None, || Err(())).is_err());
    }
}
