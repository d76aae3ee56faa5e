//! Which of the names in and beside a file are those of the network's classes.

use crate::labels::{image_folder_order, named, torchxrayvision};
use crate::weights::container::{ClassNames, Contents, class_names_in_json};
use crate::weights::preprocessing::merge::{CONFIG_JSON, TORCHVISION};
use crate::weights::preprocessing::timm::ConfigJson;
use crate::weights::{AssumedField, Assumption};

/// Who may name a network's classes: the first of them wins.
pub(super) struct Labels<'a> {
    /// The file's own metadata.
    pub(super) metadata: Option<Vec<String>>,
    /// What trainers write into a file beside the network.
    pub(super) contents: &'a Contents<'a>,
    /// The text of `config.json` beside the file, where it is not timm's.
    pub(super) beside: Option<&'a str>,
    /// timm's `config.json` beside the file.
    pub(super) config_json: Option<&'a ConfigJson>,
    /// Thresholds that are torchxrayvision's operating points.
    pub(super) thresholds: Option<&'a [Option<f32>]>,
    /// Whether torchvision publishes the file.
    pub(super) is_torchvisions: bool,
}

/// The names that won.
pub(super) struct Labelled {
    /// The names in the order of the classes, and where they were.
    pub(super) labels: Option<(Vec<String>, String)>,
    /// What is assumed of them, or open.
    pub(super) assumed: Option<Assumption>,
}

impl Labels<'_> {
    /// The names of a network with that number of classes.
    pub(super) fn merge(self, classes: usize) -> Labelled {
        let mut own = OwnLabels::of(self.contents, classes);
        if let (OwnLabels { found: None, assumed: None }, None, Some(text)) = (&own, self.config_json, self.beside) {
            own = OwnLabels::beside(text, classes);
            own.found = own.found.map(|(labels, place)| (labels, format!("{place} in {CONFIG_JSON}")));
        }
        let of_config_json = || Some((self.config_json?.labels.clone()?, CONFIG_JSON.to_owned()));
        let of_points = || Some((torchxrayvision::labels_of(self.thresholds?)?, "its thresholds, which are torchxrayvision's".to_owned()));
        let of_torchvision = || Some((named("imagenet").filter(|_| self.is_torchvisions)?, TORCHVISION.to_owned()));
        let written = self.metadata.map(|labels| (labels, "the file itself".to_owned()));
        let labels = written.or(own.found).or_else(of_config_json).or_else(of_points).or_else(of_torchvision);
        let assumed = own.assumed.filter(|assumption| labels.is_some() == assumption.value.is_some());
        Labelled { labels, assumed }
    }
}

/// What a file says of the classes' names.
#[derive(Debug, Default, PartialEq)]
struct OwnLabels {
    /// The names in the order of the classes, and where in the file they are.
    found: Option<(Vec<String>, String)>,
    /// What is assumed of them, or open.
    assumed: Option<Assumption>,
}

/// Names that a message shows of an order.
const SHOWN: usize = 4;

impl OwnLabels {
    /// What a file's content says of that number of classes.
    fn of(contents: &Contents, classes: usize) -> Self {
        Self::among(contents.labels.as_ref(), &contents.class_names, classes)
    }

    /// What `config.json` beside a file says of that number of classes.
    fn beside(text: &str, classes: usize) -> Self {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else { return Self { found: None, assumed: None } };
        let mut own = Self::among(None, &class_names_in_json(&json), classes);
        // It may be that of another network in the same folder.
        let whose: Vec<String> =
            ["architecture", "architectures", "model_type"].iter().filter_map(|key| Some(json.get(key)?.to_string())).collect();
        if own.found.is_some() && !whose.is_empty() && !whose.iter().any(|name| name.to_lowercase().contains("densenet")) {
            let why = format!("config.json beside the file is of {}, which may be another network", whose.join(", "));
            own.assumed.get_or_insert(Assumption::of(AssumedField::Labels, "those of config.json", why));
        }
        own
    }

