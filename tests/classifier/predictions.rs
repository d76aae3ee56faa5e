//! What a prediction has: crops, features, class maps.

use densenet_wgpu::image::{Heatmap, Picture};
use densenet_wgpu::{Checkpoint, Classifier, Config};

use crate::{PICTURE, by_hand, classifier, cropped, digits, on_the_processor, options};

#[test]
fn ten_crops_are_ten_images_of_one_picture() {
    let classifier = classifier(cropped(options().with_ten_crops(true).with_inputs(true).with_features(true)));
    let crops = classifier.preprocessing().ten_crops(&Picture::open(PICTURE).unwrap()).unwrap();
    let values: Vec<f32> = crops.iter().flat_map(|crop| crop.samples().values()).collect();
    let model = digits();
    let logits = by_hand(&model, model.graph(64, 64).unwrap(), &values, [64, 64]).swap_remove(0);
    for prediction in [classifier.classify(PICTURE), classifier.classify_all([PICTURE]).unwrap().next().unwrap()] {
        let prediction = prediction.unwrap();
        assert_eq!((prediction.logits(), prediction.crops()), (Some(&logits[..]), 10));
        assert_eq!((prediction.input(), prediction.features().unwrap().len()), (Some(values.clone()), 10 * 50));
        assert_eq!(prediction.top_k(10).unwrap(), model.postprocessing().top_k_of_crops(&logits, 10, 10).unwrap());
        assert_eq!(prediction.probabilities().unwrap().map(|all| all.len()), Some(10));
    }
}

#[test]
fn features_and_class_maps_are_those_of_the_network() {
    let model = digits();
    let input = model.preprocessing.clone().unwrap().sized(96, 80).apply(&Picture::open(PICTURE).unwrap()).unwrap();
    let (mut graph, weights) = model.with_class_maps(96, 80).unwrap();
    let maps = graph.outputs()[1];
    let shape = graph.shape(maps);
    graph.set_outputs(&[graph.output(), maps, graph.find("global_pool").unwrap()]).unwrap();
    let with_maps = Checkpoint::new("with maps", model.config, weights);
    let expected = by_hand(&with_maps, graph, &input.values, [96, 80]);

    let classifier = classifier(options().with_features(true).with_class_maps(true).with_size([96, 80]));
    let prediction = classifier.classify(PICTURE).unwrap();
    assert_eq!(prediction.logits(), Some(&expected[0][..]));
    let found = prediction.class_maps().unwrap();
    assert_eq!((found.values(), [found.height(), found.width()]), (&expected[1][..], [shape.height, shape.width]));
    assert_eq!(prediction.features().unwrap(), expected[2]);
    let third = &expected[1][3 * shape.pixels()..][..shape.pixels()];
    assert_eq!(found.of(3), Some(third));
    assert_eq!(found.heatmap(3).unwrap(), Heatmap::new(shape.height, shape.width, third.to_vec()).unwrap());
    assert_eq!(found.of(10), None);
    assert_eq!(found.heatmap(10).unwrap_err().to_string(), "input: expected one of 10 classes, counted from 0, found class 10");
    // The same bits without them.
    let plain = self::classifier(options().with_size([96, 80])).classify(PICTURE).unwrap();
    assert_eq!(plain.logits(), prediction.logits());
}

#[test]
fn a_model_without_a_classifier_gives_features_alone() {
    let config = Config::imagenet(4, &[2, 2], 8).with_classes(None);
    let model = Checkpoint::init(config, 1).unwrap();
    let classifier = Classifier::new(model.clone(), on_the_processor().with_size([64, 64])).unwrap();
    let prediction = classifier.classify(PICTURE).unwrap();
    assert_eq!(prediction.logits(), None);
    assert_eq!(prediction.features().unwrap().len(), model.graph(64, 64).unwrap().shape(model.graph(64, 64).unwrap().output()).channels);
    for error in [prediction.top_k(1).map(drop).unwrap_err(), prediction.probabilities().map(drop).unwrap_err()] {
        assert!(error.to_string().contains("expected a model with a classifier"), "{error}");
    }
    assert!(Classifier::new(model, on_the_processor().with_class_maps(true)).is_err());
}
