//! `--device D` and what runs there: a GPU's engine, or the CPU reference.

use clap::{Args, ValueEnum};
use densenet_wgpu::checkpoint::Weights;
use densenet_wgpu::network::Shape;
use densenet_wgpu::verify::{best_precision, self_test};
use densenet_wgpu::{Engine, EngineOptions, Error, Gpu, Graph, Input, Reference, Samples};

use super::exit::Stop;
use super::message;
use super::remedy::told;

/// Where and how precisely to run.
#[derive(Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceOptions {
    /// A number or part of a name from `densenet devices`, or `cpu`
    ///
    /// Default: the best GPU. `cpu` is the reference: the same network on the processor, slow and obvious. A software device, which
    /// plays a GPU on the processor, is taken where there is no GPU, with a warning. `classify` and `embed` take several, as in 0,1,
    /// or `all` GPUs, which share the pictures.
    #[arg(long, short, value_name = "D")]
    device: Option<String>,
    /// Numbers to compute with
    #[arg(long, value_name = "P", value_enum, default_value_t = Precision::F32)]
    precision: Precision,
    /// Give a picture the same bits in any batch
    ///
    /// On GPUs the last bits may depend on the batch's size otherwise, as kernels are chosen by it too.
    #[arg(long)]
    batch_invariant: bool,
    /// Use a device that was never tested
    ///
    /// Skips the small network of every kind of layer that a device computes beside the reference before its first use.
    #[arg(long)]
    no_self_test: bool,
}

/// Numbers to compute with.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Precision {
    /// 32-bit floats.
    F32,
    /// 16-bit floats in memory, 32-bit sums: half the memory, and faster on most GPUs; answers differ by up to 2 %.
    F16,
    /// 16-bit floats on GPUs where they pass a check, else 32-bit floats.
    Auto,
}

/// Where to run: an open device.
pub(crate) enum Device {
    /// A GPU.
    Gpu(Box<Gpu>),
    /// The processor.
    Cpu,
}

impl Device {
    fn name(&self) -> &str {
        match self {
            Self::Gpu(gpu) => &gpu.summary().name,
            Self::Cpu => "cpu",
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Gpu(gpu), Self::Gpu(other)) => gpu.summary().index == other.summary().index,
            (Self::Cpu, Self::Cpu) => true,
            _ => false,
        }
    }
}

/// Every GPU once, of adapters by their graphics API and whether they are software devices: a GPU that several APIs reach is there for each of them, so it is those that the best one's API reaches. A
/// software device is none, unless there is nothing else; where there is nothing at all, the best one, which opening tells.
fn gpus(adapters: &[(&str, bool)]) -> Vec<usize> {
    let Some(best) = adapters.first() else { return vec![0] };
    (0..adapters.len()).filter(|&index| adapters[index] == *best).collect()
}

/// What runs a network.
pub(crate) enum Runner {
    /// On a GPU.
    Gpu(Box<Engine>),
    /// On the processor, slowly.
    Cpu(Box<Reference>),
}

impl DeviceOptions {
    /// Opens the one device that was asked for; says what a person should know about it.
    pub(crate) fn open(&self) -> Result<Device, Stop> {
        let mut names = self.names();
        if names.len() > 1 {
            let asked = self.device.as_deref().unwrap_or_default();
            return Err(Stop::refused(format!(
                "--device {asked}: expected one device, found {}; classify and embed take several",
                names.len()
            )));
        }
        self.open_named(names.pop().flatten())
    }

    /// Makes the one device that was asked for ready to run `graph`, with shared kernels (`fusion`) or without.
    pub(crate) fn runner(&self, graph: &Graph, weights: &Weights, fusion: bool) -> Result<Runner, Stop> {
        self.runner_on(&self.open()?, graph, weights, fusion)
    }

    /// Makes every device that was asked for ready to run `graph`.
    pub(crate) fn runners(&self, graph: &Graph, weights: &Weights) -> Result<Vec<Runner>, Stop> {
        let devices = self.names().into_iter().map(|name| self.open_named(name)).collect::<Result<Vec<Device>, Stop>>()?;
        for (index, device) in devices.iter().enumerate() {
            if devices[..index].iter().any(|other| other.is(device)) {
                let asked = self.device.as_deref().unwrap_or_default();
                return Err(Stop::refused(format!("--device {asked}: expected each device once, found {} again", device.name())));
            }
        }
        // All of them in the same numbers: which device a picture meets is left to chance.
        let auto = self.precision == Precision::Auto && devices.len() > 1;
        let all_half = auto
            && devices.iter().all(|device| match device {
                Device::Gpu(gpu) => best_precision(gpu).is_ok_and(|precision| precision == densenet_wgpu::Precision::F16),
                Device::Cpu => false,
            });
        let precision = match self.precision {
            Precision::Auto if auto && !all_half => Precision::F32,
            asked => asked,
        };
        let options = Self { device: self.device.clone(), precision, ..*self };
        devices.iter().map(|device| options.runner_on(device, graph, weights, true)).collect()
    }

