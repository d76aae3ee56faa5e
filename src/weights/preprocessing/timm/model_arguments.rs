//! What timm makes a model with.

use serde::Deserialize;

use crate::error::{Error, Result};

/// What a model was made with, where that is not its architecture's.
#[derive(Default, Deserialize)]
pub(super) struct ModelArguments {
    #[serde(default)]
    act_layer: Option<String>,
    #[serde(default)]
    pub(super) aa_layer: Option<String>,
    #[serde(default)]
    global_pool: Option<String>,
}

impl ModelArguments {
    /// Errors where a network is made with what no weights would show. `pool` is its pool where that is stated elsewhere, and `whose`
    /// is where all this is stated.
    pub(super) fn check(&self, pool: Option<&str>, whose: &str) -> Result<()> {
        let pool = pool.or(self.global_pool.as_deref()).unwrap_or("avg");
        // Both side by side are twice as many features, which weights do show.
        let is_other_pool = pool.contains("max") && !pool.contains("catavgmax");
        let activation = self.act_layer.as_deref().filter(|activation| !activation.eq_ignore_ascii_case("relu"));
        let found = match activation {
            Some(activation) => format!("the activation {activation:?}"),
            None if is_other_pool => format!("the pool {pool:?}"),
            None => return Ok(()),
        };
        Err(Error::checkpoint(format!(
            "{whose}: expected a network with ReLUs and a pool of means, found {found}: such networks are not run"
        )))
    }
}
