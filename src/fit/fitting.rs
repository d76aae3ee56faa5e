//! From examples to a head, and how good it is.

use super::examples::Examples;
use super::head::Head;
use super::logistic::{Ending, Minimum, minimise};
use super::loss::{Coefficients, Loss};
use super::options::FitOptions;
use super::regularisation::{CrossValidated, best, candidates, cross_validate};
use super::split::split;
use super::targets::Targets;
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::evaluate::{Answers, Evaluation, EvaluationOptions, JudgedPicture};

/// A head, and how good it is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Fitted {
    /// The head: of the examples that were learned from.
    pub head: Head,
    /// How many examples were learned from.
    pub train: usize,
    /// How many were held out.
    pub holdout: usize,
    /// For each class how many examples of it were learned from, and how many were held out.
    pub counts: Vec<[usize; 2]>,
    /// How good the head is on those that were held out; `None` if there are none.
    pub evaluation: Option<Evaluation>,
    /// The regularisation: scikit-learn's `C`, of which a smaller one regularises more.
    pub regularisation: f64,
    /// The regularisations that were tried, the most first.
    pub cross_validated: Vec<CrossValidated>,
    /// The share of the examples that the cross-validation found right with that regularisation; `None` of findings.
    pub cross_validated_top1: Option<f64>,
    /// What was minimised: `C * sum(losses) + 0.5 * sum(weights²)`.
    pub objective: f64,
    /// Whether the minimum was found, to within what matters. It is, but for examples without any end to how well they are separated.
    pub is_converged: bool,
    /// How it was fitted.
    pub options: FitOptions,
}

/// The minimum to many digits, which does not depend on where the search began.
const ENDING: Ending = Ending { gradient: 1e-6, steps: 2000 };

impl Examples {
    /// Holds some examples out, finds the regularisation by cross-validation on the others, fits a head to these, and evaluates it on
    /// those that were held out.
    ///
    /// Examples of a group, and copies, stay together. Parts have the same share of every class, as nearly as that allows. The same
    /// examples and options give the same head.
    ///
    /// Errors if there is only one class, or one has fewer than two examples that may be apart; of findings, if one has fewer than two
    /// pictures with and without it.
    pub fn fit(&self, options: &FitOptions) -> Result<Fitted> {
        self.fit_watched(options, |_, _| {})
    }

    /// [`Examples::fit`], which tells `watch` how many of how many parts are done: each regularisation that is tried is one, and the fit in
    /// the end. Some may be left out.
    pub fn fit_watched(&self, options: &FitOptions, mut watch: impl FnMut(usize, usize)) -> Result<Fitted> {
        check(options)?;
        let sets = self.indivisible();
        self.check_classes(&sets, "")?;
        let mut parts = split(self, &sets, &[1.0 - options.holdout, options.holdout], options.seed);
        let (holdout, train) = (parts.remove(1), parts.remove(0));
        let is_train = |set: &&Vec<usize>| train.binary_search(&set[0]).is_ok();
        let train_sets: Vec<Vec<usize>> = sets.iter().filter(is_train).cloned().collect();
        let fewest = self.check_classes(&train_sets, " that are not held out")?;

        let targets = Targets::of(self);
        let folds = options.folds.min(fewest);
        let folds = split(self, &train_sets, &vec![1.0 / folds as f64; folds], options.seed);
        let candidates = options.regularisation.map_or_else(candidates, |one| vec![one]);
        let parts = candidates.len() + 1;
        let cross_validated = cross_validate(self, &targets, &folds, &candidates, options.class_weight, |done| watch(done, parts));
        watch(candidates.len(), parts);
        let Some(CrossValidated { regularisation, top1, .. }) = best(&cross_validated) else {
            let expected = "features of which a regression can be made".into();
            return Err(Error::Examples { expected, found: "losses that are not finite".into() });
        };

        let zero = Coefficients::zero(targets.outputs(), self.columns);
        let loss = Loss::new(self, &targets, &train, options.class_weight);
        let Minimum { coefficients, objective, is_converged } = minimise(&loss, regularisation, &zero, ENDING);
        let head = Head::new(&self.classes, &targets, &coefficients);
        let probabilities = Loss::new(self, &targets, &holdout, options.class_weight).probabilities(&coefficients);
        let of_class = |class: usize| {
            [&train, &holdout].map(|part| part.iter().filter(|&&example| self.known[example].has(class) == Some(true)).count())
        };
        Ok(Fitted {
            evaluation: self.evaluate(&holdout, probabilities, head.activation)?,
            counts: (0..self.classes.len()).map(of_class).collect(),
            head,
            train: train.len(),
            holdout: holdout.len(),
            regularisation,
            cross_validated,
            cross_validated_top1: top1,
            objective,
            is_converged,
            options: options.clone(),
        })
    }

    /// How good probabilities are for the examples of `rows`; `None` if there are none.
    fn evaluate(&self, rows: &[usize], probabilities: Vec<Vec<f64>>, activation: Activation) -> Result<Option<Evaluation>> {
        let mut answers = Answers::new(self.classes.clone(), activation);
        for (&row, scores) in rows.iter().zip(probabilities) {
            answers.push(JudgedPicture { path: self.paths[row].clone(), known: self.known[row].clone(), scores })?;
        }
        Ok((!rows.is_empty()).then(|| answers.evaluate(&EvaluationOptions::default())))
    }