    /// Names that came with numbers count before lists; where two places of a kind contradict each other, neither does.
    fn among(in_module: Option<&Vec<String>>, places: &[ClassNames], classes: usize) -> Self {
        let in_module = in_module.filter(|labels| labels.len() == classes);
        let fitting =
            |is_numbered: bool| places.iter().filter(move |found| found.is_numbered == is_numbered && found.names.len() == classes);
        for is_numbered in [true, false] {
            if let Some(labels) = in_module.filter(|_| !is_numbered) {
                return Self { found: Some((labels.clone(), "the module's own list".into())), assumed: None };
            }
            let mut places = fitting(is_numbered);
            let Some(first) = places.next() else { continue };
            if let Some(other) = places.find(|other| other.names != first.names) {
                let why = format!("`{}` and `{}` contradict each other", first.place, other.place);
                return Self { found: None, assumed: Some(Assumption::open(AssumedField::Labels, why)) };
            }
            let other_order = if is_numbered { None } else { image_folder_order(&first.names) };
            let assumed = other_order.map(|folders| {
                let shown = |names: &[String]| names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
                let value = format!("the order of the list `{}` ({}, …)", first.place, shown(&first.names));
                let why = format!("folders are numbered as text is sorted ({}, …), and the list has no numbers", shown(&folders));
                Assumption::of(AssumedField::Labels, value, why)
            });
            return Self { found: Some((first.names.clone(), format!("`{}`", first.place))), assumed };
        }
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Container;

    fn of(places: &[(&str, &[&str], bool)], classes: usize) -> OwnLabels {
        let mut contents = Contents::new(Container::TorchZip, 0);
        contents.class_names = places
            .iter()
            .map(|&(place, names, is_numbered)| ClassNames {
                place: place.into(),
                names: names.iter().map(ToString::to_string).collect(),
                is_numbered,
            })
            .collect();
        OwnLabels::of(&contents, classes)
    }

    fn names(own: &OwnLabels) -> Option<Vec<&str>> {
        own.found.as_ref().map(|(names, _)| names.iter().map(String::as_str).collect())
    }

    #[test]
    fn numbers_count_before_lists_and_only_where_they_fit() {
        let places: [(&str, &[&str], bool); 3] =
            [("classes", &["b", "a"], false), ("train.class_to_idx", &["x"], true), ("class_to_idx", &["a", "b"], true)];
        let own = of(&places, 2);
        assert_eq!((names(&own), &own.assumed), (Some(vec!["a", "b"]), &None));
        assert_eq!(of(&places, 3), OwnLabels::default());
        assert_eq!(names(&of(&places[..1], 2)), Some(vec!["b", "a"]));
    }

    #[test]
    fn the_configuration_of_another_network_is_not_believed_in_silence() {
        let of = |whose: &str| OwnLabels::beside(&format!("{{{whose}\"id2label\":{{\"0\":\"a\",\"1\":\"b\"}}}}"), 2);
        for own in ["", "\"architectures\":[\"DenseNetForImageClassification\"],"] {
            assert_eq!((names(&of(own)), of(own).assumed), (Some(vec!["a", "b"]), None), "{own}");
        }
        for other in ["\"architectures\":[\"ViTForImageClassification\"],", "\"model_type\":\"resnet\",", "\"architecture\":\"vit\","] {
            let found = of(other);
            assert_eq!(names(&found), Some(vec!["a", "b"]), "{other}");
            assert!(found.assumed.unwrap().why.contains("may be another network"), "{other}");
        }
    }

    #[test]
    fn what_contradicts_itself_names_nothing() {
        let own = of(&[("class_to_idx", &["a", "b"], true), ("idx_to_class", &["b", "a"], true)], 2);
        assert_eq!(own.found, None);
        assert!(own.assumed.unwrap().why.contains("`class_to_idx` and `idx_to_class` contradict"));
    }

    #[test]
    fn the_order_of_a_list_is_said_where_folders_have_another() {
        let own = of(&[("classes", &["1", "2", "10"], false)], 3);
        assert_eq!(names(&own), Some(vec!["1", "2", "10"]));
        let said = own.assumed.unwrap().to_string();
        assert!(said.contains("`classes` (1, 2, 10, …) is assumed") && said.contains("(1, 10, 2, …)"), "{said}");
        assert_eq!(of(&[("classes", &["1", "10", "2"], false)], 3).assumed, None);
        assert_eq!(of(&[("class_to_idx", &["1", "2", "10"], true)], 3).assumed, None);
    }
}
