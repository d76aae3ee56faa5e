//! Activation memory that plans share.
//!
//! A plan needs a buffer for each of its slots, and no step may read and write one buffer. An engine's own plans run one after
//! the other, so they share a pool (each that a program encodes has one of its own): the largest slot of each lies in the pool's first buffer, the next one in the second. The
//! pool is as large as the largest of them needs.

use std::sync::{Mutex, MutexGuard};

use super::lock;
use crate::error::Result;
use crate::gpu::Gpu;

/// Buffers, the largest first, and whose turn it is to use them.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// `None` where one is being replaced by a larger one.
    buffers: Mutex<Vec<Option<wgpu::Buffer>>>,
    turn: Mutex<()>,
}

impl Pool {
    /// Held while a run writes its input and submits its commands: whoever comes next is behind it on the device.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    /// Bytes of all buffers.
    pub(super) fn bytes(&self) -> u64 {
        lock(&self.buffers).iter().flatten().map(wgpu::Buffer::size).sum()
    }

    /// Gives all memory back, once the plans that are bound to it are gone.
    pub(super) fn clear(&self) {
        lock(&self.buffers).clear();
    }

    /// Whether all of these are buffers that it still has.
    pub(super) fn has<'a>(&self, mut buffers: impl Iterator<Item = &'a wgpu::Buffer>) -> bool {
        let own = lock(&self.buffers);
        buffers.all(|buffer| own.iter().flatten().any(|own| own == buffer))
    }

    /// Whether slots of these sizes, in bytes, fit without growth.
    pub(super) fn holds(&self, slots: &[u64]) -> bool {
        let buffers = lock(&self.buffers);
        largest_first(slots).into_iter().enumerate().all(|(rank, slot)| holds(&buffers, rank, slots[slot]))
    }

    /// A buffer for each slot, of at least its bytes. Where the pool grows, plans that were bound to it before hold on to
    /// the buffers that it had. Errors where the device has no memory left.
    pub(super) async fn buffers(&self, gpu: &Gpu, slots: &[u64]) -> Result<Vec<wgpu::Buffer>> {
        let order = largest_first(slots);
        loop {
            let missing = {
                let mut buffers = lock(&self.buffers);
                let ranks = order.iter().copied().enumerate();
                let missing: Vec<(usize, usize)> = ranks.filter(|&(rank, slot)| !holds(&buffers, rank, slots[slot])).collect();
                if missing.is_empty() {
                    let mut found: Vec<(usize, wgpu::Buffer)> = order.into_iter().zip(buffers.iter().flatten().cloned()).collect();
                    found.sort_unstable_by_key(|(slot, _)| *slot);
                    return Ok(found.into_iter().map(|(_, buffer)| buffer).collect());
                }
                // What is too small goes first: memory need not hold both.
                for &(rank, _) in &missing {
                    if let Some(buffer) = buffers.get_mut(rank) {
                        *buffer = None;
                    }
                }
                missing
            };
            gpu.find_memory(self.bytes() + missing.iter().map(|&(_, slot)| slots[slot]).sum::<u64>())?;
            let made = gpu.caught(|| missing.iter().map(|&(_, slot)| buffer(gpu, slots[slot])).collect::<Vec<_>>()).await?;
            let mut buffers = lock(&self.buffers);
            for (&(rank, slot), made) in missing.iter().zip(made) {
                if buffers.len() <= rank {
                    buffers.resize(rank + 1, None);
                }
                // Somebody else may have grown it meanwhile.
                if !holds(&buffers, rank, slots[slot]) {
                    buffers[rank] = Some(made);
                }
            }
        }
    }
}

/// Whether there is a buffer of that rank, of at least `bytes`.
fn holds(buffers: &[Option<wgpu::Buffer>], rank: usize, bytes: u64) -> bool {
    buffers.get(rank).is_some_and(|buffer| buffer.as_ref().is_some_and(|buffer| buffer.size() >= bytes))
}

/// The indices of the slots, those of the largest first.
fn largest_first(slots: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by_key(|&slot| std::cmp::Reverse(slots[slot]));
    order
}

fn buffer(gpu: &Gpu, size: u64) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: Some("activations"), size, usage, mapped_at_creation: false })
}
