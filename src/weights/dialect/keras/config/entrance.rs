//! What a model does to pictures before its first convolution.

use super::Configuration;
use super::layer::ConfiguredLayer;
use super::written::Numbers;
use crate::error::Result;

/// A layer before the first convolution that does something to pictures.
pub(in crate::weights::dialect) enum Entrance {
    /// Multiplies each channel and adds to it; one number stands for all channels.
    Affine {
        /// Its name.
        name: String,
        /// What it multiplies by.
        scale: Vec<f64>,
        /// What it adds.
        offset: Vec<f64>,
    },
    /// `Normalization` with the numbers in the file.
    Adapted {
        /// Its name.
        name: String,
    },
    /// The class of a layer that works in training alone, or that this library's preprocessing replaces.
    Skipped(String),
}

impl Entrance {
    /// Whether its numbers are among the file's tensors.
    pub(in crate::weights::dialect) fn has_tensors(&self) -> bool {
        matches!(self, Self::Adapted { .. })
    }
}

impl Configuration<'_> {
    /// What is done to pictures before the first convolution.
    ///
    /// Errors where it is anything but multiplying by numbers and adding numbers.
    pub(in crate::weights::dialect) fn entrances(&self) -> Result<Vec<Entrance>> {
        let before = self.layers.iter().take_while(|layer| !matches!(layer.class_name.as_ref(), "Conv2D" | "ZeroPadding2D"));
        let entrance = |layer: &ConfiguredLayer| -> Option<Result<Entrance>> {
            let name = layer.name().to_owned();
            let numbers = |numbers: &Option<Numbers>| numbers.as_ref().map(Numbers::flat);
            let settings = &layer.settings;
            let found = match layer.class_name.as_ref() {
                "Rescaling" => Some(Entrance::Affine {
                    name,
                    scale: numbers(&settings.scale).unwrap_or_else(|| vec![1.0]),
                    offset: numbers(&settings.offset).unwrap_or_else(|| vec![0.0]),
                }),
                "Normalization" => match (numbers(&settings.mean), numbers(&settings.variance)) {
                    (Some(mean), Some(variance)) => {
                        let single = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect::<Vec<_>>();
                        let (scale, offset) = normalised(&single(mean), &single(variance));
                        Some(Entrance::Affine { name, scale, offset })
                    }
                    _ => Some(Entrance::Adapted { name }),
                },
                class @ ("Add" | "Subtract" | "Multiply" | "Divide" | "TrueDivide") => {
                    let Some(constant) = layer.constant() else {
                        return Some(Err(layer.refused("a picture and then numbers, in arithmetic before the network", class)));
                    };
                    let inverse = |values: Vec<f64>| values.into_iter().map(|value| 1.0 / value).collect();
                    let negative = |values: Vec<f64>| values.into_iter().map(|value| -value).collect();
                    let (scale, offset) = match class {
                        "Add" => (vec![1.0], constant),
                        "Subtract" => (vec![1.0], negative(constant)),
                        "Multiply" => (constant, vec![0.0]),
                        _ => (inverse(constant), vec![0.0]),
                    };
                    Some(Entrance::Affine { name, scale, offset })
                }
                class if class == "Resizing" || class.starts_with("Random") => Some(Entrance::Skipped(class.to_owned())),
                _ => None,
            };
            found.map(Ok)
        };
        before.filter_map(entrance).collect()
    }
}

/// `Normalization` as what it multiplies by and adds. Keras keeps the deviation above 1e-7.
pub(in crate::weights::dialect) fn normalised(mean: &[f32], variance: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let scale: Vec<f64> = variance.iter().map(|&variance| 1.0 / f64::from(variance).sqrt().max(1e-7)).collect();
    let offset = mean.iter().zip(&scale).map(|(&mean, scale)| -f64::from(mean) * scale).collect();
    (scale, offset)
}
