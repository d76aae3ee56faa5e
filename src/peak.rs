//! The most that a device can do: how fast it computes, and how fast it reads and writes memory.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::{EncodedRun, KernelRun, Waiter};
use crate::error::{Error, Result};
use crate::gpu::{Gpu, Pipelines};
use crate::kernels::{Kernel, Variant, fma, stream};

/// The most that a device can do, as measured.
///
/// ```no_run
/// use densenet_wgpu::profile::Peak;
/// use densenet_wgpu::Gpu;
///
/// # fn main() -> densenet_wgpu::Result<()> {
/// let peak = Peak::measure(&Gpu::open(None)?)?;
/// println!("{:.0} GFLOP/s, {:.0} GB/s", peak.gflops, peak.gigabytes_per_second);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Peak {
    /// Billions of operations a second on 32-bit floats, two a multiply-add.
    pub gflops: f64,
    /// Billions of bytes a second, read and written ones together, of buffers larger than caches.
    pub gigabytes_per_second: f64,
    /// The kernel that computed fastest.
    pub kernel: String,
}

/// Bytes of each of the two buffers on a GPU: the first size that it has memory for.
const BYTE_BUFFERS: [u64; 3] = [256 << 20, 128 << 20, 64 << 20];

/// The same on a software device, which is slower and whose caches are a processor's.
const BYTE_BUFFERS_OF_SOFTWARE: [u64; 1] = [64 << 20];

/// Seconds that work must take; until then it is doubled. Submitting it then takes no time worth mentioning, and twice as long is
/// still far from any driver's watchdog.
const SECONDS_OF_WORK: f64 = 0.015;

/// Runs of each kernel, in turns with the others, so that a disturbance falls on all. The fastest counts.
const RUNS: usize = 6;

const BYTE_QUAD: u64 = size_of::<[f32; 4]>() as u64;

/// What the last quad of a stream's source is.
const LAST_QUAD: [f32; 4] = [1.0, 2.0, 3.0, 4.0];

impl Peak {
    /// Measures the device, for a few seconds; it should have nothing else to do.
    ///
    /// Computing is timed with kernels of multiply-adds alone, reading and writing with one that copies; both in several
    /// variants, of which the fastest counts. Errors where the device fails, has no memory left, or computes something
    /// else.
    #[tracing::instrument(name = "measure peak", skip_all)]
    pub fn measure(gpu: &Gpu) -> Result<Self> {
        pollster::block_on(async {
            let bench = Bench::new(gpu, false).await?;
            let (flops, kernel) = bench.best(&fma::SUMS, Bench::multiply_adds).await?;
            let (bytes, _) = bench.best(&stream::TILE_QUADS, Bench::copies).await?;
            Ok(Self { gflops: flops / 1e9, gigabytes_per_second: bytes / 1e9, kernel: kernel.to_string() })
        })
    }
}

/// A kernel dispatched some times, and the result by which it is seen that all was done.
struct Work {
    kernel: Kernel,
    dispatches: u32,
    /// Operations, or bytes.
    amount: f64,
    /// Where to look for the result.
    byte_result: u64,
    result: [f32; 4],
}

/// Two buffers and the kernels that work on them.
struct Bench<'a> {
    gpu: &'a Gpu,
    pipelines: Arc<Pipelines>,
    source: wgpu::Buffer,
    target: wgpu::Buffer,
}

impl<'a> Bench<'a> {
    async fn new(gpu: &'a Gpu, shader_checks: bool) -> Result<Self> {
        let pipelines = gpu.pipelines(shader_checks).await?;
        let variants: Vec<_> = fma::SUMS.map(fma::Sums::variant).into_iter().chain(stream::TILE_QUADS.map(stream::variant)).collect();
        pipelines.build(gpu, variants.iter()).await?;
        let limit = gpu.byte_buffer_limit();
        if limit < fma::BYTE_TARGET {
            let (what, adapter) = ("a buffer to measure the peak with".into(), gpu.called());
            return Err(Error::TooLarge { what, needed: fma::BYTE_TARGET, limit, adapter });
        }
        let sizes: &[u64] = if gpu.is_software() { &BYTE_BUFFERS_OF_SOFTWARE } else { &BYTE_BUFFERS };
        let mut made = Err(Error::OutOfMemory { adapter: gpu.called() });
        for &size in sizes {
            made = buffers(gpu, size.min(limit) / BYTE_QUAD * BYTE_QUAD).await;
            if !matches!(made, Err(Error::OutOfMemory { .. })) {
                break;
            }
        }
        let [source, target] = made?;
        Ok(Self { gpu, pipelines, source, target })
    }

