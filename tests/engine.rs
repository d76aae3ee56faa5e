//! The engine as programs use it: threads, futures, their own device, limits, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::devices::Cache;
use densenet_wgpu::internal::Pretence;
use densenet_wgpu::network::{Conv, Shape, Window};
use densenet_wgpu::preprocessing::Samples;
use densenet_wgpu::profile::Grain;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Config, Engine, EngineOptions, Error, Gpu, Graph, Input, Precision, wgpu};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
#[path = "common/pictures.rs"]
mod pictures;
use common::device::{open_gpu, own_device, pretending, untested};
use common::{assert_close, seeded_input, seeded_weights};
use pictures::Pictures;

const TOLERANCE: f32 = 2e-5;

fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(open_gpu)
}

fn network(height: usize, width: usize) -> (Graph, Weights) {
    let config = Config::imagenet(6, &[2, 2], 9).with_classes(Some(7));
    let graph = config.graph(height, width).unwrap();
    let weights = seeded_weights(&graph, 3);
    (graph, weights)
}

fn reference(height: usize, width: usize, input: &[f32]) -> Vec<f32> {
    let (graph, weights) = network(height, width);
    Reference::new(graph, weights).unwrap().run(input, height, width).unwrap()
}

fn input(seed: u64, batch: usize, height: usize, width: usize) -> Vec<f32> {
    seeded_input(seed, batch * 3 * height * width)
}

fn noisy(seed: u64, batch: usize, height: usize, width: usize) -> Pictures {
    Pictures::new(seed, batch, Shape::new(3, height, width))
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let (graph, weights) = network(40, 33);
        Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap()
    })
}

#[test]
fn an_engine_can_be_shared() {
    const fn shared<T: Send + Sync>() {}
    const { shared::<Engine>() };
}

#[test]
fn threads_get_their_own_results() {
    let run = |seed: u64| {
        for (round, size) in [[40, 33], [31, 50], [40, 33]].into_iter().enumerate() {
            let input = input(seed + 10 * round as u64, 2, size[0], size[1]);
            assert_close(&engine().run(Input::values(&input, size)).unwrap(), &reference(size[0], size[1], &input), TOLERANCE);
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|seed| drop(scope.spawn(move || run(seed)))));
}

/// Runs, times and tunes one engine from several threads, with inputs that differ: each gets what the reference makes of its
/// own, whatever the others are at.
#[track_caller]
fn hammer(gpu: &Gpu) {
    const SIZE: [usize; 2] = [40, 33];
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let works = |seed: u64| {
        let batches = [1, 3, 1, 2].into_iter().enumerate();
        let work = |(index, batch)| {
            let input = input(100 * seed + index as u64, batch, 40, 33);
            let expected = reference(40, 33, &input);
            (input, expected)
        };
        batches.map(work).collect::<Vec<_>>()
    };
    let is_over = AtomicBool::new(false);
    // Each input twice at least, however long the others take.
    let run = |works: Vec<(Vec<f32>, Vec<f32>)>| {
        for (count, (input, expected)) in works.iter().cycle().enumerate() {
            if count >= 2 * works.len() && is_over.load(Ordering::Relaxed) {
                break;
            }
            assert_close(&engine.run(Input::values(input, SIZE)).unwrap(), expected, TOLERANCE);
        }
    };
    let time = |input: &[f32]| {
        for grain in [Grain::Step, Grain::Run].into_iter().cycle() {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            engine.time(Input::values(input, SIZE), grain).unwrap();
        }
    };
    let tune = || {
        // Ends the others' loops also where it fails.
        let _ended = Ends(&is_over);
        assert!(!engine.tune(3, 40, 33).unwrap().timings.is_empty());
    };
    let (ours, theirs) = ([works(1), works(2)], input(7, 1, 40, 33));
    std::thread::scope(|scope| {
        let tuning = scope.spawn(tune);
        scope.spawn(|| time(&theirs));
        for works in ours {
            scope.spawn(|| run(works));
        }
        tuning.join().unwrap();
    });
}

