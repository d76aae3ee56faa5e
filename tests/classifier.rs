//! The classifier is the chain that one makes by hand of checkpoint, preprocessing, engine and legend, bit for bit; and many
//! inputs go through it in their order, whatever becomes of some.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "image")]

use std::fs;
use std::future::{Future, poll_fn};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use densenet_wgpu::checkpoint::Field;
use densenet_wgpu::devices::Device;
use densenet_wgpu::image::{Heatmap, Picture};
use densenet_wgpu::predictions::{Predictions, StreamOptions};
use densenet_wgpu::preprocessing::{Activation, Filter, Preset, Resize, ResizeMode};
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{
    Checkpoint, Classifier, ClassifierOptions, Config, Engine, EngineOptions, Error, Gpu, Input, Precision, Prediction, Result, Source,
    models,
};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::device::{open_gpu, pretending, untested};

const PICTURE: &str = "examples/digits/7-1442-8.png";

/// How long a test waits for what never comes where the code is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

fn digits() -> Checkpoint {
    models::bundled("digits").unwrap().unwrap()
}

/// On the device, with the same bits in any batch.
fn options() -> ClassifierOptions {
    ClassifierOptions::default().with_device(open_gpu()).with_batch_invariant(true)
}

fn on_the_processor() -> ClassifierOptions {
    ClassifierOptions::default().with_device(Device::Reference)
}

fn classifier(options: ClassifierOptions) -> Classifier {
    Classifier::new(digits(), options).unwrap()
}

/// Every held-out digit that is an example, by its name.
fn examples() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir("examples/digits").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "png"));
    paths.sort();
    paths
}

/// The digit that a picture shows: its name begins with it.
fn shown(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap()[..1].to_owned()
}

/// The outputs of the network for what it reads, by hand.
fn by_hand(model: &Checkpoint, graph: densenet_wgpu::Graph, values: &[f32], [height, width]: [usize; 2]) -> Vec<Vec<f32>> {
    let options = EngineOptions::default().with_batch_invariant(true);
    let engine = Engine::new(&open_gpu(), &graph, &model.weights, options).unwrap();
    engine.start(Input::values(values, [height, width])).unwrap().wait_all().unwrap()
}

#[test]
fn it_is_shared_and_sent() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    fn is_sent<T: Send + 'static>(value: T) -> T {
        value
    }
    is_shared::<Classifier>();
    is_sent::<Option<Predictions<u8>>>(None);
    let classifier = classifier(on_the_processor());
    drop(is_sent(classifier.classify_async(PICTURE)));
    drop(is_sent(Classifier::open_async("digits", on_the_processor())));
    drop(is_sent(Classifier::new_async(digits(), on_the_processor())));
}

#[test]
fn every_source_gives_what_the_chain_by_hand_gives() {
    let mut model = digits();
    let preprocessing = model.complete_description(None).preprocessing;
    let picture = Picture::open(PICTURE).unwrap();
    let input = preprocessing.apply(&picture).unwrap();
    let size = [input.height, input.width];
    let logits = by_hand(&model, model.graph(input.height, input.width).unwrap(), &input.values, size).swap_remove(0);
    let expected = model.legend().top_k(&logits, 10).unwrap();
    assert_eq!(expected[0].label, "7");

    let classifier = classifier(options().with_inputs(true).with_kept_pixels(usize::MAX));
    for source in [
        Source::from(PICTURE),
        Source::from(PathBuf::from(PICTURE)),
        Source::from(fs::read(PICTURE).unwrap()),
        Source::from(include_bytes!("../examples/digits/7-1442-8.png")),
        Source::from(picture.clone()),
        Source::values(input.values.clone(), size),
    ] {
        let prediction = classifier.classify(source.clone()).unwrap();
        assert_eq!(prediction.logits(), Some(&logits[..]), "{source:?}");
        assert_eq!(prediction.top_k(10).unwrap(), expected);
        assert_eq!(prediction.probabilities().unwrap(), model.legend().probabilities(&logits));
        assert_eq!((prediction.input(), prediction.size(), prediction.crops()), (Some(input.values.clone()), size, 1));
        assert_eq!((prediction.features(), prediction.class_maps()), (None, None));
        let is_picture = prediction.picture().is_some();
        assert_eq!(prediction.picture(), is_picture.then_some(&picture));
        assert_eq!(prediction.seen().map(|seen| (seen.height, seen.view)), is_picture.then(|| (8, preprocessing.view(8, 8))));
    }
    let nothing_kept = self::classifier(options()).classify(PICTURE).unwrap();
    assert_eq!((nothing_kept.picture(), nothing_kept.input()), (None, None));
}

