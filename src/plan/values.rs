//! Which values of the graph are in memory, and since when: what a step can be held to.

use super::place::{Placement, StepOf};
use super::stage::{Stages, TensorId};
use crate::graph::Value;
use crate::kernels::Region;

/// For each step, the values that are whole once it has run, and where they lie.
///
/// A concat is whole with the last of its parts, whether that was copied or written in its place.
pub(super) fn completed(stages: &Stages, placement: &Placement, outputs: &[Value]) -> Vec<Vec<(Value, Region)>> {
    let mut completed: Vec<Vec<(Value, Region)>> = vec![Vec::new(); placement.steps.len()];
    // The step that wrote each tensor; the input is there before any.
    let mut written: Vec<Option<usize>> = vec![None; stages.tensors.len()];
    for (index, stage) in stages.stages.iter().enumerate() {
        let is_own = |step: &StepOf| matches!(*step, StepOf::Stage(own) | StepOf::Part { stage: own, .. } if own == index);
        let own = placement.steps.iter().rposition(is_own);
        let parts = stage.is_concat().then_some(&stage.sources).into_iter().flatten();
        let last = parts.map(|&TensorId(part)| written[part]).chain([own]).max().flatten();
        written[stage.target.0] = last;
        if let (Some(last), Some(value)) = (last, stage.value) {
            completed[last].push((value, placement.region(stage.target)));
        }
    }
    for (values, step) in completed.iter_mut().zip(&placement.steps) {
        if let StepOf::Output(index) = *step {
            values.push((outputs[index], placement.outputs[index]));
        }
    }
    completed
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::plan::{Plan, PlanOptions};
    use crate::shape::Shape;
    use crate::{Config, Graph};

    fn plan(graph: &Graph, fusion: bool) -> Plan {
        Plan::new(graph, PlanOptions::default().with_batch(2).with_fusion(fusion)).unwrap()
    }

    #[test]
    fn without_fusion_every_layer_is_whole_once() {
        let graph = Config::densenet121().graph(64, 64).unwrap();
        let plan = plan(&graph, false);
        let values: Vec<_> = plan.steps().iter().flat_map(|step| &step.values).map(|(value, _)| *value).collect();
        assert_eq!(values, graph.values().skip(1).collect::<Vec<_>>());
    }

    #[test]
    fn fused_steps_hold_what_their_last_layer_makes_and_the_concats_it_completes() {
        let graph = Config::densenet121().graph(64, 64).unwrap();
        let plan = plan(&graph, true);
        let names = |name: &str| {
            let step = plan.steps().iter().find(|step| step.name == name).unwrap();
            let name = |(value, _): &(_, _)| graph.node(*value).name.clone();
            (step.values.iter().map(name).collect::<Vec<_>>(), step.values.clone())
        };
        assert_eq!(names("features.conv0").0, ["features.relu0"]);
        let (layer, regions) = names("features.denseblock1.denselayer2.conv2");
        assert_eq!(layer, ["features.denseblock1.denselayer2.conv2", "features.denseblock1.denselayer3.concat"]);
        assert_eq!(regions[1].1.shape, Shape::new(128, 16, 16));
        assert_eq!((regions[0].1.buffer, regions[0].1.shape.channels), (regions[1].1.buffer, 32));
        // The pool comes before its convolution, and makes what the graph has not.
        assert_eq!(names("features.transition1.pool").0, [""; 0]);
        assert_eq!(names("features.transition1.conv").0, ["features.transition1.pool"]);
        assert_eq!(names("classifier").0, ["classifier"]);
        let concats = graph.values().filter(|&value| graph.node(value).inputs.len() > 1);
        let whole: HashSet<_> = plan.steps().iter().flat_map(|step| &step.values).map(|(value, _)| *value).collect();
        assert!(concats.into_iter().all(|concat| whole.contains(&concat)));
    }
}
