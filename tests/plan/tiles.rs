//! Which tiles the rule chooses for which device.

use std::collections::HashSet;

use densenet_wgpu::internal::Shader;
use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::tuning::{Capabilities, Tile, Tuning, Workgroup};
use densenet_wgpu::{Plan, Precision};

use crate::{densenet121, plan};

#[test]
fn matrix_units_compute_convolutions_where_they_can() {
    let gpu = Capabilities {
        subgroup: Some([32, 32]),
        f16: true,
        discrete: true,
        matrix: Some(16),
        workgroup: Workgroup { invocations: 1024, bytes: 48 << 10 },
        ..Default::default()
    };
    let shaders = |capabilities: Capabilities, precision: Precision, batch: usize| -> HashSet<Shader> {
        let tuning = Tuning::new(capabilities).with_precision(precision);
        let plan = Plan::new(&densenet121(224, 224), PlanOptions::default().with_batch(batch).with_tuning(tuning)).unwrap();
        plan.steps().iter().map(|step| step.kernel.variant.shader()).filter(|shader| shader.name().starts_with("conv")).collect()
    };
    let small = Workgroup::default();
    for able in [gpu, Capabilities { discrete: false, ..gpu }, Capabilities { workgroup: small, ..gpu }] {
        for batch in [1, 16] {
            assert_eq!(shaders(able, Precision::F16, batch), [Shader::ConvMatrix].into(), "{able:?}, batch {batch}");
        }
    }
    assert_eq!(shaders(gpu, Precision::F32, 1), [Shader::ConvTiled].into());
    for unable in [
        Capabilities { matrix: None, ..gpu },
        Capabilities { subgroup: None, ..gpu },
        Capabilities { subgroup: Some([4, 16]), ..gpu },
        Capabilities { workgroup: Workgroup { bytes: 8 << 10, ..small }, ..gpu },
    ] {
        assert_eq!(shaders(unable, Precision::F16, 1), [Shader::ConvTiled].into(), "{unable:?}");
    }
    // A stem's three channels would leave most of a matrix's depth empty.
    let plan =
        Plan::new(&densenet121(224, 224), PlanOptions::default().with_tuning(Tuning::new(gpu).with_precision(Precision::F16))).unwrap();
    let folded = plan.steps().iter().map(|step| step.kernel.variant.to_string().contains(" folded"));
    assert_eq!(folded.enumerate().filter_map(|(index, folded)| folded.then_some(index)).collect::<Vec<_>>(), [0]);
    let software = shaders(Capabilities { software: true, ..gpu }, Precision::F16, 1);
    assert!(!software.contains(&Shader::ConvMatrix), "{software:?}");
}

/// The tiles that the rule chooses for a DenseNet-121.
fn tiles(capabilities: Capabilities, precision: Precision, batch: usize) -> HashSet<Tile> {
    let tuning = Tuning::new(capabilities).with_precision(precision);
    let plan = Plan::new(&densenet121(224, 224), PlanOptions::default().with_batch(batch).with_tuning(tuning)).unwrap();
    plan.steps().iter().filter_map(|step| step.tile).map(|(tile, _)| tile).collect()
}

fn size(tile: &Tile, name: &str) -> usize {
    tile.sizes().into_iter().find(|(constant, _)| *constant == name).unwrap().1
}

/// Drivers choose within the range: AMD's takes 64 lanes where matrices are multiplied.
#[test]
fn matrix_units_are_used_with_the_largest_subgroups() {
    let workgroup = Workgroup { invocations: 1024, bytes: 64 << 10 };
    let gpu = Capabilities { f16: true, discrete: true, matrix: Some(16), workgroup, ..Default::default() };
    for (range, lanes) in [([32, 64], 64), ([64, 64], 64), ([32, 32], 32), ([8, 32], 32)] {
        let tiles = tiles(Capabilities { subgroup: Some(range), ..gpu }, Precision::F16, 8);
        assert!(tiles.iter().all(|tile| size(tile, "SUBGROUP") == lanes), "{range:?}: {tiles:?}");
    }
    // Where those are wrong on a device, there are others.
    let (_, convolution) = plan(&densenet121(224, 224), 1, true).steps()[0].tile.unwrap();
    let tuning = Tuning::new(Capabilities { subgroup: Some([32, 64]), ..gpu }).with_precision(Precision::F16);
    let wrong = Tile::all().filter(|other| other.shader() == Shader::ConvMatrix && size(other, "SUBGROUP") == 64);
    let others = tuning.excluding(wrong);
    assert_eq!(size(&others.tile(&convolution).unwrap(), "SUBGROUP"), 32);
}

/// Intel's GPUs keep more in memory.
#[test]
fn no_tile_has_more_sums_than_a_gpu_has_registers() {
    let sums = |tile: &Tile| size(tile, "THREAD_CHANNELS") * size(tile, "THREAD_PIXELS");
    let most = |subgroup| {
        let gpu = Capabilities { subgroup, discrete: true, ..Default::default() };
        [1, 32].iter().flat_map(|&batch| tiles(gpu, Precision::F32, batch)).map(|tile| sums(&tile)).max()
    };
    assert_eq!([Some([8, 32]), Some([16, 32])].map(most), [Some(32); 2]);
    assert_eq!([Some([32, 32]), Some([64, 64]), None].map(most), [Some(64); 3]);
}
