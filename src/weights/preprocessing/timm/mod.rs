//! How timm describes a model: `config.json` beside its published weights, and the arguments of its `train.py` in a checkpoint.

mod arguments;
mod config_json;
mod model_arguments;
mod pretrained;

pub(in crate::weights) use arguments::TrainArguments;
pub(in crate::weights) use config_json::ConfigJson;
