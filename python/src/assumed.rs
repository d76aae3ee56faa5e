//! What was assumed about a model, and the argument that states it.

use densenet_wgpu::checkpoint::{AssumedField, Assumption};
use densenet_wgpu::labels;

/// An assumption as Python has it: field, value, why, and the argument that states it.
pub(crate) type Assumed = (&'static str, Option<String>, String, String);

/// An assumption about a model with this number of classes.
pub(crate) fn assumed(assumption: &Assumption, classes: Option<usize>) -> Assumed {
    let Assumption { field, value, why, .. } = assumption;
    (field.name(), value.clone(), why.clone(), argument(*field, classes))
}

/// The argument that states `field`.
fn argument(field: AssumedField, classes: Option<usize>) -> String {
    match field {
        AssumedField::Activation if classes == Some(1) => "activation=\"sigmoid\" or \"none\"".into(),
        AssumedField::Activation => "activation=\"softmax\", \"sigmoid\" or \"none\"".into(),
        AssumedField::Blur => "blur=False".into(),
        AssumedField::Epsilon => "epsilon=".into(),
        AssumedField::FinalRelu => "final_relu=False".into(),
        AssumedField::Labels => {
            let fitting = labels::names_of(classes.unwrap_or(0)).map(|name| format!("{name:?}, "));
            format!("labels={}a file or a list", fitting.collect::<String>())
        }
        AssumedField::NewChannels => "new_channels=\"first\" or \"last\"".into(),
        // A max pool alone is not supported.
        AssumedField::Pool => "head_layers=[\"linear\"]".into(),
        AssumedField::Preprocessing => "preprocess= a preset, a file or a dictionary".into(),
        // No argument changes the padding.
        _ => "a whole model says it: model.save('OUT.keras')".into(),
    }
}
