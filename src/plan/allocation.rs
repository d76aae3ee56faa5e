//! Buffers that allocations share, one after the other.

use std::collections::HashMap;

use super::stage::TensorId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum AllocationOf {
    Tensor(TensorId),
    Output(usize),
}

/// Memory that something owns from one step to another, both included.
#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) of: AllocationOf,
    pub(super) bytes: u64,
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Allocation {
    fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// The buffer of each allocation, and every buffer's bytes.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    pub(super) byte_buffers: Vec<u64>,
    pub(super) buffers: HashMap<AllocationOf, usize>,
}

impl Assignment {
    /// Gives every allocation a buffer: in the order of time or the largest first, whichever takes less memory.
    pub(super) fn smallest(allocations: &[Allocation]) -> Self {
        let mut ordered: Vec<&Allocation> = allocations.iter().collect();
        ordered.sort_by_key(|a| a.first);
        let by_time = Self::in_order(&ordered);
        ordered.sort_by_key(|a| std::cmp::Reverse(a.bytes));
        let by_size = Self::in_order(&ordered);
        if by_size.bytes() < by_time.bytes() { by_size } else { by_time }
    }

    /// Each allocation goes to the buffer that is free while it lives and grows least by it, else to a new one.
    fn in_order(allocations: &[&Allocation]) -> Self {
        let mut assignment = Self::default();
        let mut residents: Vec<Vec<&Allocation>> = Vec::new();
        for allocation in allocations {
            let free = (0..residents.len()).filter(|&buffer| residents[buffer].iter().all(|other| !other.overlaps(allocation)));
            let cost = |&buffer: &usize| {
                let size = assignment.byte_buffers[buffer];
                (allocation.bytes.saturating_sub(size), size.saturating_sub(allocation.bytes))
            };
            let buffer = free.min_by_key(cost).unwrap_or(residents.len());
            if buffer == residents.len() {
                assignment.byte_buffers.push(0);
                residents.push(Vec::new());
            }
            let size = &mut assignment.byte_buffers[buffer];
            *size = allocation.bytes.max(*size);
            residents[buffer].push(allocation);
            assignment.buffers.insert(allocation.of, buffer);
        }
        assignment
    }

    fn bytes(&self) -> u64 {
        self.byte_buffers.iter().sum()
    }
}
