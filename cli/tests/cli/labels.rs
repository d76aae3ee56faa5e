//! Names of classes: where they come from, and their order.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::assumed::{checkpoint, classify, of_outputs, report, row, trained};
use crate::{assert_refused, assert_says, checkpoint_files, densenet, fixture, folder, stderr, stdout};

/// Labels in the order of the classes.
fn labels(model: &Path, arguments: &[&str]) -> Vec<String> {
    let mut top = row(model, arguments)["top"].as_array().unwrap().clone();
    top.sort_by_key(|class| class["index"].as_u64());
    top.iter().map(|class| class["label"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_number_of_classes_names_none() {
    let folder = folder();
    // CheXpert's networks have ChestX-ray14's keys and number of outputs.
    let findings = checkpoint(folder.path(), "m-25012018-123527.pth.tar");
    let output = classify(&findings, &["--top-k", "14"]);
    assert_says(&output, 0, &["labels: open; nothing names the model's 14 classes (--labels chexnet|chexpert|FILE)"]);
    assert!(!stdout(&output).contains("Atelectasis"), "{}", stdout(&output));
    assert_eq!(labels(&findings, &["--labels", "chexpert"])[0], "No Finding");
    assert_eq!(labels(&findings, &["--labels", "chexnet"])[0], "Atelectasis");
    assert_eq!(labels(&findings, &["--preprocess", "chexnet"])[0], "0", "how pictures are prepared is not what classes are");
    // SVHN has ten classes too.
    let ten = checkpoint(folder.path(), "bamos.pth");
    assert_says(&classify(&ten, &[]), 0, &["(--labels cifar10|svhn|FILE)"]);
    assert_eq!(labels(&ten, &[]), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(labels(&ten, &["--labels", "cifar10"])[9], "truck");
    assert_eq!(labels(&ten, &["--labels", "svhn"])[9], "9");
    let thousand = of_outputs(folder.path(), 1000);
    assert_says(&classify(&thousand, &[]), 0, &["(--labels imagenet|FILE)"]);
    assert_eq!(labels(&thousand, &[])[0], "0");
    assert_eq!(labels(&thousand, &["--labels", "imagenet"])[0], "tench");
}

#[test]
fn labels_of_another_number_are_refused_with_both() {
    let folder = folder();
    let path = of_outputs(folder.path(), 10);
    let refused = |labels: &str, parts: &[&str]| {
        let out = folder.path().join("out.safetensors");
        for command in ["classify", "inspect", "convert"] {
            let mut run = densenet();
            match command {
                "classify" => run.args(["classify", &fixture("L.png"), "--model"]).arg(&path),
                "inspect" => run.arg("inspect").arg(&path),
                _ => run.arg("convert").args([&path, &out]),
            };
            assert_refused(&run.args(["--labels", labels]).output().unwrap(), parts);
            assert!(!out.exists());
        }
    };
    refused("chexnet", &["--labels chexnet: expected 10 labels", "found 14", "--labels cifar10, svhn, a file"]);
    let names = folder.path().join("names.txt");
    fs::write(&names, "a\nb\nc\n").unwrap();
    refused(names.to_str().unwrap(), &["expected 10 labels", "found 3 lines"]);
    refused("cifar", &["--labels cifar: expected chexnet, chexpert, cifar10, svhn, imagenet", "found neither", "did you mean cifar10?"]);
}

#[test]
fn names_beside_the_weights_are_the_classes() {
    let folder = folder();
    let of = |entries: &[u8]| {
        let path = trained(folder.path(), "torchvision.pth", entries);
        (labels(&path, &[]), stderr(&classify(&path, &[])))
    };
    // Folders that are called by numbers: as text, 10 comes before 2, and the file's own numbers count.
    let numbered = b"Vclass_to_idx\n(dV1\nI0\nsV10\nI1\nsV2\nI2\nsV3\nI3\nsV4\nI4\ns";
    assert_eq!(of(numbered).0, ["1", "10", "2", "3", "4"]);
    for (entries, place) in [
        (&b"Vidx_to_class\n(dI4\nVe\nsI3\nVd\nsI2\nVc\nsI1\nVb\nsI0\nVa\ns"[..], "idx_to_class"),
        (b"Vclasses\n(Va\nVb\nVc\nVd\nVe\nl", "classes"),
        (b"Vmeta\n(dVCLASSES\n(Va\nVb\nVc\nVd\nVe\nts", "meta.CLASSES"),
        (b"Vmeta\n(dVdataset_meta\n(dVclasses\n(Va\nVb\nVc\nVd\nVe\ntss", "meta.dataset_meta.classes"),
        (b"Vhyper_parameters\n(dVclass_names\n(Va\nVb\nVc\nVd\nVe\nls", "hyper_parameters.class_names"),
    ] {
        let (labels, said) = of(entries);
        assert_eq!(labels, ["a", "b", "c", "d", "e"], "{place}");
        assert!(!said.contains("labels"), "{said}");
        assert_eq!(report(&folder.path().join("trained.pth"), &[])["labels_source"], format!("`{place}`"));
    }
    // A set has no order.
    assert_eq!(of(b"Vclasses\nc__builtin__\nset\n((Va\nVb\nVc\nVd\nVe\nltRs").0[0], "0");
    // Names of another number of classes, or that contradict each other, are not used.
    assert_eq!(of(b"Vclasses\n(Va\nVb\nl").0[0], "0");
    let (labels, said) = of(b"Vclasses\n(Va\nVb\nVc\nVd\nVe\nlVclass_names\n(Ve\nVb\nVc\nVd\nVa\nl");
    assert_eq!(labels[0], "0");
    assert!(said.contains("labels: open; `classes` and `class_names` contradict each other (--labels FILE)"), "{said}");
    // The order of a list of folders' names is unknown.
    let (labels, said) = of(b"Vclasses\n(V1\nV2\nV3\nV4\nV10\nl");
    assert_eq!(labels, ["1", "2", "3", "4", "10"]);
    assert!(said.contains("labels: the order of the list `classes` (1, 2, 3, 4, …) is assumed"), "{said}");
    assert!(said.contains("(1, 10, 2, 3, …)"), "{said}");
    assert_eq!(row(&folder.path().join("trained.pth"), &[])["assumed"], json!(["activation", "labels", "preprocessing"]));
}

#[test]
fn names_in_metadata_and_config_json_are_the_classes() {
    let folder = folder();
    let weights = fs::read(checkpoint_files::folder().join("f64.safetensors")).unwrap();
    let path = folder.path().join("model.safetensors");
    fs::write(&path, &weights).unwrap();
    assert_eq!(labels(&path, &[]), ["0", "1", "2"]);
    let config = folder.path().join("config.json");
    fs::write(&config, r#"{"model_type": "mine", "id2label": {"0": "cat", "2": "ant", "1": "dog"}}"#).unwrap();
    assert_eq!(labels(&path, &[]), ["cat", "dog", "ant"]);
    assert_eq!(report(&path, &[])["labels_source"], "`id2label` in config.json beside it");
    // The header of the file itself counts before what is beside it.
    let (length, rest) = weights.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    header["__metadata__"] = json!({"format": "pt", "class_to_idx": r#"{"1": 0, "10": 1, "2": 2}"#});
    let header = serde_json::to_vec(&header).unwrap();
    fs::write(&path, [&(header.len() as u64).to_le_bytes()[..], &header, data].concat()).unwrap();
    assert_eq!(labels(&path, &[]), ["1", "10", "2"]);
}

#[test]
fn the_order_of_labels_that_were_given_is_said_where_it_matters() {
    let folder = folder();
    let path = of_outputs(folder.path(), 3);
    let names = folder.path().join("names.txt");
    let said = |lines: &str| {
        fs::write(&names, lines).unwrap();
        stderr(&classify(&path, &["--labels", names.to_str().unwrap()]))
    };
    assert!(said("1\n2\n10\n").contains("names.txt: taken in the order of its lines; folders would be 1, 10, 2"));
    assert!(!said("1\n10\n2\n").contains("order") && !said("cat\ndog\nant\n").contains("order"));
    // A folder of folders, as ImageFolder reads one.
    let set = folder.path().join("train");
    for class in ["10", "2", "1"] {
        fs::create_dir_all(set.join(class)).unwrap();
    }
    fs::write(set.join("notes.txt"), "").unwrap();
    let set = set.to_str().unwrap();
    assert_eq!(labels(&path, &["--labels", set]), ["1", "10", "2"]);
    assert_says(&classify(&path, &["--labels", set]), 0, &["its folders' names, sorted as text: 1, 10, 2"]);
    assert_refused(&classify(&of_outputs(folder.path(), 4), &["--labels", set]), &["expected 4 labels", "found 3 folders"]);
}
