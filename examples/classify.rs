//! From a picture to the three likeliest labels, with the bundled model or a checkpoint of one's own.
//!
//!     cargo run --example classify -- PICTURE [CHECKPOINT]

use std::env;

use densenet_wgpu::checkpoint::Description;
use densenet_wgpu::image::Picture;
use densenet_wgpu::{Checkpoint, Engine, EngineOptions, Gpu, Input, Result};

fn main() -> Result<()> {
    let picture = env::args().nth(1).unwrap_or_else(|| "examples/digits/7-1442-8.png".into());
    let mut model = match env::args().nth(2) {
        Some(path) => Checkpoint::open(path)?,
        None => Checkpoint::from_bytes(include_bytes!("../models/digits.safetensors"), "digits")?,
    };
    let Description { preprocessing, assumed, .. } = model.complete_description(None);
    assumed.iter().for_each(|sentence| eprintln!("{}: {sentence}", model.name));
    let input = preprocessing.apply(&Picture::open(picture)?)?;
    let graph = model.graph(input.height, input.width)?;
    let engine = Engine::new(&Gpu::open(None)?, &graph, &model.weights, EngineOptions::default())?;
    let legend = model.legend();
    for class in legend.top_k(&engine.run(Input::values(&input.values, [input.height, input.width]))?, 3)? {
        println!("{:6.2} %  {}", 100.0 * class.probability, legend.label(class.index));
    }
    Ok(())
}