#[test]
fn a_model_comes_by_name_from_a_file_and_from_bytes() {
    let path = "models/digits.safetensors";
    let by_name = Classifier::open("digits", on_the_processor()).unwrap();
    let by_path = Classifier::open(PathBuf::from(path), on_the_processor()).unwrap();
    let by_bytes = Classifier::from_bytes(&fs::read(path).unwrap(), "digits", on_the_processor()).unwrap();
    let by_future = pollster::block_on(Classifier::open_async("digits", on_the_processor())).unwrap();
    let logits = |classifier: &Classifier| classifier.classify(PICTURE).unwrap().logits().unwrap().to_vec();
    for classifier in [&by_path, &by_bytes, &by_future] {
        assert_eq!((classifier.name(), logits(classifier)), ("digits", logits(&by_name)));
    }
    assert_eq!((by_name.devices(), by_name.size()), (&["cpu".to_owned()][..], [64, 64]));
    assert_eq!((by_name.config().num_classes, by_name.legend().label(3)), (Some(10), "3".into()));
    assert!(by_name.assumed().is_empty() && by_name.warnings().is_empty() && by_name.failure().is_none());
    match Classifier::open("digit", on_the_processor()) {
        Err(Error::NoSuchModel { suggestion, .. }) => assert_eq!(suggestion.as_deref(), Some("digits")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(Classifier::open("densenet264", on_the_processor()), Err(Error::NoWeights { .. })));
    #[cfg(unix)]
    {
        let not_unicode: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"models/\xff.safetensors");
        assert!(matches!(Classifier::open(not_unicode, on_the_processor()), Err(Error::File { .. })));
    }
    match Classifier::open("models/digit.safetensors", on_the_processor()) {
        Err(error @ Error::File { .. }) => assert!(error.to_string().ends_with("did you mean models/digits.safetensors?"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_model_does_not_say_is_assumed_and_told() {
    let untrained = |classes| Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(classes)), 1).unwrap();
    let fields = |classifier: &Classifier| classifier.assumed().iter().map(|assumed| assumed.field).collect::<Vec<_>>();
    let assumed = Classifier::new(untrained(14), on_the_processor()).unwrap();
    assert_eq!(fields(&assumed), [Field::Activation, Field::Labels, Field::Preprocessing]);
    let values = assumed.assumed().iter().map(|assumed| assumed.value.as_deref()).collect::<Vec<_>>();
    assert_eq!(values, [Some("softmax"), None, Some("the preset torchvision")]);
    assert_eq!(assumed.size(), [224, 224]);
    // A preset says how pictures are prepared and what a logit is; not what the classes are.
    let preset = on_the_processor().with_preset(Preset::Chexnet).with_size([96, 64]);
    let said = Classifier::new(untrained(14), preset.clone()).unwrap();
    assert_eq!((fields(&said), said.size(), said.legend().label(13)), (vec![Field::Labels], [96, 64], "13".into()));
    assert_eq!(said.classify(PICTURE).unwrap().size(), [96, 64]);
    let named = preset.with_labels(densenet_wgpu::labels::named("chexnet").unwrap());
    let said = Classifier::new(untrained(14), named).unwrap();
    assert_eq!((said.assumed(), said.legend().label(13)), (&[][..], "Hernia".into()));

    let labels = ["cat", "dog"].map(str::to_owned).to_vec();
    let named = Classifier::new(untrained(2), on_the_processor().with_labels(labels)).unwrap();
    assert_eq!(named.legend().label(1), "dog");
    // A model whose name is a published one's is prepared as that is.
    let published = untrained(18).with_name("densenet121-res224-nih");
    assert_eq!(Classifier::new(published, on_the_processor()).unwrap().preprocessing(), &Preset::Xrv.preprocessing(3));
    // One that says it itself is prepared as it says, whatever its name, unless somebody asks for something else.
    let own = Preset::Monai.preprocessing(3);
    let named = untrained(18).with_name("densenet121").with_preprocessing(own.clone());
    let of = |options| Classifier::new(named.clone(), options).unwrap().preprocessing().clone();
    assert_eq!(of(on_the_processor()), own);
    assert_eq!(of(on_the_processor().with_preset(Preset::Timm)), Preset::Timm.preprocessing(3));
    // To describe a model twice with the same options changes nothing.
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
        let is_open = classifier.assumed().iter().any(|assumed| assumed.field == Field::Activation && assumed.value.is_none());
        let class = classifier.classify(PICTURE).unwrap().top_k(5).unwrap().swap_remove(0);
        (is_open, class.logit, class.probability)
    };
    let (is_open, logit, probability) = of(model(), on_the_processor());
    assert_eq!((is_open, probability), (true, None));
    let sigmoid = Some(1.0 / (1.0 + (-f64::from(logit)).exp()));
    assert_eq!(of(model(), on_the_processor().with_activation(Activation::Sigmoid)), (false, logit, sigmoid));
    assert_eq!(of(model(), on_the_processor().with_preset(Preset::Chexnet)), (false, logit, sigmoid));
    assert_eq!(of(model(), on_the_processor().with_activation(Activation::None)), (false, logit, None));
    // A softmax of one logit is 1, whoever says it.
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

/// A preprocessing with a crop, which the model's own has not.
fn cropped(options: ClassifierOptions) -> ClassifierOptions {
    let resize = Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::ShortSide(80) });
    options.with_preprocessing(digits().preprocessing.unwrap().with_resize(resize).with_crop(Some([64, 64])))
}

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
        assert_eq!(prediction.top_k(10).unwrap(), model.legend().top_k_of_crops(&logits, 10, 10).unwrap());
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