/// Tiles that are clearly slower are given up, and others are used only where the network is faster with them; with tiles for
/// software devices and tiles for GPUs in one list, many are clearly slower than another.
#[test]
fn what_is_tuned_is_faster_or_the_rule_stays() {
    let gpu = open_gpu().pretending(Pretence { device_type: Some(wgpu::DeviceType::DiscreteGpu), ..Pretence::default() });
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let mut progress = Vec::new();
    let tuned = engine.tune_watched(2, 40, 33, |at| progress.push((at.measured, at.count, at.next.is_some()))).unwrap();
    let measured: usize = tuned.timings.values().map(Vec::len).sum();
    let expected: Vec<_> = (0..measured).map(|at| (at, measured, true)).chain([(measured, measured, false)]).collect();
    assert!(progress == expected || !engine.faults().is_empty(), "{progress:?}");
    for (class, timings) in &tuned.timings {
        assert!(timings.is_sorted_by(|a, b| a.seconds <= b.seconds), "{class}: {timings:?}");
        for given_up in timings.iter().filter(|timing| timing.given_up) {
            assert!(given_up.seconds > 2.0 * timings[0].seconds, "{class}: {timings:?}");
        }
        let used = engine.tuning().fastest().get(class).copied();
        assert_eq!(used, tuned.is_faster().then_some(timings[0].tile), "{class}, {:.3} times as fast", tuned.speedup());
    }
    if gpu.device().adapter_info().device_type == wgpu::DeviceType::Cpu {
        assert!(tuned.timings.values().flatten().any(|timing| timing.given_up), "{tuned:?}");
    }
}

/// Sets a flag when it is dropped.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn threads_run_while_others_time_and_tune() {
    hammer(gpu());
}

#[test]
fn threads_run_while_others_time_and_tune_by_the_hosts_clock() {
    let (device, queue) = own_device(wgpu::Limits::default());
    let gpu = pretending(Gpu::from_device(device, queue));
    assert!(!gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY));
    hammer(&gpu);
}

/// Every convolution is a submission of its own, or several where its kernel is cut.
#[test]
fn threads_run_while_others_time_and_tune_in_several_submissions() {
    let gpu = open_gpu().pretending(Pretence { flops_per_submission: Some(1), ..Pretence::default() });
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let submissions = engine.time(Input::values(&input(1, 1, 40, 33), [40, 33]), Grain::Run).map(|timeline| timeline.passes.len());
    assert!(submissions.unwrap() > 4 || untimed(&gpu));
    hammer(&gpu);
}

/// Whether the device has no clock, and says so.
fn untimed(gpu: &Gpu) -> bool {
    let is_untimed = !gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY);
    if is_untimed {
        untested(gpu, "whether a run is cut into several submissions, for want of timestamps");
    }
    is_untimed
}

/// Drivers have crashed where two threads open devices at a time.
#[test]
fn devices_are_opened_from_several_threads() {
    let names = std::thread::scope(|scope| {
        let threads = [0; 4].map(|_| scope.spawn(|| (Gpu::adapters().len(), Gpu::open(None).unwrap().summary().name.clone())));
        threads.map(|thread| thread.join().unwrap())
    });
    assert!(names.iter().all(|name| *name == names[0] && name.0 > 0), "{names:?}");
}

#[test]
fn pictures_are_their_values_in_any_thread() {
    let run = |seed: u64| {
        for (round, [height, width]) in [[40, 33], [31, 50], [40, 33]].into_iter().enumerate() {
            let pictures = noisy(seed + 10 * round as u64, 2 + round, height, width);
            let on_device = engine().run(Input::pictures(&pictures.samples(), [height, width])).unwrap();
            assert_eq!(on_device, engine().run(Input::values(&pictures.values(), [height, width])).unwrap());
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|seed| drop(scope.spawn(move || run(seed)))));
}

