//! torchxrayvision's outputs and operating points.

/// The outputs' names, and their operating points in each of the weight sets.
const TABLE: &str = include_str!("../../data/torchxrayvision.csv");

/// The weight sets: the name in the library, the column of the table, how the file's name begins.
const WEIGHT_SETS: [(&str, &str, &str); 7] = [
    ("densenet121-res224-all", "all", "nih-pc-chex-mimic_ch-google-openi-kaggle-densenet121-"),
    ("densenet121-res224-nih", "nih", "nih-densenet121-"),
    ("densenet121-res224-pc", "pc", "pc-densenet121-"),
    ("densenet121-res224-chex", "chex", "chex-densenet121-"),
    ("densenet121-res224-rsna", "rsna", "kaggle-densenet121-"),
    ("densenet121-res224-mimic_nb", "mimic_nb", "mimic_nb-densenet121-"),
    ("densenet121-res224-mimic_ch", "mimic_ch", "mimic_ch-densenet121-"),
];

/// What the outputs are called, in their order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    outputs().map(|(name, _)| name)
}

/// What the outputs of a model of that name are called: `""` for one that its weight set has not trained.
pub(crate) fn labels(model: &str) -> Vec<String> {
    let set = weight_set(model);
    outputs().map(|(name, point)| if set.is_none_or(|set| point(set).is_some()) { name.to_owned() } else { String::new() }).collect()
}

/// The operating points of the weight set that a model or file of that name has; `None` for an output that was not trained.
pub(crate) fn operating_points(model: &str) -> Option<Vec<Option<f32>>> {
    let set = weight_set(model)?;
    Some(outputs().map(|(_, point)| point(set)).collect())
}

/// What the outputs are called in the weight set that has exactly these operating points; `None` where none has.
pub(crate) fn labels_of(points: &[Option<f32>]) -> Option<Vec<String>> {
    let (name, ..) = WEIGHT_SETS.iter().find(|(name, ..)| operating_points(name).is_some_and(|known| known == points))?;
    Some(labels(name))
}

/// The column of the weight set that a model or file of that name has.
fn weight_set(model: &str) -> Option<usize> {
    let (_, set, _) = WEIGHT_SETS.iter().find(|(name, _, file)| *name == model || model.starts_with(file))?;
    TABLE.lines().next()?.split(',').position(|column| column == *set)
}

/// Each output's name, and its operating point in a column of the table.
fn outputs() -> impl Iterator<Item = (&'static str, impl Fn(usize) -> Option<f32>)> {
    TABLE.lines().skip(1).map(|line| {
        let name = line.split(',').next().unwrap_or_default();
        (name, move |column: usize| line.split(',').nth(column)?.parse().ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operating_points_belong_to_their_weight_set() {
        let points = |name| operating_points(name).unwrap();
        assert_eq!(points("densenet121-res224-all")[17], Some(0.05015312));
        assert_eq!(points("kaggle-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best").iter().flatten().count(), 2);
        assert_eq!(points("pc-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best")[14], None);
        assert_eq!(operating_points("another"), None);
        let labels_of_rsna = labels("densenet121-res224-rsna");
        assert_eq!(labels_of(&points("densenet121-res224-rsna")), Some(labels_of_rsna.clone()));
        assert_eq!(labels_of(&[Some(0.5); 18]), None);
        assert_eq!(labels_of_rsna.iter().filter(|label| !label.is_empty()).collect::<Vec<_>>(), ["Pneumonia", "Lung Opacity"]);
        assert_eq!(labels("another")[0], "Atelectasis");
    }
}
