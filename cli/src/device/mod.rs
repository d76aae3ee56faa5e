//! `--device D`, and what runs there: an engine on a GPU, or the reference on the CPU.

mod address_space;
mod asked;
mod slow;

use clap::{Args, ValueEnum};
use densenet_wgpu::checkpoint::Weights;
use densenet_wgpu::devices::{self, AdapterSummary, Device as Named};
use densenet_wgpu::internal::{engine_in_range, faulty_tiles, run_reference};
use densenet_wgpu::verify::{Reference, best_precision, self_test};
use densenet_wgpu::{Checkpoint, Classifier, ClassifierOptions, Engine, EngineOptions, Error, Gpu, Graph, Input};

use crate::exit::Stop;
use crate::message;
use crate::remedy::explained;
pub(crate) use asked::Asked;

/// Where and how precisely to run.
#[derive(Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceOptions {
    /// A number, part of a name or PCI address from `densenet devices`, or `cpu`
    ///
    /// Default: what the variable DENSENET_DEVICE says, else the best GPU or, with a warning, a software adapter if there is none. `cpu` is
    /// the reference: the same network on the CPU, simple and slow; a software adapter is several times as fast. `classify`,
    /// `embed`, `evaluate` and `fit` take more than one device, as in 0,1, or `all` GPUs, which share the pictures.
    #[arg(long, short, value_name = "D")]
    device: Option<String>,
    /// Software adapters
    ///
    /// What to do with an adapter that computes on the CPU, where there is no GPU.
    #[arg(long, value_name = "S", value_enum, default_value_t = Software::Warn)]
    software: Software,
    /// Floating-point format
    #[arg(long, value_name = "P", value_enum, default_value_t = Precision::F32)]
    precision: Precision,
    /// Give a picture bit-identical results in any batch
    ///
    /// Otherwise the last bits may depend on the batch size on GPUs, because it influences the choice of kernels.
    #[arg(long)]
    batch_invariant: bool,
    /// Use a device without testing it
    ///
    /// Skips the self-test before a device's first use, which compares a small network of every kind of layer with the reference.
    #[arg(long)]
    no_self_test: bool,
}

/// Floating-point format to compute with.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Precision {
    /// 32-bit floats.
    F32,
    /// 16-bit floats in memory, 32-bit accumulators: half the memory, and faster on most GPUs; results differ by up to 2 %.
    F16,
    /// 16-bit floats on GPUs where they pass a check, otherwise 32-bit floats.
    Auto,
}

/// What to do with a software adapter.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Software {
    /// Use it with a warning.
    Warn,
    /// Refuse it, on a machine that is meant to have a GPU.
    Refuse,
    /// Use it without a warning.
    Allow,
}

impl From<Software> for devices::Software {
    fn from(software: Software) -> Self {
        match software {
            Software::Warn => Self::Warn,
            Software::Refuse => Self::Refuse,
            Software::Allow => Self::Allow,
        }
    }
}

/// An open device.
pub(crate) enum Device {
    /// A GPU.
    Gpu(Box<Gpu>),
    /// The CPU.
    Cpu,
}

/// What runs a network.
pub(crate) enum Runner {
    /// An engine on a GPU.
    Gpu(Box<Engine>),
    /// The reference on the CPU.
    Cpu(Box<Reference>),
}

impl Device {
    /// The GPU, unless it is the CPU.
    fn gpu(&self) -> Option<&Gpu> {
        match self {
            Self::Gpu(gpu) => Some(gpu),
            Self::Cpu => None,
        }
    }
}

impl From<Device> for Named {
    fn from(device: Device) -> Self {
        match device {
            Device::Gpu(gpu) => Self::Gpu(gpu),
            Device::Cpu => Self::Reference,
        }
    }
}

impl DeviceOptions {
    /// Opens the one requested device, and reports its warnings.
    pub(crate) fn open(&self) -> Result<Device, Stop> {
        let asked = self.asked();
        let [device] = &asked.devices()[..] else {
            let found = asked.devices().len();
            return Err(Stop::refused(format!(
                "{asked}expected one device, found {found}; classify, embed, evaluate and fit take several"
            )));
        };
        self.open_one(device)
    }

