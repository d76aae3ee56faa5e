//! What is written is read again.

use densenet_wgpu::network::Stem;
use densenet_wgpu::{Checkpoint, Config, Error};

use crate::files::{described, small, with_header};

/// As if it had been made here.
fn without_origin(mut checkpoint: Checkpoint) -> Checkpoint {
    checkpoint.origin = None;
    checkpoint
}

#[test]
fn what_is_saved_is_opened_again_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pets.v1.safetensors");
    let checkpoint = described();
    checkpoint.save(&path).unwrap();
    let opened = Checkpoint::open(&path).unwrap();
    assert_eq!(without_origin(opened.clone()), checkpoint);
    assert_eq!(opened.to_bytes().unwrap(), std::fs::read(&path).unwrap());
    assert_eq!(checkpoint.to_bytes().unwrap(), described().to_bytes().unwrap());
    small().save(&path).unwrap();
    assert_eq!(without_origin(Checkpoint::open(&path).unwrap()), small());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no unfinished file is left behind");
}

#[test]
fn a_file_without_description_is_named_after_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pets.bin");
    let bytes = with_header(&described().to_bytes().unwrap(), |header| {
        header.remove("__metadata__");
    });
    std::fs::write(&path, bytes).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!((checkpoint.name.as_str(), &checkpoint.labels, &checkpoint.preprocessing), ("pets", &None, &None));
    assert_eq!(checkpoint.config.epsilon, 1e-5);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing.safetensors");
    assert!(matches!(Checkpoint::open(&path), Err(Error::File { path: found, .. }) if found == path));
    assert!(matches!(Checkpoint::open(folder.path()), Err(Error::File { .. })));
    assert!(matches!(small().save(folder.path().join("no/folder")), Err(Error::File { .. })));
    std::fs::write(&path, b"").unwrap();
    let message = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(message.contains(&path.display().to_string()) && message.contains("is empty"), "{message}");
}

#[test]
fn all_architectures_load() {
    let cifar = Config::imagenet(12, &[2, 2, 2], 24).with_stem(Stem::Cifar);
    let plain = cifar.clone().with_bottleneck(false).with_compression(1.0);
    let features = Config::imagenet(8, &[3], 8).with_classes(None).with_channels(1);
    for config in [cifar, plain, features, Config::densenet121()] {
        let checkpoint = Checkpoint::init(config.clone(), 1).unwrap();
        assert_eq!(checkpoint.graph(64, 64).unwrap().parameters(), checkpoint.weights.parameters());
        let read = Checkpoint::from_bytes(&checkpoint.to_bytes().unwrap(), "any").unwrap();
        assert_eq!(read.config, config);
        assert_eq!(read.weights, checkpoint.weights);
    }
}
