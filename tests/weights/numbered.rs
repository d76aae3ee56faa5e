//! Networks whose layers have numbers for names.

use densenet_wgpu::Checkpoint;
use densenet_wgpu::checkpoint::ReadOptions;
use densenet_wgpu::network::Stem;

use crate::files::{Tensors, assembled, expect, read, refused_tensors, renamed, small, zeros};

/// The small network with numbers for names: its first dense block has this one.
fn numbered(block: usize) -> Tensors {
    let names = ["conv0", "norm0", "denseblock1", "transition1", "denseblock2", "norm5"];
    let numbers = [0, 1, block, block + 1, block + 2, block + 3];
    renamed(|name| {
        let layer = name.strip_prefix("features.").and_then(|name| name.split('.').next());
        let number = names.iter().position(|own| Some(*own) == layer).map(|position| numbers[position]);
        number.map_or(name.to_owned(), |number| name.replacen(layer.unwrap_or_default(), &number.to_string(), 1))
    })
}

#[test]
fn numbers_tell_a_pool_or_that_something_else_is_there() {
    let found = read(&numbered(4));
    assert_eq!((&found.config, &found.weights), (&small().config, &small().weights));
    let stem = |found: Checkpoint| found.config.stem;
    let slower = Stem::Single { kernel: 7, stride: 2, bias: false, norm: true, pool: false };
    assert_eq!(stem(read(&numbered(3))), slower);
    let parts = ["between features.1 and its first dense block features.5", "room for 3 modules", "`stem` stride=2,pool=yes"];
    expect(&refused_tensors(&numbered(5)), &parts);
    let said = ReadOptions::default().with_stem("pool=yes".parse().unwrap());
    assert_eq!(stem(said.from_bytes(&assembled(&numbered(5)), "file").unwrap()), Stem::ImageNet);
}

#[test]
fn errors_have_the_files_numbers() {
    let message = |edit: fn(&mut Tensors)| {
        let mut tensors = numbered(4);
        edit(&mut tensors);
        refused_tensors(&tensors)
    };
    for (message, part) in [
        (message(|t| drop(t.remove("features.7.bias"))), "1 missing (features.norm5.bias [11], in torchvision's names)"),
        (message(|t| t.get_mut("features.7.bias").unwrap().1 = vec![11, 1]), "features.7.bias [11, 1] instead of [11]"),
        (
            message(|t| t.get_mut("features.7.bias").unwrap().2[..4].copy_from_slice(&f32::NAN.to_le_bytes())),
            "features.7.bias: expected finite",
        ),
        (message(|t| drop(t.insert("features.5.gate".into(), zeros(&[1, 1])))), "features.5.gate [1, 1]"),
    ] {
        expect(&message, &[part]);
    }
}
