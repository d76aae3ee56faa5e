//! Runs that are started, and waited for later or awaited.

use densenet_wgpu::devices::Cache;
use densenet_wgpu::{Engine, EngineOptions, Error, Gpu, Input, wgpu};

use crate::common::assert_close;
use crate::common::buffers::{encoder, sized};
use crate::{TOLERANCE, engine, input, network, noisy, reference};

#[test]
fn runs_are_started_before_others_are_waited_for() {
    let pictures = [0, 1, 2].map(|seed| noisy(seed, 2, 40, 33));
    let values = input(3, 1, 40, 33);
    let runs = pictures.each_ref().map(|pictures| engine().start(Input::pictures(&pictures.samples(), [40, 33])).unwrap());
    let other = engine().start(Input::values(&values, [40, 33])).unwrap();
    drop(engine().start(Input::pictures(&pictures[0].samples(), [40, 33])).unwrap()); // dropped without waiting
    assert_eq!(other.wait().unwrap(), engine().run(Input::values(&values, [40, 33])).unwrap());
    for (run, pictures) in runs.into_iter().zip(&pictures).rev() {
        assert_eq!(run.wait().unwrap(), engine().run(Input::values(&pictures.values(), [40, 33])).unwrap());
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
        let mut commands = encoder(gpu.device());
        let output = sized(gpu.device(), 7, wgpu::BufferUsages::COPY_DST);
        sent(engine.encode_async(&mut commands, Input::values(&input, [40, 33]), &output)).await?;
        Ok::<_, Error>((sent(run.wait_all_async()).await?, sent(engine.run_async(Input::values(&input, [40, 33]))).await?))
    };
    let (all, first) = pollster::block_on(sent(all)).unwrap();
    assert_eq!(all, [first.as_slice()]);
    assert_close(&first, &reference(40, 33, &input), TOLERANCE);
}
