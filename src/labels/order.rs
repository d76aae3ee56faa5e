//! The order of classes that are named by folders.

use std::cmp::Ordering;

/// The order in which torchvision's `ImageFolder` and Keras number folders of these names: sorted as text. `None` unless `names` are in
/// the order of the numbers in them, and that is another.
///
/// ```
/// use densenet_wgpu::labels::image_folder_order;
///
/// let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
/// assert_eq!(image_folder_order(&names(&["1", "2", "10"])), Some(names(&["1", "10", "2"])));
/// assert_eq!(image_folder_order(&names(&["1", "10", "2"])), None); // that is the folders' order
/// assert_eq!(image_folder_order(&names(&["tench", "goldfish"])), None); // sorted neither way
/// ```
pub fn image_folder_order(names: &[String]) -> Option<Vec<String>> {
    let mut as_text = names.to_vec();
    as_text.sort_unstable();
    (names != as_text && names.is_sorted_by(|a, b| by_numbers(a, b) != Ordering::Greater)).then_some(as_text)
}

/// Compares runs of digits as numbers, everything else as text.
fn by_numbers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let [first, second] = [a, b].map(|text| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len());
        let order = if first > 0 && second > 0 {
            let [x, y] = [&a[..first], &b[..second]].map(|digits| digits.trim_start_matches('0'));
            (a, b) = (&a[first..], &b[second..]);
            x.len().cmp(&y.len()).then(x.cmp(y))
        } else {
            let (mut of_a, mut of_b) = (a.chars(), b.chars());
            let order = match (of_a.next(), of_b.next()) {
                (None, None) => return Ordering::Equal,
                (x, y) => x.cmp(&y),
            };
            (a, b) = (of_a.as_str(), of_b.as_str());
            order
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_compared_as_numbers() {
        for (a, b) in [("2", "10"), ("grade 2", "grade 10"), ("a", "b"), ("", "a"), ("007", "8"), ("x9y", "x10"), ("1a", "1b")] {
            assert_eq!((by_numbers(a, b), by_numbers(b, a)), (Ordering::Less, Ordering::Greater), "{a} {b}");
        }
        assert_eq!(by_numbers("07", "7"), Ordering::Equal);
    }
}