    /// The devices that were asked for; `None` is the best one. A name may have a comma of its own.
    fn names(&self) -> Vec<Option<String>> {
        let Some(asked) = &self.device else { return vec![None] };
        let is_all = asked.eq_ignore_ascii_case("all");
        let adapters = if is_all || asked.contains(',') { Gpu::adapters() } else { Vec::new() };
        if is_all {
            let kinds: Vec<_> = adapters.iter().map(|adapter| (adapter.backend.as_str(), adapter.is_software())).collect();
            return gpus(&kinds).into_iter().map(|index| Some(index.to_string())).collect();
        }
        let is_a_name = adapters.iter().any(|adapter| adapter.name.to_lowercase().contains(&asked.to_lowercase()));
        if is_a_name || !asked.contains(',') {
            return vec![Some(asked.clone())];
        }
        asked.split(',').map(|name| Some(name.trim().to_owned())).collect()
    }

    fn open_named(&self, name: Option<String>) -> Result<Device, Stop> {
        if name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case("cpu")) {
            return match self.precision {
                Precision::F16 => Err(Stop::refused("--device cpu: expected --precision f32, which the reference computes in, found f16")),
                _ => Ok(Device::Cpu),
            };
        }
        let gpu = Gpu::open(name.as_deref())?;
        gpu.warnings().iter().for_each(|warning| message::warning(warning));
        Ok(Device::Gpu(Box::new(gpu)))
    }

    /// [`DeviceOptions::runner`] on an open device, which is tested on its first use.
    pub(crate) fn runner_on(&self, device: &Device, graph: &Graph, weights: &Weights, fusion: bool) -> Result<Runner, Stop> {
        let Device::Gpu(gpu) = device else { return Ok(Runner::Cpu(Box::new(Reference::new(graph.clone(), weights.clone())?))) };
        if self.no_self_test {
            message::warning(&format!("--no-self-test: {} is used as if it were right; it may never have been tested", gpu.summary().name));
        } else {
            self_test(gpu, self.precision_on(gpu)?).map_err(|error| match error {
                Error::SelfTest { .. } => Stop::refused(format!("{error}; {}", instead_of(gpu))),
                other => other.into(),
            })?;
        }
        Ok(Runner::Gpu(Box::new(self.engine_on(gpu, graph, weights, fusion)?)))
    }

    /// An engine on an open device, tested or not.
    pub(crate) fn engine_on(&self, gpu: &Gpu, graph: &Graph, weights: &Weights, fusion: bool) -> densenet_wgpu::Result<Engine> {
        let precision = self.precision_on(gpu)?;
        let batch_invariant = self.batch_invariant;
        let engine = |precision| {
            Engine::new(
                gpu,
                graph,
                weights,
                EngineOptions::default().with_fusion(fusion).with_precision(precision).with_batch_invariant(batch_invariant),
            )
        };
        let engine = match engine(precision) {
            Err(Error::HalfRange { .. }) if self.precision == Precision::Auto => engine(densenet_wgpu::Precision::F32),
            made => made,
        }?;
        for tile in engine.tuning().excluded() {
            message::warning(&format!("{tile} is wrong on {}: other kernels take its place, which may be slower", gpu.summary().name));
        }
        Ok(engine)
    }

    /// What to compute with on this device.
    fn precision_on(&self, gpu: &Gpu) -> densenet_wgpu::Result<densenet_wgpu::Precision> {
        match self.precision {
            Precision::F32 => Ok(densenet_wgpu::Precision::F32),
            Precision::F16 => Ok(densenet_wgpu::Precision::F16),
            Precision::Auto => best_precision(gpu),
        }
    }
}

/// What to say of `cpu` where a device is needed, "with kernels to time": what there is instead.
pub(crate) fn no_gpu(needed: &str) -> Stop {
    let remedy = "`densenet devices` shows what there is";
    Stop::refused(format!("--device cpu: expected a device {needed}, found the reference itself; {remedy}"))
}

