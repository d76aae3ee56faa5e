//! Concats as placement: parts that are written in their place.

use super::stage::{Stage, Stages, TensorId};

/// Of each tensor that is a run of channels of another: that one, its parent, and the run's first channel there.
#[derive(Debug)]
pub(super) struct Parents(Vec<Option<(TensorId, usize)>>);

impl Parents {
    /// No tensor is part of another.
    pub(super) fn none(stages: &Stages) -> Self {
        Self(vec![None; stages.tensors.len()])
    }

    /// Decides which tensors are runs of channels of another.
    ///
    /// A part stays on its own, to be copied, where it already belongs to another concat, occurs twice, is the network's
    /// input, or where some stage would then read and write one buffer.
    pub(super) fn of(stages: &Stages) -> Self {
        let mut parents = Self::none(stages);
        for stage in stages.concats().rev() {
            for (index, &part) in stage.sources.iter().enumerate() {
                let repeated = stage.sources.iter().filter(|&&other| other == part).count() > 1;
                if part == TensorId(0) || parents.has(part) || repeated {
                    continue;
                }
                parents.0[part.0] = Some((stage.target, stages.channels(&stage.sources[..index])));
                let conflict = stages.stages.iter().filter(|s| !s.is_concat()).any(|s| {
                    let (target, _) = parents.root(s.target);
                    s.sources.iter().any(|&source| parents.root(source).0 == target)
                });
                if conflict {
                    parents.0[part.0] = None;
                }
            }
        }
        // Nor may the copy of a part read and write one buffer: such a part stays on its own wherever it belongs.
        while let Some(part) = parents.part_copied_within_a_buffer(stages) {
            parents.0[part.0] = None;
        }
        parents
    }

    fn part_copied_within_a_buffer(&self, stages: &Stages) -> Option<TensorId> {
        let copied = |stage: &Stage| stage.sources.iter().filter(|&&part| !self.is_placed(part, stage.target)).copied().collect::<Vec<_>>();
        let mut copies = stages.concats().flat_map(|stage| copied(stage).into_iter().map(|part| (part, stage.target)));
        copies.find(|&(part, target)| self.root(part).0 == self.root(target).0).map(|(part, _)| part)
    }

    /// Whether the tensor is part of another.
    pub(super) fn has(&self, tensor: TensorId) -> bool {
        self.0[tensor.0].is_some()
    }

    /// Whether `part` is a run of channels of the concat `target`, and needs no copy.
    pub(super) fn is_placed(&self, part: TensorId, target: TensorId) -> bool {
        self.0[part.0].is_some_and(|(parent, _)| parent == target)
    }

    /// The tensor that owns the memory `tensor` lies in, and the first channel there.
    pub(super) fn root(&self, mut tensor: TensorId) -> (TensorId, usize) {
        let mut first_channel = 0;
        while let Some((parent, offset)) = self.0[tensor.0] {
            first_channel += offset;
            tensor = parent;
        }
        (tensor, first_channel)
    }
}
