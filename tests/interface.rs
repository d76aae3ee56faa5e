//! What of the library others see: its words and its names.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Every source file of the library.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    assert!(files.len() > 50, "found {} files only", files.len());
    files
}

/// Every literal that is no documentation.
fn literals(tokens: TokenStream, found: &mut Vec<String>) {
    let mut is_attribute = false;
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => found.push(literal.to_string()),
            TokenTree::Group(group) => {
                let is_documentation = is_attribute
                    && group.delimiter() == Delimiter::Bracket
                    && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc");
                if !is_documentation {
                    literals(group.stream(), found);
                }
                is_attribute = false;
            }
            TokenTree::Punct(punct) => is_attribute = punct.as_char() == '#' || is_attribute && punct.as_char() == '!',
            TokenTree::Ident(_) => is_attribute = false,
        }
    }
}

/// Whether a text has a flag, or a command of the program's, in it.
fn names_the_command_line(text: &str) -> bool {
    let text = text.replace("gdcmconv --raw", ""); // a program of others
    let is_flag = |(at, _): (usize, &str)| {
        let name: String = text[at + 2..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        name.starts_with(|c: char| c != '-') && !name.ends_with('-') && !text[..at].ends_with('-')
    };
    let commands =
        ["`densenet ", "cargo install", "cargo run", "densenet classify", "densenet devices", "densenet infer", "densenet verify"];
    text.match_indices("--").any(is_flag) || commands.iter().any(|command| text.contains(command))
}

#[test]
fn the_library_does_not_name_the_command_line() {
    for text in ["use another --device", "see `densenet verify`", "\"cargo install --path cli\""] {
        assert!(names_the_command_line(text), "{text}");
    }
    let mut count = 0;
    for (path, text) in sources() {
        let mut found = Vec::new();
        literals(text.parse().unwrap(), &mut found);
        count += found.len();
        for text in found {
            assert!(!names_the_command_line(&text), "{}: {text}: the library's words, and cli/src/remedy.rs adds the flag", path.display());
        }
    }
    assert!(count > 1000, "found {count} literals only");
}

#[test]
fn no_two_types_have_one_name() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (path, text) in sources() {
        // What is `pub` can be reached: the lint `unreachable_pub` sees to it.
        for line in text.lines().map(str::trim_start) {
            let kinds = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
            let Some(rest) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else { continue };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            places.entry(name).or_default().push(path.clone());
        }
    }
    assert!(places.contains_key("Engine") && places.len() > 60, "{places:?}");
    let twice: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// A newcomer reads the root first: what few need lies in a module.
#[test]
fn the_root_has_few_nouns() {
    let root = include_str!("../src/lib.rs");
    let own = root.lines().filter_map(|line| line.strip_prefix("pub use ")).filter_map(|path| path.trim_end_matches(';').split_once("::"));
    let nouns: Vec<&str> = own.flat_map(|(_, items)| items.trim_matches(['{', '}']).split(", ")).collect();
    assert!(["Classifier", "Engine", "Error"].iter().all(|noun| nouns.contains(noun)), "{nouns:?}");
    assert!(nouns.len() <= 16, "{} nouns: {nouns:?}", nouns.len());
}

#[test]
fn every_item_has_one_path() {
    let root = include_str!("../src/lib.rs");
    let mut names = Vec::new();
    for statement in root.split(';').map(str::trim) {
        let Some(path) = statement.split("pub use ").nth(1).filter(|path| path.contains("::")) else { continue };
        let (module, items) = path.trim_start_matches("crate::").split_once("::").unwrap();
        let is_public = root.lines().any(|line| line == format!("pub mod {module};"));
        assert!(!is_public || path.starts_with("crate::image::resize::"), "{module} is public: {path} has two paths");
        names.extend(items.trim_matches(['{', '}']).split(',').map(|name| name.trim().to_owned()));
    }
    assert!(names.len() > 40, "{names:?}");
    let mut once = names.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{names:?}");
}
