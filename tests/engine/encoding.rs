//! Runs in a program's own commands.

use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, wgpu};

use crate::common::assert_close;
use crate::common::buffers::{encoded, encoder, filled, read, readable, sized};
use crate::common::device::{own_device, pretending};
use crate::{TOLERANCE, engine, input, network, noisy, reference};

#[test]
fn a_program_encodes_what_the_host_has() {
    let (values, pictures) = (input(9, 2, 40, 33), noisy(9, 2, 40, 33));
    let samples = pictures.samples();
    for (input, expected) in [
        (Input::values(&values, [40, 33]), reference(40, 33, &values)),
        (Input::pictures(&samples, [40, 33]), reference(40, 33, &pictures.values())),
    ] {
        assert_close(&encoded(engine(), input, 2 * 7), &expected, TOLERANCE);
    }
}

#[test]
fn a_program_encodes_a_run_on_its_own_device() {
    let (device, queue) = own_device(wgpu::Limits::default());
    let (graph, weights) = network(40, 33);
    let engine =
        Engine::new(&pretending(Gpu::from_device(device.clone(), queue.clone())), &graph, &weights, EngineOptions::default()).unwrap();
    let pictures = input(9, 2, 40, 33);
    let from = filled(&device, &pictures);
    let to = sized(&device, 2 * 7, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC);
    let mapped = readable(&device, 2 * 7);

    let mut commands = encoder(&device);
    engine.encode(&mut commands, Input::buffer(&from, 2, [40, 33]), &to).unwrap();
    commands.copy_buffer_to_buffer(&to, 0, &mapped, 0, None);
    queue.submit([commands.finish()]);
    let logits = read(&device, &mapped);
    assert_eq!(logits, engine.run(Input::values(&pictures, [40, 33])).unwrap());
    assert_close(&logits, &reference(40, 33, &pictures), TOLERANCE);

    let mut commands = encoder(&device);
    let mut refused =
        |to: &wgpu::Buffer, batch| engine.encode(&mut commands, Input::buffer(&from, batch, [40, 33]), to).unwrap_err().to_string();
    let message = refused(&to, 3);
    assert!(message.contains("input buffer of at least 47520 bytes for 3 images") && message.contains("31680"), "{message}");
    let message = refused(&sized(&device, 2 * 7 - 1, wgpu::BufferUsages::COPY_DST), 2);
    assert!(message.contains("output buffer of at least 56 bytes for 2 images") && message.contains("52"), "{message}");
    let message = refused(&to, 0);
    assert!(message.contains("a batch of at least 1"), "{message}");
}

/// A program may submit what it encoded between a run's upload and its submission: they must not share memory.
#[test]
fn a_program_submits_while_another_thread_runs() {
    let gpu = engine().gpu();
    let [theirs, ours] = [input(20, 1, 40, 33), input(21, 1, 40, 33)];
    let from = filled(gpu.device(), &theirs);
    let to = sized(gpu.device(), 7, wgpu::BufferUsages::COPY_DST);
    let expected = engine().run(Input::values(&ours, [40, 33])).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..100 {
                let mut commands = encoder(gpu.device());
                engine().encode(&mut commands, Input::buffer(&from, 1, [40, 33]), &to).unwrap();
                gpu.queue().submit([commands.finish()]);
            }
        });
        for round in 0..100 {
            assert_eq!(engine().run(Input::values(&ours, [40, 33])).unwrap(), expected, "round {round}");
        }
    });
}
