//! Which device is opened where none is named, and that threads open one after the other.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "image")]

use std::process::{Command, Output};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use densenet_wgpu::devices::{Device, Software};
use densenet_wgpu::internal::opening;
use densenet_wgpu::{Classifier, ClassifierOptions, Error, Gpu};

/// How long a test waits for what never comes where the code is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

const PICTURE: &str = "examples/digits/7-1442-8.png";

/// Runs a test of this file that is ignored otherwise, in a process where the variable has this value.
fn with_variable(value: &str, test: &str) -> Output {
    let arguments = ["--exact", test, "--ignored", "--nocapture"];
    Command::new(std::env::current_exe().unwrap()).args(arguments).env("DENSENET_DEVICE", value).output().unwrap()
}

#[track_caller]
fn passes_with(value: &str, test: &str) {
    let output = with_variable(value, test);
    let [said, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success() && said.contains("1 passed"), "{said}{errors}");
}

#[test]
fn the_variable_is_the_default_of_devices_and_classifiers() {
    passes_with("cpu", "the_reference_is_used_unless_a_device_is_named");
    passes_with("no such device", "a_bad_value_is_named_with_its_variable");
    passes_with("0000:ff:1f.7", "an_address_that_is_not_there_is_named_with_its_variable");
    passes_with("0,0", "a_device_twice_is_named_with_its_variable");
    passes_with("", "an_empty_value_says_nothing");
}

#[test]
#[ignore = "needs DENSENET_DEVICE=cpu"]
fn the_reference_is_used_unless_a_device_is_named() {
    let classifier = Classifier::open("digits", ClassifierOptions::default()).unwrap();
    assert_eq!(classifier.devices(), ["cpu"]);
    assert_eq!(classifier.classify(PICTURE).unwrap().top_k(1).unwrap()[0].label, "7");
    let named = ClassifierOptions::default().with_devices(vec![Device::Named("0".into())]);
    assert_eq!(Classifier::open("digits", named).unwrap().devices(), [&*Gpu::adapters()[0].name]);
    // The reference is no GPU that could be opened.
    let message = Gpu::open(None).unwrap_err().to_string();
    assert!(message.starts_with("DENSENET_DEVICE=cpu: no adapter is called \"cpu\""), "{message}");
    assert_eq!(Gpu::open(Some("0")).unwrap().summary().index, 0);
}

fn refusals() -> [Error; 3] {
    let classifier = || Classifier::open("digits", ClassifierOptions::default());
    [Gpu::open(None).unwrap_err(), pollster::block_on(Gpu::open_async(None)).unwrap_err(), classifier().unwrap_err()]
}

#[test]
#[ignore = "needs DENSENET_DEVICE='no such device'"]
fn a_bad_value_is_named_with_its_variable() {
    for error in refusals() {
        let Error::Variable { name: "DENSENET_DEVICE", source, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(**source, Error::NoSuchAdapter { .. }), "{source:?}");
        let message = error.to_string();
        assert!(message.starts_with("DENSENET_DEVICE=no such device: no adapter is called \"no such device\""), "{message}");
        assert!(message.contains(&Gpu::adapters()[0].name), "{message}");
    }
}

#[test]
#[ignore = "needs DENSENET_DEVICE=0000:ff:1f.7"]
fn an_address_that_is_not_there_is_named_with_its_variable() {
    for error in refusals() {
        let message = error.to_string();
        assert!(
            message.starts_with("DENSENET_DEVICE=0000:ff:1f.7: no adapter is at the PCI address 0000:ff:1f.7. There are: 0 = "),
            "{message}"
        );
    }
}

#[test]
#[ignore = "needs DENSENET_DEVICE=0,0"]
fn a_device_twice_is_named_with_its_variable() {
    let message = Classifier::open("digits", ClassifierOptions::default()).unwrap_err().to_string();
    assert!(message.starts_with("DENSENET_DEVICE=0,0: expected each device once, found "), "{message}");
}

#[test]
#[ignore = "needs DENSENET_DEVICE="]
fn an_empty_value_says_nothing() {
    assert_eq!(Gpu::open(None).unwrap().summary(), &Gpu::adapters()[0]);
}

#[test]
fn a_classifier_uses_software_as_it_is_told() {
    let gpu = Gpu::open(None).unwrap();
    let is_software = gpu.is_software();
    for device in [Device::from(gpu), Device::Best] {
        let opened = |software| {
            let options = ClassifierOptions::default().with_device(device.clone()).with_software(software);
            Classifier::open("digits", options)
        };
        let warns = |classifier: Classifier| classifier.warnings().iter().any(|warning| warning.starts_with("no GPU in use: "));
        assert_eq!(warns(opened(Software::Warn).unwrap()), is_software);
        assert!(!warns(opened(Software::Allow).unwrap()));
        assert_eq!(matches!(opened(Software::Refuse), Err(Error::Software { .. })), is_software);
    }
    // The reference is only used where it is named.
    let reference = ClassifierOptions::default().with_device(Device::Reference).with_software(Software::Refuse);
    assert!(Classifier::open("digits", reference).is_ok());
}

/// Some drivers crash where two threads make instances or devices at once.
#[test]
fn nothing_is_listed_or_opened_while_another_thread_opens() {
    let guard = opening();
    let (sender, receiver) = channel();
    let begin = |name: &'static str, open: fn()| {
        let sender = sender.clone();
        thread::spawn(move || {
            open();
            sender.send(name).unwrap();
        })
    };
    let threads = [
        begin("adapters", || drop(Gpu::adapters())),
        begin("open", || drop(Gpu::open(None).unwrap())),
        begin("open_async", || drop(pollster::block_on(Gpu::open_async(None)).unwrap())),
        begin("classifier", || drop(Classifier::open("digits", ClassifierOptions::default()).unwrap())),
    ];
    if let Ok(name) = receiver.recv_timeout(Duration::from_secs(1)) {
        panic!("{name} did not wait");
    }
    drop(guard);
    for _ in &threads {
        receiver.recv_timeout(PATIENCE).unwrap();
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn threads_that_open_at_once_each_have_a_device() {
    thread::scope(|scope| {
        let opened = [(); 8].map(|()| scope.spawn(|| (Gpu::adapters().len(), Gpu::open(None).unwrap())));
        for (count, gpu) in opened.map(|thread| thread.join().unwrap()) {
            assert!(count > gpu.summary().index && gpu.failure().is_none());
        }
    });
}
