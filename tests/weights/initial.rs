//! Untrained weights.

use densenet_wgpu::{Checkpoint, Config};

#[test]
fn initial_weights_have_torchvisions_distribution() {
    let Checkpoint { config, weights, name, .. } = Checkpoint::init(Config::densenet121(), 42).unwrap();
    assert_eq!((name.as_str(), config), ("densenet121", Config::densenet121()));
    let moments = |values: &[f32]| {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        (mean, (values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n).sqrt())
    };
    for (name, tensor) in weights.iter() {
        let suffix = name.rsplit('.').next().unwrap();
        match (suffix, tensor.shape.as_slice()) {
            ("weight", [_, inputs, height, width]) => {
                let expected = (2.0 / (inputs * height * width) as f64).sqrt();
                let (mean, deviation) = moments(&tensor.data);
                // Four standard errors: 2 % for 20,000 numbers, more for the smallest tensors.
                let error = 4.0 / (2.0 * tensor.data.len() as f64).sqrt();
                assert!((deviation / expected - 1.0).abs() < error && mean.abs() < 2.0 * error * expected, "{name}: {mean} {deviation}");
                assert!(tensor.data.len() < 20_000 || error <= 0.02);
            }
            ("weight", [_, inputs]) => {
                let bound = 1.0 / (*inputs as f64).sqrt();
                let (mean, deviation) = moments(&tensor.data);
                assert!(tensor.data.iter().all(|&v| f64::from(v).abs() <= bound));
                assert!((deviation / (bound / 3f64.sqrt()) - 1.0).abs() < 0.01 && mean.abs() < 0.01 * bound);
            }
            ("weight" | "running_var", _) => assert!(tensor.data.iter().all(|&v| v == 1.0), "{name}"),
            _ => assert!(tensor.data.iter().all(|&v| v == 0.0), "{name}"),
        }
    }
}

#[test]
fn a_seed_fixes_every_bit() {
    let bits = |seed: u64, name: &str| -> Vec<u32> {
        let config = Config::imagenet(4, &[2, 1], 6).with_classes(Some(2));
        let weights = Checkpoint::init(config, seed).unwrap().weights;
        weights.tensor(name).unwrap().data[..3].iter().map(|v| v.to_bits()).collect()
    };
    let (conv, linear) = ("features.conv0.weight", "classifier.weight");
    assert_ne!(bits(7, conv), bits(8, conv));
    // From the documented formula in Python: a change here changes what `densenet init` writes.
    assert_eq!(bits(7, conv), [3_174_484_324, 3_186_937_318, 1_050_001_042]);
    assert_eq!(bits(7, linear), [1_049_728_802, 1_045_387_442, 3_183_642_426]);
    assert!(Checkpoint::init(Config::densenet121().with_growth_rate(0), 1).is_err());
}
