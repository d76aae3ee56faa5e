//! A result on its way back from the device.

use futures_channel::oneshot;

use crate::error::Result;
use crate::gpu::Gpu;

/// [`Readback::wait`] or [`Readback::wait_in_background`].
pub(crate) type Wait = fn(&Readback, &Gpu) -> Result<()>;

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

    /// Blocks until the device has finished the submission.
    pub(crate) fn wait(&self, gpu: &Gpu) -> Result<()> {
        let poll = wgpu::PollType::Wait { submission_index: self.submission.clone(), timeout: None };
        gpu.device().poll(poll).map(|_| ()).map_err(|e| gpu.error(e))
    }

    /// Has a thread of its own wait for the device.
    pub(crate) fn wait_in_background(&self, gpu: &Gpu) -> Result<()> {
        let (device, submission_index) = (gpu.device().clone(), self.submission.clone());
        let wait = move || drop(device.poll(wgpu::PollType::Wait { submission_index, timeout: None }));
        let thread = std::thread::Builder::new().name("densenet-wait".into()).spawn(wait);
        thread.map(|_| ()).map_err(|e| gpu.error(format!("no thread to wait for the device: {e}")))
    }

    /// The result, once it has arrived; `wait` makes sure that it does.
    #[tracing::instrument(level = "debug", name = "wait", skip_all)]
    pub(crate) async fn data(self, gpu: &Gpu, wait: Wait) -> Result<Vec<f32>> {
        wait(&self, gpu)?;
        let mapped = self.mapped.await.map_err(|_| gpu.error("the device gave no result"))?;
        gpu.check()?;
        mapped.map_err(|e| gpu.error(e))?;
        let view = self.buffer.get_mapped_range(..).map_err(|e| gpu.error(e))?;
        Ok(bytemuck::cast_slice(&view).to_vec())
    }
}
