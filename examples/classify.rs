//! From pictures to the three likeliest labels of each, with the bundled model or another.
//!
//!     cargo run --example classify -- MODEL PICTURE...

use std::env;

use densenet_wgpu::{Classifier, ClassifierOptions, Result};

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let model = arguments.next().unwrap_or_else(|| "digits".into());
    let mut pictures: Vec<String> = arguments.collect();
    if pictures.is_empty() {
        pictures.push("examples/digits/7-1442-8.png".into());
    }
    let classifier = Classifier::open(&model, ClassifierOptions::default())?;
    classifier.assumed().iter().for_each(|assumption| eprintln!("{assumption}"));
    classifier.warnings().iter().for_each(|sentence| eprintln!("{sentence}"));
    for (picture, prediction) in pictures.clone().into_iter().zip(classifier.classify_all(pictures)?) {
        println!("{picture}");
        match prediction.and_then(|prediction| prediction.top_k(3)) {
            Ok(top) => top.iter().for_each(|class| println!("{class}")),
            Err(error) => println!("  {error}"),
        }
    }
    Ok(())
}
