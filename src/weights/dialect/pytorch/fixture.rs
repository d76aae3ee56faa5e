//! Small files for the tests.

use crate::weights::container::{Container, Contents, Stored};

/// A file with a network in `scope` and other tensors of three numbers.
pub(super) fn contents<'a>(scope: &str, others: &[[&str; 2]]) -> Contents<'a> {
    let mut contents = Contents::new(Container::TorchZip, 0);
    let network: [(&str, &[usize]); 4] = [
        ("features.conv0.weight", &[1, 3, 1, 1]),
        ("features.denseblock1.denselayer1.norm1.weight", &[1]),
        ("features.norm5.weight", &[1]),
        ("classifier.weight", &[2, 1]),
    ];
    let others = others.iter().map(|[scope, name]| (*scope, *name, [3].as_slice()));
    let tensors = network.map(|(name, shape)| (scope, name, shape)).into_iter().chain(others);
    contents.tensors.extend(tensors.map(|(scope, name, shape)| {
        let values = vec![0.5; shape.iter().product()];
        Stored::computed(name, shape.to_vec(), values).unwrap().in_scope(&scope.into())
    }));
    contents
}

/// The same tensor under another name.
pub(super) fn called(tensor: &Stored<'static>, name: &str) -> Stored<'static> {
    let mut tensor = tensor.clone();
    tensor.name = name.into();
    tensor
}
