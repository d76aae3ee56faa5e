//! Parts of sentences that several messages have.

use std::fmt::Display;

/// A place before what is wrong there, where it is known.
pub(super) fn before(place: Option<impl Display>) -> String {
    place.map(|place| format!("{place}: ")).unwrap_or_default()
}

/// How many more there are.
pub(super) fn and_others(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", and {count} more") }
}

/// What there is, each after its index.
pub(super) fn numbered(adapters: &[String]) -> String {
    let numbered: Vec<String> = adapters.iter().enumerate().map(|(index, adapter)| format!("{index} = {adapter}")).collect();
    numbered.join(", ")
}
