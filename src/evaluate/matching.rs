//! Which of a model's classes is which of the truth's.

use std::collections::{BTreeMap, HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;

use super::answers::{Answers, Known};
use super::outputs::Outputs;
use super::truth::{Truth, some};
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::nearest::nearest;

/// Which of a model's classes is which of the truth's.
///
/// Names are compared as they are, then without regard to case, composed letters, and whether words are joined by a blank, `_` or `-`.
/// Where a model has no names, or those of folders are WordNet's, and there are as many folders as classes, folders are taken in their
/// order, as `ImageFolder` numbers them.
///
/// ```
/// use densenet_wgpu::evaluate::{Known, Matching, Outputs, Truth};
/// use densenet_wgpu::labels::Postprocessing;
/// use densenet_wgpu::preprocessing::Activation;
/// use std::path::Path;
///
/// let model = Postprocessing::new(Activation::Softmax).with_labels(["Polar Bear", "cat", "dog"].map(String::from).to_vec());
/// let outputs = Outputs::of(&model, 3)?;
/// let pictures = ["r/polar_bear/1.png", "r/cat/2.png", "r/unicorn/3.png"];
/// let truth = Truth::of_folders(Path::new("r"), pictures.map(Into::into))?;
/// let matching = Matching::by_name(&truth, outputs)?;
/// let known: Vec<_> = truth.pictures.iter().map(|picture| matching.known(&picture.known)).collect();
/// assert_eq!(known, [Some(Known::One(0)), Some(Known::One(1)), None]);
/// assert_eq!(matching.unmatched(), [("unicorn".to_owned(), 1)]);
/// assert_eq!(matching.without_pictures(), ["dog"]);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    outputs: Outputs,
    /// For each class of the truth, the model's.
    of_truth: Vec<Option<usize>>,
    /// Whether the classes of the truth are the two sides of a single output.
    is_binary: bool,
    unmatched: Vec<(String, usize)>,
    without_pictures: Vec<String>,
    note: Option<String>,
}

impl Matching {
    /// Matches by name, or by the order of folders. Errors if no class of the truth is one of the model's.
    pub fn by_name(truth: &Truth, outputs: Outputs) -> Result<Self> {
        let found: Vec<Option<usize>> = numbers(&truth.classes, &outputs.labels);
        let is_matched = found.iter().any(Option::is_some);
        let fits = truth.is_of_folders && truth.classes.len() == outputs.labels.len();
        let are_wordnets = truth.classes.iter().all(|name| is_wordnet(name));
        if outputs.is_single() && !truth.is_of_each() {
            return Self::of_two_sides(truth, outputs, &found);
        }
        if outputs.is_single() && truth.classes.len() == 1 {
            return Ok(Self::new(truth, outputs, vec![Some(0)], None));
        }
        if fits && (!outputs.has_names || are_wordnets && !is_matched) {
            let pairs = truth.classes.iter().zip(&outputs.labels).map(|(name, label)| format!("{name} is {label}"));
            let note = format!("folders are taken in their order: {}", some(pairs));
            let in_order = (0..truth.classes.len()).map(Some).collect();
            return Ok(Self::new(truth, outputs, in_order, Some(note)));
        }
        if !is_matched {
            return Err(no_match(truth, &outputs));
        }
        Ok(Self::new(truth, outputs, found, None))
    }

    /// Matches by a `class_to_idx`: for each name in the truth, the number of the model's class. Errors if no class of the truth is in it,
    /// or a number is none of the model's.
    pub fn by_number(truth: &Truth, outputs: Outputs, class_to_idx: &BTreeMap<String, usize>) -> Result<Self> {
        let refused = |expected: String, found: String| Err(Error::Input { expected, found });
        if let Some((name, index)) = class_to_idx.iter().find(|(_, index)| !outputs.indices.contains(index)) {
            let expected = format!("numbers of the model's {} classes in class_to_idx, from 0", outputs.indices.len());
            return refused(expected, format!("{index} for {name}"));
        }
        let column = |index: &usize| outputs.indices.iter().position(|output| output == index);
        let found: Vec<Option<usize>> = truth.classes.iter().map(|name| class_to_idx.get(name).and_then(column)).collect();
        if found.iter().all(Option::is_none) {
            let known = some(class_to_idx.keys().cloned());
            return refused(format!("classes of class_to_idx ({known})"), some(truth.classes.iter().cloned()));
        }
        Ok(Self::new(truth, outputs, found, None))
    }

