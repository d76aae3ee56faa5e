//! Phrases that several messages share.

use std::fmt::Display;

/// The beginning of a message: the place, if known.
pub(super) fn before(place: Option<impl Display>) -> String {
    place.map(|place| format!("{place}: ")).unwrap_or_default()
}

/// The number of further ones.
pub(super) fn and_others(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", and {count} more") }
}

/// The adapters, each with its index.
pub(super) fn numbered(adapters: &[String]) -> String {
    let numbered: Vec<String> = adapters.iter().enumerate().map(|(index, adapter)| format!("{index} = {adapter}")).collect();
    numbered.join(", ")
}
