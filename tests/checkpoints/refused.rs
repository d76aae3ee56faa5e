//! Files that must not load.

use std::time::{Duration, Instant};

use densenet_wgpu::{Checkpoint, Error};
use serde_json::Value;

use crate::case::string;
use crate::checkpoint_files::{cases, content};

/// After this long reading a file hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A refusal is one message of a person's length, and comes.
pub(crate) fn refusal(name: &str, bytes: &[u8]) -> Result<String, String> {
    let started = Instant::now();
    let message = match Checkpoint::from_bytes(bytes, name) {
        Err(error @ (Error::Checkpoint { .. } | Error::Tensor { .. })) => error.to_string(),
        Err(error) => return Err(format!("{name}: another kind of error: {error:?}")),
        Ok(_) => return Err(format!("{name} loads")),
    };
    match (message.len(), started.elapsed()) {
        (..1500, took) if took < PATIENCE => Ok(message),
        (length, took) => Err(format!("{name}: {length} bytes of message after {took:?}")),
    }
}

#[test]
fn what_must_not_load_is_refused_with_a_reason() {
    let refused: Vec<Value> = [cases("refused"), cases("hostile")].concat();
    assert!(refused.len() > 100, "{}", refused.len());
    let failures: Vec<String> = refused.iter().filter_map(|case| refusal(string(case, "file"), &content(case)).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
pub(crate) fn refusals_say_what_it_is() {
    let refused: Vec<Value> = [cases("refused"), cases("hostile")].concat();
    for (name, parts) in [
        ("hostile-os-system.zip.pth", ["\"os.system\"", "nothing was run"]),
        ("hostile-inst.legacy.pth", ["\"os.system\"", "nothing was run"]),
        ("hostile-stack-global.zip.pth", ["\"os.system\"", "state_dict()"]),
        ("hostile-bomb.zip.pth", ["at most", "10000000 bytes in a file of"]),
        ("monai-3d.pth", ["2 dimensions", "3 dimensions"]),
        ("monai-instance.pth", ["instance or group norms", "are not run"]),
        ("changed-pool.pt", ["module features.pool0", "found AvgPool2d"]),
        ("changed-stride.pt", ["module features.conv0", "stride 2x1"]),
        ("changed-padding.pt", ["module features.conv0", "not padded with zeros"]),
        ("changed-relu.pt", ["denselayer1.relu2: expected a ReLU", "found Sigmoid"]),
        ("changed-transition.pt", ["features.transition1.pool", "found MaxPool2d"]),
        ("changed-before.pt", ["features.before", "found MaxPool2d"]),
        ("changed-head.pt", ["module classifier.1", "found ReLU"]),
        ("keras-changed-pool.keras", ["pool2_pool", "expected an average pool of 2"]),
        ("keras-changed-activation.keras", ["conv1_relu", "found elu"]),
        ("keras-changed-order.keras", ["_concat", "and then the new ones"]),
        ("torchscript.pt", ["TorchScript", "torch.jit.load"]),
        ("model.onnx", ["ONNX", "state_dict()"]),
        ("densenet-121.t7", ["Torch7", "state_dict()"]),
        ("DenseNet_121.caffemodel", ["Caffe", "state_dict()"]),
        ("tar.pth", ["tar archive", "torch.save"]),
    ] {
        let case = refused.iter().find(|case| string(case, "file") == name).unwrap_or_else(|| panic!("{name}"));
        let message = refusal(name, &content(case)).unwrap();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}