#[test]
fn the_reference_is_a_device_and_shares_with_others() {
    let model = digits();
    let input = model.preprocessing.clone().unwrap().apply(&Picture::open(PICTURE).unwrap()).unwrap();
    let expected = Reference::new(model.graph(64, 64).unwrap(), model.weights.clone()).unwrap().run(&input.values, 64, 64).unwrap();
    assert_eq!(classifier(on_the_processor()).classify(PICTURE).unwrap().logits(), Some(&expected[..]));

    let both = classifier(options().with_devices(vec![open_gpu().into(), Device::Reference]).with_batch(1));
    assert_eq!(both.devices().len(), 2);
    let paths = examples();
    let labels: Vec<String> =
        both.classify_all(paths.clone()).unwrap().map(|p| p.unwrap().top_k(1).unwrap().swap_remove(0).label).collect();
    assert_eq!(labels, paths.iter().map(|path| shown(path)).collect::<Vec<_>>());
    // Alone, they take turns.
    let blocking = || both.classify(PICTURE);
    let awaited = || pollster::block_on(both.classify_async(PICTURE));
    for classify in [&blocking as &dyn Fn() -> Result<Prediction>, &awaited] {
        let logits = [classify(), classify()].map(|prediction| prediction.unwrap().logits().unwrap().to_vec());
        assert!(logits[0] != logits[1] && logits.contains(&expected), "one of each");
    }
}

