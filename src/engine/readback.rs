//! A result on its way back from the device.

use futures_channel::oneshot;

use crate::error::Result;
use crate::gpu::Gpu;

/// Who waits for the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// The caller, which blocks.
    Caller,
    /// The device's own thread; in a browser nobody need.
    Worker,
}

#[derive(Debug)]
pub(crate) struct Readback {
    buffer: wgpu::Buffer,
    submission: Option<wgpu::SubmissionIndex>,
    mapped: oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Readback {
    /// A buffer that the host can read.
    pub(crate) fn buffer(gpu: &Gpu, size: u64) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        gpu.device().create_buffer(&wgpu::BufferDescriptor { label: Some("read-back"), size, usage, mapped_at_creation: false })
    }

    /// Starts to map `buffer`, which `submission` fills.
    pub(crate) fn start(buffer: wgpu::Buffer, submission: Option<wgpu::SubmissionIndex>) -> Self {
        let (sender, mapped) = oneshot::channel();
        // The receiver is gone where the run was given up: nobody is left to tell.
        buffer.map_async(wgpu::MapMode::Read, .., move |result| drop(sender.send(result)));
        Self { buffer, submission, mapped }
    }

    /// The result, once it has arrived.
    #[tracing::instrument(level = "debug", name = "wait", skip_all)]
    pub(crate) async fn data(self, gpu: &Gpu, waiter: Waiter) -> Result<Vec<f32>> {
        match waiter {
            Waiter::Caller => gpu.wait(self.submission)?,
            #[cfg(not(target_family = "wasm"))]
            Waiter::Worker => {
                let waiting = gpu.clone();
                gpu.on_worker(move || waiting.wait(self.submission)).await??;
            }
            #[cfg(target_family = "wasm")]
            Waiter::Worker => {}
        }
        let mapped = self.mapped.await.map_err(|_| gpu.error("the device gave no result"))?;
        gpu.check()?;
        // Nobody unmaps or destroys the buffer: mapping it fails with its device.
        mapped.map_err(|e| gpu.lost(e))?;
        let view = self.buffer.get_mapped_range(..).map_err(|e| gpu.error(e))?;
        Ok(bytemuck::cast_slice(&view).to_vec())
    }
}
