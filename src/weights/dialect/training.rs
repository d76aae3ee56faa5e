//! What training leaves beside a network, recognised by whole words of its keys: an `optimal_model` is no optimizer.

/// Words in the keys beside a network of what inference never reads.
const SIBLINGS: [&str; 19] = [
    // The state of an optimizer.
    "opt",
    "optim",
    "optimizer",
    "optimizers",
    "optimiser",
    "optimisers",
    // The schedule of learning rates.
    "sched",
    "schedule",
    "schedules",
    "scheduler",
    "schedulers",
    // The scale of 16-bit training.
    "scaler",
    "scalers",
    // A trainer's memory and arguments.
    "callbacks",
    "loops",
    "hyper parameters",
    // The state of a random generator.
    "rng",
    "rngs",
    "random",
];

/// Words in the name of a loss, whose weights training alone reads.
const LOSSES: [&str; 4] = ["criterion", "criterions", "loss", "losses"];

/// Words in the name of a buffer that a trainer keeps in its module: the weights of classes in the loss, and metrics.
const BUFFERS: [&str; 24] = [
    "class weight",
    "class weights",
    "cls weight",
    "cls weights",
    "label weight",
    "label weights",
    "pos weight",
    "pos weights",
    "neg weight",
    "neg weights",
    "sample weights",
    "class counts",
    "class freq",
    "class frequencies",
    "class prior",
    "class priors",
    "metric",
    "metrics",
    "accuracy",
    "auroc",
    "confmat",
    "precision",
    "recall",
    "epoch",
];

/// What torchmetrics calls its counts.
const METRIC_STATES: [&str; 9] = ["tp", "fp", "tn", "fn", "confmat", "sum_value", "mean_value", "max_value", "min_value"];

/// Words in the name of a moving average of weights.
const AVERAGES: [&str; 4] = ["ema", "emamodel", "modelema", "swa"];

/// Whether the keys of a dictionary say that it is no part of a network.
pub(super) fn is_sibling(scope: &str) -> bool {
    says(scope, &SIBLINGS)
}

/// Whether a tensor of this path belongs to a loss.
pub(super) fn is_loss(path: &str) -> bool {
    says(path, &LOSSES)
}

/// Whether a tensor of this path and shape is a trainer's buffer: numbers in a row, under a name that says what they are for.
pub(super) fn is_buffer(path: &str, shape: &[usize]) -> bool {
    let is_state = path.rsplit('.').next().is_some_and(|last| METRIC_STATES.contains(&last));
    shape.len() <= 1 && (says(path, &BUFFERS) || is_state) || shape.len() == 2 && says(path, &["confmat", "confusion matrix"])
}

/// Whether what is at this path says that it is of pictures, not of what is predicted.
pub(super) fn is_of_pictures(path: &str) -> bool {
    const WORDS: [&str; 11] = [
        "normalize",
        "normalise",
        "normalization",
        "normalisation",
        "normalizer",
        "normaliser",
        "pixel",
        "image",
        "img",
        "input",
        "transform",
    ];
    says(path, &WORDS)
}

/// Whether what is at this path has the name of a layer that compares directions, as face recognition trains it.
pub(super) fn compares_directions(path: &str) -> bool {
    const WORDS: [&str; 15] = [
        "arc",
        "arcface",
        "arc face",
        "arc margin",
        "arcmargin",
        "arc margin product",
        "arc product",
        "add margin product",
        "cosface",
        "cos face",
        "cosine",
        "cosine similarity",
        "sphereface",
        "sphere face",
        "metric fc",
    ];
    says(path, &WORDS)
}

/// Whether the number at this path is the power of a generalised mean, a pool (GeM) that often replaces the mean.
pub(super) fn is_power(path: &str) -> bool {
    let mut keys = path.rsplit(['/', '.']);
    let last = keys.next().unwrap_or_default();
    ["p", "power"].contains(&last) && keys.any(|key| says(key, &["pool", "pooling", "avgpool", "gem", "ge m"]))
        || says(path, &["gem", "ge m", "generalized mean", "generalised mean"])
}

/// Whether the number at this path is a temperature, by which logits are divided to calibrate probabilities.
pub(super) fn is_temperature(path: &str) -> bool {
    path.rsplit(['/', '.']).next().is_some_and(|last| says(last, &["temperature", "temperatures", "temp"]))
}

/// Whether what is at this path is a moving average.
pub(super) fn is_average(path: &str) -> bool {
    says(path, &AVERAGES)
}

/// Whether the keys of `path` have one of `phrases`, as whole words.
fn says(path: &str, phrases: &[&str]) -> bool {
    let keys: Vec<String> = path.split(['/', '.']).map(words).collect();
    phrases.iter().any(|phrase| keys.iter().any(|words| words.contains(&format!(" {phrase} "))))
}

