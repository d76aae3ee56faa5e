//! Every kernel on the device against the CPU reference: tables of odd networks, and random ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::ErrorKind;
use std::path::Path;
use std::sync::OnceLock;

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::devices::Cache;
use densenet_wgpu::internal::Shader;
use densenet_wgpu::network::Shape;
use densenet_wgpu::tuning::{Capabilities, Tile, Tuning};
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Engine, EngineOptions, Gpu, Graph, Input, Precision};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/graphs/mod.rs"]
mod graphs;
#[path = "common/pictures.rs"]
mod pictures;
use common::device::{is_slow, open_gpu, untested};
use common::{disagreement, seeded_input, seeded_weights};
use graphs::Odd;
use pictures::Pictures;

/// Of the largest expected magnitude: what is allowed between us and PyTorch.
fn tolerance(precision: Precision) -> f32 {
    match precision {
        Precision::F32 => 2e-5,
        Precision::F16 => 2e-2,
    }
}

/// The device. Its cache keeps the verdicts on tiles for the other cases, and is empty when the tests begin.
fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels");
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{}: {error}", folder.display()),
            _ => {
                let gpu = open_gpu().with_cache(Cache::at(folder));
                if !gpu.capabilities().f16 {
                    untested(&gpu, "kernels in 16-bit floats, which it has not");
                }
                gpu
            }
        }
    })
}

/// Runs every case on the device, and fails with all that disagree with the reference.
#[track_caller]
fn check(cases: &[Odd]) {
    check_with(cases, |_| Vec::new());
}

/// [`check`], and every tile for GPUs that the device can run: in 32-bit and in 16-bit floats in turns from case to case, or in the
/// only dtype that it has. A slow device checks only its own tiles, and one tile of matrices for each case where it has them.
#[track_caller]
fn check_tiles(cases: &[Odd]) {
    let capabilities = gpu().capabilities();
    if is_slow(gpu()) {
        let of_matrices: Vec<Tile> =
            Tile::all().filter(|tile| matches!(tile, Tile::ConvMatrix(_)) && tile.runs_on(&capabilities, Precision::F16)).collect();
        if of_matrices.is_empty() {
            return check(cases);
        }
        return check_with(cases, |case| vec![only(of_matrices[case % of_matrices.len()], Precision::F16)]);
    }
    let tiles: Vec<Tile> = Tile::all().filter(|tile| matches!(tile.shader(), Shader::ConvTiled | Shader::ConvMatrix)).collect();
    check_with(cases, |case| {
        let tuning = |(index, &tile): (usize, &Tile)| {
            let precisions = [Precision::F32, Precision::F16].map(|precision| tile.runs_on(&capabilities, precision).then_some(precision));
            let turn = (case + index) % 2;
            Some(only(tile, precisions[turn].or(precisions[1 - turn])?))
        };
        tiles.iter().enumerate().filter_map(tuning).collect()
    });
}

