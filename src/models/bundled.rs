//! Models that are part of the library.

use crate::error::Result;
use crate::weights::Checkpoint;

/// Names and safetensors files of the bundled models. `models/digits.md` is the card of `digits`.
const BUNDLED: [(&str, &[u8]); 1] = [("digits", include_bytes!("../../models/digits.safetensors"))];

/// The bundled model of that name; `None` if there is none.
pub fn bundled(name: &str) -> Option<Result<Checkpoint>> {
    let (name, bytes) = BUNDLED.iter().find(|(known, _)| *known == name)?;
    Some(Checkpoint::from_bytes(bytes, name))
}

/// Every name that [`bundled`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, _)| *name)
}

/// The file of the bundled model of that name.
pub(super) fn bytes(name: &str) -> Option<&'static [u8]> {
    BUNDLED.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_model_describes_itself() {
        for name in names() {
            let model = bundled(name).unwrap().unwrap();
            assert_eq!(model.name, name);
            assert!(model.labels.is_some() && model.preprocessing.is_some());
        }
        assert!(bundled("no such model").is_none());
    }
}
