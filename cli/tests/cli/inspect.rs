//! `inspect` and `convert`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use densenet_wgpu::models;
use serde_json::Value;

use crate::checkpoint_files::{self, cases, content};
#[cfg(unix)]
use crate::given_up_on;
use crate::infer::{read_npy, write_npy};
use crate::{assert_refused, assert_says, densenet, fixture, folder, json_lines, stderr, stdout, until};

fn inspect(model: &Path, arguments: &[&str]) -> Output {
    densenet().arg("inspect").arg(model).args(arguments).output().unwrap()
}

/// The file of the case of that name, at a place of its own.
fn checkpoint(folder: &Path, name: &str) -> PathBuf {
    let case = cases("cases").into_iter().find(|case| case["file"] == name).unwrap_or_else(|| panic!("no case {name}"));
    let path = folder.join(Path::new(name).file_name().unwrap());
    fs::write(&path, content(&case)).unwrap();
    path
}

#[test]
fn inspect_tells_what_a_checkpoint_is() {
    let folder = folder();
    let path = checkpoint(folder.path(), "m-25012018-123527.pth.tar");
    let output = inspect(&path, &[]);
    assert_says(&output, 0, &[]);
    let text = stdout(&output);
    for part in [
        "m-25012018-123527\n",
        "torch legacy stream",
        "CheXNet, under state_dict/module.densenet121.",
        "DenseNet-9 · k=4 · [2,1] · 3 channels · 14 classes · sigmoid",
        "46/46 matched, f32",
        "short side to 256 (bilinear), crop 224x224",
        "assumed: the preset chexnet",
        "MiB for one picture of 224x224",
        "labels: open; nothing names the model's 14 classes (--labels chexnet|chexpert|FILE)",
    ] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn inspect_tells_the_same_as_json() {
    let folder = folder();
    let output = inspect(&checkpoint(folder.path(), "xrv.pt"), &["--format", "json"]);
    let [report] = &json_lines(&output)[..] else { panic!("{}", stdout(&output)) };
    assert_eq!(report["container"], "torch zip");
    assert_eq!(report["dialect"], "torchxrayvision");
    assert_eq!(report["tensors"], serde_json::json!({"matched": 36, "total": 36}));
    assert_eq!((&report["config"]["growth_rate"], &report["config"]["in_channels"]), (&4.into(), &1.into()));
    assert_eq!(report["preprocessing"]["range"], "minus_plus_1024");
    assert_eq!(report["labels"].as_array().unwrap().len(), 18);
    assert_eq!(report["thresholds"].as_array().unwrap().iter().filter(|t| t.is_null()).count(), 7);
    for number in ["parameters", "gpu_memory_bytes", "flops"] {
        assert!(report[number].as_u64().unwrap() > 1000, "{number}: {report}");
    }
}

#[test]
fn what_config_json_says_is_used() {
    let path = checkpoint_files::folder().join("timm-config/model.safetensors");
    let output = inspect(&path, &["--format", "json"]);
    assert_says(&output, 0, &[]);
    let [report] = &json_lines(&output)[..] else { panic!("{}", stdout(&output)) };
    let assumed: Vec<&Value> = report["assumed"].as_array().unwrap().iter().map(|assumed| &assumed["field"]).collect();
    assert_eq!(assumed, ["activation"], "timm's file does not tell it");
    assert_eq!((&report["name"], &report["preprocessing_source"]), (&"densenetblur121d.ra_in1k".into(), &"config.json beside it".into()));
    assert_eq!(report["config"]["stem"], "deep_blur");
    let resize = &report["preprocessing"]["resize"];
    assert_eq!((&resize["mode"], &resize["size"]), (&"cover".into(), &[44, 53].into()), "40x48 over 0.9, rounded down");
    assert_eq!(report["labels"][4], "hammerhead");
}

#[test]
fn a_file_with_the_name_of_a_published_model_is_prepared_as_it_says() {
    let folder = folder();
    let preprocess = folder.path().join("mine.json");
    let mut own = models::bundled("digits").unwrap().unwrap().preprocessing.unwrap();
    (own.mean, own.std) = (vec![0.25; 3], vec![0.5; 3]);
    fs::write(&preprocess, serde_json::to_string(&own).unwrap()).unwrap();
    let (trained, converted) = (folder.path().join("densenet121.pth"), folder.path().join("converted.safetensors"));
    fs::rename(checkpoint(folder.path(), "torchvision.pth"), &trained).unwrap();
    let output = densenet().arg("convert").args([&trained, &converted]).arg("--preprocess").arg(&preprocess).output().unwrap();
    assert_says(&output, 0, &[]);

    let report = |path: &Path, source: &str| {
        let report = json_lines(&inspect(path, &["--format", "json"])).swap_remove(0);
        assert_eq!((&report["name"], &report["preprocessing_source"]), (&"densenet121".into(), &source.into()));
        report["preprocessing"].clone()
    };
    assert_eq!(report(&converted, "the file itself"), serde_json::to_value(&own).unwrap());
    report(&trained, "the model's name: the preset torchvision");
    // What goes into the network.
    let dump = folder.path().join("input.npy");
    let classified = |arguments: &[&str]| {
        let mut command = densenet();
        command.args(["classify", &fixture("L.png"), "--device", "cpu", "--model"]).arg(&converted).arg("--dump-input").arg(&dump);
        assert_says(&command.args(arguments).output().unwrap(), 0, &[]);
        read_npy(&dump).0
    };
    assert_eq!(classified(&[]), [1, 3, 64, 64]);
    assert_eq!(classified(&["--preprocess", "cifar"]), [1, 3, 32, 32], "what is asked for is done");

    // CheXNet's files have another activation.
    let chexnet = folder.path().join("densenet121.pth.tar");
    fs::rename(checkpoint(folder.path(), "m-25012018-123527.pth.tar"), &chexnet).unwrap();
    assert_eq!(report(&chexnet, "assumed: the preset chexnet")["activation"], "sigmoid");
}

/// Writes images of nothing.
fn zeros(path: &Path, shape: [usize; 4]) {
    write_npy(path, "<f4", false, &shape, &vec![0; 4 * shape.iter().product::<usize>()]);
}

/// What of a report must survive a conversion.
fn kept(report: &Value) -> Value {
    let mut report = report.clone();
    for key in ["container", "dialect", "wrapper", "dtype", "preprocessing_source", "labels_source", "notes"] {
        report.as_object_mut().unwrap().remove(key);
    }
    // What is assumed stays so, and why is another matter.
    for assumed in report["assumed"].as_array_mut().unwrap() {
        assumed.as_object_mut().unwrap().remove("why");
    }
    report
}

#[test]
fn a_converted_file_is_the_same_model_and_says_so_itself() {
    let folder = folder();
    let wanted = ["m-25012018-123527.pth.tar", "xrv.pt", "keras-no-relu.keras", "timm-blur.pth", "veit.pth.tar", "f16.pth", "headless.pth"];
    for name in wanted {
        let path = checkpoint(folder.path(), name);
        let convert = |to: &str| {
            let to = folder.path().join(to);
            assert_says(&densenet().arg("convert").arg(&path).arg(&to).output().unwrap(), 0, &["tensors", "parameters"]);
            to
        };
        let converted = convert("a.safetensors");
        let onto_itself = densenet().arg("convert").args([&converted, &converted]).output().unwrap();
        assert_refused(&onto_itself, &["expected a file other than the one to read"]);
        assert_eq!(fs::read(&converted).unwrap(), fs::read(convert("b.safetensors")).unwrap(), "{name} twice");

        let (before, after) = (inspect(&path, &["--format", "json"]), inspect(&converted, &["--format", "json"]));
        assert_eq!(stderr(&after), "", "{name}");
        let [before, after] = [before, after].map(|output| kept(&json_lines(&output)[0]));
        assert_eq!(before, after, "{name}");

        let case = cases("cases").into_iter().find(|case| case["file"] == name).unwrap();
        let shape = ["batch", "height", "width"].map(|key| case[key].as_u64().unwrap() as usize);
        let input = folder.path().join("input.npy");
        let channels = case["config"]["in_channels"].as_u64().unwrap() as usize;
        zeros(&input, [shape[0], channels, shape[1], shape[2]]);
        let [a, b] = [&path, &converted].map(|model| {
            let output = folder.path().join("output.npy");
            let run =
                densenet().args(["infer", "--device", "cpu"]).arg(&input).arg("--model").arg(model).arg("--output").arg(&output).output();
            assert_says(&run.unwrap(), 0, &[]);
            fs::read(output).unwrap()
        });
        assert_eq!(a, b, "{name}: logits");
    }
    assert!(!fs::read_dir(folder.path()).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(".part")));
}

