//! How long repeated runs take.

use std::time::{Duration, Instant};

/// Wall times of consecutive runs.
pub(crate) struct Latencies {
    /// Each run in milliseconds, shortest first.
    sorted_ms: Vec<f64>,
    /// All runs together.
    total: Duration,
}

/// When to stop: after a number of runs, but not before a time has passed.
#[derive(Clone, Copy)]
struct Enough {
    runs: usize,
    time: Duration,
}

/// If no number of runs is given.
const ENOUGH: Enough = Enough { runs: 10, time: Duration::from_secs(2) };

/// Before measuring: a device that was idle is slow at first.
const WARM: Enough = Enough { runs: 2, time: Duration::from_millis(200) };

impl Latencies {
    /// Calls `run` to warm up, then measures it `runs` times, or for two seconds and at least ten times.
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

    /// The time that `percent` of the runs did not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (percent * self.sorted_ms.len()).div_ceil(100);
        self.sorted_ms[rank.max(1) - 1]
    }

    /// Runs per second.
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
