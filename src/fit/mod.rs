//! Heads that are fitted to frozen features: a network learns classes that it was not trained on.
//!
//! [`Examples`] are the features of pictures and what is true of them. [`Examples::fit`] holds some of them out, finds the
//! regularisation by cross-validation on the others, fits a logistic regression to these, and says how good it is on those that were
//! held out. The [`Fitted`] head then takes the place of a checkpoint's own. A [`FeatureFile`] keeps features from one run to the next.
//!
//! ```
//! use densenet_wgpu::evaluate::Known;
//! use densenet_wgpu::fit::{ContentHash, Example, Examples, FitOptions};
//! use densenet_wgpu::{Classifier, ClassifierOptions, models};
//!
//! let base = models::bundled("digits").expect("it is bundled")?;
//! let classifier = Classifier::new(base.clone(), ClassifierOptions::default().with_features(true))?;
//! let mut examples = Examples::new(vec!["loops".into(), "none".into()], 50);
//! for (picture, class) in [("0-1445-8", 0), ("0-1451-8", 0), ("8-1443-8", 0), ("1-1457-8", 1), ("1-1462-8", 1), ("7-1442-8", 1)] {
//!     let path = format!("examples/digits/{picture}.png");
//!     let prediction = classifier.classify(&*path)?;
//!     examples.push(Example {
//!         content: ContentHash::of_file(path.as_ref())?,
//!         path: path.into(),
//!         known: Known::One(class),
//!         group: None,
//!         features: prediction.features().expect("they were asked for"),
//!     })?;
//! }
//! let fitted = examples.fit(&FitOptions::default().with_holdout(0.0))?;
//! assert_eq!((fitted.train, fitted.holdout), (6, 0));
//!
//! let model = fitted.model(base, "loops", "2026-11-30")?; // `model.save(path)` writes it
//! let prediction = Classifier::new(model, ClassifierOptions::default())?.classify("examples/digits/8-1453-8.png")?;
//! assert_eq!(prediction.top_k(1)?[0].label, "loops");
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod content_hash;
mod duplicates;
mod examples;
mod feature_file;
mod fitting;
mod head;
mod logistic;
mod loss;
mod model;
mod options;
mod regularisation;
mod split;
mod targets;

pub use content_hash::ContentHash;
pub use duplicates::Duplicates;
pub use examples::{Example, Examples};
pub use feature_file::FeatureFile;
pub use fitting::Fitted;
pub use head::Head;
pub use options::{ClassWeight, FitOptions};
pub use regularisation::CrossValidated;
