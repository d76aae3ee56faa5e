//! From a picture to the three likeliest labels, with the bundled model or a checkpoint of one's own.
//!
//!     cargo run --example classify -- PICTURE [CHECKPOINT.safetensors]

use std::env;

use densenet_wgpu::image::Picture;
use densenet_wgpu::labels::top_k;
use densenet_wgpu::{Checkpoint, Engine, EngineOptions, Gpu, Preprocessing, Result};

fn main() -> Result<()> {
    let picture = env::args().nth(1).unwrap_or_else(|| "examples/digits/7-1442-8.png".into());
    let model = match env::args().nth(2) {
        Some(path) => Checkpoint::open(path)?,
        None => Checkpoint::from_bytes(include_bytes!("../models/digits.safetensors"), "digits")?,
    };
    let preprocessing = model.preprocessing.clone().unwrap_or_else(|| Preprocessing::torchvision(model.config.in_channels));
    let input = preprocessing.apply(&Picture::open(picture)?)?;
    let graph = model.graph(input.height, input.width)?;
    let engine = Engine::new(&Gpu::open(None)?, &graph, &model.weights, EngineOptions::default())?;
    for class in top_k(&engine.run(&input.values)?, 3, preprocessing.activation)? {
        let label = model.labels.as_ref().map_or_else(|| class.index.to_string(), |labels| labels[class.index].clone());
        println!("{:6.2} %  {label}", 100.0 * class.probability);
    }
    Ok(())
}
