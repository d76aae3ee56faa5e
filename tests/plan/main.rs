//! Plans: what they hold, and that every step finds in memory what the graph says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod buffers;
mod densenet;
#[path = "../common/graphs/mod.rs"]
mod graphs;
mod memory;
mod symbols;
mod tiles;
mod walk;

use densenet_wgpu::internal::Shader;
use densenet_wgpu::planning::{PlanOptions, Step};
use densenet_wgpu::tuning::{Capabilities, Tuning};
use densenet_wgpu::{Config, Graph, Plan};

/// The plan for a software device, whose kernels are the strictest about memory: one reads and writes whole quads.
fn plan(graph: &Graph, batch: usize, fusion: bool) -> Plan {
    let capabilities = Capabilities { software: true, subgroup: Some([8, 8]), ..Default::default() };
    let tuning = Tuning::new(capabilities);
    Plan::new(graph, PlanOptions::default().with_batch(batch).with_fusion(fusion).with_tuning(tuning)).unwrap()
}

fn densenet121(height: usize, width: usize) -> Graph {
    Config::densenet121().graph(height, width).unwrap()
}

fn is_copy(step: &Step) -> bool {
    step.kernel.variant.shader() == Shader::Copy
}
