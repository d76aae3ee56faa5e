//! What `convert` and `init` replace.

use std::fs;
use std::path::Path;
use std::process::Output;

use densenet_wgpu::{Checkpoint, models};

use crate::{assert_refused, assert_says, bytes, densenet, folder};

fn convert(to: &Path, arguments: &[&str]) -> Output {
    densenet().args(["convert", "digits"]).arg(to).args(arguments).output().unwrap()
}

fn init(to: &Path, arguments: &[&str]) -> Output {
    densenet().args(["init", "--arch", "densenet121", "--classes", "2"]).arg(to).args(arguments).output().unwrap()
}

/// The tensors of a trained network as another program writes them, with metadata of its own.
fn of_somebody_else() -> Vec<u8> {
    use safetensors::tensor::{Dtype, TensorView};
    let model = models::bundled("digits").unwrap().unwrap();
    let tensors: Vec<_> = model.weights.iter().map(|(name, tensor)| (name, tensor.shape.clone(), bytes(&tensor.data))).collect();
    let views = tensors.iter().map(|(name, shape, data)| (*name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    safetensors::serialize(views, Some([("format".to_owned(), "pt".to_owned())].into())).unwrap()
}

#[test]
fn what_this_program_did_not_write_is_replaced_by_force_only() {
    let folder = folder();
    let theirs = of_somebody_else();
    for (name, content) in [
        ("classes.txt", &b"cat\ndog\n"[..]),
        ("best.safetensors", &theirs),
        ("cut.safetensors", &theirs[..theirs.len() / 2]),
        ("long.safetensors", &b"\xff\xff\xff\xff\xff\xff\xff\x7f{\"densenet\":\"\"}"[..]),
        ("empty.safetensors", b""),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        for output in [convert(&path, &[]), init(&path, &[])] {
            assert_refused(&output, &[name, "expected no file of that name", "found another", "--force"]);
            assert_eq!(fs::read(&path).unwrap(), content, "{name}");
        }
        // The remedy of the message.
        assert_says(&convert(&path, &["--force"]), 0, &[name, "tensors"]);
        assert!(fs::read(&path).unwrap().windows(8).any(|part| part == b"densenet"), "{name}");
        fs::write(&path, content).unwrap();
        assert_says(&init(&path, &["--force"]), 0, &[name]);
    }
    let path = folder.path().join("names");
    fs::write(&path, "cat\n").unwrap();
    assert_refused(&convert(&path, &[]), &["a list of labels is given with --labels"]);
}

#[test]
fn convert_replaces_what_this_program_wrote() {
    let folder = folder();
    let path = folder.path().join("a.safetensors");
    assert_says(&init(&path, &[]), 0, &[]);
    let untrained = fs::read(&path).unwrap();
    assert_says(&convert(&path, &[]), 0, &[]);
    let converted = fs::read(&path).unwrap();
    assert_ne!(converted, untrained);
    assert_says(&convert(&path, &["--activation", "sigmoid"]), 0, &[]);
    assert_ne!(fs::read(&path).unwrap(), converted);
}

#[test]
fn init_replaces_only_what_init_wrote() {
    let folder = folder();
    let path = folder.path().join("a.safetensors");
    assert_says(&init(&path, &[]), 0, &[]);
    let untrained = fs::read(&path).unwrap();
    assert_says(&init(&path, &["--seed", "1"]), 0, &["seed 1"]);
    assert_ne!(fs::read(&path).unwrap(), untrained);
    // A trained network, with a description and without, and an untrained one with a description.
    let bare = || models::bundled("digits").unwrap().unwrap();
    let mut described = Checkpoint::init(bare().config, 1).unwrap();
    described.labels = bare().labels;
    for content in [
        bare().to_bytes().unwrap(),
        Checkpoint::new("mine", bare().config, bare().weights).to_bytes().unwrap(),
        described.to_bytes().unwrap(),
    ] {
        fs::write(&path, &content).unwrap();
        let found = "a.safetensors: expected no file of that name, or an untrained network that init wrote, found one with more than random weights";
        assert_refused(&init(&path, &[]), &[found, "give another name, or --force to replace it"]);
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_says(&init(&path, &["--force"]), 0, &[]);
        assert_eq!(fs::read(&path).unwrap(), untrained);
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_what_it_leads_to() {
    let folder = folder();
    let [link, target] = ["link.safetensors", "classes.txt"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    fs::write(&target, "cat\n").unwrap();
    assert_refused(&convert(&link, &[]), &["link.safetensors", "--force"]);
    assert_eq!(fs::read(&target).unwrap(), b"cat\n");
    assert_says(&convert(Path::new("/dev/null"), &[]), 0, &[]);
}
