//! Tensors that are missing, left over, of another shape or not finite, and those that may be left over.

use crate::files::{Tensors, expect, read, refused_tensors, renamed, small, tensors, zeros};

#[test]
fn wrong_tensors_are_named() {
    let message = |edit: fn(&mut Tensors)| {
        let mut tensors = tensors(&small());
        edit(&mut tensors);
        refused_tensors(&tensors)
    };
    let missing = message(|t| t.retain(|name, _| !name.contains("norm5")));
    expect(&missing, &["4 missing (features.norm5.weight [11], ", " and 1 more)"]);
    let unexpected = message(|t| {
        for name in ["extra.a", "extra.b"] {
            t.insert(name.into(), zeros(&[1]));
        }
    });
    expect(&unexpected, &["2 left over (extra.a [1], extra.b [1])", "beside the DenseNet: `root` . passes over them"]);
    assert!(!unexpected.contains("state_dict()"), "who saved nothing else cannot save less: {unexpected}");
    for (name, named) in [
        ("pool.p", "pool.p is the power of a generalised mean (GeM)"),
        ("temperature", "temperature is a temperature, by which logits are divided"),
        ("classifier.scale", "what is left over is in the classifier (classifier)"),
    ] {
        let mut tensors = tensors(&small());
        tensors.insert(name.into(), zeros(&[1]));
        let message = refused_tensors(&tensors);
        assert!(message.contains(named) && !message.contains("beside the DenseNet"), "{message}");
    }
    let beside = message(|t| {
        *t = renamed(|name| format!("net.{name}"));
        t.insert("decoder.a".into(), zeros(&[1]));
    });
    expect(&beside, &["1 left over (decoder.a [1])", "beside the DenseNet: `root` net passes over them"]);
    let wrapped = message(|t| {
        *t = renamed(|name| format!("net.{name}"));
        t.get_mut("net.classifier.bias").unwrap().2[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    expect(&wrapped, &["checkpoint tensor ", ": net.classifier.bias: expected finite numbers"]);
    let misspelt = message(|t| {
        let tensor = t.remove("features.norm5.bias").unwrap();
        t.insert("features.norm_5.bias".into(), tensor);
    });
    expect(&misspelt, &["1 missing (features.norm5.bias [11])", "1 left over (features.norm_5.bias [11])"]);
    let shaped = message(|t| t.get_mut("features.norm5.bias").unwrap().1 = vec![11, 1]);
    expect(&shaped, &["1 of another shape (features.norm5.bias [11, 1] instead of [11])"]);
    let wider = message(|t| {
        let name = "features.denseblock1.denselayer2.conv2.weight";
        t.insert(name.into(), zeros(&[5, 8, 3, 3]));
    });
    expect(&wider, &["features.denseblock1.denselayer2.conv2.weight [5, 8, 3, 3] instead of [4, 8, 3, 3]"]);
    let wide_head = message(|t| {
        t.insert("classifier.weight".into(), zeros(&[2, 22]));
    });
    expect(&wide_head, &["maxima and means together", "`head_layers` maxmeanpool,linear"]);
    let no_statistics = message(|t| t.retain(|name, _| !name.contains("running")));
    expect(&no_statistics, &["instance or group norms"]);
    let no_stem = message(|t| t.retain(|name, _| !name.contains("conv0")));
    expect(&no_stem, &["expected the tensors of a DenseNet", "classifier.bias [2]"]);

    for (name, value, parts) in [
        ("classifier.weight", f32::NAN, ["classifier.weight: expected finite numbers", "NaN at index 3"]),
        ("features.conv0.weight", f32::NEG_INFINITY, ["features.conv0.weight: expected finite numbers", "-inf at index 3"]),
        ("features.norm0.running_var", -1e-9, ["features.norm0.running_var: expected variances of at least 0", "at index 3"]),
    ] {
        let mut checkpoint = small();
        let mut tensor = checkpoint.weights.remove(name).unwrap();
        tensor.data[3] = value;
        checkpoint.weights.insert(name, tensor);
        expect(&refused_tensors(&tensors(&checkpoint)), &parts);
        expect(&checkpoint.to_bytes().unwrap_err().to_string(), &parts);
    }
}

#[test]
fn two_tensors_for_one_are_refused() {
    let mut tensors = tensors(&small());
    let (dtype, shape, bytes) = tensors["features.denseblock1.denselayer1.norm1.weight"].clone();
    let other = bytes.iter().map(|byte| byte ^ 1).collect();
    tensors.insert("features.denseblock1.denselayer1.norm.1.weight".into(), (dtype, shape, other));
    let message = refused_tensors(&tensors);
    let both = "features.denseblock1.denselayer1.norm.1.weight and features.denseblock1.denselayer1.norm1.weight";
    expect(&message, &[both, "one tensor"]);
}

#[test]
fn what_training_adds_is_passed_over() {
    let mut tensors = renamed(|name| format!("model.{}", name.replace("denseblock1.", "denseblock1._fsdp_wrapped_module.")));
    tensors.insert("criterion.pos_weight".into(), zeros(&[2]));
    tensors.insert("rng_state".into(), ("U8".into(), vec![16], vec![0; 16]));
    tensors.insert("model.features.norm0.num_batches_tracked".into(), ("I64".into(), vec![], vec![0; 8]));
    let found = read(&tensors);
    assert_eq!((found.weights, found.origin.unwrap().wrapper.as_str()), (small().weights, "model."));
    // A count is one number: what is more may be anything.
    tensors.insert("model.attention.steps".into(), zeros(&[4]));
    expect(&refused_tensors(&tensors), &["1 left over (model.attention.steps [4])"]);
}
