//! What tests share: numbers that PyTorch's side generates too, its results, and a comparison that names the worst difference.
//!
//! The other side is `scripts/fixtures/seeded.py`, `scripts/fixtures/generated.py` and `scripts/make_fixtures.py`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod buffers;
pub(crate) mod device;
mod npz;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::network::{Nonlinearity, Stem};
use densenet_wgpu::{Checkpoint, Config, Graph};

/// Generated weights for every tensor that the graph needs.
pub(crate) fn seeded_weights(graph: &Graph, seed: u64) -> Weights {
    let mut weights = Weights::new();
    for spec in graph.tensors() {
        let data = generate(&spec.name, &spec.shape, seed);
        weights.insert(spec.name, Tensor { shape: spec.shape, data });
    }
    weights
}

/// A generated input of `len` values in -2..2.
pub(crate) fn seeded_input(seed: u64, len: usize) -> Vec<f32> {
    generate("input", &[len], seed)
}

/// The tensor of that name: all in 64-bit floats, then rounded.
pub(crate) fn generate(name: &str, shape: &[usize], seed: u64) -> Vec<f32> {
    let fan_in = shape[1..].iter().product::<usize>() as f64;
    let suffix = name.rsplit('.').next().unwrap();
    let value = |u: f64| match (suffix, shape.len()) {
        ("input", _) => 4.0 * (u - 0.5),
        ("running_var", _) | ("weight", 1) => 0.5 + u,
        ("running_mean" | "bias", _) => 0.2 * (u - 0.5),
        ("weight", 4) => (2.0 * u - 1.0) * (6.0 / fan_in).sqrt(),
        ("weight", 2) => (2.0 * u - 1.0) * (3.0 / fan_in).sqrt(),
        _ => panic!("no rule for {name} {shape:?}"),
    };
    uniform(name, seed, shape.iter().product()).into_iter().map(|u| value(u) as f32).collect()
}

/// `count` numbers in [0, 1) for a name and a seed.
pub(crate) fn uniform(name: &str, seed: u64, count: usize) -> Vec<f64> {
    let start = fnv1a64(name) ^ seed;
    (0..count as u64).map(|i| (splitmix64(start.wrapping_add(i)) >> 40) as f64 * (-24f64).exp2()).collect()
}