    /// Opens one of the requested devices, and reports its warnings.
    fn open_one(&self, device: &Named) -> Result<Device, Stop> {
        let name = match device {
            Named::Reference => {
                address_space::check_for_threads()?;
                return self.checked_cpu().map(|()| Device::Cpu);
            }
            Named::Named(name) => Some(name.as_str()),
            _ => None,
        };
        open_gpu(&self.asked(), name, self.software).map(|gpu| Device::Gpu(Box::new(gpu)))
    }

    /// Makes a classifier of `model` on every requested device. Reports the warnings of a device before anything is compiled for it,
    /// because that may be slow or crash.
    pub(crate) fn classifier(&self, model: Checkpoint, options: ClassifierOptions) -> Result<Classifier, Stop> {
        let asked = self.asked();
        let devices = asked.devices().iter().map(|device| self.open_one(device)).collect::<Result<Vec<_>, _>>()?;
        let gpus: Vec<&Gpu> = devices.iter().filter_map(Device::gpu).collect();
        for (at, gpu) in gpus.iter().enumerate() {
            if gpus[..at].iter().any(|other| other.summary().index == gpu.summary().index) {
                return Err(Stop::refused(format!("{asked}expected each device once, found {} again", gpu.summary().name)));
            }
        }
        if gpus.len() < devices.len() {
            slow::warn();
        }
        let reported: Vec<String> = gpus.iter().flat_map(|gpu| gpu.warnings()).cloned().collect();
        if self.no_self_test {
            gpus.iter().for_each(|gpu| untested(&gpu.summary().name));
        }
        let options = options.with_devices(devices.into_iter().map(Named::from).collect());
        let options = options.with_batch_invariant(self.batch_invariant).with_self_test(!self.no_self_test);
        let options = match self.precision {
            Precision::F32 => options.with_precision(densenet_wgpu::Precision::F32),
            Precision::F16 => options.with_precision(densenet_wgpu::Precision::F16),
            Precision::Auto => options.with_best_precision(),
        };
        let classifier = Classifier::new(model, options).map_err(|error| match error {
            Error::Options { .. } => Stop::refused(format!("{asked}{error}")),
            error => not_trusted(&error),
        })?;
        classifier.warnings().iter().filter(|warning| !reported.contains(warning)).for_each(|warning| message::warning(warning));
        Ok(classifier)
    }

    /// What --precision is called.
    pub(crate) fn precision_name(&self) -> &'static str {
        match self.precision {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
            Precision::Auto => "auto",
        }
    }

    /// Who asked for which devices.
    pub(crate) fn asked(&self) -> Asked {
        Asked::of(self.device.as_deref())
    }

    /// Errors if the CPU cannot compute in the requested precision.
    fn checked_cpu(&self) -> Result<(), Stop> {
        match self.precision {
            Precision::F16 => {
                let expected = "expected --precision f32, which the reference computes in, found f16";
                Err(Stop::refused(format!("{}{expected}", self.asked())))
            }
            Precision::F32 | Precision::Auto => Ok(()),
        }
    }

    /// Prepares the one requested device to run `graph`, with fused kernels (`fusion`) or without.
    pub(crate) fn runner(&self, graph: &Graph, weights: &Weights, fusion: bool) -> Result<Runner, Stop> {
        self.runner_on(&self.open()?, graph, weights, fusion)
    }

    /// Like [`DeviceOptions::runner`], on an open device, which is tested before its first use.
    pub(crate) fn runner_on(&self, device: &Device, graph: &Graph, weights: &Weights, fusion: bool) -> Result<Runner, Stop> {
        let Device::Gpu(gpu) = device else {
            slow::warn();
            return Ok(Runner::Cpu(Box::new(Reference::new(graph.clone(), weights.clone())?)));
        };
        if self.no_self_test {
            untested(&gpu.summary().name);
        } else {
            self_test(gpu, self.precision_on(gpu)?).map_err(|error| not_trusted(&error))?;
        }
        Ok(Runner::Gpu(Box::new(self.engine_on(gpu, graph, weights, fusion)?)))
    }

    /// An engine on an open device, without a test.
    pub(crate) fn engine_on(&self, gpu: &Gpu, graph: &Graph, weights: &Weights, fusion: bool) -> densenet_wgpu::Result<Engine> {
        let options = EngineOptions::default().with_fusion(fusion).with_batch_invariant(self.batch_invariant);
        let options = options.with_precision(self.precision_on(gpu)?);
        let engine = engine_in_range(gpu, graph, weights, options, self.precision == Precision::Auto)?;
        faulty_tiles(&engine).iter().for_each(|warning| message::warning(warning));
        Ok(engine)
    }

    /// The precision to use on this device.
    fn precision_on(&self, gpu: &Gpu) -> densenet_wgpu::Result<densenet_wgpu::Precision> {
        match self.precision {
            Precision::F32 => Ok(densenet_wgpu::Precision::F32),
            Precision::F16 => Ok(densenet_wgpu::Precision::F16),
            Precision::Auto => best_precision(gpu),
        }
    }
}

