//! What the documentation says of this repository and its program is there: links, headings, files, commands and flags.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Every Markdown file, and its text.
fn documents() -> BTreeMap<PathBuf, String> {
    let (mut folders, mut documents) = (vec![PathBuf::from(ROOT)], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_foreign = name == "target" || (name.starts_with('.') && name != ".github");
            if path.is_dir() && !path.is_symlink() && !is_foreign {
                folders.push(path);
            } else if name.ends_with(".md") && !path.is_symlink() {
                documents.insert(path.clone(), fs::read_to_string(path).unwrap());
            }
        }
    }
    documents
}

/// The text outside of fences, and the lines inside of those that begin with `language`.
fn split(text: &str, language: &str) -> (String, Vec<String>) {
    let (mut prose, mut code, mut fence) = (String::new(), Vec::new(), None);
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &fence) {
            (Some(name), None) => fence = Some(name.to_owned()),
            (Some(_), Some(_)) => fence = None,
            (None, Some(name)) if name == language => code.push(line.to_owned()),
            (None, Some(_)) => {}
            (None, None) => prose += &format!("{line}\n"),
        }
    }
    (prose, code)
}

/// The words between backticks; one may be broken at the end of a line.
fn spans(prose: &str) -> impl Iterator<Item = String> {
    prose.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " "))
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = split(text, "").0;
    let headings =
        headings.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |c: &char| c.is_alphanumeric() || ['-', '_', ' '].contains(c);
    headings.map(|heading| heading.chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// What is wrong with the links of the document at `path`.
fn dead_links(path: &Path, text: &str) -> Vec<String> {
    let prose = split(text, "").0;
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let is_dead = |target: &&str| {
        let (file, anchor) = target.split_once('#').map_or((*target, None), |(file, anchor)| (file, Some(anchor)));
        let there = if file.is_empty() { path.to_owned() } else { path.parent().unwrap().join(file) };
        !there.exists() || anchor.is_some_and(|anchor| !anchors(&fs::read_to_string(there).unwrap()).contains(anchor))
    };
    targets.filter(|target| !target.contains("://")).filter(is_dead).map(|target| format!("{}: {target}", path.display())).collect()
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_densenet")).args(arguments).arg("--help").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Every command of the program, with its flags.
fn commands() -> BTreeMap<String, BTreeSet<String>> {
    let listed = help(&[]);
    let names = listed.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let flags = |name: &str| {
        let flags = help(&[name]);
        let flags = flags.lines().map(str::split_whitespace).flat_map(|words| words.take_while(|word| word.starts_with('-')));
        flags.map(|flag| flag.trim_end_matches(',').to_owned()).collect()
    };
    names.filter_map(|line| line.split_whitespace().next()).map(|name| (name.to_owned(), flags(name))).collect()
}

/// What `line`, a shell's, asks of the program that it has not.
fn unknown(line: &str, commands: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default();
    let mut unknown = Vec::new();
    for call in line.split(['|', ';']).filter_map(|part| part.trim().trim_start_matches("exec ").strip_prefix("densenet ")) {
        let mut words = call.split_whitespace().map(|word| word.split('=').next().unwrap_or(word));
        let name = words.next().unwrap_or_default();
        let is_placeholder = name.chars().all(char::is_uppercase) || name.starts_with('-');
        match commands.get(name) {
            Some(flags) => unknown.extend(words.filter(|w| w.len() > 1 && w.starts_with('-') && !flags.contains(*w)).map(str::to_owned)),
            None if is_placeholder => {}
            None => unknown.push(name.to_owned()),
        }
    }
    unknown
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    assert!(documents.len() > 15 && documents.contains_key(&Path::new(ROOT).join("docs/devices.md")));
    let dead: Vec<String> = documents.iter().flat_map(|(path, text)| dead_links(path, text)).collect();
    assert_eq!(dead, [""; 0]);
}

#[test]
fn every_command_and_flag_is_the_programs() {
    let commands = commands();
    assert!(commands["classify"].contains("--heatmap") && commands["verify"].contains("-m"), "{commands:?}");
    for (path, text) in documents() {
        let (prose, code) = split(&text, "sh");
        for line in code.into_iter().chain(spans(&prose)) {
            assert_eq!(unknown(&line, &commands), [""; 0], "{}: {line}", path.display());
        }
    }
}

#[test]
fn every_file_that_is_named_is_there() {
    let names_a_file =
        |span: &String| [".rs", ".sh", ".py", ".wgsl", ".md"].iter().any(|ending| span.ends_with(ending)) && !span.contains(['*', ' ']);
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "shaders/README.md", "benches/README.md"] {
        let text = fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
        // `x` stands for any kernel.
        for span in spans(&split(&text, "").0).filter(names_a_file).filter(|span| !span.contains("/x.")) {
            let is_there = ["", "src", "shaders", "src/kernels"].iter().any(|folder| Path::new(ROOT).join(folder).join(&span).exists());
            assert!(is_there, "{document} names {span}");
        }
    }
}

#[test]
fn what_is_not_there_is_noticed() {
    let commands = commands();
    assert_eq!(unknown("cat list | densenet classify - --modle digits  # --not-this", &commands), ["--modle"]);
    assert_eq!(unknown("densenet clasify x; densenet COMMAND --help", &commands), ["clasify"]);
    assert_eq!(anchors("# One `two` (3)\n```sh\n# no heading\n```\n"), BTreeSet::from(["one-two-3".to_owned()]));
    let text = "[a](#two-commands) [b](#two) [c](no.md) [d](https://example.org)\n```sh\n[e](gone.md)\n```\n";
    let dead = dead_links(&Path::new(ROOT).join("README.md"), text);
    assert!(dead.len() == 2 && dead[0].ends_with(": #two") && dead[1].ends_with(": no.md"), "{dead:?}");
}
