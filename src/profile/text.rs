//! A profile as a table.

use std::fmt;

use super::{Profile, StepProfile, Total};
use crate::engine::Clock;

/// The columns after the names.
const COLUMNS: [&str; 7] = ["        ms", "   share", "   GFLOP/s", "  of peak", "    GB/s", "  of peak", "  bound by"];

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, driver, backend, model, precision, batch, size: [height, width], ceilings, .. } = self;
        writeln!(f, "{device}, {driver}, {backend}")?;
        let fusion = if self.fusion { "fused" } else { "a kernel for each operation" };
        let model = if model.is_empty() { "a network" } else { model };
        writeln!(
            f,
            "{model}: {batch} x {height}x{width}, {precision}, {fusion}, {} steps; medians of {} runs",
            self.steps.len(),
            self.runs
        )?;
        writeln!(
            f,
            "peak {:.1} GFLOP/s, {:.1} GB/s; an empty pass takes {:.4} ms",
            ceilings.gflops, ceilings.gigabytes_per_second, ceilings.launch_ms
        )?;
        if self.clock == Clock::Host {
            writeln!(
                f,
                "this device has no usable timestamps: each step was submitted alone and timed by the host, which \
                 includes the cost of submission"
            )?;
        }
        writeln!(f)?;
        self.steps(f)?;
        writeln!(f)?;
        totals(f, "by operation", self.by_operation())?;
        writeln!(f)?;
        totals(f, "by module", self.by_module())?;
        writeln!(f)?;
        let Self { total_gpu_ms, sum_gpu_ms, wall_ms, stepwise_wall_ms, .. } = self;
        writeln!(f, "{sum_gpu_ms:>10.3} ms  all steps, each in its own pass")?;
        writeln!(f, "{total_gpu_ms:>10.3} ms  the same on the device in one pass, as it normally runs")?;
        writeln!(f, "{wall_ms:>10.3} ms  wall time of a run without timestamps, host memory to host memory")?;
        writeln!(
            f,
            "{stepwise_wall_ms:>10.3} ms  wall time with a pass per step: profiling costs {:+.1} %",
            100.0 * (stepwise_wall_ms / wall_ms - 1.0)
        )
    }
}

impl Profile {
    fn steps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |of: fn(&StepProfile) -> &str, title: &str| self.steps.iter().map(|step| of(step).len()).max().unwrap_or(0).max(title.len());
        let (name, kernel) = (width(|step| &step.name, "layer"), width(|step| &step.kernel, "kernel"));
        writeln!(f, "{:<name$}  {:<kernel$}{}", "layer", "kernel", COLUMNS.concat())?;
        for step in &self.steps {
            let computes = step.flops > 0;
            let or_dash = |cell: String| if computes { cell } else { "-".into() };
            let cells = [
                format!("{:.3}", step.gpu_ms),
                format!("{:.1} %", 100.0 * step.share),
                or_dash(format!("{:.1}", step.gflops)),
                or_dash(percent(step.share_of_compute)),
                format!("{:.1}", step.gigabytes_per_second),
                percent(step.share_of_bandwidth),
                step.bound.to_string(),
            ];
            writeln!(f, "{:<name$}  {:<kernel$}{}", step.name, step.kernel, aligned(&cells))?;
        }
        Ok(())
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn aligned(cells: &[String]) -> String {
    cells.iter().zip(COLUMNS).map(|(cell, column)| format!("{cell:>width$}", width = column.len())).collect()
}

fn totals(f: &mut fmt::Formatter<'_>, title: &str, totals: Vec<Total>) -> fmt::Result {
    let width = totals.iter().map(|total| total.name.len()).max().unwrap_or(0).max(title.len());
    writeln!(f, "{title:<width$}   steps        ms   share   GFLOP/s    GB/s")?;
    for total in totals {
        let gflops = if total.flops > 0 { format!("{:.1}", total.gflops()) } else { "-".into() };
        let Total { name, steps, gpu_ms, share, .. } = &total;
        writeln!(
            f,
            "{name:<width$}  {steps:>6}  {gpu_ms:>8.3}  {:>4.1} %  {gflops:>8}  {:>6.1}",
            100.0 * share,
            total.gigabytes_per_second()
        )?;
    }
    Ok(())
}
