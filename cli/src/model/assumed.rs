//! What the command line adds to what was assumed of a model: the flag that says it.

use densenet_wgpu::checkpoint::{Assumption, Field};
use densenet_wgpu::{Checkpoint, labels};
use serde::Serialize;

use crate::message;

/// Something that was assumed, in the words of the JSON form.
#[derive(Serialize)]
pub(crate) struct Assumed<'a> {
    #[serde(flatten)]
    assumption: &'a Assumption,
    /// What to give the program to say it, or what to do where there is no flag.
    flag: String,
}

impl<'a> Assumed<'a> {
    /// All that was assumed of `model`, or is open.
    pub(crate) fn of(model: &'a Checkpoint) -> Vec<Self> {
        let flagged = |assumption: &'a Assumption| Self { assumption, flag: flag(assumption.field, model.config.num_classes) };
        model.assumed.iter().map(flagged).collect()
    }
}

/// One line for a person.
impl std::fmt::Display for Assumed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.assumption, self.flag)
    }
}

/// Says what was assumed of `fields` on standard error, a line each.
pub(crate) fn tell(model: &Checkpoint, fields: &[Field]) {
    for assumed in Assumed::of(model).iter().filter(|assumed| fields.contains(&assumed.assumption.field)) {
        message::note(&format!("{}: {assumed}", model.name));
    }
}

/// What of a row was assumed: the fields' names.
pub(crate) fn names(model: &Checkpoint) -> Vec<&'static str> {
    model.assumed.iter().filter(|assumption| assumption.value.is_some()).map(|assumption| assumption.field.name()).collect()
}

/// The flag that says `field` of a model of so many classes.
fn flag(field: Field, classes: Option<usize>) -> String {
    match field {
        Field::Activation if classes == Some(1) => "--activation sigmoid|none".into(),
        Field::Activation => "--activation softmax|sigmoid|none".into(),
        Field::Blur => "--no-blur".into(),
        Field::Epsilon => "--epsilon E".into(),
        Field::FinalRelu => "--no-final-relu".into(),
        Field::Labels => {
            let fitting: Vec<&str> = labels::names_of(classes.unwrap_or(0)).chain(["FILE"]).collect();
            format!("--labels {}", fitting.join("|"))
        }
        Field::NewChannels => "--new-channels first|last".into(),
        // Maxima alone are not run.
        Field::Pool => "--head-layers linear".into(),
        Field::Preprocessing => "--preprocess PRESET|FILE".into(),
        // Nothing here pads otherwise.
        _ => "a model saved whole, as model.save('OUT.keras') does, tells it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use densenet_wgpu::Config;

    fn told(classes: usize) -> Vec<String> {
        let mut model = Checkpoint::init(Config::imagenet(4, &[1, 1], 4).with_classes(Some(classes)), 1).unwrap();
        model.complete_description(None);
        Assumed::of(&model).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_has_its_flag_with_values_that_fit() {
        assert_eq!(
            told(14),
            [
                "activation: softmax is assumed; weights alone do not tell it (--activation softmax|sigmoid|none)",
                "labels: open; nothing names the model's 14 classes (--labels chexnet|chexpert|FILE)",
                "preprocessing: the preset torchvision is assumed; the file does not say how pictures are prepared (--preprocess PRESET|FILE)",
            ]
        );
        let one = told(1);
        assert!(one[0].starts_with("activation: open; one output may be") && one[0].ends_with("(--activation sigmoid|none)"), "{one:?}");
        assert!(one[1].ends_with("(--labels FILE)"), "{one:?}");
    }
}