/// Every range, with the tables that preprocessing makes.
#[cfg(feature = "image")]
#[test]
fn a_prepared_picture_gives_what_its_tensor_gives() {
    use densenet_wgpu::image::Picture;
    use densenet_wgpu::preprocessing::{Preprocessing, Range};
    let picture = |seed, height: usize, width: usize, keep: fn(u8) -> u8| {
        Picture::new(height, width, 3, pictures::noise(seed, height * width * 3).into_iter().map(keep).collect()).unwrap()
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
fn runs_are_started_before_others_are_waited_for() {
    let pictures = [0, 1, 2].map(|seed| noisy(seed, 2, 40, 33));
    let values = input(3, 1, 40, 33);
    let runs = pictures.each_ref().map(|pictures| engine().start(Input::pictures(&pictures.samples(), [40, 33])).unwrap());
    let other = engine().start(Input::values(&values, [40, 33])).unwrap();
    drop(engine().start(Input::pictures(&pictures[0].samples(), [40, 33])).unwrap()); // nobody waits for this one
    assert_eq!(other.wait().unwrap(), engine().run(Input::values(&values, [40, 33])).unwrap());
    for (run, pictures) in runs.into_iter().zip(&pictures).rev() {
        assert_eq!(run.wait().unwrap(), engine().run(Input::values(&pictures.values(), [40, 33])).unwrap());
    }
}

#[test]
fn sizes_and_batches_stay_right_as_memory_grows() {
    for size in [40, 41, 42, 73, 44, 45, 40, 42] {
        let input = input(5, 1, size, 33);
        assert_close(&engine().run(Input::values(&input, [size, 33])).unwrap(), &reference(size, 33, &input), TOLERANCE);
    }
}

#[test]
fn futures_give_what_calls_give() {
    let input = input(1, 2, 40, 33);
    let expected = engine().run(Input::values(&input, [40, 33])).unwrap();
    assert_eq!(pollster::block_on(engine().run_async(Input::values(&input, [40, 33]))).unwrap(), expected);
    let pictures = noisy(4, 2, 40, 33);
    let expected = engine().run(Input::values(&pictures.values(), [40, 33])).unwrap();
    assert_eq!(pollster::block_on(engine().run_async(Input::pictures(&pictures.samples(), [40, 33]))).unwrap(), expected);
}

#[test]
fn futures_can_be_sent_to_other_threads() {
    fn sent<T: Send>(future: T) -> T {
        future
    }
    let input = input(1, 1, 40, 33);
    let (graph, weights) = network(40, 33);
    let all = async {
        let gpu = sent(Gpu::open_async(None)).await?.with_cache(Cache::off());
        let engine = sent(Engine::new_async(&gpu, graph, weights, EngineOptions::default())).await?;
        let run = sent(engine.start_async(Input::values(&input, [40, 33]))).await?;
        let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let usage = wgpu::BufferUsages::COPY_DST;
        let output = gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size: 7 * 4, usage, mapped_at_creation: false });
        sent(engine.encode_async(&mut encoder, Input::values(&input, [40, 33]), &output)).await?;
        Ok::<_, Error>((sent(run.wait_all_async()).await?, sent(engine.run_async(Input::values(&input, [40, 33]))).await?))
    };
    let (all, first) = pollster::block_on(sent(all)).unwrap();
    assert_eq!(all, [first.as_slice()]);
    assert_close(&first, &reference(40, 33, &input), TOLERANCE);
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
fn memory_is_shared_and_given_back() {
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap();
    let empty = engine.byte_allocated();
    let run = |batch: usize, size: [usize; 2]| {
        let input = input(batch as u64, batch, size[0], size[1]);
        assert_close(&engine.run(Input::values(&input, size)).unwrap(), &reference(size[0], size[1], &input), TOLERANCE);
        engine.byte_allocated()
    };
    let activations = |batch: usize, size: [usize; 2]| engine.plan(batch, size[0], size[1]).unwrap().byte_buffers().sum::<u64>();
    let largest = run(8, [40, 33]);
    let parameters = 64 << 10;
    assert!(largest <= empty + activations(8, [40, 33]) + parameters, "{largest} bytes");
    // Smaller batches and pictures fit into what is there, and nothing is bound anew when they come again.
    for batch in 1..8 {
        assert!(run(batch, [40, 33]) <= largest + batch as u64 * parameters);
    }
    let all = engine.byte_allocated();
    for batch in 1..8 {
        assert_eq!(run(batch, [40, 33]), all, "batch {batch}");
    }
    // Growth gives back what was too small.
    let grown = run(8, [80, 66]);
    assert!(grown <= empty + activations(8, [80, 66]) + 2 * parameters, "{grown} bytes");
    assert!(run(1, [40, 33]) <= grown + parameters);
    engine.trim();
    assert_eq!(engine.byte_allocated(), empty);
    run(2, [40, 33]);
}

#[test]
fn a_program_encodes_what_the_host_has() {
    let (values, pictures) = (input(9, 2, 40, 33), noisy(9, 2, 40, 33));
    let device = gpu().device();
    let samples = pictures.samples();
    for (input, expected) in [
        (Input::values(&values, [40, 33]), reference(40, 33, &values)),
        (Input::pictures(&samples, [40, 33]), reference(40, 33, &pictures.values())),
    ] {
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
        let to = device.create_buffer(&wgpu::BufferDescriptor { label: None, size: 2 * 7 * 4, usage, mapped_at_creation: false });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        engine().encode(&mut encoder, input, &to).unwrap();
        gpu().queue().submit([encoder.finish()]);
        to.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
        device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        assert_close(bytemuck::cast_slice(&to.get_mapped_range(..).unwrap()), &expected, TOLERANCE);
    }
}

#[test]
fn a_run_takes_its_input_from_a_buffer() {
    let pictures = input(11, 3, 40, 33);
    let contents = bytemuck::cast_slice(&pictures);
    let usage = wgpu::BufferUsages::COPY_SRC;
    let descriptor = wgpu::util::BufferInitDescriptor { label: None, contents, usage };
    let from = wgpu::util::DeviceExt::create_buffer_init(gpu().device(), &descriptor);
    let expected = engine().run(Input::values(&pictures, [40, 33])).unwrap();
    assert_eq!(engine().run(Input::buffer(&from, 3, [40, 33])).unwrap(), expected);
    assert_eq!(engine().time(Input::buffer(&from, 3, [40, 33]), Grain::Run).unwrap().passes.len(), 1);
    let message = engine().run(Input::buffer(&from, 4, [40, 33])).unwrap_err().to_string();
    assert!(message.contains("at least 63360 bytes for 4 images") && message.contains("47520"), "{message}");
}

#[test]
fn a_program_encodes_a_run_on_its_own_device() {
    let (device, queue) = own_device(wgpu::Limits::default());
    let (graph, weights) = network(40, 33);
    let engine =
        Engine::new(&pretending(Gpu::from_device(device.clone(), queue.clone())), &graph, &weights, EngineOptions::default()).unwrap();
    let pictures = input(9, 2, 40, 33);
    let from = wgpu::util::DeviceExt::create_buffer_init(
        &device,
        &wgpu::util::BufferInitDescriptor { label: None, contents: bytemuck::cast_slice(&pictures), usage: wgpu::BufferUsages::COPY_SRC },
    );
    let buffer = |size, usage| device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    let to = buffer(2 * 7 * 4, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC);
    let mapped = buffer(2 * 7 * 4, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ);

    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    engine.encode(&mut encoder, Input::buffer(&from, 2, [40, 33]), &to).unwrap();
    encoder.copy_buffer_to_buffer(&to, 0, &mapped, 0, None);
    queue.submit([encoder.finish()]);
    mapped.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let logits: Vec<f32> = bytemuck::cast_slice(&mapped.get_mapped_range(..).unwrap()).to_vec();
    assert_eq!(logits, engine.run(Input::values(&pictures, [40, 33])).unwrap());
    assert_close(&logits, &reference(40, 33, &pictures), TOLERANCE);

    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let mut refused =
        |to: &wgpu::Buffer, batch| engine.encode(&mut encoder, Input::buffer(&from, batch, [40, 33]), to).unwrap_err().to_string();
    let message = refused(&to, 3);
    assert!(message.contains("input buffer of at least 47520 bytes for 3 images") && message.contains("31680"), "{message}");
    let message = refused(&buffer(2 * 7 * 4 - 4, wgpu::BufferUsages::COPY_DST), 2);
    assert!(message.contains("output buffer of at least 56 bytes for 2 images") && message.contains("52"), "{message}");
    let message = refused(&to, 0);
    assert!(message.contains("a batch of at least 1"), "{message}");
}

/// A program may submit what it encoded between a run's upload and its submission: they must not share memory.
#[test]
fn a_program_submits_while_another_thread_runs() {
    let gpu = engine().gpu();
    let [theirs, ours] = [input(20, 1, 40, 33), input(21, 1, 40, 33)];
    let from = wgpu::util::DeviceExt::create_buffer_init(
        gpu.device(),
        &wgpu::util::BufferInitDescriptor { label: None, contents: bytemuck::cast_slice(&theirs), usage: wgpu::BufferUsages::COPY_SRC },
    );
    let usage = wgpu::BufferUsages::COPY_DST;
    let to = gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size: 7 * 4, usage, mapped_at_creation: false });
    let expected = engine().run(Input::values(&ours, [40, 33])).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..100 {
                let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
                engine().encode(&mut encoder, Input::buffer(&from, 1, [40, 33]), &to).unwrap();
                gpu.queue().submit([encoder.finish()]);
            }
        });
        for round in 0..100 {
            assert_eq!(engine().run(Input::values(&ours, [40, 33])).unwrap(), expected, "round {round}");
        }
    });
}