#[test]
fn preprocessing_and_labels_can_be_told() {
    let folder = folder();
    let path = checkpoint(folder.path(), "torchvision.pth");
    let labels = folder.path().join("labels.txt");
    fs::write(&labels, "a\nb\nc\nd\ne\n").unwrap();
    let converted = folder.path().join("out.safetensors");
    let mut convert = densenet();
    convert.arg("convert").arg(&path).arg(&converted).args(["--preprocess", "cifar", "--labels"]).arg(&labels);
    assert_says(&convert.output().unwrap(), 0, &[]);
    let report = &json_lines(&inspect(&converted, &["--format", "json"]))[0];
    assert_eq!(report["preprocessing"]["resize"]["size"], serde_json::json!([32, 32]));
    assert_eq!(report["labels"], serde_json::json!(["a", "b", "c", "d", "e"]));
    assert_eq!(report["preprocessing_source"], "the file itself");

    let written = folder.path().join("preprocessing.json");
    fs::write(&written, report["preprocessing"].to_string().replace("[32,32]", "[48,64]")).unwrap();
    let report = &json_lines(&inspect(&path, &["--format", "json", "--preprocess", written.to_str().unwrap()]))[0];
    assert_eq!(report["size"], serde_json::json!([48, 64]));

    assert_refused(&inspect(&path, &["--preprocess", "torchvison"]), &["torchvision, timm, keras", "did you mean torchvision?"]);
    fs::write(&written, "{\"mean\": 3}").unwrap();
    assert_refused(&inspect(&path, &["--preprocess", written.to_str().unwrap()]), &["preprocessing.json", "invalid type"]);
    assert_refused(&inspect(&path, &["--labels", &fixture("L.png")]), &["L.png", "one label per line"]);
    assert_refused(&inspect(&path, &["--labels", "none.txt"]), &["none.txt", "a text file with one label per line, found neither"]);
}

