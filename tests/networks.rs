//! Whole networks on the device against PyTorch's numbers (`scripts/make_fixtures.py`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::OnceLock;

use densenet_wgpu::internal::{Pretence, Shader};
use densenet_wgpu::tuning::{Capabilities, Tuning};
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Checkpoint, Engine, EngineOptions, Gpu, Input, Precision};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::device::{is_slow, open_gpu, untested};
use common::{Case, disagreement, seeded_input};

/// Of an image's largest logit: what is allowed between us and PyTorch.
const TOLERANCE: f32 = 2e-5;
/// The same in 16-bit floats.
const HALF_TOLERANCE: f32 = 2e-2;

fn fused() -> EngineOptions {
    EngineOptions::default()
}

fn unfused() -> EngineOptions {
    EngineOptions::default().with_fusion(false)
}

/// 16-bit floats, with the kernels that suit the device.
fn half() -> EngineOptions {
    EngineOptions::default().with_precision(Precision::F16)
}

/// Whether the device has 16-bit floats; notes on standard error where it has not.
fn has_half() -> bool {
    let has_half = gpu().capabilities().f16;
    if !has_half {
        untested(gpu(), "16-bit floats, which it has not");
    }
    has_half
}

/// The kernels that any GPU gets, software or not.
fn portable(precision: Precision) -> EngineOptions {
    let capabilities = Capabilities { software: false, subgroup: None, ..gpu().capabilities() };
    EngineOptions::default().with_tuning(Tuning::new(capabilities).with_precision(precision))
}

fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(open_gpu)
}

/// Networks that are fast on any device, among them DenseNet-121 with small pictures.
fn small(case: &Case) -> bool {
    !case.name.starts_with("densenet") || case.name == "densenet121-batch"
}

/// Every network; only the [`small`] ones where the device takes minutes for the others.
fn cases() -> Vec<Case> {
    let mut cases = Case::all();
    if is_slow(gpu()) {
        untested(gpu(), "the large networks, as it is a software device that runs the kernels of GPUs");
        cases.retain(small);
    }
    cases
}

/// What makes an image's bits those of any batch: nothing with the kernels for software devices, else to ask for it.
fn invariant(options: EngineOptions) -> EngineOptions {
    let Capabilities { software, subgroup, .. } = gpu().capabilities();
    let has_lanes = software && subgroup.is_some_and(|[least, _]| least.is_multiple_of(8));
    options.with_batch_invariant(!has_lanes)
}

fn engine(case: &Case, options: EngineOptions) -> Engine {
    Engine::new(gpu(), &case.graph(), &case.weights(), options).unwrap()
}

/// What disagrees with PyTorch, image by image.
fn failures(case: &Case, options: EngineOptions) -> Vec<String> {
    let precision = options.tuning.as_ref().map_or(options.precision, Tuning::precision);
    let tolerance = if precision == Precision::F16 { HALF_TOLERANCE } else { TOLERANCE };
    let logits = engine(case, options).run(Input::values(&case.input(), [case.height, case.width])).unwrap();
    let expected = case.logits().data;
    assert_eq!(logits.len(), expected.len(), "{}", case.name);
    let classes = expected.len() / case.batch;
    let images = logits.chunks_exact(classes).zip(expected.chunks_exact(classes)).enumerate();
    let failure =
        |(image, (actual, expected))| Some(format!("{} image {image}: {}", case.name, disagreement(actual, expected, tolerance)?));
    images.filter_map(failure).collect()
}

