//! A program that has a wgpu device of its own: the network is encoded into the program's command encoder, its input
//! and output stay in the program's buffers.
//!
//!     cargo run --example embed_in_wgpu

use std::error::Error;

use densenet_wgpu::{Checkpoint, Engine, EngineOptions, Gpu, Input};
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu::{BufferDescriptor, BufferUsages, CommandEncoderDescriptor, DeviceDescriptor, Instance, InstanceDescriptor};
use wgpu::{MapMode, PollType, RequestAdapterOptions};

const SIDE: usize = 64; // pixels
const CLASSES: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    // The program's own device. The network uses whatever limits it was opened with.
    let instance = Instance::new(InstanceDescriptor::new_without_display_handle());
    let adapter = instance.request_adapter(&RequestAdapterOptions::default()).await?;
    let (device, queue) = adapter.request_device(&DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() }).await?;

    let gpu = Gpu::from_device(device.clone(), queue.clone());
    let model = Checkpoint::from_bytes(include_bytes!("../models/digits.safetensors"), "digits")?;
    let (mean, std) = model.preprocessing.as_ref().map_or((0.0, 1.0), |p| (p.mean[0], p.std[0]));
    let engine = Engine::new_async(&gpu, model.graph(SIDE, SIDE)?, model.weights, EngineOptions::default()).await?;

    // The program's own buffers: a kernel of its own could fill the one and read the other.
    let input = device.create_buffer_init(&BufferInitDescriptor {
        label: Some("picture"),
        contents: bytemuck::cast_slice(&upright_stroke(mean, std)),
        usage: BufferUsages::COPY_SRC,
    });
    let byte_output = (CLASSES * size_of::<f32>()) as u64;
    let buffer = |usage| device.create_buffer(&BufferDescriptor { label: None, size: byte_output, usage, mapped_at_creation: false });
    let output = buffer(BufferUsages::COPY_DST | BufferUsages::COPY_SRC);
    let readback = buffer(BufferUsages::COPY_DST | BufferUsages::MAP_READ);

    // The program's own encoder and submission: its other work may come before, after and in between.
    let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor::default());
    engine.encode(&mut encoder, Input::buffer(&input, 1, [SIDE, SIDE]), &output)?;
    encoder.copy_buffer_to_buffer(&output, 0, &readback, 0, byte_output);
    queue.submit([encoder.finish()]);

    readback.map_async(MapMode::Read, .., |_| {}); // an error shows below: what is not mapped has no range
    device.poll(PollType::wait_indefinitely())?;
    let logits: Vec<f32> = bytemuck::cast_slice(&readback.get_mapped_range(..)?).to_vec();

    println!("{}", gpu.summary().name);
    for (class, logit) in logits.iter().enumerate() {
        println!("{class}  logit {logit:8.4}");
    }
    Ok(())
}

/// What a picture of a 1 looks like to the model, light on dark: `[1, 3, SIDE, SIDE]`.
fn upright_stroke(mean: f32, std: f32) -> Vec<f32> {
    let brightness = |x: usize| if (26..42).contains(&x) { 1.0 } else { 0.0 };
    (0..3 * SIDE * SIDE).map(|i| (brightness(i % SIDE) - mean) / std).collect()
}
