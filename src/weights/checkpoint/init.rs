//! Weights for training to start from, or for a test to run: torchvision's initialisation.

use super::Checkpoint;
use crate::arch::Config;
use crate::error::Result;
use crate::graph::{Op, TensorSpec};
use crate::random::Random;
use crate::weights::{Tensor, Weights};

impl Checkpoint {
    /// An untrained network, initialised as `torchvision.models.DenseNet.__init__` does it.
    ///
    /// - convolutions: `nn.init.kaiming_normal_`, a normal distribution of standard deviation `sqrt(2 / fan_in)`
    ///   (He et al., *Delving Deep into Rectifiers*, ICCV 2015), where `fan_in` is in-channels times kernel pixels;
    /// - batch norms: weight 1, bias 0, running mean 0, running variance 1;
    /// - the classifier: bias 0, weight uniform in ±`1 / sqrt(in)`, which is `nn.Linear`'s own default.
    ///
    /// Each tensor draws from its own stream: splitmix64 started at `seed` exclusive-or the FNV-1a hash of the tensor's
    /// name; uniform numbers are its upper 53 bits, normal ones come from them in pairs by Box and Muller's transform.
    /// All is computed in 64-bit floats and rounded once, so the same seed gives the same weights everywhere (up to
    /// the platform's `ln`, `sin` and `cos`, whose last bit seldom survives the rounding). The numbers are not those
    /// that PyTorch draws from the same seed.
    ///
    /// Errors where `config` makes no network.
    ///
    /// ```
    /// use densenet_wgpu::{Checkpoint, Config};
    ///
    /// let config = || Config::imagenet(4, &[2, 2], 8).with_classes(Some(2));
    /// assert_eq!(Checkpoint::init(config(), 7)?, Checkpoint::init(config(), 7)?);
    /// assert_ne!(Checkpoint::init(config(), 7)?, Checkpoint::init(config(), 8)?);
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    #[tracing::instrument(name = "initialise weights", skip_all)]
    pub fn init(config: Config, seed: u64) -> Result<Self> {
        let mut weights = Weights::new();
        for node in config.any_graph()?.nodes() {
            for spec in node.tensors() {
                let tensor = initial(node.op, &spec, seed);
                weights.insert(spec.name, tensor);
            }
        }
        let name = config.name().unwrap_or("densenet");
        Ok(Self::new(name, config, weights))
    }
}

fn initial(op: Op, spec: &TensorSpec, seed: u64) -> Tensor {
    let mut random = Random::new(&spec.name, seed);
    let elements: usize = spec.shape.iter().product();
    let fan_in = spec.shape[1..].iter().product::<usize>() as f64;
    let suffix = spec.name.rsplit('.').next().unwrap_or_default();
    let data = match (op, suffix) {
        (Op::Conv(_), "weight") => {
            let deviation = (2.0 / fan_in).sqrt();
            (0..elements).map(|_| (deviation * random.normal()) as f32).collect()
        }
        (Op::Linear { .. }, "weight") => {
            let bound = 1.0 / fan_in.sqrt();
            (0..elements).map(|_| (bound * (2.0 * random.uniform() - 1.0)) as f32).collect()
        }
        (Op::BatchNorm { .. }, "weight" | "running_var") => vec![1.0; elements],
        _ => vec![0.0; elements],
    };
    Tensor { shape: spec.shape.clone(), data }
}