/// A device whose kernels can bind no more than a mebibyte of a buffer, and its largest buffer.
fn small_device(max_buffer_size: u64) -> Gpu {
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 20, max_buffer_size, ..wgpu::Limits::default() };
    let (device, queue) = own_device(limits);
    pretending(Gpu::from_device(device, queue))
}

#[test]
fn batches_are_split_where_buffers_are_limited() {
    let (graph, weights) = network(64, 64);
    // The device has no subgroups: it gets the kernels of GPUs, whose tiles depend on the batch.
    let options = EngineOptions::default().with_batch_invariant(true);
    let engine = Engine::new(&small_device(1 << 20), &graph, &weights, options).unwrap();
    let pictures = input(2, 33, 64, 64);
    let largest = engine.plan(33, 64, 64).unwrap().byte_buffers().max().unwrap();
    assert!(largest > 1 << 20, "{largest} bytes would fit: the test needs a larger batch");
    let together = engine.run(Input::values(&pictures, [64, 64])).unwrap();
    let alone: Vec<f32> =
        pictures.chunks_exact(3 * 64 * 64).flat_map(|picture| engine.run(Input::values(picture, [64, 64])).unwrap()).collect();
    assert_eq!(together, alone);
    assert_eq!(pollster::block_on(engine.run_async(Input::values(&pictures, [64, 64]))).unwrap(), alone);
    // Seven of another size, in parts that are not all alike.
    let seven = input(3, 7, 200, 170);
    assert!(engine.plan(4, 200, 170).unwrap().byte_buffers().max().unwrap() > 1 << 20, "the test needs larger pictures");
    let alone: Vec<f32> =
        seven.chunks_exact(3 * 200 * 170).flat_map(|picture| engine.run(Input::values(picture, [200, 170])).unwrap()).collect();
    assert_eq!(engine.run(Input::values(&seven, [200, 170])).unwrap(), alone);
    let seven = noisy(3, 7, 200, 170);
    assert_eq!(
        engine.run(Input::pictures(&seven.samples(), [200, 170])).unwrap(),
        engine.run(Input::values(&seven.values(), [200, 170])).unwrap()
    );
}