    /// In how many of `sets` the rarest class is, of findings the rarer of with and without. Errors if that are fewer than two, which
    /// leaves nothing to learn from, or nothing to find the regularisation with.
    fn check_classes(&self, sets: &[Vec<usize>], which: &str) -> Result<usize> {
        let refused = |expected: String, found: String| Err(Error::Examples { expected, found });
        let is_of_each = self.is_of_each() == Some(true);
        if self.classes.len() < 2 && !is_of_each {
            let found = self.classes.first().map_or("none".into(), |class| format!("one, {class}"));
            return refused("pictures of at least two classes".into(), found);
        }
        let count = |class: usize, is: bool| {
            let has = |set: &&Vec<usize>| set.iter().any(|&example| self.known[example].has(class) == Some(is));
            sets.iter().filter(has).count()
        };
        let mut fewest = usize::MAX;
        for (class, name) in self.classes.iter().enumerate() {
            for is in if is_of_each { &[true, false][..] } else { &[true] } {
                let found = count(class, *is);
                if found < 2 {
                    let kind = match (is_of_each, is) {
                        (true, true) => "with",
                        (true, false) => "without",
                        (false, _) => "of",
                    };
                    let alike = "which are neither copies nor of one group";
                    return refused(format!("at least 2 pictures {kind} {name}{which}, {alike}"), found.to_string());
                }
                fewest = fewest.min(found);
            }
        }
        Ok(fewest)
    }
}

fn check(options: &FitOptions) -> Result<()> {
    let refused = |expected: &str, found: String| Err(Error::Options { expected: expected.into(), found });
    if !(0.0..1.0).contains(&options.holdout) {
        return refused("a share to hold out from 0 to less than 1", options.holdout.to_string());
    }
    if options.folds < 2 {
        return refused("at least 2 folds", options.folds.to_string());
    }
    match options.regularisation {
        Some(one) if !(one.is_finite() && one > 0.0) => refused("a regularisation above 0", one.to_string()),
        _ => Ok(()),
    }
}

impl Fitted {
    /// The share of the held-out examples whose likeliest class is the truth; `None` of findings, or if none were held out.
    pub fn holdout_top1(&self) -> Option<f64> {
        self.evaluation.as_ref().and_then(|evaluation| evaluation.top1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Known;
    use crate::fit::{ContentHash, Example};

    /// Two features, by which classes are apart.
    fn examples(known: &[(Known, Option<&str>)], classes: &[&str]) -> Examples {
        let mut examples = Examples::new(classes.iter().map(|class| (*class).to_owned()).collect(), 2);
        for (number, (known, group)) in known.iter().enumerate() {
            let value = |class: usize| if known.has(class) == Some(true) { 1.0 } else { 0.0 };
            let features = &[value(0) + number as f32 * 1e-3, value(1)];
            let content = ContentHash::of(&number.to_le_bytes());
            let path = format!("{number}.png").into();
            examples.push(Example { path, known: known.clone(), group: group.map(Into::into), content, features }).unwrap();
        }
        examples
    }

    fn error(examples: &Examples, options: FitOptions) -> String {
        examples.fit(&options).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_learned_is_refused() {
        let one = |class| (Known::One(class), None);
        let all = FitOptions::default();
        assert_eq!(
            error(&examples(&[one(0), one(0)], &["cat"]), all.clone()),
            "examples: expected pictures of at least two classes, found one, cat"
        );
        let rare = error(&examples(&[one(0), one(0), one(1)], &["cat", "dog"]), all.clone());
        assert!(rare.starts_with("examples: expected at least 2 pictures of dog, which") && rare.ends_with("found 1"), "{rare}");
        let patient = |class| (Known::One(class), Some("p"));
        let grouped = error(&examples(&[one(0), one(0), patient(1), patient(1)], &["cat", "dog"]), all.clone());
        assert!(grouped.contains("nor of one group, found 1"), "{grouped}");
        let held = error(&examples(&[one(0), one(0), one(1), one(1)], &["cat", "dog"]), all.clone().with_holdout(0.9));
        assert!(held.contains("that are not held out"), "{held}");
        let each = |is| (Known::Each(vec![Some(is), Some(true)]), None);
        let always = error(&examples(&[each(true), each(false), each(true), each(false)], &["a", "b"]), all.clone());
        assert!(always.contains("2 pictures without b"), "{always}");
        let fine = examples(&[one(0), one(0), one(1), one(1)], &["cat", "dog"]);
        assert!(error(&fine, all.clone().with_holdout(1.0)).contains("from 0 to less than 1, found 1"));
        assert!(error(&fine, all.clone().with_folds(1)).contains("at least 2 folds"));
        assert!(error(&fine, all.with_regularisation(0.0)).contains("above 0"));
    }

    #[test]
    fn findings_are_learned_each_on_its_own() {
        let each = |number: usize| {
            (Known::Each(vec![Some(number.is_multiple_of(2)), (!number.is_multiple_of(7)).then_some(number.is_multiple_of(3))]), None)
        };
        let known: Vec<_> = (0..60).map(each).collect();
        let fitted = examples(&known, &["even", "third"]).fit(&FitOptions::default()).unwrap();
        assert_eq!((fitted.head.activation, fitted.cross_validated_top1, fitted.holdout_top1()), (Activation::Sigmoid, None, None));
        let evaluation = fitted.evaluation.unwrap();
        assert!(evaluation.per_class.iter().all(|class| class.auroc == Some(1.0)), "{evaluation:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_head() {
        let known: Vec<_> = (0..50).map(|number| (Known::One(number % 3), None)).collect();
        let examples = examples(&known, &["a", "b", "c"]);
        let fit = |seed| examples.fit(&FitOptions::default().with_seed(seed)).unwrap();
        assert_eq!(fit(1), fit(1));
        assert_ne!(fit(1).head, fit(2).head);
        // A fifth of each class, in whole examples: 3 of 17, 17 and 16.
        assert_eq!((fit(1).train, fit(1).holdout), (41, 9));
        assert_eq!(fit(1).counts.iter().flatten().sum::<usize>(), 50);
    }
}