/// Opens the device of that name, or the best one, as was asked for, and reports its warnings.
pub(crate) fn open_gpu(asked: &Asked, name: Option<&str>, software: Software) -> Result<Gpu, Stop> {
    address_space::check_for_a_device()?;
    let gpu = Gpu::open(name).and_then(|gpu| gpu.with_software(software.into())).map_err(|error| asked.refused(&error))?;
    gpu.warnings().iter().for_each(|warning| message::warning(warning));
    Ok(gpu)
}

/// Warns that a device is used without a test.
fn untested(device: &str) {
    message::warning(&format!("--no-self-test: {device} is used without a test; its results may be wrong"));
}

/// Explains an error; for a device that failed its self-test, names alternatives.
fn not_trusted(error: &Error) -> Stop {
    match error {
        Error::SelfTest { adapter, .. } => Stop::refused(format!("{error}; {}", instead_of(adapter))),
        error => Stop::refused(explained(error)),
    }
}

/// What to do if the adapter of that name and graphics API failed its self-test: the alternatives.
fn instead_of(adapter: &str) -> String {
    let is_it = |other: &AdapterSummary| format!("{} ({})", other.name, other.backend) == adapter;
    let (it, others): (Vec<_>, Vec<_>) = Gpu::adapters().into_iter().partition(is_it);
    let driver = it.first().map_or(String::new(), |adapter| format!(" ({})", adapter.driver));
    let others = others.iter().map(|other| format!("--device {} ({}, {}), ", other.index, other.name, other.backend)).collect::<String>();
    let remedy = format!("update its driver{driver}, or use {others}--device cpu");
    format!("{remedy}. `densenet verify` shows more; --no-self-test uses the device anyway")
}

impl Runner {
    /// The network's first output for the images of `height` x `width` pixels in `input`, `[N, C, H, W]`.
    pub(crate) fn run(&self, input: &[f32], height: usize, width: usize) -> densenet_wgpu::Result<Vec<f32>> {
        match self {
            Self::Gpu(engine) => engine.run(Input::values(input, [height, width])),
            Self::Cpu(reference) => run_reference(reference, input, [height, width]).map(|mut outputs| outputs.swap_remove(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_device_failed_there_is_something_else() {
        let gpu = Gpu::open(None).unwrap_or_else(|e| panic!("this test needs a GPU, a software one will do: {e}"));
        let message = instead_of(&format!("{} ({})", gpu.summary().name, gpu.summary().backend));
        for part in [&gpu.summary().driver, "--device cpu", "--no-self-test"] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
        assert!(!message.contains(&format!("--device {} ", gpu.summary().index)), "{message}");
    }
}
