//! Named lists of labels, for models that have no labels.
//!
//! A list is never chosen because its length fits: CheXpert's 14 findings are not those of ChestX-ray14.

use super::torchxrayvision;

/// One label per line, in the order of the logits.
const LISTS: [(&str, &str); 5] = [
    ("chexnet", include_str!("../../data/chexnet.txt")),
    ("chexpert", include_str!("../../data/chexpert.txt")),
    ("cifar10", include_str!("../../data/cifar10.txt")),
    ("svhn", include_str!("../../data/svhn.txt")),
    ("imagenet", include_str!("../../data/imagenet.txt")),
];

/// torchxrayvision's list is stored with the operating points.
const XRV: &str = "xrv";

/// The list of that name; `None` if there is none.
///
/// ```
/// use densenet_wgpu::labels;
///
/// let [chexnet, chexpert] = ["chexnet", "chexpert"].map(|name| labels::named(name).expect("there is one"));
/// assert_eq!((chexnet.len(), chexpert.len()), (14, 14));
/// assert_eq!((chexnet[0].as_str(), chexpert[0].as_str()), ("Atelectasis", "No Finding"));
/// assert_eq!(labels::names_of(10).collect::<Vec<_>>(), ["cifar10", "svhn"]);
/// assert!(labels::names().all(|name| labels::named(name).is_some()));
/// ```
pub fn named(name: &str) -> Option<Vec<String>> {
    if name == XRV {
        return Some(torchxrayvision::names().map(str::to_owned).collect());
    }
    let (_, list) = LISTS.iter().find(|(known, _)| *known == name)?;
    Some(list.lines().map(str::to_owned).collect())
}

/// Every name that [`named`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    LISTS.iter().map(|(name, _)| *name).chain([XRV])
}

/// The names of the lists with this number of labels.
pub fn names_of(classes: usize) -> impl Iterator<Item = &'static str> {
    names().filter(move |name| named(name).is_some_and(|labels| labels.len() == classes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_the_order_of_their_networks() {
        for (name, count, first, last) in [
            ("chexnet", 14, "Atelectasis", "Hernia"),
            ("chexpert", 14, "No Finding", "Support Devices"),
            ("cifar10", 10, "airplane", "truck"),
            ("svhn", 10, "0", "9"),
            ("imagenet", 1000, "tench", "toilet tissue"),
            ("xrv", 18, "Atelectasis", "Enlarged Cardiomediastinum"),
        ] {
            let labels = named(name).unwrap();
            assert_eq!((labels.len(), labels[0].as_str(), labels[count - 1].as_str()), (count, first, last), "{name}");
        }
        assert_eq!(named("cifar100"), None);
    }
}