fn fnv1a64(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn splitmix64(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A network, its seed and its input size: what one file of PyTorch's logits is about.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) seed: u64,
    pub(crate) batch: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Case {
    /// All cases.
    pub(crate) fn all() -> Vec<Self> {
        listing()["cases"].as_array().unwrap().iter().map(Self::read).collect()
    }

    /// The case of that name.
    pub(crate) fn named(name: &str) -> Self {
        Self::all().into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"))
    }

    /// The case whose single modules were recorded, and what each returned.
    pub(crate) fn layers() -> (Self, BTreeMap<String, Array>) {
        let layers = &listing()["layers"];
        let batch = layers["batch"].as_u64().unwrap() as usize;
        let case = Self { batch, ..Self::named(layers["case"].as_str().unwrap()) };
        (case, read_npz(&fixture(layers["file"].as_str().unwrap())))
    }

    /// The cases whose class maps `[N, classes, H, W]` and features `[N, features]` were recorded.
    pub(crate) fn maps() -> Vec<(Self, BTreeMap<String, Array>)> {
        let named = |name: &serde_json::Value| {
            let name = name.as_str().unwrap();
            (Self::named(name), read_npz(&fixture(&format!("{name}-maps.npz"))))
        };
        listing()["maps"].as_array().unwrap().iter().map(named).collect()
    }

    /// The network with its weights, as if it had been read from a file.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(&self.name, self.config.clone(), self.weights())
    }

    /// The network at the case's size.
    pub(crate) fn graph(&self) -> Graph {
        self.config.graph(self.height, self.width).unwrap()
    }

    /// Its generated weights.
    pub(crate) fn weights(&self) -> Weights {
        seeded_weights(&self.graph(), self.seed)
    }

    /// Its generated input `[N, C, H, W]`.
    pub(crate) fn input(&self) -> Vec<f32> {
        seeded_input(self.seed, self.batch * self.config.in_channels * self.height * self.width)
    }

    /// PyTorch's logits, `[N, classes]`.
    pub(crate) fn logits(&self) -> Array {
        read_npy(&fixture(&format!("{}.npy", self.name)))
    }

    fn read(entry: &serde_json::Value) -> Self {
        let number = |value: &serde_json::Value, key: &str| value[key].as_u64().unwrap() as usize;
        let config = &entry["config"];
        let blocks: Vec<usize> = config["block_config"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
        let bn_size = config["bn_size"].as_u64();
        let stem = match config["stem"].as_str().unwrap() {
            "imagenet" => Stem::ImageNet,
            "cifar" => Stem::Cifar,
            "deep" => {
                let widths = [0, 1].map(|index| config["widths"][index].as_u64().unwrap() as usize);
                Stem::Deep { widths, blur: config["blur"].as_bool().unwrap() }
            }
            other => panic!("no stem is called {other}"),
        };
        let config = Config::imagenet(number(config, "growth_rate"), &blocks, number(config, "num_init_features"))
            .with_bn_size(bn_size.unwrap_or(4) as usize)
            .with_classes(Some(number(config, "num_classes")))
            .with_channels(number(config, "in_channels"))
            .with_compression(config["compression"].as_f64().unwrap())
            .with_stem(stem)
            .with_bottleneck(bn_size.is_some())
            .with_final_relu(config["final_relu"].as_bool().unwrap());
        Self {
            name: entry["name"].as_str().unwrap().to_owned(),
            config,
            seed: entry["seed"].as_u64().unwrap(),
            batch: number(entry, "batch"),
            height: number(entry, "height"),
            width: number(entry, "width"),
        }
    }
}

/// `cases.json`.
pub(crate) fn listing() -> serde_json::Value {
    serde_json::from_reader(BufReader::new(open(&fixture("cases.json")))).unwrap()
}

/// An array from a `.npy` file.
#[derive(Debug)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

/// Reads a float32 `.npy` file.
pub(crate) fn read_npy(path: &Path) -> Array {
    array(BufReader::new(open(path)))
}

/// Reads all arrays of an `.npz` file.
pub(crate) fn read_npz(path: &Path) -> BTreeMap<String, Array> {
    npz::read(path).into_iter().map(|(name, content)| (name, array(&content[..]))).collect()
}

fn array(reader: impl Read) -> Array {
    let file = npyz::NpyFile::new(reader).unwrap();
    let shape = file.shape().iter().map(|&n| n as usize).collect();
    Array { shape, data: file.into_vec().unwrap() }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torchvision").join(name)
}

fn open(path: &Path) -> File {
    File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Fails where a value differs by more than `tolerance` times the largest expected magnitude, and names the worst one.
#[track_caller]
pub(crate) fn assert_close(actual: &[f32], expected: &[f32], tolerance: f32) {
    if let Some(worst) = disagreement(actual, expected, tolerance) {
        panic!("{worst}");
    }
}

/// The worst value, where one differs by more than `tolerance` times the largest expected magnitude.
pub(crate) fn disagreement(actual: &[f32], expected: &[f32], tolerance: f32) -> Option<String> {
    if actual.len() != expected.len() {
        return Some(format!("{} values instead of {}", actual.len(), expected.len()));
    }
    let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
    let differences = actual.iter().zip(expected).map(|(a, b)| (a - b).abs()).enumerate();
    // NaN counts as the largest difference there is.
    let worst = differences.map(|(i, d)| (i, if d.is_nan() { f32::INFINITY } else { d })).max_by(|a, b| a.1.total_cmp(&b.1));
    let (index, difference) = worst.filter(|&(_, difference)| difference > tolerance * largest)?;
    Some(format!(
        "worst at index {index} of {}: {} instead of {}, {:.1e} of the largest magnitude {largest}, allowed {tolerance:.1e}",
        actual.len(),
        actual[index],
        expected[index],
        difference / largest,
    ))
}

/// What PyTorch's functions make of numbers of every size (`scripts/make_head_fixtures.py`): the function, numbers, results.
pub(crate) fn nonlinearities() -> Vec<(Nonlinearity, Vec<f32>, Vec<f64>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nonlinearities.json");
    let listing: serde_json::Value = serde_json::from_reader(File::open(path).unwrap()).unwrap();
    let numbers = |key: &str| listing[key].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect::<Vec<_>>();
    let x: Vec<f32> = numbers("x").into_iter().map(|number| number as f32).collect();
    let functions = [
        Nonlinearity::LeakyRelu { slope: 0.2 },
        Nonlinearity::LeakyRelu { slope: -1.5 },
        Nonlinearity::Sigmoid,
        Nonlinearity::Silu,
        Nonlinearity::Tanh,
        Nonlinearity::Gelu,
        Nonlinearity::GeluTanh,
    ];
    functions.into_iter().map(|function| (function, x.clone(), numbers(&function.to_string()))).collect()
}