/// Pictures, some of them none, of two sizes, the first of each five slow to read; and what each is.
fn mixed(folder: &Path) -> Vec<(usize, Source)> {
    let mut jpeg = Vec::new();
    let mut kinds = zip::ZipArchive::new(fs::File::open("tests/fixtures/pillow/kinds.zip").unwrap()).unwrap();
    kinds.by_name("rgb-420-95.jpg").unwrap().read_to_end(&mut jpeg).unwrap();
    let source = |index: usize| match index % 10 {
        3 => Source::from(folder.join("missing.png")),
        4 => Source::from(jpeg[..jpeg.len() / 3].to_vec()),
        6 => Source::values(vec![0.5; 3 * 64 * 64 + 1], [64, 64]),
        7 => Source::values(vec![0.01 * index as f32; 3 * 96 * 64], [96, 64]),
        8 => Source::values(vec![f32::NAN; 3 * 64 * 64], [64, 64]),
        9 => Source::refused(format!("refused {index}")),
        rest => {
            let (path, side) = (folder.join(format!("{index}.pgm")), if rest == 0 { 1500 } else { 8 });
            let header = format!("P5 {side} {side} 255\n").into_bytes();
            fs::write(&path, [header, vec![index as u8; side * side]].concat()).unwrap();
            Source::from(path)
        }
    };
    (0..60).map(|index| (index, source(index))).collect()
}

#[test]
fn a_source_that_fails_costs_its_own_result_and_the_order_stays() {
    let folder = tempfile::tempdir().unwrap();
    let classifier = classifier(options().with_batch(4));
    let inputs = mixed(folder.path());
    let mut found = 0;
    for (index, prediction) in classifier.stream(inputs.clone(), StreamOptions::default()).unwrap() {
        assert_eq!(index, found);
        found += 1;
        let part = match index % 10 {
            3 => "missing.png: ",
            4 => "damaged or cut off",
            6 => "expected [3, 64, 64], one image, found 12289 elements",
            8 => "expected finite numbers, found NaN at element 0",
            9 => "refused ",
            _ => {
                let alone = classifier.classify(inputs[index].1.clone()).unwrap();
                assert_eq!(prediction.unwrap().logits(), alone.logits(), "{index}");
                continue;
            }
        };
        let error = prediction.unwrap_err();
        assert!(error.to_string().contains(part), "{index}: {error}");
        assert_eq!(matches!(error, Error::File { .. }), index % 10 == 3, "{error:?}");
    }
    assert_eq!(found, inputs.len());
}

#[test]
fn images_that_no_network_takes_fail_one_by_one() {
    let classifier = classifier(options().with_batch(4));
    let sources: Vec<Source> = (0..6).map(|_| Source::values(vec![0.0; 3], [1, 1])).chain([PICTURE.into()]).collect();
    let results: Vec<_> = classifier.classify_all(sources).unwrap().collect();
    assert!(results[..6].iter().all(|result| matches!(result, Err(Error::TooSmall { .. }))), "{results:?}");
    assert!(results[6].is_ok() && results.len() == 7);
    assert!(classifier.classify("examples").unwrap_err().to_string().starts_with("examples: expected a picture, found a folder"));
}

#[test]
fn an_image_beyond_16_bit_floats_costs_no_other_its_result() {
    let gpu = open_gpu();
    if !gpu.capabilities().f16 {
        return untested(&gpu, "16-bit floats, which it has none of");
    }
    let classifier = classifier(options().with_precision(Precision::F16));
    let image = |value: f32| Source::values(vec![value; 3 * 64 * 64], [64, 64]);
    let results: Vec<_> = classifier.classify_all([0.5, 1e9, 0.7].map(image)).unwrap().collect();
    assert!(matches!(results[1], Err(Error::HalfOverflow)), "{results:?}");
    for (result, value) in [(&results[0], 0.5), (&results[2], 0.7)] {
        assert_eq!(result.as_ref().unwrap().logits(), classifier.classify(image(value)).unwrap().logits());
    }
}

