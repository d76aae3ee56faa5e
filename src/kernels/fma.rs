//! `shaders/fma.wgsl`: multiply-adds and nothing else, to measure a device's peak.

use super::{Kernel, Shader, Variant, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        turns: u32,
        factor: f32,
        summand: f32,
    }
}

const WORKGROUP: usize = 64;

/// Multiply-adds of one invocation in one turn: one of each of the most sums there are.
const TURN: usize = 64;

/// Workgroups at scale 1: few, so that a slow device is not overwhelmed.
const FEWEST_WORKGROUPS: usize = 16;

/// Workgroups that keep every core of the largest devices busy: a larger scale has more turns instead.
const MOST_WORKGROUPS: usize = 8192;

/// Turns at small scales: enough for the beginning and the end not to matter.
const FEWEST_TURNS: usize = 1024;

/// Turns that no driver cuts short.
const MOST_TURNS: usize = 1 << 15;

/// The largest scale.
pub(crate) const MOST_SCALE: u32 = (MOST_WORKGROUPS / FEWEST_WORKGROUPS * (MOST_TURNS / FEWEST_TURNS)) as u32;

/// Workgroups and turns at a scale, a power of two.
fn at_scale(scale: u32) -> (usize, usize) {
    let workgroups = (FEWEST_WORKGROUPS * scale as usize).min(MOST_WORKGROUPS);
    (workgroups, FEWEST_TURNS * FEWEST_WORKGROUPS * scale as usize / workgroups)
}

/// Sums that an invocation computes side by side. Which suit a device best depends on how long it takes to add, how many
/// registers it has, and whether it computes with vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    /// How many.
    count: usize,
    /// Whether each is of four numbers, or of one.
    quads: bool,
}

/// Every choice there is.
pub(crate) const SUMS: [Sums; 6] = [
    Sums { count: 8, quads: false },
    Sums { count: 16, quads: false },
    Sums { count: 32, quads: false },
    Sums { count: 4, quads: true },
    Sums { count: 8, quads: true },
    Sums { count: 16, quads: true },
];

impl Sums {
    const fn lanes(self) -> usize {
        if self.quads { 4 } else { 1 }
    }

    /// The variant with these sums.
    pub(crate) fn variant(self) -> Variant {
        Variant::new(Shader::Fma)
            .size("WORKGROUP", WORKGROUP as u32)
            .size("SUMS", self.count as u32)
            .size("STEPS", (TURN / (self.count * self.lanes())) as u32)
            .alias("Number", if self.quads { "vec4<f32>" } else { "f32" })
    }

    /// What each element of the target is after work of that scale.
    pub(crate) fn result(self, scale: u32) -> f32 {
        (TURN / self.lanes() * at_scale(scale).1) as f32
    }
}

/// Work of a scale, a power of two up to [`MOST_SCALE`]. The source begins with zeros, as many as a workgroup has sums.
pub(crate) fn kernel(sums: Sums, scale: u32) -> Kernel {
    let (workgroups, turns) = at_scale(scale);
    Kernel::new(sums.variant(), &Params { turns: turns as u32, factor: 1.0, summand: 1.0 }, workgroups, 1)
}

/// Floating point operations of work of that scale, two a multiply-add.
pub(crate) fn flops(scale: u32) -> f64 {
    let (workgroups, turns) = at_scale(scale);
    2.0 * (workgroups * WORKGROUP * TURN) as f64 * turns as f64
}

/// The most bytes of the target that are written.
pub(crate) const BYTE_TARGET: u64 = (MOST_WORKGROUPS * WORKGROUP * size_of::<[f32; 4]>()) as u64;
