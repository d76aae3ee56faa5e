//! What options, presets and files say, and what is assumed where they do not.

use densenet_wgpu::checkpoint::AssumedField;
use densenet_wgpu::devices::Device;
use densenet_wgpu::preprocessing::{Activation, Preset};
use densenet_wgpu::{Checkpoint, Classifier, ClassifierOptions, Config, Error, Precision};

use crate::common::device::open_gpu;
use crate::{PICTURE, cropped, digits, on_the_processor, options};

#[test]
fn what_a_model_does_not_say_is_assumed_and_told() {
    let untrained = |classes| Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(classes)), 1).unwrap();
    let fields = |classifier: &Classifier| classifier.assumed().iter().map(|assumed| assumed.field).collect::<Vec<_>>();
    let assumed = Classifier::new(untrained(14), on_the_processor()).unwrap();
    assert_eq!(fields(&assumed), [AssumedField::Activation, AssumedField::Labels, AssumedField::Preprocessing]);
    let values = assumed.assumed().iter().map(|assumed| assumed.value.as_deref()).collect::<Vec<_>>();
    assert_eq!(values, [Some("softmax"), None, Some("the preset torchvision")]);
    assert_eq!(assumed.size(), [224, 224]);
    // A preset states how pictures are prepared and what a logit is, not what the classes are.
    let preset = on_the_processor().with_preset(Preset::Chexnet).with_size([96, 64]);
    let said = Classifier::new(untrained(14), preset.clone()).unwrap();
    assert_eq!((fields(&said), said.size(), said.postprocessing().label(13)), (vec![AssumedField::Labels], [96, 64], "13".into()));
    assert_eq!(said.classify(PICTURE).unwrap().size(), [96, 64]);
    let named = preset.with_labels(densenet_wgpu::labels::named("chexnet").unwrap());
    let said = Classifier::new(untrained(14), named).unwrap();
    assert_eq!((said.assumed(), said.postprocessing().label(13)), (&[][..], "Hernia".into()));

    let labels = ["cat", "dog"].map(str::to_owned).to_vec();
    let named = Classifier::new(untrained(2), on_the_processor().with_labels(labels)).unwrap();
    assert_eq!(named.postprocessing().label(1), "dog");
    // A model whose name is a published one's is prepared as that is.
    let published = untrained(18).with_name("densenet121-res224-nih");
    assert_eq!(Classifier::new(published, on_the_processor()).unwrap().preprocessing(), &Preset::Xrv.preprocessing(3));
    // A model that states its preprocessing is prepared so, whatever its name, unless an option replaces it.
    let own = Preset::Monai.preprocessing(3);
    let named = untrained(18).with_name("densenet121").with_preprocessing(own.clone());
    let of = |options| Classifier::new(named.clone(), options).unwrap().preprocessing().clone();
    assert_eq!(of(on_the_processor()), own);
    assert_eq!(of(on_the_processor().with_preset(Preset::Timm)), Preset::Timm.preprocessing(3));
    // Describing a model twice with the same options changes nothing.
    let preset = on_the_processor().with_preset(Preset::Chexnet);
    let all = [preset.clone(), preset.with_activation(Activation::None), on_the_processor(), on_the_processor().with_preset(Preset::Timm)];
    for (classes, options) in [1, 14].into_iter().flat_map(|classes| all.iter().map(move |options| (classes, options))) {
        let mut once = untrained(classes);
        options.describe(&mut once).unwrap();
        let mut twice = once.clone();
        options.describe(&mut twice).unwrap();
        assert_eq!(once, twice);
    }
}

#[test]
fn one_output_has_a_probability_where_somebody_says_which() {
    let model = || Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(1)), 1).unwrap();
    let of = |model: Checkpoint, options: ClassifierOptions| {
        let classifier = Classifier::new(model, options.with_size([64, 64])).unwrap();
        let is_open = classifier.assumed().iter().any(|assumed| assumed.field == AssumedField::Activation && assumed.value.is_none());
        let class = classifier.classify(PICTURE).unwrap().top_k(5).unwrap().swap_remove(0);
        (is_open, class.logit, class.probability)
    };
    let (is_open, logit, probability) = of(model(), on_the_processor());
    assert_eq!((is_open, probability), (true, None));
    let sigmoid = Some(1.0 / (1.0 + (-f64::from(logit)).exp()));
    assert_eq!(of(model(), on_the_processor().with_activation(Activation::Sigmoid)), (false, logit, sigmoid));
    assert_eq!(of(model(), on_the_processor().with_preset(Preset::Chexnet)), (false, logit, sigmoid));
    assert_eq!(of(model(), on_the_processor().with_activation(Activation::None)), (false, logit, None));
    // A softmax of one logit is 1, whatever states it.
    assert_eq!(of(model(), on_the_processor().with_preset(Preset::Torchvision)), (true, logit, None));
    assert_eq!(of(model().with_preprocessing(Preset::Torchvision.preprocessing(3)), on_the_processor()), (true, logit, None));
    let refused = Classifier::new(model(), on_the_processor().with_activation(Activation::Softmax)).unwrap_err().to_string();
    assert!(refused.contains("sigmoid or none for a model of one output"), "{refused}");
}

#[test]
fn options_that_fit_nothing_are_refused() {
    let refused = |options| match Classifier::new(digits(), options) {
        Err(error @ Error::Options { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for (options, part) in [
        (on_the_processor().with_devices(Vec::new()), "at least one device"),
        (on_the_processor().with_devices(Device::list("cpu,CPU")), "each device once, found cpu again"),
        (on_the_processor().with_precision(Precision::F16), "32-bit floats, which the reference computes in"),
        (on_the_processor().with_ten_crops(true), "a preprocessing with a crop"),
        (cropped(on_the_processor()).with_ten_crops(true).with_class_maps(true), "class maps of one image"),
    ] {
        assert!(refused(options).contains(part), "{part}");
    }
    assert!(refused(options().with_devices(vec![Device::Named("0".into()), Device::Best])).contains("each device once"));
    // What a program opened itself is its own to tell apart.
    Classifier::new(digits(), options().with_devices(vec![open_gpu().into(), open_gpu().into()])).unwrap();
    assert!(matches!(Classifier::new(digits(), on_the_processor().with_labels(vec!["one".into()])), Err(Error::Checkpoint { .. })));
    assert!(matches!(Classifier::new(digits(), on_the_processor().with_size([1, 1])), Err(Error::TooSmall { .. })));
    assert!(Classifier::new(digits(), on_the_processor().with_devices(Device::list("no such adapter"))).is_err());
    // Of the best precision there is one for the reference.
    Classifier::new(digits(), on_the_processor().with_best_precision()).unwrap();
}