#[test]
fn threads_share_one_classifier() {
    let classifier = classifier(options());
    let paths = examples();
    let expected: Vec<Vec<f32>> = classifier.classify_all(paths.clone()).unwrap().map(|p| p.unwrap().logits().unwrap().to_vec()).collect();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (classifier, paths, expected) = (classifier.clone(), &paths, &expected);
            scope.spawn(move || {
                let of_part = paths.iter().zip(expected).skip(part).step_by(4);
                of_part.for_each(|(path, expected)| assert_eq!(classifier.classify(path).unwrap().logits(), Some(&expected[..])));
                let streamed = classifier.classify_all(paths.clone()).unwrap().map(|p| p.unwrap().logits().unwrap().to_vec());
                assert!(streamed.eq(expected.iter().cloned()));
            });
        }
    });
}

#[test]
fn a_live_input_is_answered_before_the_next_comes() {
    let classifier = classifier(on_the_processor());
    let (ask, asked) = mpsc::channel::<(u8, Source)>();
    let mut answers = classifier.stream(asked, StreamOptions::default().with_live(true)).unwrap();
    for number in 0..3 {
        ask.send((number, PICTURE.into())).unwrap();
        let (answered, prediction) = answers.next().unwrap();
        assert_eq!((answered, prediction.unwrap().top_k(1).unwrap()[0].label.as_str()), (number, "7"));
    }
    (3..40).for_each(|number| ask.send((number, PICTURE.into())).unwrap());
    drop(ask);
    let mut count = 0;
    while let Some(batch) = answers.next_batch() {
        assert!((1..=16).contains(&batch.len()), "{}", batch.len());
        count += batch.len();
    }
    assert_eq!(count, 37);
}

/// Sends word when it is dropped.
struct Tell(mpsc::Sender<()>);

impl Drop for Tell {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Endless inputs, and who tells when nobody takes them any more.
fn endless() -> (impl Iterator<Item = (usize, Source)> + Send + 'static, mpsc::Receiver<()>) {
    let (tell, told) = mpsc::channel();
    let tell = Tell(tell);
    let endless = (0..).map(move |index| {
        let _ = &tell;
        (index, Source::from(PICTURE))
    });
    (endless, told)
}

#[test]
fn a_stream_that_is_stopped_hands_on_what_was_begun() {
    for classifier in [classifier(on_the_processor().with_batch(2)), classifier(options().with_batch(2))] {
        let (inputs, told) = endless();
        let stop = Arc::new(AtomicBool::new(false));
        let mut answers = classifier.stream(inputs, StreamOptions::default().with_stop(Arc::clone(&stop))).unwrap();
        let mut count = 0;
        for (index, prediction) in answers.by_ref() {
            assert_eq!((index, prediction.unwrap().top_k(1).unwrap()[0].label.as_str()), (count, "7"));
            count += 1;
            stop.store(count >= 7, Ordering::Relaxed);
        }
        assert!((7..40).contains(&count), "{count}");
        assert!(answers.next().is_none());
        drop(answers);
        told.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn dropping_a_stream_ends_what_it_began() {
    let classifier = classifier(options().with_batch(2));
    let (inputs, told) = endless();
    let mut answers = classifier.stream(inputs, StreamOptions::default()).unwrap();
    answers.next().unwrap().1.unwrap();
    drop(answers);
    told.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn the_panic_of_an_iterator_is_handed_on() {
    let classifier = classifier(on_the_processor().with_batch(1));
    let inputs = (0..3).map(|index| if index < 2 { PICTURE } else { panic!("no third") });
    let mut answers = classifier.classify_all(inputs).unwrap();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answers.by_ref().count())).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"no third"));
    assert!(answers.next().is_none());
}

