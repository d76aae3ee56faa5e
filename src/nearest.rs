//! What was probably meant by a name that nothing has.
//!
//! ```
//! use densenet_wgpu::internal::suggestion;
//! use densenet_wgpu::Config;
//!
//! let message = format!("no architecture is called desnet121{}", suggestion("desnet121", Config::names()));
//! assert_eq!(message, "no architecture is called desnet121; did you mean densenet121?");
//! ```

/// The name of `known` that takes the fewest typing errors (a letter too many, missing, wrong, or two swapped) to become
/// `name`, in capitals or not; of equal ones the first. `None` where all take more than one can have made: half of the
/// letters of a short name, three of one of six to eleven, a third of a longer one.
///
/// ```
/// use densenet_wgpu::internal::nearest;
///
/// assert_eq!(nearest("densnet121", ["digits", "densenet121"]), Some("densenet121"));
/// assert_eq!(nearest("giraffe", ["digits", "densenet121"]), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let length = name.chars().count();
    let most = (length / 3).max(3).min(length / 2);
    let errors = |known: &'a str| (strsim::osa_distance(&name, &known.to_lowercase()), known);
    let (errors, known) = known.into_iter().map(errors).min_by_key(|(errors, _)| *errors)?;
    (errors <= most).then_some(known)
}

/// `"; did you mean "` and [`nearest`]'s answer, for the end of a message; nothing where it has none.
///
/// ```
/// use densenet_wgpu::internal::suggestion;
///
/// assert_eq!(suggestion("digit", ["digits"]), "; did you mean digits?");
/// assert_eq!(suggestion("giraffe", ["digits"]), "");
/// ```
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_errors_are_forgiven_as_a_name_is_long() {
        let known = ["digits", "cat", "densenet121", "densenet169", "features.denseblock1.denselayer1.conv1"];
        let near = |name| nearest(name, known);
        assert_eq!(["digit", "DIGITS", "idgits"].map(near), [Some("digits"); 3]);
        assert_eq!(["densenet", "dense121", "densenet16"].map(near), [Some("densenet121"), Some("densenet121"), Some("densenet169")]);
        assert_eq!((near("cats"), near("dog"), near("c"), near("")), (Some("cat"), None, None, None));
        assert_eq!(near("features.denseblok1.denselayer1.conf1"), Some(known[4]));
        assert_eq!((suggestion("cst", known), suggestion("horse", known)), ("; did you mean cat?".into(), String::new()));
    }
}
