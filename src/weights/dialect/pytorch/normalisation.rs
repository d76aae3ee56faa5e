//! What a module around a network subtracts from pictures and divides them by.

use crate::weights::container::Stored;
use crate::weights::dialect::{Network, training};

/// Finds what a module around the network subtracts from pictures and divides them by, one number for each of their channels; the
/// names of both.
pub(super) fn find(rest: &[&Stored], network: &mut Network) -> Option<[String; 2]> {
    let &[_, channels, ..] = network.tensors.get("features.conv0.weight")?.shape.as_slice() else { return None };
    let find = |word: &str| {
        let is_named =
            |tensor: &Stored| tensor.name.rsplit('.').next().is_some_and(|last| last == word || last.ends_with(&format!("_{word}")));
        let is_row = |tensor: &Stored| tensor.elements() == Some(channels) && tensor.shape.contains(&channels);
        let mut found = rest.iter().filter(|tensor| is_named(tensor) && is_row(tensor));
        found.next().filter(|_| found.next().is_none())
    };
    let (mean, std) = (find("mean")?, find("std")?);
    // They may be those of what is predicted: `target_mean`; one number may be that whatever it is called.
    let is_plain = mean.name.rsplit('.').next() == Some("mean") && channels > 1;
    if !is_plain && !training::is_of_pictures(&mean.path()) {
        return None;
    }
    let (mut means, mut stds) = (mean.floats()?, std.floats()?);
    // Of pictures from 0 to 255.
    let scale = if stds.iter().any(|&value| value > 2.0) { 255.0 } else { 1.0 };
    means.iter_mut().chain(&mut stds).for_each(|value| *value /= scale);
    if !means.iter().all(|value| value.is_finite()) || !stds.iter().all(|value| value.is_finite() && *value > 0.0) {
        return None;
    }
    let names = [mean.path(), std.path()];
    network.notes.push(format!("normalises pictures itself: taking mean and standard deviation from {} and {}", names[0], names[1]));
    network.normalisation = Some([means, stds]);
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::contents;
    use super::super::resolve;
    use crate::weights::read_options::ReadOptions;

    #[test]
    fn a_module_that_normalises_pictures_is_taken_at_its_numbers() {
        let both = contents("", &[["", "normalize.mean"], ["", "normalize.std"]]);
        let network = resolve(&both, &[], &ReadOptions::default()).unwrap();
        assert_eq!((network.normalisation, network.beside.len()), (Some([vec![0.5; 3], vec![0.5; 3]]), 0));
        let one = contents("", &[["", "normalize.mean"]]);
        let network = resolve(&one, &[], &ReadOptions::default()).unwrap();
        assert_eq!((network.normalisation, network.beside.len()), (None, 1));
        let of_targets = contents("", &[["", "target_mean"], ["", "target_std"]]);
        let network = resolve(&of_targets, &[], &ReadOptions::default()).unwrap();
        assert_eq!((network.normalisation, network.beside.len()), (None, 2), "what is predicted is no picture");
    }
}