/// What `work` gives, which fails where it takes for ever.
fn patiently<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    result.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn inputs_of_a_device_that_is_gone_say_so() {
    let gpu = open_gpu();
    let classifier = classifier(options().with_device(gpu.clone()).with_batch(1));
    assert!(classifier.classify(PICTURE).is_ok());
    gpu.device().destroy();
    assert!(classifier.classify(PICTURE).is_err());
    let results: Vec<_> = patiently(move || classifier.classify_all(vec![PICTURE; 40]).unwrap().collect());
    assert_eq!(results.len(), 40);
    assert!(results.iter().all(Result::is_err));
}

#[test]
fn a_device_that_is_lost_costs_what_it_had_begun_and_another_goes_on() {
    let opened = open_gpu();
    // Of a program's own device only what fails there tells that it is lost.
    let own = pretending(Gpu::from_device(opened.device().clone(), opened.queue().clone()));
    [open_gpu(), own].into_iter().for_each(a_lost_device_beside_another);
}

fn a_lost_device_beside_another(gpu: Gpu) {
    let devices = vec![gpu.clone().into(), open_gpu().into()];
    let classifier = classifier(options().with_devices(devices).with_batch(2));
    let all = |count: usize| (0..count).map(|index| (index, Source::from(PICTURE)));
    let sharing = classifier.clone();
    let failed = patiently(move || {
        let answers = sharing.stream(all(80), StreamOptions::default()).unwrap();
        let mut failed = 0;
        let mut count = 0;
        for (index, prediction) in answers {
            assert_eq!(index, count);
            count += 1;
            match prediction {
                Ok(prediction) => assert_eq!(prediction.top_k(1).unwrap()[0].label, "7"),
                Err(Error::DeviceLost { .. } | Error::DeviceFailed { .. }) => failed += 1,
                Err(error) => panic!("{index}: {error:?}"),
            }
            if index == 5 {
                gpu.device().destroy();
            }
        }
        assert_eq!(count, 80);
        failed
    });
    // A batch that is waited for, the next, and one for which pictures were being read.
    assert!(failed <= 3 * 2, "{failed}");
    // That it is lost is known from what failed there, at the latest now; afterwards nothing is tried there any more.
    let _ = (classifier.classify(PICTURE), classifier.classify(PICTURE));
    assert!(matches!(classifier.failure(), Some(Error::DeviceLost { .. })), "{:?}", classifier.failure());
    assert!(!classifier.is_lost());
    for _ in 0..3 {
        assert!(classifier.classify(PICTURE).is_ok());
        assert!(pollster::block_on(classifier.classify_async(PICTURE)).is_ok());
        let sharing = classifier.clone();
        let results: Vec<_> = patiently(move || sharing.classify_all(vec![PICTURE; 10]).unwrap().collect());
        assert!(results.len() == 10 && results.iter().all(Result::is_ok), "{results:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_future_blocks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let classifier = classifier(options().with_batch(1));
    let expected = classifier.classify(PICTURE).unwrap().logits().unwrap().to_vec();
    let found = patiently(move || {
        // One thread polls two futures, of which the first waits until somebody writes into the pipe.
        let mut piped = pin!(classifier.classify_async(pipe.as_path()));
        let mut other = pin!(classifier.classify_async(PICTURE));
        let mut first = None;
        let both = poll_fn(|context| {
            if first.is_none() {
                assert!(piped.as_mut().poll(context).is_pending());
                let Poll::Ready(prediction) = other.as_mut().poll(context) else { return Poll::Pending };
                first = Some(prediction.unwrap());
                fs::write(&pipe, fs::read(PICTURE).unwrap()).unwrap();
            }
            piped.as_mut().poll(context)
        });
        let second = pollster::block_on(both).unwrap();
        [first.unwrap(), second].map(|prediction| prediction.logits().unwrap().to_vec())
    });
    assert_eq!(found, [expected.clone(), expected]);
}