    /// How much a second the fastest of several kernels does, and which that is. `work` says what one does at a scale.
    async fn best<C: Copy>(&self, choices: &[C], work: impl Fn(&Self, C, u32) -> Work) -> Result<(f64, Variant)> {
        let mut works = Vec::new();
        for &choice in choices {
            works.push(self.long_enough(|scale| work(self, choice, scale)).await?);
        }
        let (mut best, mut variant) = (0.0, works[0].kernel.variant.clone());
        for work in (0..RUNS).flat_map(|_| &works) {
            let rate = work.amount / self.seconds(work).await?;
            if rate > best {
                (best, variant) = (rate, work.kernel.variant.clone());
            }
        }
        Ok((best, variant))
    }

    /// The work at the first scale that takes long enough to be timed.
    async fn long_enough(&self, work: impl Fn(u32) -> Work) -> Result<Work> {
        let mut scale = 1;
        // The first run of all does what a driver leaves until then.
        self.seconds(&work(scale)).await?;
        while scale < fma::MOST_SCALE && self.seconds(&work(scale)).await? < SECONDS_OF_WORK {
            scale *= 2;
        }
        Ok(work(scale))
    }

    fn multiply_adds(&self, sums: fma::Sums, scale: u32) -> Work {
        Work { kernel: fma::kernel(sums, scale), dispatches: 1, amount: fma::flops(scale), byte_result: 0, result: [sums.result(scale); 4] }
    }

    fn copies(&self, tile_quads: usize, dispatches: u32) -> Work {
        let size = self.source.size();
        let amount = 2.0 * size as f64 * f64::from(dispatches);
        Work { kernel: stream::kernel(tile_quads, size), dispatches, amount, byte_result: size - BYTE_QUAD, result: LAST_QUAD }
    }

    /// How long the work takes, from its submission until the host has its result, in seconds.
    async fn seconds(&self, work: &Work) -> Result<f64> {
        let encoded = self.gpu.caught(|| self.encode(work)).await?;
        let start = Instant::now();
        let result = encoded.submit(self.gpu).data(self.gpu, Waiter::Caller).await?;
        let seconds = start.elapsed().as_secs_f64();
        if result != work.result {
            let variant = &work.kernel.variant;
            return Err(self.gpu.error(format!("{variant}: expected {:?}, found {result:?}; a newer driver may help", work.result)));
        }
        Ok(seconds)
    }

    fn encode(&self, work: &Work) -> EncodedRun {
        let run = KernelRun {
            name: "peak",
            kernel: &work.kernel,
            source: &self.source,
            // A step without weights binds its source in their place, as in a plan.
            weights: &self.source,
            target: &self.target,
            dispatches: work.dispatches as usize,
            byte_result: work.byte_result..work.byte_result + BYTE_QUAD,
        };
        run.encode(self.gpu, &self.pipelines)
    }
}

/// A source, all zeros but for its last quad, and a target.
async fn buffers(gpu: &Gpu, size: u64) -> Result<[wgpu::Buffer; 2]> {
    gpu.caught(|| {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let buffer =
            |label| gpu.device().create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false });
        let buffers = ["source", "target"].map(buffer);
        gpu.queue().write_buffer(&buffers[0], size - BYTE_QUAD, bytemuck::bytes_of(&LAST_QUAD));
        buffers
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::open_gpu;

    /// Without checks they are measured in `tests/peak.rs`.
    #[test]
    fn the_kernels_do_their_work_with_checks() {
        let gpu = open_gpu();
        pollster::block_on(async {
            let bench = Bench::new(&gpu, true).await.unwrap();
            for scale in [1, 2] {
                for sums in fma::SUMS {
                    bench.seconds(&bench.multiply_adds(sums, scale)).await.unwrap();
                }
                for tile_quads in stream::TILE_QUADS {
                    bench.seconds(&bench.copies(tile_quads, scale)).await.unwrap();
                }
            }
            let mut wrong = bench.multiply_adds(fma::SUMS[0], 1);
            wrong.result[0] += 1.0;
            let error = bench.seconds(&wrong).await.unwrap_err().to_string();
            assert!(error.contains("fma 64x8x8: expected [65537.0, 65536.0"), "{error}");
        });
    }
}
