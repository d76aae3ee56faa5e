//! What a file does not say of its network, and what is assumed.

use densenet_wgpu::checkpoint::{AssumedField, HeadStep, ReadOptions};
use densenet_wgpu::network::Stem;
use densenet_wgpu::{Checkpoint, Config};

use crate::files::{assembled, tensors};

#[test]
fn a_deep_stem_blurs_where_nothing_says_otherwise() {
    let opened = |config: Config, bytes: fn(&Checkpoint) -> Vec<u8>| {
        let found = Checkpoint::from_bytes(&bytes(&Checkpoint::init(config.clone(), 1).unwrap()), "any").unwrap();
        (found.config == config, found.assumed.iter().filter(|assumed| assumed.field == AssumedField::Blur).count())
    };
    let written = |checkpoint: &Checkpoint| checkpoint.to_bytes().unwrap();
    let bare = |checkpoint: &Checkpoint| assembled(&tensors(checkpoint));
    let small = |blur| Config::imagenet(4, &[2, 1], 8).with_stem(Stem::Deep { widths: [4, 6], blur });
    for config in [small(true), small(false), Config::densenetblur121d()] {
        assert_eq!(opened(config, written), (true, 0), "the file says so");
    }
    assert_eq!(opened(small(true), bare), (true, 1));
    assert_eq!(opened(small(false), bare), (false, 1), "assumed to blur");
}

/// timm and segmentation_models_pytorch have a pool of maxima too, torchvision has none.
#[test]
fn a_pool_that_may_be_another_is_said_to_be_assumed() {
    let bare = |config: Config, rename: [&str; 2]| {
        let tensors = tensors(&Checkpoint::init(config.with_classes(Some(2)), 1).unwrap());
        assembled(&tensors.into_iter().map(|(name, tensor)| (name.replace(rename[0], rename[1]), tensor)).collect())
    };
    let deep = Config::imagenet(4, &[2, 1], 8).with_stem(Stem::Deep { widths: [4, 6], blur: true });
    let plain = Config::imagenet(4, &[2, 1], 8);
    let assumed = |bytes: &[u8], options: ReadOptions| {
        let found = options.from_bytes(bytes, "any").unwrap();
        found.assumed.iter().find(|assumed| assumed.field == AssumedField::Pool).map(|assumed| assumed.to_string())
    };
    let timm = bare(deep, ["", ""]);
    let smp = bare(plain.clone(), ["classifier", "classification_head.3"]);
    for (bytes, whose) in [(&timm, "timm's `global_pool`"), (&smp, "segmentation_models_pytorch's `pooling`")] {
        let expected = format!("pool: mean is assumed; weights do not tell it, and {whose} is avg by default");
        assert_eq!(assumed(bytes, ReadOptions::default()), Some(expected));
        assert_eq!(assumed(bytes, ReadOptions::default().with_head_layers(vec![HeadStep::Linear])), None, "it was stated");
        let converted = Checkpoint::from_bytes(bytes, "any").unwrap().to_bytes().unwrap();
        assert!(assumed(&converted, ReadOptions::default()).unwrap().ends_with("it was when this file was written"));
    }
    assert_eq!(assumed(&bare(plain, ["", ""]), ReadOptions::default()), None);
}