/// Their tables are larger than they are.
#[test]
fn tiny_pictures_are_split_where_buffers_are_limited() {
    let graph = Graph::new(Shape::new(3, 2, 2));
    let engine = Engine::new(&small_device(1 << 20), &graph, &Weights::new(), EngineOptions::default()).unwrap();
    let pictures = noisy(1, 1000, 2, 2);
    assert_eq!(engine.run(Input::pictures(&pictures.samples(), [2, 2])).unwrap(), pictures.values());
}

#[test]
fn an_encoded_batch_is_split_where_buffers_are_limited() {
    let gpu = small_device(1 << 22);
    let (device, queue) = (gpu.device(), gpu.queue());
    let (graph, weights) = network(64, 64);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let pictures = input(2, 5, 200, 170);
    assert!(engine.plan(5, 200, 170).unwrap().byte_buffers().max().unwrap() > 1 << 20, "the test needs larger pictures");
    let usage = wgpu::BufferUsages::COPY_SRC;
    let contents = bytemuck::cast_slice(&pictures);
    let from = wgpu::util::DeviceExt::create_buffer_init(device, &wgpu::util::BufferInitDescriptor { label: None, contents, usage });
    let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
    let to = device.create_buffer(&wgpu::BufferDescriptor { label: None, size: 5 * 7 * 4, usage, mapped_at_creation: false });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    engine.encode(&mut encoder, Input::buffer(&from, 5, [200, 170]), &to).unwrap();
    queue.submit([encoder.finish()]);
    to.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let logits: Vec<f32> = bytemuck::cast_slice(&to.get_mapped_range(..).unwrap()).to_vec();
    assert_eq!(logits, engine.run(Input::values(&pictures, [200, 170])).unwrap());
}

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
    let (device, queue) = (gpu.device(), gpu.queue());
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

    let from = wgpu::util::DeviceExt::create_buffer_init(
        device,
        &wgpu::util::BufferInitDescriptor {
            label: None,
            contents: bytemuck::cast_slice(&pictures[..2 * 3 * 200 * 170]),
            usage: wgpu::BufferUsages::COPY_SRC,
        },
    );
    let expected: Vec<f32> = alone.iter().flat_map(|all| &all[..all.len() / 7 * 2]).copied().collect();
    let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
    let buffer = |size| device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    let to = buffer(expected.len() as u64 * 4);
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let message = engine.encode(&mut encoder, Input::buffer(&from, 2, [200, 170]), &buffer(2 * 7 * 4)).unwrap_err().to_string();
    assert!(message.contains(&format!("output buffer of at least {} bytes", expected.len() * 4)), "{message}");
    engine.encode(&mut encoder, Input::buffer(&from, 2, [200, 170]), &to).unwrap();
    queue.submit([encoder.finish()]);
    to.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    assert_eq!(bytemuck::cast_slice::<u8, f32>(&to.get_mapped_range(..).unwrap()), expected);
}