/// The words of a key in small letters, each between two spaces: `lr_scheduler1`, `LRScheduler` and `lrScheduler` are
/// ` lr scheduler `. What is no letter parts words.
fn words(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let mut words = String::from(" ");
    for (index, letter) in letters.iter().enumerate() {
        let is = |at: Option<usize>, kind: fn(char) -> bool| at.and_then(|at| letters.get(at)).is_some_and(|letter| kind(*letter));
        let (before, after) = (index.checked_sub(1), Some(index + 1));
        let begins =
            letter.is_uppercase() && (is(before, char::is_lowercase) || is(before, char::is_uppercase) && is(after, char::is_lowercase));
        if (begins || !letter.is_alphabetic()) && !words.ends_with(' ') {
            words.push(' ');
        }
        words.extend(letter.is_alphabetic().then_some(letter.to_lowercase()).into_iter().flatten());
    }
    words.truncate(words.trim_end().len());
    words + " "
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_of_words() {
        for (key, expected) in [
            ("lr_scheduler1", " lr scheduler "),
            ("LRScheduler", " lr scheduler "),
            ("BCEWithLogitsLoss", " bce with logits loss "),
            ("hyper_parameters", " hyper parameters "),
            ("--opt--", " opt "),
            ("", " "),
            ("12", " "),
        ] {
            assert_eq!(words(key), expected, "{key}");
        }
    }

    #[test]
    fn pools_and_temperatures_are_recognised_by_whole_words() {
        for path in ["pool.p", "global_pool.p", "model.head.avg_pool.p", "gem.p", "GeM.p", "pooling.power", "gem_pool.exponent"] {
            assert!(is_power(path), "{path}");
        }
        assert!(!["p", "prompt.p", "pool.weight", "gems.p", "temperature"].into_iter().any(is_power));
        assert!(["temperature", "classifier.temperature", "head/log_temp"].into_iter().all(is_temperature));
        assert!(!["template", "temperature.weight", "attempt"].into_iter().any(is_temperature));
    }

    #[test]
    fn what_training_leaves_is_recognised_by_whole_words() {
        for key in [
            "opt",
            "optimizer",
            "optimizer_states",
            "optimizers/0",
            "optim_g",
            "optimizerD",
            "optimizer0",
            "lr_schedulers",
            "sched",
            "param_schedulers",
            "scaler",
            "amp_scaler",
            "GradScaler",
            "callbacks/EarlyStopping",
            "loops",
            "hyper_parameters",
            "torch_rng_state",
            "random_states",
            "state/rng",
        ] {
            assert!(is_sibling(key), "{key}");
        }
        for key in [
            "optimal_model",
            "adopted",
            "model_optimal",
            "options",
            "optical_flow",
            "rescheduled",
            "grayscaler_model",
            "hyper",
            "parameters",
            "hyper/parameters",
            "randomized_net",
            "wrng",
            "developers",
            "state_dict",
            "",
        ] {
            assert!(!is_sibling(key), "{key}");
        }
    }

    #[test]
    fn losses_and_averages_are_recognised_by_whole_words() {
        for path in
            ["loss.weight", "criterion.pos_weight", "state/val_loss", "loss_fn.weight", "losses.0.weight", "BCELoss.pos_weight", "loss2.w"]
        {
            assert!(is_loss(path), "{path}");
        }
        for path in ["class_weights", "model.classWeights", "criterion2.pos_weight", "val_metrics.MulticlassAccuracy.tp", "val_f1.tp"] {
            assert!(is_buffer(path, &[5]), "{path}");
        }
        for (path, shape) in [("class_weights", &[5, 5][..]), ("pool.p", &[1]), ("head.scale", &[5]), ("bias", &[5]), ("output.fn2", &[5])]
        {
            assert!(!is_buffer(path, shape), "{path}");
        }
        assert!(is_of_pictures("pixel_mean") && is_of_pictures("normalize.mean") && !is_of_pictures("target.mean"));
        for path in ["blossom.weight", "lossless.weight", "gloss/weight", "glossary.weight", "criterionless.weight", "classifier.weight"] {
            assert!(!is_loss(path), "{path}");
        }
        for path in
            ["arcface.weight", "arc_face.weight", "ArcMarginProduct.weight", "head.arc.weight", "metric_fc.weight", "CosFace.weight"]
        {
            assert!(compares_directions(path), "{path}");
        }
        for path in ["arch.weight", "search.weight", "fc.weight", "cosmetic.weight"] {
            assert!(!compares_directions(path), "{path}");
        }
        for path in ["state_dict_ema/", "ema_model.", "model-ema", "EMAModel", "emamodel.module.", "swa_model"] {
            assert!(is_average(path), "{path}");
        }
        for path in ["schema.", "cinema/", "swap_model", "emanet"] {
            assert!(!is_average(path), "{path}");
        }
    }
}