    /// The truth's classes as the two sides of a model's single output: not there, and there.
    fn of_two_sides(truth: &Truth, outputs: Outputs, found: &[Option<usize>]) -> Result<Self> {
        let matched: Vec<usize> = (0..found.len()).filter(|&class| found[class].is_some()).collect();
        let (positive, note) = match (&matched[..], &truth.classes[..]) {
            (&[class], _) => (class, None),
            ([], [first, second]) if !outputs.has_names => {
                let note = format!("the model's one output is taken for {second}, the second of both classes, against {first}");
                (1, Some(note))
            }
            _ => return Err(no_match(truth, &outputs)),
        };
        let name = truth.classes[positive].clone();
        let others: Vec<&String> = truth.classes.iter().filter(|class| **class != name).collect();
        let negative = if let [other] = &others[..] { (*other).clone() } else { format!("not {name}") };
        let sides = (0..found.len()).map(|class| Some(usize::from(class == positive))).collect();
        let outputs = Outputs { labels: vec![negative, name], ..outputs };
        Ok(Self { is_binary: true, ..Self::new(truth, outputs, sides, note) })
    }

    fn new(truth: &Truth, outputs: Outputs, of_truth: Vec<Option<usize>>, note: Option<String>) -> Self {
        let counts = truth.counts();
        let of_class = of_truth.iter().zip(truth.classes.iter().zip(&counts));
        let unmatched = of_class.clone().filter(|(found, _)| found.is_none()).map(|(_, (name, count))| (name.clone(), *count)).collect();
        let with_pictures: HashSet<usize> = of_class.filter(|(_, (_, count))| **count > 0).filter_map(|(found, _)| *found).collect();
        let labels = outputs.labels.iter().enumerate();
        let without_pictures = labels.filter(|(class, _)| !with_pictures.contains(class)).map(|(_, label)| label.clone()).collect();
        Self { outputs, of_truth, is_binary: false, unmatched, without_pictures, note }
    }

    /// What is true of a picture, in the model's classes; `None` if it is of a class that the model has not.
    pub fn known(&self, known: &Known) -> Option<Known> {
        match known {
            Known::One(class) => self.of_truth.get(*class).copied().flatten().map(Known::One),
            Known::Each(each) => {
                let mut own = vec![None; self.outputs.labels.len()];
                for (column, is_true) in self.of_truth.iter().zip(each) {
                    if let Some(column) = *column {
                        own[column] = *is_true;
                    }
                }
                Some(Known::Each(own))
            }
        }
    }

    /// The scores of a picture, from the probability of each of the model's classes, or its logit if it has no probabilities.
    pub fn scores(&self, of_model: &[f64]) -> Vec<f64> {
        match self.outputs.indices[..] {
            [index] if self.is_binary && self.outputs.activation == Activation::None => vec![-of_model[index], of_model[index]],
            [index] if self.is_binary => vec![1.0 - of_model[index], of_model[index]],
            _ => self.outputs.indices.iter().map(|&index| of_model[index]).collect(),
        }
    }

    /// The model's number of one of the classes that are evaluated; `None` if there is no such class.
    pub fn output(&self, class: usize) -> Option<usize> {
        self.outputs.indices.get(if self.is_binary { 0 } else { class }).copied()
    }

    /// No answer yet, for the classes of the model.
    pub fn answers(&self) -> Answers {
        // The two sides of one output exclude each other.
        let activation = match self.outputs.activation {
            Activation::Sigmoid if self.is_binary => Activation::Softmax,
            activation => activation,
        };
        Answers::new(self.outputs.labels.clone(), activation)
    }

    /// Classes of the truth that the model has not, each with its number of pictures.
    pub fn unmatched(&self) -> &[(String, usize)] {
        &self.unmatched
    }

    /// Classes of the model of which there is no picture.
    pub fn without_pictures(&self) -> &[String] {
        &self.without_pictures
    }