#[test]
fn a_relu_can_be_left_out_where_no_file_can_tell() {
    let folder = folder();
    let path = checkpoint(folder.path(), "keras.weights.h5");
    let plain = inspect(&path, &["--format", "json"]);
    assert_says(&plain, 0, &[]);
    assert_eq!(json_lines(&plain)[0]["config"]["final_relu"], true);
    let converted = folder.path().join("out.safetensors");
    assert_says(&densenet().arg("convert").arg(&path).arg(&converted).arg("--no-final-relu").output().unwrap(), 0, &["no final ReLU"]);
    assert_eq!(json_lines(&inspect(&converted, &["--format", "json"]))[0]["config"]["final_relu"], false);
}

#[test]
fn untrained_outputs_are_not_printed() {
    let folder = folder();
    let path = checkpoint(folder.path(), "xrv.pt");
    let mut classify = densenet();
    classify
        .args(["classify", &fixture("L.png"), "--device", "cpu", "--format", "json", "--top-k", "18", "--size", "64x64", "--model"])
        .arg(&path);
    let output = classify.output().unwrap();
    assert_says(&output, 0, &[]);
    let rows = json_lines(&output);
    let top = rows[0]["top"].as_array().unwrap();
    assert_eq!(top.len(), 11, "7 of 18 have no threshold");
    assert!(top.iter().all(|class| !class["label"].as_str().unwrap().is_empty()));
    assert!(top.is_sorted_by(|a, b| a["probability"].as_f64() >= b["probability"].as_f64()));
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    let folder = folder();
    let missing = folder.path().join("none.pth");
    assert_refused(&inspect(&missing, &[]), &["none.pth", "found nothing of that name"]);
    let [best, misspelled] = ["best.pth", "bets.pth"].map(|name| folder.path().join(name));
    fs::write(&best, "").unwrap();
    assert_refused(
        &inspect(&misspelled, &[]),
        &[&format!("bets.pth: expected a checkpoint file, found nothing of that name; did you mean {}?", best.display())],
    );
    let output = densenet().current_dir(folder.path()).args(["inspect", "bset.pth"]).output().unwrap();
    assert_refused(&output, &["; did you mean best.pth?"]);
    fs::remove_file(&best).unwrap();
    assert_refused(&inspect(folder.path(), &[]), &["found a folder"]);
    assert_refused(&inspect(Path::new("/dev/zero"), &[]), &["/dev/zero", "unknown format"]);
    let convert = |to: &Path| densenet().args(["convert", "digits"]).arg(to).output().unwrap();
    assert_refused(&convert(&folder.path().join("no/file.safetensors")), &["make it first"]);
    assert_refused(&convert(&folder.path().join("digits.pth")), &["digits.pth", "ends in .safetensors"]);
    assert_refused(&convert(folder.path()), &["found a folder"]);
    assert_refused(&convert(Path::new("/dev/full")), &["/dev/full", "No space left"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
#[cfg(unix)]
fn an_interrupt_leaves_no_unfinished_file() {
    let folder = folder();
    // More images than any machine is done with before the signal comes; the file is a hole.
    let input = folder.path().join("input.npy");
    write_npy(&input, "<f4", false, &[4_000_000, 3, 32, 32], &[]);
    let file = fs::OpenOptions::new().append(true).open(&input).unwrap();
    file.set_len(file.metadata().unwrap().len() + 4_000_000 * 3 * 32 * 32 * 4).unwrap();
    let output = folder.path().join("output.npy");
    let mut infer = densenet();
    infer.args(["infer", "--model", "digits", "--device", "cpu"]).arg(&input).arg("--output").arg(&output);
    let mut running = infer.stderr(std::process::Stdio::null()).spawn().unwrap();
    let _end = given_up_on(&running);
    let unfinished = || fs::read_dir(folder.path()).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(".part"));
    until(unfinished, "a file that is begun");
    let interrupted = std::process::Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert!(!unfinished() && !output.exists());
}
