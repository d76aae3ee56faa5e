//! Paths in a file: the keys of the dictionaries around a tensor or module with `/` between them, then its name, whose parts have `.`
//! between them.

/// A name that begins with `prefix` in the dictionary `scope`.
pub(super) fn join(scope: &str, prefix: &str) -> String {
    if scope.is_empty() { prefix.to_owned() } else { format!("{scope}/{prefix}") }
}

/// Whether `path` is that of `holder`, or of what is in it.
pub(super) fn is_below(path: &str, holder: &str) -> bool {
    path == holder || holder.is_empty() || path.strip_prefix(holder).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether a name ends in `ending`, as whole keys.
pub(super) fn ends_in(name: &str, ending: &str) -> bool {
    name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', '/']))
}

/// The part that all paths begin with, without the last part of each.
pub(super) fn common(paths: &[&str]) -> String {
    let holders: Vec<Vec<&str>> =
        paths.iter().map(|path| path.rsplit_once('.').map_or(Vec::new(), |(holder, _)| holder.split('.').collect())).collect();
    let Some(first) = holders.first() else { return String::new() };
    let shared = (0..first.len()).take_while(|&at| holders.iter().all(|holder| holder.get(at) == first.get(at))).count();
    first[..shared].join(".")
}
