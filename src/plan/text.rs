//! A plan as text a person can review.

use std::fmt;

use super::{Plan, Step};
use crate::kernels::Region;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (batch, input) = (self.options.batch, self.input.shape);
        let outputs = self.outputs.iter().map(|output| format!("{batch} x {}", output.shape)).collect::<Vec<_>>().join(", ");
        let fusion = if self.options.fusion { "fused" } else { "unfused" };
        let rows: Vec<[String; 6]> = self.steps.iter().map(row).collect();
        let header = ["layer", "kernel", "reads", "writes", "workgroups", "MFLOP"].map(str::to_owned);
        let widths: [usize; 6] = std::array::from_fn(|column| rows.iter().chain([&header]).map(|r| r[column].len()).max().unwrap_or(0));

        writeln!(f, "{batch} x {input} -> {outputs}, {fusion}: {} steps, {:.3} GFLOP", self.steps.len(), self.flops() as f64 / 1e9)?;
        writeln!(f)?;
        for row in [&header].into_iter().chain(&rows) {
            for (column, cell) in row[..5].iter().enumerate() {
                write!(f, "{cell:<width$}  ", width = widths[column])?;
            }
            writeln!(f, "{:>width$}", row[5], width = widths[5])?;
        }
        writeln!(f)?;
        for (index, bytes) in self.byte_buffers().enumerate() {
            writeln!(f, "buffer {}  {}", name(index), mebibytes(bytes))?;
        }
        for (index, bytes) in self.byte_weight_buffers().enumerate() {
            writeln!(f, "weights {index} {}", mebibytes(bytes))?;
        }
        writeln!(f, "most alive at once {}, all buffers {}", mebibytes(self.byte_peak()), mebibytes(self.byte_total()))
    }
}

fn row(step: &Step) -> [String; 6] {
    let mut layer = step.name.clone();
    let others = step.layers.iter().filter(|layer| **layer != step.name).map(|layer| short(layer, &step.name)).collect::<Vec<_>>();
    if !others.is_empty() {
        layer += &format!(" (+ {})", others.join(", "));
    }
    let [x, y, z] = step.kernel.workgroups;
    let workgroups = if z == 1 { format!("{x}x{y}") } else { format!("{x}x{y}x{z}") };
    let flops = if step.flops == 0 { "-".into() } else { format!("{:.2}", step.flops as f64 / 1e6) };
    [layer, step.kernel.variant.to_string(), region(step.source), region(step.target), workgroups, flops]
}

/// `layer` without what it has in common with `beside`.
fn short<'a>(layer: &'a str, beside: &str) -> &'a str {
    match beside.rsplit_once('.') {
        Some((module, _)) => layer.strip_prefix(module).and_then(|rest| rest.strip_prefix('.')).unwrap_or(layer),
        None => layer,
    }
}

/// A buffer's letter, the channels in it and their size: `a[64..96] 56x56`.
pub(super) fn region(region: Region) -> String {
    let first = region.element_offset / region.element_plane;
    let last = first + region.shape.channels;
    format!("{}[{first}..{last}] {}x{}", name(region.buffer), region.shape.height, region.shape.width)
}

/// A buffer's letter.
pub(super) fn name(buffer: usize) -> String {
    u8::try_from(buffer).ok().filter(|&b| b < 26).map_or_else(|| format!("b{buffer}"), |b| char::from(b'a' + b).to_string())
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.2} MiB", bytes as f64 / f64::from(1 << 20))
}
