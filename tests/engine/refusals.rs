//! What an engine refuses, and what the message names.

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::preprocessing::Samples;
use densenet_wgpu::{Engine, EngineOptions, Error, Gpu, Input, Precision};

use crate::common::device::untested;
use crate::{engine, gpu, input, network, noisy};

#[test]
fn what_is_refused_is_named() {
    let good = input(1, 1, 40, 33);
    let mut not_a_number = good.clone();
    not_a_number[17] = f32::NAN;
    for (input, size, complaint) in [
        (&good[1..], [40, 33], "found 3959 elements"),
        (&[], [40, 33], "found 0 elements"),
        (&not_a_number, [40, 33], "NaN at element 17"),
        (&good[..12], [2, 2], "too small"),
        (&good[..], [40, 34], "[N, 3, 40, 34]"),
        (&good[..], [0, 33], "[N, 3, 0, 33]"),
        (&good[..], [1 << 40, 1 << 40], "[N, 3, 1099511627776, 1099511627776]"),
    ] {
        let message = engine().run(Input::values(input, size)).unwrap_err().to_string();
        assert!(message.contains(complaint), "{message}");
    }
    let message = pollster::block_on(engine().run_async(Input::values(&not_a_number, [40, 33]))).unwrap_err().to_string();
    assert!(message.contains("NaN at element 17"), "{message}");

    let pictures = noisy(1, 2, 40, 33);
    let mut not_a_number = pictures.tables.clone();
    let at = 17 * 3 + 1; // the second channel of a pixel
    not_a_number[4][usize::from(pictures.samples()[1].bytes[at])] = f32::NAN;
    let good = pictures.samples();
    let with = |second| vec![good[0], second];
    for (pictures, [height, width], complaint) in [
        (vec![], [40, 33], "expected at least one picture, found none"),
        (good.clone(), [40, 34], "[40, 34, 3], with a table for each channel, found 3960 samples and 3 tables in picture 0"),
        (with(Samples { bytes: &good[1].bytes[1..], ..good[1] }), [40, 33], "found 3959 samples and 3 tables in picture 1"),
        (with(Samples { tables: &good[1].tables[1..], ..good[1] }), [40, 33], "found 3960 samples and 2 tables in picture 1"),
        (with(Samples { tables: &not_a_number[3..], ..good[1] }), [40, 33], "found NaN for sample"),
        (good.clone(), [0, 33], "[0, 33, 3]"),
        (good.clone(), [1 << 40, 1 << 40], "[1099511627776, 1099511627776, 3]"),
    ] {
        let message = engine().run(Input::pictures(&pictures, [height, width])).unwrap_err().to_string();
        assert!(message.contains(complaint), "{message}");
    }
    // An entry of a table that no sample uses may be infinite.
    let mut unused = noisy(2, 1, 40, 33);
    unused.bytes.fill(7);
    let expected = engine().run(Input::pictures(&unused.samples(), [40, 33])).unwrap();
    unused.tables[1][8] = f32::INFINITY;
    assert_eq!(engine().run(Input::pictures(&unused.samples(), [40, 33])).unwrap(), expected);

    let (graph, good) = network(40, 33);
    let refused = |change: fn(&mut Weights)| {
        let mut weights = good.clone();
        change(&mut weights);
        Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap_err().to_string()
    };
    let message = refused(|weights| drop(weights.remove("classifier.bias")));
    assert!(message.contains("classifier.bias"), "{message}");
    let message = refused(|weights| drop(weights.insert("left.over", Tensor { shape: vec![1], data: vec![0.0] })));
    assert!(message.contains("left.over"), "{message}");
    let message = refused(|weights| drop(weights.insert("classifier.bias", Tensor { shape: vec![8], data: vec![0.0; 8] })));
    assert!(message.contains("classifier.bias") && message.contains("[7]") && message.contains("[8]"), "{message}");
    let message = Gpu::open(Some("no such adapter")).unwrap_err().to_string();
    assert!(message.contains("no such adapter") && message.contains("0 = "), "{message}");
}

#[test]
fn an_adapter_that_is_not_there_is_told_with_those_that_are() {
    let Err(Error::NoSuchAdapter { name, suggestion, adapters, .. }) = Gpu::open(Some("llvmpipf")) else {
        panic!("expected no such adapter")
    };
    let names: Vec<String> = Gpu::adapters().into_iter().map(|adapter| format!("{} ({})", adapter.name, adapter.backend)).collect();
    assert_eq!((name.as_str(), adapters), ("llvmpipf", names));
    let has_llvmpipe = Gpu::adapters().iter().any(|adapter| adapter.name.contains("llvmpipe"));
    assert_eq!(suggestion.as_deref(), has_llvmpipe.then_some("llvmpipe"));
}

#[test]
fn what_16_bits_cannot_hold_is_refused() {
    if !gpu().capabilities().f16 {
        return untested(gpu(), "16-bit floats, which it has not");
    }
    let (graph, weights) = network(40, 33);
    let half = || EngineOptions::default().with_precision(Precision::F16);
    let scaled = |layer: &str, factor: f32| {
        let mut weights = weights.clone();
        let name = format!("{layer}.weight");
        let tensor = weights.tensor(&name).unwrap();
        let data = tensor.data.iter().map(|weight| weight * factor).collect();
        let shape = tensor.shape.clone();
        weights.insert(name, Tensor { shape, data });
        weights
    };
    let error = Engine::new(gpu(), &graph, &scaled("classifier", 1e6), half()).unwrap_err().to_string();
    assert!(error.contains("classifier: expected weights below 65504") && error.contains("use 32-bit floats"), "{error}");
    // Weights that fit, and what they are multiplied with: a norm takes the size out again, but only after it was stored.
    let weights = scaled("features.denseblock1.denselayer1.conv2", 1e5);
    let pictures = input(30, 1, 40, 33);
    let error = Engine::new(gpu(), &graph, &weights, half()).unwrap().run(Input::values(&pictures, [40, 33])).unwrap_err().to_string();
    assert!(error.contains("activations below 65504") && error.contains("use 32-bit floats"), "{error}");
    assert!(Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap().run(Input::values(&pictures, [40, 33])).is_ok());
    // Also where it is another output that they are in.
    let mut graph = graph;
    let overflowing = graph.find("features.denseblock1.denselayer1.conv2").unwrap();
    graph.set_outputs(&[graph.input(), overflowing]).unwrap();
    let error = Engine::new(gpu(), &graph, &weights, half()).unwrap().run(Input::values(&pictures, [40, 33])).unwrap_err();
    assert!(matches!(error, Error::HalfOverflow), "{error}");
}
