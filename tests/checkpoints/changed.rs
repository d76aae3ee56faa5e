//! Files that are cut or changed.

use std::time::Instant;

use densenet_wgpu::{Checkpoint, Error};
use proptest::prelude::*;

use crate::case::{string, wild};
use crate::checkpoint_files::{cases, content};
use crate::refused::{PATIENCE, refusal};

/// One file of each container and of each way to nest a network.
fn samples() -> Vec<(String, Vec<u8>)> {
    let wanted = [
        "torchvision.pth",
        "downloaded.pth",
        "module-legacy.pt",
        "xrv.pt",
        "views-legacy.pth",
        "f16.safetensors",
        "timm-blur.safetensors",
        "keras.h5",
        "keras-latest.h5",
        "keras-nested.weights.h5",
        "keras-no-relu.keras",
        "pruned.pth",
        "numbered.pth",
        "head-beside.pth",
        "head-fastai.pth",
        "traced.pt",
        "keras-normalization.keras",
    ];
    let cases = [cases("cases"), wild("cases")].concat();
    let sample = |name: &&str| {
        let case = cases.iter().find(|case| string(case, "file") == *name).unwrap_or_else(|| panic!("{name}"));
        ((*name).to_owned(), content(case))
    };
    wanted.iter().map(sample).collect()
}

#[test]
fn every_cut_is_refused() {
    for (name, bytes) in samples() {
        let step = (bytes.len() / 60).max(1);
        let ends = (0..bytes.len()).step_by(step).chain(bytes.len().saturating_sub(12)..bytes.len());
        for end in ends {
            if let Err(failure) = refusal(&name, &bytes[..end]) {
                panic!("{end} of {}: {failure}", bytes.len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A changed file loads or is refused; nothing panics, hangs or asks for much memory.
    #[test]
    fn changed_files_load_or_are_refused(
        sample in 0..17usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        static SAMPLES: std::sync::LazyLock<Vec<(String, Vec<u8>)>> = std::sync::LazyLock::new(samples);
        let (name, mut bytes) = SAMPLES[sample].clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let started = Instant::now();
        match Checkpoint::from_bytes(&bytes, &name) {
            Ok(checkpoint) => prop_assert!(checkpoint.check().is_ok()),
            Err(Error::Checkpoint { .. } | Error::Tensor { .. }) => {}
            Err(error) => prop_assert!(false, "{name}: {error:?}"),
        }
        prop_assert!(started.elapsed() < PATIENCE, "{name}: {:?}", started.elapsed());
    }
}