#[test]
fn logits_are_pytorchs() {
    let cases = Case::all();
    for variant in ["densenet121", "densenet161", "densenet169", "densenet201"] {
        assert!(cases.iter().any(|case| case.name == variant), "{variant} has no fixture");
    }
    let failures: Vec<String> = self::cases().iter().flat_map(|case| failures(case, EngineOptions::default())).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn logits_are_pytorchs_without_fusion() {
    let failures: Vec<String> = Case::all().into_iter().filter(small).flat_map(|case| failures(&case, unfused())).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Also the same top class whenever PyTorch's top two differ by more than the tolerance.
#[test]
fn logits_are_pytorchs_in_16_bits() {
    if !has_half() {
        return;
    }
    for case in cases() {
        let failures = failures(&case, half());
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        let logits = engine(&case, half()).run(Input::values(&case.input(), [case.height, case.width])).unwrap();
        let expected = case.logits().data;
        let classes = expected.len() / case.batch;
        for (actual, expected) in logits.chunks_exact(classes).zip(expected.chunks_exact(classes)) {
            let top = |logits: &[f32]| (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap();
            let mut sorted = expected.to_vec();
            sorted.sort_by(|a, b| b.total_cmp(a));
            let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
            let is_clear = sorted.get(1).is_none_or(|second| sorted[0] - second > HALF_TOLERANCE * largest);
            assert!(!is_clear || top(actual) == top(expected), "{}", case.name);
        }
    }
}

#[test]
fn logits_are_pytorchs_with_the_kernels_of_any_gpu() {
    for precision in [Precision::F32, Precision::F16] {
        if precision == Precision::F16 && !has_half() {
            return;
        }
        let failures: Vec<String> = Case::all().into_iter().filter(small).flat_map(|case| failures(&case, portable(precision))).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

/// Also on a software adapter, whose rule never chooses them.
#[test]
fn logits_are_pytorchs_with_matrix_units() {
    let capabilities = Capabilities { software: false, ..gpu().capabilities() };
    if capabilities.matrix.is_none() {
        return untested(gpu(), "matrix units, which it has not");
    }
    let tuning = Tuning::new(capabilities).with_precision(Precision::F16);
    for case in cases() {
        let options = EngineOptions::default().with_tuning(tuning.clone());
        let plan = engine(&case, options.clone()).plan(case.batch, case.height, case.width).unwrap();
        assert!(plan.steps().iter().any(|step| step.kernel.variant.shader() == Shader::ConvMatrix), "{}", case.name);
        let failures = failures(&case, options);
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
    // Dispatches of a part of the pixels compute the same bits.
    let case = cases().into_iter().find(small).unwrap();
    let options = EngineOptions::default().with_tuning(tuning);
    let in_parts = open_gpu().pretending(Pretence { flops_per_submission: Some(1), ..Pretence::default() });
    let in_parts = Engine::new(&in_parts, &case.graph(), &case.weights(), options.clone()).unwrap();
    let (input, size) = (case.input(), [case.height, case.width]);
    assert_eq!(in_parts.run(Input::values(&input, size)).unwrap(), engine(&case, options).run(Input::values(&input, size)).unwrap());
}

#[test]
fn layers_are_pytorchs_modules() {
    let (case, layers) = Case::layers();
    assert!(layers.len() > 15, "{} layers", layers.len());
    let mut failures = Vec::new();
    for (name, expected) in layers {
        for options in [fused(), unfused()] {
            let mut graph = case.graph();
            graph.set_output(graph.find(&name).unwrap()).unwrap();
            let engine = Engine::new(gpu(), &graph, &case.weights(), options.clone()).unwrap();
            let failure =
                disagreement(&engine.run(Input::values(&case.input(), [case.height, case.width])).unwrap(), &expected.data, TOLERANCE);
            failures.extend(failure.map(|failure| format!("{name}, {options:?}: {failure}")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// PyTorch's maps and features; the maps' means make the logits, which are bit for bit what they are without maps.
#[test]
fn class_maps_and_features_are_pytorchs() {
    let mut failures = Vec::new();
    for (case, expected) in Case::maps() {
        let (checkpoint, classes) = (case.checkpoint(), case.config.num_classes.unwrap());
        let (graph, weights) = checkpoint.with_class_maps(case.height, case.width).unwrap();
        let reference = Reference::new(graph.clone(), weights.clone()).unwrap();
        let referred = reference.run_all(&case.input(), case.height, case.width).unwrap();
        for (options, tolerance) in [(fused(), TOLERANCE), (unfused(), TOLERANCE), (half(), HALF_TOLERANCE)] {
            if options.precision == Precision::F16 && !has_half() {
                continue;
            }
            let what = format!("{}, {options:?}", case.name);
            let engine = Engine::new(gpu(), &graph, &weights, options.clone()).unwrap();
            let outputs = engine.start(Input::values(&case.input(), [case.height, case.width])).unwrap().wait_all().unwrap();
            for found in [&outputs, &referred] {
                failures.extend(disagreement(&found[1], &expected["maps"].data, tolerance).map(|e| format!("{what}: {e}")));
            }
            assert!(
                outputs[0] == self::engine(&case, options).run(Input::values(&case.input(), [case.height, case.width])).unwrap(),
                "{what}: the logits are others"
            );

            let bias = &checkpoint.weights.tensor("classifier.bias").unwrap().data;
            let means = outputs[1].chunks_exact(outputs[1].len() / case.batch / classes).enumerate();
            let logits: Vec<f32> = means.map(|(at, map)| map.iter().sum::<f32>() / map.len() as f32 + bias[at % classes]).collect();
            failures.extend(disagreement(&logits, &outputs[0], tolerance).map(|e| format!("{what}, means: {e}")));
        }
        let mut graph = case.graph();
        graph.set_output(graph.find("global_pool").unwrap()).unwrap();
        let features = Engine::new(gpu(), &graph, &case.weights(), fused())
            .unwrap()
            .run(Input::values(&case.input(), [case.height, case.width]))
            .unwrap();
        failures.extend(disagreement(&features, &expected["features"].data, TOLERANCE).map(|e| format!("{}, features: {e}", case.name)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_model_without_a_classifier_has_no_class_maps() {
    let case = Case::named("odd");
    let config = case.config.clone().with_classes(None);
    let message = Checkpoint::new(&case.name, config, case.weights()).with_class_maps(64, 64).unwrap_err().to_string();
    assert!(message.contains("expected a model with a classifier") && message.contains("odd"), "{message}");
}

/// Whatever a kernel's tiles are chosen by, the last bit stays where the engine was asked for that.
#[test]
fn an_image_does_not_depend_on_its_neighbours() {
    for (name, options) in
        [("odd", fused()), ("odd", unfused()), ("cifar-bc", fused()), ("grey", unfused()), ("deep-blur", fused()), ("odd", half())]
    {
        if options.precision == Precision::F16 && !has_half() {
            continue;
        }
        let case = Case::named(name);
        let engine = engine(&case, invariant(options));
        let elements = case.graph().input_shape().elements();
        let (images, size) = (seeded_input(7, 3 * elements), [case.height, case.width]);
        let together = engine.run(Input::values(&images, size)).unwrap();
        let classes = together.len() / 3;
        assert_eq!(together, engine.run(Input::values(&images, size)).unwrap(), "{name}: two runs of one batch");
        for (index, image) in images.chunks_exact(elements).enumerate() {
            let in_batch = &together[index * classes..][..classes];
            assert_eq!(engine.run(Input::values(image, size)).unwrap(), in_batch, "{name}: image {index} alone");
            let others = seeded_input(8, 4 * elements);
            let last_of_five = [&others[..], image].concat();
            assert_eq!(
                &engine.run(Input::values(&last_of_five, size)).unwrap()[4 * classes..],
                in_batch,
                "{name}: image {index} last of five"
            );
        }
    }
}

#[test]
fn densenet121_gives_the_same_bits_whenever_and_with_whomever_it_runs() {
    let case = Case::named("densenet121-batch");
    let engine = engine(&case, invariant(EngineOptions::default()));
    let together = engine.run(Input::values(&case.input(), [case.height, case.width])).unwrap();
    assert_eq!(together, engine.run(Input::values(&case.input(), [case.height, case.width])).unwrap(), "two runs of one batch");
    let elements = case.graph().input_shape().elements();
    let size = [case.height, case.width];
    let alone: Vec<f32> = case.input().chunks_exact(elements).flat_map(|image| engine.run(Input::values(image, size)).unwrap()).collect();
    assert_eq!(together, alone);
}