#[test]
fn weights_are_spread_over_buffers_where_they_are_limited() {
    let config = Config::imagenet(32, &[6, 4], 16).with_classes(Some(7));
    let graph = config.graph(33, 35).unwrap();
    let weights = seeded_weights(&graph, 3);
    let engine = Engine::new(&small_device(1 << 20), &graph, &weights, EngineOptions::default()).unwrap();
    let buffers = engine.plan(1, 33, 35).unwrap().byte_weight_buffers().count();
    assert!(buffers > 1, "all weights fit into one buffer: the test needs a larger network");
    let picture = input(4, 1, 33, 35);
    let expected = Reference::new(graph, weights).unwrap().run(&picture, 33, 35).unwrap();
    assert_close(&engine.run(Input::values(&picture, [33, 35])).unwrap(), &expected, TOLERANCE);
}

#[test]
fn what_a_device_cannot_hold_is_refused() {
    let too_large = |refused: Error| match refused {
        Error::TooLarge { what, needed, limit, .. } => {
            assert!(needed > limit && limit == 1 << 20, "{what} needs {needed}, {limit} allowed");
            what
        }
        other => panic!("{other}"),
    };
    let gpu = small_device(1 << 20);
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let what = too_large(engine.run(Input::values(&input(1, 1, 640, 640), [640, 640])).unwrap_err());
    assert!(what.contains("640x640"), "{what}");

    let graph = Config::imagenet(6, &[2, 2], 9).with_classes(Some(20_000)).graph(40, 33).unwrap();
    let what = too_large(Engine::new(&gpu, &graph, &seeded_weights(&graph, 3), EngineOptions::default()).unwrap_err());
    assert!(what.contains("weights"), "{what}");
}

#[test]
fn memory_is_what_the_plan_says() {
    let engine = Engine::new(gpu(), &network(97, 131).0, &network(97, 131).1, EngineOptions::default()).unwrap();
    engine.run(Input::values(&input(1, 3, 97, 131), [97, 131])).unwrap();
    let planned = engine.plan(3, 97, 131).unwrap();
    let allowed = 1.05 * (planned.byte_weight_buffers().sum::<u64>() + planned.byte_peak()) as f64 + f64::from(4 << 20);
    assert!(engine.byte_allocated() as f64 <= allowed, "{} bytes, {allowed} allowed", engine.byte_allocated());
    assert!(engine.byte_allocated() >= planned.byte_total());

    let before = engine.byte_allocated();
    engine.run(Input::pictures(&noisy(1, 3, 97, 131).samples(), [97, 131])).unwrap();
    let uploads = 3 * (97_u64 * 131 * 3).next_multiple_of(4) + 3 * 3 * 1024;
    // The activations are where they were; what arrives and a second plan's parameters come with it.
    let taken = engine.byte_allocated() - before;
    assert!((1..=uploads + (64 << 10)).contains(&taken), "{taken} bytes");
}

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
    // What no sample stands for does no harm.
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