/// Checks every case with the device's own tuning in both precisions, and with what `tunings` has for the case's index.
#[track_caller]
fn check_with(cases: &[Odd], tunings: impl Fn(usize) -> Vec<Tuning>) {
    assert!(!cases.is_empty());
    let failures: Vec<String> = cases.iter().enumerate().flat_map(|(index, case)| failures(case, index % 2 == 0, tunings(index))).collect();
    assert!(failures.is_empty(), "{} failures in {} networks:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// The device's tuning with this tile alone.
fn only(tile: Tile, precision: Precision) -> Tuning {
    own(precision).only(tile)
}

/// The device's own tuning.
fn own(precision: Precision) -> Tuning {
    Tuning::new(gpu().capabilities()).with_precision(precision)
}

/// Where the device disagrees with the reference, fused and unfused. One of the two is compiled with bounds checks: neighbours
/// in a table alternate, so that every kernel runs both ways in half the time.
fn failures(case: &Odd, fused_checks: bool, tunings: Vec<Tuning>) -> Vec<String> {
    println!("{}", case.name); // the last one is to blame where something panics
    let weights = seeded_weights(&case.graph, 1);
    let Shape { height, width, .. } = case.graph.input_shape();
    let input = seeded_input(2, case.batch * case.graph.input_shape().elements());
    let expected = Reference::new(case.graph.clone(), weights.clone()).unwrap().run_all(&input, height, width).unwrap();

    let mut failures = Vec::new();
    let own = [(true, own(Precision::F32)), (false, own(Precision::F32)), (fused_checks, own(Precision::F16))];
    let own = own.into_iter().filter(|(_, tuning)| tuning.precision() == Precision::F32 || tuning.capabilities().f16);
    let given = tunings.into_iter().map(|tuning| (true, tuning));
    for (fusion, tuning) in own.chain(given) {
        let shader_checks = fusion == fused_checks;
        let precision = tuning.precision();
        let engine = format!("{fusion} fusion, {shader_checks} checks, {tuning:?}");
        let options = EngineOptions::default().with_fusion(fusion).with_shader_checks(shader_checks).with_tuning(tuning);
        let failure = match run(case, &weights, &input, options) {
            Ok(actual) => {
                assert_eq!(actual.len(), expected.len());
                actual.iter().zip(&expected).find_map(|(actual, expected)| disagreement(actual, expected, tolerance(precision)))
            }
            Err(error) => Some(error.to_string()),
        };
        failures.extend(failure.map(|failure| format!("{}, {engine}: {failure}", case.name)));
    }
    failures
}

fn run(case: &Odd, weights: &Weights, input: &[f32], options: EngineOptions) -> densenet_wgpu::Result<Vec<Vec<f32>>> {
    let engine = Engine::new(gpu(), &case.graph, weights, options)?;
    let Shape { height, width, .. } = case.graph.input_shape();
    // Leaves infinity and NaN in all memory, padding included: nothing of it may come into the next result. In 16-bit
    // floats it is an error of its own.
    let _ = engine.run(Input::values(&vec![f32::MAX; input.len()], [height, width]));
    engine.start(Input::values(input, [height, width]))?.wait_all()
}

/// A network that is nothing but its input shows what the kernel makes of samples: the tables' own bits. Images of every
/// length beyond whole words, and one of more pixels than one dimension has workgroups for.
#[test]
fn pictures_are_looked_up() {
    for (index, ([channels, height, width], batch)) in [
        ([1, 1, 1], 1),
        ([1, 1, 1], 3),
        ([3, 1, 1], 3),
        ([1, 5, 7], 3),
        ([1, 3, 2], 3),
        ([1, 8, 8], 2),
        ([3, 5, 7], 3),
        ([3, 7, 2], 3),
        ([3, 3, 5], 4),
        ([3, 97, 131], 3),
        ([2, 3, 5], 3),
        ([7, 4, 9], 2),
        ([1, 2049, 2049], 1),
    ]
    .into_iter()
    .enumerate()
    {
        let shape = Shape::new(channels, height, width);
        let case = format!("batch {batch} of {shape}");
        let options = EngineOptions::default().with_shader_checks(index % 2 == 0);
        let engine = Engine::new(gpu(), &Graph::new(shape), &Weights::new(), options).unwrap();
        for round in 0..2 {
            let mut pictures = Pictures::new(round, batch, shape);
            for table in &mut pictures.tables {
                table[..5].copy_from_slice(&[0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE]);
            }
            let found = engine.run(Input::pictures(&pictures.samples(), [height, width])).unwrap();
            // Written out once more: element (n, c, p) is sample (n, p, c) in table (n, c).
            let expected = |at: usize| {
                let pixels = shape.pixels();
                let (image, channel, pixel) = (at / pixels / channels, at / pixels % channels, at % pixels);
                pictures.tables[image * channels + channel][usize::from(pictures.bytes[(image * pixels + pixel) * channels + channel])]
            };
            assert_eq!(found.len(), pictures.bytes.len(), "{case}");
            let wrong = (0..found.len()).find(|&at| found[at].to_bits() != expected(at).to_bits());
            assert_eq!(wrong.map(|at| (at, found[at], expected(at))), None, "{case}, round {round}");
            assert!(pictures.values() == found, "{case}: Samples::values differ");
        }
    }
}

#[test]
fn pointwise_convolutions() {
    check_tiles(&graphs::pointwise());
}

#[test]
fn growth_convolutions() {
    check_tiles(&graphs::growth());
}

#[test]
fn convolutions_with_any_window() {
    check_tiles(&graphs::windows());
}

#[test]
fn pools() {
    check(&graphs::pools());
}

#[test]
fn norms_and_relus_in_any_order() {
    check(&graphs::norms());
}

/// Of the larger of 1 and the result: what is allowed between a kernel and PyTorch.
const NONLINEARITY_TOLERANCE: f64 = 1e-6;

#[test]
fn nonlinearities_of_numbers_of_every_size() {
    for (index, (nonlinearity, x, expected)) in common::nonlinearities().into_iter().enumerate() {
        let mut graph = Graph::new(Shape::new(1, 1, x.len()));
        graph.nonlinearity("layer", graph.input(), nonlinearity).unwrap();
        let options = EngineOptions::default().with_shader_checks(index % 2 == 0);
        let found = Engine::new(gpu(), &graph, &Weights::new(), options).unwrap().run(Input::values(&x, [1, x.len()])).unwrap();
        assert_eq!(found.len(), expected.len());
        for ((x, found), expected) in x.iter().zip(found).zip(expected) {
            let error = (f64::from(found) - expected).abs();
            assert!(
                error <= NONLINEARITY_TOLERANCE * expected.abs().max(1.0),
                "{nonlinearity} of {x}: {found} instead of {expected}, off by {error:.1e}"
            );
        }
    }
}

/// A difference of two infinities, which the layers before make: one alone would be a sum of numbers where products are not rounded.
#[test]
fn nan_stays_nan_in_nonlinearities() {
    for (nonlinearity, ..) in common::nonlinearities() {
        let mut graph = Graph::new(Shape::new(2, 1, 1));
        let x = graph.linear("infinities", graph.input(), 2).unwrap();
        let x = graph.linear("difference", x, 1).unwrap();
        graph.nonlinearity("layer", x, nonlinearity).unwrap();
        let mut weights = Weights::new();
        for (layer, outputs, data) in [("infinities", 2, vec![f32::MAX, 0.0, 0.0, f32::MAX]), ("difference", 1, vec![1.0, -1.0])] {
            weights.insert(format!("{layer}.weight"), Tensor { shape: vec![outputs, 2], data });
            weights.insert(format!("{layer}.bias"), Tensor { shape: vec![outputs], data: vec![0.0; outputs] });
        }
        let engine = Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap();
        let found = engine.run(Input::values(&[f32::MAX; 2], [1, 1])).unwrap();
        assert!(found[0].is_nan(), "{nonlinearity}: {}", found[0]);
    }
}

#[test]
fn nonlinearities_beside_everything_else() {
    check(&graphs::nonlinearities());
}

#[test]
fn concats() {
    check(&graphs::concats());
}

#[test]
fn heads() {
    check(&graphs::heads());
}

#[test]
fn outputs() {
    check(&graphs::outputs());
}

/// Its kernels would ask the device for what it has not.
#[test]
fn a_tuning_for_a_device_that_can_do_more_is_refused() {
    let case = &graphs::heads()[0];
    let weights = seeded_weights(&case.graph, 1);
    let own = gpu().capabilities();
    let mut large = own;
    large.workgroup.bytes += 1;
    let matrix = Capabilities { matrix: Some(4), ..own };
    let subgroup = Capabilities { subgroup: Some([24, 24]), ..own };
    for (capabilities, beyond) in [(large, "workgroups of"), (matrix, "matrices of 4x4"), (subgroup, "subgroups of 24 to 24")] {
        let options = EngineOptions::default().with_tuning(Tuning::new(capabilities));
        let message = Engine::new(gpu(), &case.graph, &weights, options).unwrap_err().to_string();
        assert!(message.contains("expected a tuning for what this device can do") && message.contains(beyond), "{message}");
    }
}

/// The same cases on every run; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for more or others.
#[test]
fn random_networks() {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 48;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    proptest::test_runner::TestRunner::new(config)
        .run(&(graphs::random(), any::<bool>()), |(case, fused_checks)| {
            let failures = failures(&case, fused_checks, Vec::new());
            if failures.is_empty() { Ok(()) } else { Err(TestCaseError::fail(failures.join("\n"))) }
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
