//! Networks with several outputs.

use densenet_wgpu::checkpoint::Weights;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Engine, EngineOptions, Graph, Input};

use crate::common::assert_close;
use crate::common::buffers::{encoder, filled, read, readable};
use crate::limits::small_device;
use crate::{TOLERANCE, engine, gpu, input, network};

/// The network with logits, features and the last picture as outputs.
fn outputs(height: usize, width: usize) -> (Graph, Weights) {
    let (mut graph, weights) = network(height, width);
    let values = ["classifier", "global_pool", "relu"].map(|name| graph.find(name).unwrap());
    graph.set_outputs(&values).unwrap();
    (graph, weights)
}

#[test]
fn several_outputs_come_from_one_run() {
    let (graph, weights) = outputs(40, 33);
    let pictures = input(40, 3, 40, 33);
    let expected = Reference::new(graph.clone(), weights.clone()).unwrap().run_all(&pictures, 40, 33).unwrap();
    let several = Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap();
    let found = several.start(Input::values(&pictures, [40, 33])).unwrap().wait_all().unwrap();
    assert_eq!(found.len(), 3);
    found.iter().zip(&expected).for_each(|(found, expected)| assert_close(found, expected, TOLERANCE));
    assert_eq!(engine().run(Input::values(&pictures, [40, 33])).unwrap(), found[0], "the logits are bit for bit what they are alone");
    assert_eq!(several.run(Input::values(&pictures, [40, 33])).unwrap(), found[0], "a run's result is its first output");
    assert_eq!(several.start(Input::values(&pictures, [40, 33])).unwrap().wait().unwrap(), found[0]);
    assert_eq!(pollster::block_on(several.run_async(Input::values(&pictures, [40, 33]))).unwrap(), found[0]);
    let other = several.start(Input::values(&input(41, 1, 61, 70), [61, 70])).unwrap().wait_all().unwrap();
    assert_eq!(other.iter().map(Vec::len).collect::<Vec<_>>(), [7, 22, 22 * 8 * 9], "another size");
    let mut graph = graph;
    let message = graph.set_outputs(&[]).unwrap_err().to_string();
    assert!(message.contains("at least one output"), "{message}");
}

#[test]
fn several_outputs_are_joined_where_buffers_are_limited() {
    let gpu = small_device(1 << 20);
    let (graph, weights) = outputs(64, 64);
    let options = EngineOptions::default().with_batch_invariant(true);
    let engine = Engine::new(&gpu, &graph, &weights, options).unwrap();
    let pictures = input(2, 7, 200, 170);
    assert!(engine.plan(4, 200, 170).unwrap().byte_buffers().max().unwrap() > 1 << 20, "the test needs larger pictures");
    let together = engine.start(Input::values(&pictures, [200, 170])).unwrap().wait_all().unwrap();
    let mut alone = vec![Vec::new(); 3];
    for picture in pictures.chunks_exact(3 * 200 * 170) {
        let outputs = engine.start(Input::values(picture, [200, 170])).unwrap().wait_all().unwrap();
        alone.iter_mut().zip(outputs).for_each(|(all, one)| all.extend(one));
    }
    assert!(together == alone);

    let from = filled(gpu.device(), &pictures[..2 * 3 * 200 * 170]);
    let expected: Vec<f32> = alone.iter().flat_map(|all| &all[..all.len() / 7 * 2]).copied().collect();
    let mut commands = encoder(gpu.device());
    let too_small = readable(gpu.device(), 2 * 7);
    let message = engine.encode(&mut commands, Input::buffer(&from, 2, [200, 170]), &too_small).unwrap_err().to_string();
    assert!(message.contains(&format!("output buffer of at least {} bytes", expected.len() * 4)), "{message}");
    let to = readable(gpu.device(), expected.len());
    engine.encode(&mut commands, Input::buffer(&from, 2, [200, 170]), &to).unwrap();
    gpu.queue().submit([commands.finish()]);
    assert_eq!(read(gpu.device(), &to), expected);
}
