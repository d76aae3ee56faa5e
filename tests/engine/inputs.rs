//! Inputs: values, pictures and buffers, of every size and batch.

use densenet_wgpu::network::{Conv, Shape, Window};
use densenet_wgpu::profile::Granularity;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Config, Engine, EngineOptions, Graph, Input};

use crate::common::buffers::filled;
use crate::common::{assert_close, seeded_weights};
use crate::{TOLERANCE, engine, gpu, input, reference};

/// Every range, with the tables that preprocessing makes.
#[cfg(feature = "image")]
#[test]
fn a_prepared_picture_gives_what_its_tensor_gives() {
    use densenet_wgpu::image::Picture;
    use densenet_wgpu::preprocessing::{Preprocessing, Range};
    let picture = |seed, height: usize, width: usize, keep: fn(u8) -> u8| {
        Picture::new(height, width, 3, crate::pictures::noise(seed, height * width * 3).into_iter().map(keep).collect()).unwrap()
    };
    let pictures = [picture(1, 50, 61, |sample| sample), picture(2, 37, 35, |sample| 90 + sample / 4), picture(3, 90, 80, |_| 17)];
    for channels in [1, 3] {
        let config = Config::imagenet(6, &[2, 2], 9).with_classes(Some(7)).with_channels(channels);
        let graph = config.graph(45, 35).unwrap();
        let engine = Engine::new(gpu(), &graph, &seeded_weights(&graph, 3), EngineOptions::default()).unwrap();
        for range in [Range::ZeroOne, Range::MinusPlus1024, Range::MinMax] {
            let preprocessing = Preprocessing::torchvision(channels).sized(45, 35).with_range(range);
            let prepared = pictures.each_ref().map(|picture| preprocessing.prepare(picture).unwrap());
            let values: Vec<f32> = pictures.iter().flat_map(|picture| preprocessing.apply(picture).unwrap().values).collect();
            let samples = prepared.each_ref().map(|prepared| prepared.samples());
            let expected = engine.run(Input::values(&values, [45, 35])).unwrap();
            assert_eq!(engine.run(Input::pictures(&samples, [45, 35])).unwrap(), expected, "{range:?}, {channels} channels");
            assert!(expected.iter().all(|logit| logit.is_finite()));
        }
    }
}

#[test]
fn sizes_and_batches_stay_right_as_memory_grows() {
    for size in [40, 41, 42, 73, 44, 45, 40, 42] {
        let input = input(5, 1, size, 33);
        assert_close(&engine().run(Input::values(&input, [size, 33])).unwrap(), &reference(size, 33, &input), TOLERANCE);
    }
}

/// The input lies image by image, which some kernels for one image cannot read of several.
#[test]
fn what_reads_the_input_is_right_for_every_batch() {
    let mut graph = Graph::new(Shape::new(3, 8, 6));
    let x = graph.conv("conv", graph.input(), Conv::new(5, Window::square(1, 1, 0))).unwrap();
    let x = graph.global_avg_pool("pool", x).unwrap();
    graph.linear("linear", x, 7).unwrap();
    let weights = seeded_weights(&graph, 3);
    let reference = Reference::new(graph.clone(), weights.clone()).unwrap();
    for batch_invariant in [false, true] {
        let options = EngineOptions::default().with_batch_invariant(batch_invariant);
        let engine = Engine::new(gpu(), &graph, &weights, options).unwrap();
        for batch in [1, 3] {
            let input = input(5, batch, 8, 6);
            let expected = reference.run(&input, 8, 6).unwrap();
            assert_close(&engine.run(Input::values(&input, [8, 6])).unwrap(), &expected, TOLERANCE);
        }
    }
}

#[test]
fn a_run_takes_its_input_from_a_buffer() {
    let pictures = input(11, 3, 40, 33);
    let from = filled(gpu().device(), &pictures);
    let expected = engine().run(Input::values(&pictures, [40, 33])).unwrap();
    assert_eq!(engine().run(Input::buffer(&from, 3, [40, 33])).unwrap(), expected);
    assert_eq!(engine().time(Input::buffer(&from, 3, [40, 33]), Granularity::Run).unwrap().passes.len(), 1);
    let message = engine().run(Input::buffer(&from, 4, [40, 33])).unwrap_err().to_string();
    assert!(message.contains("at least 63360 bytes for 4 images") && message.contains("47520"), "{message}");
}
