//! Imports only go down the floors (ARCHITECTURE.md), and only the floor of devices says `wgpu`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the library, from the lowest floor up. A module imports only from lower floors.
const FLOORS: [&[&str]; 18] = [
    &[
        "activation",
        "cores",
        "shape",
        "nearest",
        "nonlinearity",
        "environment",
        "vulkan_loader",
        "whole_file",
        "guarded",
        "drawing",
        "samples",
        "random",
    ],
    &["error", "cache"],
    &["labels"],
    &["graph"],
    &["head"],
    &["arch"],
    &["weights"],
    &["image", "reference"],
    &["kernels"],
    &["plan"],
    &["gpu"],
    &["engine"],
    &["peak"],
    &["hub"],
    &["models"],
    &["profile", "verify", "evaluate"],
    &["classifier", "fit"],
    &["lib"],
];

/// Modules that say `wgpu`.
const DEVICES: [&str; 3] = ["gpu", "engine", "peak"];

/// The module that the file at `path` belongs to.
fn module(path: &Path) -> String {
    let path = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap().with_extension("");
    path.components().next().unwrap().as_os_str().to_str().unwrap().to_owned()
}

/// Every source file, and its code without comments and tests.
fn sources() -> Vec<(PathBuf, String)> {
    let (mut folders, mut files) = (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
                files.push((path, code));
            }
        }
    }
    files
}

/// The names after `crate::` in `code`: modules, and items at the root such as `crate::Result`.
fn imports(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

#[test]
fn imports_go_down() {
    for (path, code) in sources() {
        let own = module(&path);
        let own_floor = floor(&own).unwrap_or_else(|| panic!("{} is on no floor", path.display()));
        for imported in imports(&code).filter(|imported| *imported != own) {
            let is_below = floor(imported).is_none_or(|imported| imported < own_floor);
            assert!(is_below, "{} imports {imported}, which is not below it", path.display());
        }
    }
}

#[test]
fn every_module_on_a_floor_exists() {
    let sources = sources();
    for known in FLOORS.concat() {
        assert!(sources.iter().any(|(path, _)| module(path) == known), "{known}");
    }
}

#[test]
fn only_the_floor_of_devices_says_wgpu() {
    for (path, code) in sources() {
        let says = code.match_indices("wgpu::").any(|(at, _)| !code[..at].ends_with('_'));
        assert!(!says || DEVICES.contains(&module(&path).as_str()), "{} says wgpu", path.display());
    }
}
