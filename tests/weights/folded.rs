//! Networks whose batch norms were folded into the convolutions before them.

use densenet_wgpu::network::Stem;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Checkpoint, Config};

use crate::files::{Tensors, expect, read, refused_tensors, tensors, zeros};

/// A network with random norms, and the same with its stem's and bottlenecks' folded into the convolutions before them.
fn folded(stem: Stem) -> [Tensors; 2] {
    let config = Config::imagenet(4, &[2, 1], 6).with_classes(Some(2)).with_bn_size(2).with_stem(stem);
    let mut whole = tensors(&Checkpoint::init(config, 7).unwrap());
    let floats = |bytes: &[u8]| -> Vec<f32> { bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect() };
    let bytes = |floats: Vec<f32>| -> Vec<u8> { floats.into_iter().flat_map(f32::to_le_bytes).collect() };
    for (name, (_, _, data)) in whole.iter_mut().filter(|(name, _)| name.contains("norm")) {
        let least = if name.ends_with("running_var") || name.ends_with("weight") { 0.5 } else { -0.5 };
        *data = bytes((0..data.len() / 4).map(|at| least + ((at * 37 + name.len() * 11) % 100) as f32 / 100.0).collect());
    }
    let mut folded = whole.clone();
    let convs: Vec<String> = whole.keys().filter_map(|name| name.strip_suffix(".weight")).map(str::to_owned).collect();
    for conv in convs.iter().filter(|name| name.contains("features.conv") || name.ends_with(".conv1")) {
        let norm = if conv.contains("layer") { conv.replace("conv1", "norm2") } else { conv.replace("conv", "norm") };
        let [Some(scale), Some(shift), Some(mean), Some(variance)] = ["weight", "bias", "running_mean", "running_var"]
            .map(|parameter| folded.remove(&format!("{norm}.{parameter}")).map(|(_, _, data)| floats(&data)))
        else {
            continue;
        };
        let scale: Vec<f32> = scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + 1e-5).sqrt()).collect();
        let (_, _, weight) = folded.get_mut(&format!("{conv}.weight")).unwrap();
        let values = floats(weight);
        let taps = values.len() / scale.len();
        *weight = bytes(values.iter().enumerate().map(|(at, value)| value * scale[at / taps]).collect());
        let bias = (0..scale.len()).map(|at| shift[at] - mean[at] * scale[at]).collect();
        folded.insert(format!("{conv}.bias"), ("F32".into(), vec![scale.len()], bytes(bias)));
    }
    [whole, folded]
}

#[test]
fn norms_that_were_folded_into_convolutions_are_the_same_network() {
    let logits = |tensors: &Tensors| {
        let checkpoint = read(tensors);
        let graph = checkpoint.graph(32, 32).unwrap();
        let input: Vec<f32> = (0..graph.input_shape().elements()).map(|at| (at as f32 * 0.37).sin()).collect();
        let logits = Reference::new(graph, checkpoint.weights.clone()).unwrap().run(&input, 32, 32).unwrap();
        (logits, checkpoint.config, checkpoint.origin.unwrap().notes.join(""))
    };
    for (stem, count) in [(Stem::ImageNet, 4), (Stem::Deep { widths: [4, 6], blur: true }, 6), (Stem::Cifar, 3)] {
        let [whole, folded] = folded(stem).map(|tensors| logits(&tensors));
        assert!(whole.0.iter().zip(&folded.0).all(|(one, other)| (one - other).abs() < 1e-5), "{stem:?}: {:?} {:?}", whole.0, folded.0);
        assert_eq!((whole.1, whole.2.as_str()), (folded.1, ""), "{stem:?}");
        assert!(folded.2.contains(&format!("had {count} batch norms folded")), "{}", folded.2);
    }
    // A bias that may have been the stem's own.
    let [_, mut open] = folded(Stem::Cifar);
    open.insert("features.conv0.bias".into(), zeros(&[6]));
    expect(&refused_tensors(&open), &["its 3x3 stem has a bias: one was behind it, or none"]);
    // A layer with neither its norm nor a bias is no such network.
    let [_, mut cut] = folded(Stem::ImageNet);
    cut.remove("features.denseblock1.denselayer2.conv1.bias");
    expect(&refused_tensors(&cut), &["denselayer2.norm2.bias [8]"]);
}