/// What to do where a device failed its self-test: what else there is.
fn instead_of(gpu: &Gpu) -> String {
    let others = Gpu::adapters().into_iter().filter(|other| other.index != gpu.summary().index);
    let others = others.map(|other| format!("--device {} ({}, {}), ", other.index, other.name, other.backend)).collect::<String>();
    let remedy = format!("update its driver ({}), or use {others}--device cpu", gpu.summary().driver);
    format!("{remedy}. `densenet verify` tells more; --no-self-test uses the device nevertheless")
}

/// Bytes of input that are in memory as one batch, whatever `--batch` asks for: no answer depends on it.
const MAX_BATCH_BYTES: usize = 1 << 30;

/// Images that the reference computes at once: more only take more memory.
const CPU_BATCH: usize = 16;

impl Runner {
    /// What went wrong with the device, so that nothing more can run there.
    pub(crate) fn failure(&self) -> Option<String> {
        match self {
            Self::Gpu(engine) => engine.gpu().failure().map(|failure| told(&failure)),
            Self::Cpu(_) => None,
        }
    }

    /// The network's first output for images of `height` x `width` pixels, `[N, C, H, W]`; as many as `input` holds.
    pub(crate) fn run(&self, input: &[f32], height: usize, width: usize) -> densenet_wgpu::Result<Vec<f32>> {
        match self {
            Self::Gpu(engine) => engine.run(Input::values(input, [height, width])),
            Self::Cpu(reference) => run_reference(reference, input, height, width).map(|mut outputs| outputs.swap_remove(0)),
        }
    }

    /// Starts a run of pictures of `height` x `width` pixels. On the processor it is over when this returns.
    pub(crate) fn start(&self, pictures: &[Samples], height: usize, width: usize) -> densenet_wgpu::Result<Run> {
        match self {
            Self::Gpu(engine) => engine.start(Input::pictures(pictures, [height, width])).map(|run| Run::Started(Box::new(run))),
            Self::Cpu(reference) => {
                let values: Vec<f32> = pictures.iter().flat_map(Samples::values).collect();
                run_reference(reference, &values, height, width).map(Run::Finished)
            }
        }
    }
}

/// Every output for all images that `input` holds.
fn run_reference(reference: &Reference, input: &[f32], height: usize, width: usize) -> densenet_wgpu::Result<Vec<Vec<f32>>> {
    let element_image = Shape { height, width, ..reference.graph().input_shape() }.elements();
    let mut outputs = vec![Vec::new(); reference.graph().outputs().len()];
    for batch in input.chunks(CPU_BATCH * element_image.max(1)) {
        outputs.iter_mut().zip(reference.run_all(batch, height, width)?).for_each(|(output, values)| output.extend(values));
    }
    Ok(outputs)
}

/// What [`Runner::start`] started.
pub(crate) enum Run {
    /// A GPU works on it.
    Started(Box<densenet_wgpu::Run>),
    /// Its outputs are there.
    Finished(Vec<Vec<f32>>),
}

impl Run {
    /// Waits for the network's outputs, one `[N, C, H, W]` for each.
    pub(crate) fn wait(self) -> densenet_wgpu::Result<Vec<Vec<f32>>> {
        match self {
            Self::Started(run) => run.wait_all(),
            Self::Finished(outputs) => Ok(outputs),
        }
    }
}

/// How many images of `shape` to run at once when `asked` were asked for.
pub(crate) fn images_at_once(asked: u32, shape: Shape) -> usize {
    let byte_image = shape.elements().saturating_mul(size_of::<f32>()).max(1);
    (asked as usize).min(MAX_BATCH_BYTES / byte_image).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_gpus_are_there_once_and_software_only_alone() {
        for (adapters, expected) in [
            (&[][..], &[0][..]),
            (&[("vulkan", false), ("vulkan", false), ("dx12", false)], &[0, 1]),
            (&[("vulkan", false), ("vulkan", false), ("vulkan", true)], &[0, 1]),
            (&[("vulkan", true), ("dx12", true)], &[0]),
        ] {
            assert_eq!(gpus(adapters), expected);
        }
    }

    #[test]
    fn where_a_device_failed_there_is_something_else() {
        let gpu = Gpu::open(None).unwrap_or_else(|e| panic!("this test needs a GPU, a software one will do: {e}"));
        let message = instead_of(&gpu);
        for part in [&gpu.summary().driver, "--device cpu", "--no-self-test"] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
        assert!(!message.contains(&format!("--device {} ", gpu.summary().index)), "{message}");
    }
}