    /// How classes were matched, if not by their names.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

/// The error where no class is the model's.
fn no_match(truth: &Truth, outputs: &Outputs) -> Error {
    let near = truth.classes.iter().find_map(|name| Some((name, nearest(name, outputs.labels.iter().map(String::as_str))?)));
    let near = near.map_or(String::new(), |(name, near)| format!("; is {name} {near}?"));
    let own = if outputs.has_names { "" } else { "numbers, for it has no names: " };
    let expected = format!("classes of the model ({own}{})", some(outputs.labels.iter().cloned()));
    let found = format!("{}{near}; `labels` or `class_to_idx` say which is which", some(truth.classes.iter().cloned()));
    Error::Input { expected, found }
}

/// For each name, the number of the label that is like it.
fn numbers(names: &[String], labels: &[String]) -> Vec<Option<usize>> {
    let exact: HashMap<&str, usize> = labels.iter().enumerate().rev().map(|(number, label)| (label.as_str(), number)).collect();
    let mut like: HashMap<String, Option<usize>> = HashMap::new();
    for (number, label) in labels.iter().enumerate() {
        // Two labels that are alike are like nothing.
        like.entry(key(label)).and_modify(|found| *found = None).or_insert(Some(number));
    }
    names.iter().map(|name| exact.get(name.as_str()).copied().or_else(|| like.get(&key(name)).copied().flatten())).collect()
}

/// A name without what people write in different ways. Folders on macOS have decomposed letters.
pub(super) fn key(name: &str) -> String {
    name.nfkc()
        .flat_map(char::to_lowercase)
        .map(|c| if "_-".contains(c) { ' ' } else { c })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a name is one of WordNet's nouns, as ImageNet's folders are called.
fn is_wordnet(name: &str) -> bool {
    name.strip_prefix('n').is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Postprocessing;
    use std::path::Path;

    fn folders(names: &[&str]) -> Truth {
        Truth::of_folders(Path::new("r"), names.iter().map(|name| format!("r/{name}/1.png").into())).unwrap()
    }

    fn model(activation: Activation, labels: &[&str]) -> Outputs {
        let names = labels.iter().map(|label| (*label).to_owned()).collect();
        Outputs::of(&Postprocessing::new(activation).with_labels(names), labels.len()).unwrap()
    }

    fn nameless(activation: Activation, classes: usize) -> Outputs {
        Outputs::of(&Postprocessing::new(activation), classes).unwrap()
    }

    fn matched(truth: &Truth, outputs: Outputs) -> Vec<Option<usize>> {
        Matching::by_name(truth, outputs).unwrap().of_truth
    }

    #[test]
    fn names_are_matched_however_they_are_written() {
        let outputs = || model(Activation::Softmax, &["größe", "Lung Opacity", "lung-lesion", "A", "a"]);
        assert_eq!(matched(&folders(&["GRO\u{308}ßE", "lung_opacity", "Lung Lesion"]), outputs()), [Some(0), Some(2), Some(1)]);
        assert_eq!(matched(&folders(&["a", "A", "x"]), outputs()), [Some(3), Some(4), None]);
        let error = Matching::by_name(&folders(&["Lung Opacities"]), outputs()).unwrap_err().to_string();
        assert!(error.contains("größe, Lung Opacity") && error.contains("is Lung Opacities Lung Opacity?"), "{error}");
    }

    #[test]
    fn folders_are_numbered_in_their_order_only_where_names_say_nothing() {
        let by_order = Matching::by_name(&folders(&["b", "a"]), nameless(Activation::Softmax, 2)).unwrap();
        assert_eq!(
            (by_order.of_truth.clone(), by_order.note()),
            (vec![Some(0), Some(1)], Some("folders are taken in their order: a is 0, b is 1"))
        );
        assert_eq!(matched(&folders(&["n01440764", "n01443537"]), model(Activation::Softmax, &["tench", "goldfish"])), [Some(0), Some(1)]);
        assert!(Matching::by_name(&folders(&["a", "b"]), nameless(Activation::Softmax, 3)).is_err());
        assert!(Matching::by_name(&folders(&["a", "b"]), model(Activation::Softmax, &["x", "y"])).is_err());
        assert_eq!(matched(&folders(&["2", "0"]), nameless(Activation::Softmax, 3)), [Some(0), Some(2)]);
    }

    #[test]
    fn a_single_output_has_two_sides() {
        let by_name = Matching::by_name(&folders(&["ill", "well"]), model(Activation::Sigmoid, &["Ill"])).unwrap();
        assert_eq!((by_name.answers().labels(), by_name.scores(&[0.75])), (&["well".into(), "ill".into()][..], vec![0.25, 0.75]));
        assert_eq!(by_name.known(&Known::One(0)), Some(Known::One(1)));
        let by_order = Matching::by_name(&folders(&["ill", "well"]), nameless(Activation::Sigmoid, 1)).unwrap();
        assert_eq!(by_order.known(&Known::One(1)), Some(Known::One(1)));
        assert!(by_order.note().is_some_and(|note| note.contains("taken for well")), "{by_order:?}");
        assert!(Matching::by_name(&folders(&["a", "b", "c"]), nameless(Activation::Sigmoid, 1)).is_err());
    }

    #[test]
    fn outputs_that_were_not_trained_are_left_out() {
        let matching = Matching::by_name(&folders(&["b", "c"]), model(Activation::Sigmoid, &["", "b", "c"])).unwrap();
        assert_eq!((matching.scores(&[0.1, 0.2, 0.3]), matching.of_truth.clone()), (vec![0.2, 0.3], vec![Some(0), Some(1)]));
        let numbers = BTreeMap::from([("b".to_owned(), 2), ("c".to_owned(), 1)]);
        let truth = folders(&["b", "c"]);
        let by_number = |numbers| Matching::by_number(&truth, model(Activation::Sigmoid, &["", "b", "c"]), numbers);
        assert_eq!(by_number(&numbers).unwrap().of_truth, [Some(1), Some(0)]);
        let error = by_number(&BTreeMap::from([("b".to_owned(), 3)])).unwrap_err().to_string();
        assert!(error.contains("found 3 for b"), "{error}");
    }
}
