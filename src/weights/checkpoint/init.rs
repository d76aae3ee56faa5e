//! Weights for training to start from, or for a test to run: torchvision's initialisation.

use std::f64::consts::TAU;

use super::Checkpoint;
use crate::arch::Config;
use crate::error::Result;
use crate::graph::{Op, TensorSpec};
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

/// Steele, Lea, Flood: *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014 (splitmix64).
struct Random {
    state: u64,
    spare: Option<f64>,
}

impl Random {
    fn new(name: &str, seed: u64) -> Self {
        let fnv1a = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self { state: seed ^ name.bytes().fold(0xcbf2_9ce4_8422_2325, fnv1a), spare: None }
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Mean 0, variance 1.
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 - u is in (0, 1]: its logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for the seed 1234567, as in Vigna's splitmix64.c.
        let mut random = Random { state: 1_234_567, spare: None };
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.bits(), random.bits(), random.bits()], expected);
    }

    #[test]
    fn normal_numbers_are_normal() {
        let mut random = Random::new("test", 1);
        let values: Vec<f64> = (0..200_000).map(|_| random.normal()).collect();
        let moment = |power: i32| values.iter().map(|v| v.powi(power)).sum::<f64>() / values.len() as f64;
        assert!(moment(1).abs() < 0.01 && (moment(2) - 1.0).abs() < 0.01, "{} {}", moment(1), moment(2));
        assert!(moment(3).abs() < 0.05 && (moment(4) - 3.0).abs() < 0.1, "{} {}", moment(3), moment(4));
    }
}
