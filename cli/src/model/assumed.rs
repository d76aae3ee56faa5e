//! What was assumed about a model, and the flag that states it.

use densenet_wgpu::checkpoint::{AssumedField, Assumption};
use densenet_wgpu::{Checkpoint, labels};
use serde::Serialize;

use crate::message;

/// An assumption, with the keys of the JSON output.
#[derive(Serialize)]
pub(crate) struct Assumed<'a> {
    #[serde(flatten)]
    assumption: &'a Assumption,
    /// The flag that states it, or what to do where there is none.
    flag: String,
}

impl<'a> Assumed<'a> {
    /// Everything that was assumed about `model` or is unknown.
    pub(crate) fn of(model: &'a Checkpoint) -> Vec<Self> {
        let with_flag = |assumption: &'a Assumption| Self { assumption, flag: flag(assumption.field, model.config.num_classes) };
        model.assumed.iter().map(with_flag).collect()
    }
}

/// One line of human-readable output.
impl std::fmt::Display for Assumed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.assumption, self.flag)
    }
}

/// Reports on standard error what was assumed about `fields`, one line each.
pub(crate) fn report(model: &Checkpoint, fields: &[AssumedField]) {
    for assumed in Assumed::of(model).iter().filter(|assumed| fields.contains(&assumed.assumption.field)) {
        message::note(&format!("{}: {assumed}", model.name));
    }
}

/// The names of the fields that were assumed.
pub(crate) fn names(model: &Checkpoint) -> Vec<&'static str> {
    model.assumed.iter().filter(|assumption| assumption.value.is_some()).map(|assumption| assumption.field.name()).collect()
}

/// The flag that states `field`, for a model with this number of classes.
fn flag(field: AssumedField, classes: Option<usize>) -> String {
    match field {
        AssumedField::Activation if classes == Some(1) => "--activation sigmoid|none".into(),
        AssumedField::Activation => "--activation softmax|sigmoid|none".into(),
        AssumedField::Blur => "--no-blur".into(),
        AssumedField::Epsilon => "--epsilon E".into(),
        AssumedField::FinalRelu => "--no-final-relu".into(),
        AssumedField::Labels => {
            let fitting: Vec<&str> = labels::names_of(classes.unwrap_or(0)).chain(["FILE"]).collect();
            format!("--labels {}", fitting.join("|"))
        }
        AssumedField::NewChannels => "--new-channels first|last".into(),
        // A max pool alone is not supported.
        AssumedField::Pool => "--head-layers linear".into(),
        AssumedField::Preprocessing => "--preprocess PRESET|FILE".into(),
        // No flag changes the padding.
        _ => "a whole model says it: model.save('OUT.keras')".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use densenet_wgpu::Config;

    fn assumed(classes: usize) -> Vec<String> {
        let mut model = Checkpoint::init(Config::imagenet(4, &[1, 1], 4).with_classes(Some(classes)), 1).unwrap();
        model.complete_description(None);
        Assumed::of(&model).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_has_its_flag_with_values_that_fit() {
        assert_eq!(
            assumed(14),
            [
                "activation: softmax is assumed; weights alone do not tell it (--activation softmax|sigmoid|none)",
                "labels: open; nothing names the model's 14 classes (--labels chexnet|chexpert|FILE)",
                "preprocessing: the preset torchvision is assumed; the file does not say how pictures are prepared (--preprocess PRESET|FILE)",
            ]
        );
        let one = assumed(1);
        assert!(one[0].starts_with("activation: open; one output may be") && one[0].ends_with("(--activation sigmoid|none)"), "{one:?}");
        assert!(one[1].ends_with("(--labels FILE)"), "{one:?}");
    }
}
