//! No file of a crate imports what imports it, by itself or through others: each can be read before those that need it.
//!
//! What a file says counts, in `use` lines and in paths; that it has modules (`mod`) does not. A name that a module hands on is
//! imported from the file that declares it: so a `mod.rs` may be the door of its folder, and files in there may go through it, as
//! long as they want nothing of the door's own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// Names from the crate's root to a module; none for the root.
type Module = Vec<String>;

/// A module's file.
struct File {
    /// Without comments and tests, and lines of `use` and `mod`.
    code: String,
    /// The names that `use` lines bring, and the path of each.
    imports: BTreeMap<String, Vec<String>>,
}

fn words(path: &str) -> Vec<String> {
    path.split("::").map(str::to_owned).collect()
}

impl File {
    fn parse(text: &str) -> Self {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().replace("pub(in crate", "pub(in "); // who sees it, no import
        let (mut rest, mut imports) = (String::new(), BTreeMap::new());
        let mut statement: Option<String> = None;
        // A module inside a file may use its file, which is no import.
        let own = |line: &&str| !line.starts_with("    use super::");
        for line in code.lines().filter(own).map(|line| line.split("//").next().unwrap().trim()) {
            let visible = line.split_once(' ').filter(|(first, _)| first.starts_with("pub")).map_or(line, |(_, rest)| rest);
            match (&mut statement, visible.strip_prefix("use ")) {
                (Some(begun), _) => begun.push_str(line),
                (None, Some(begun)) => statement = Some(begun.to_owned()),
                (None, None) if visible.starts_with("mod ") && visible.ends_with(';') => {}
                (None, None) => rest.extend([line, "\n"]),
            }
            if statement.as_ref().is_some_and(|statement| statement.ends_with(';')) {
                import("", statement.take().unwrap().trim_end_matches(';'), &mut imports);
            }
        }
        Self { code: rest, imports }
    }

    /// Every path in the code that begins with `name`, from there on.
    fn paths<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Vec<String>> + 'a {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(name).filter_map(move |(at, _)| {
            let path = &self.code[at..];
            let path = &path[..path.find(|c| !is_word(c) && c != ':').unwrap_or(path.len())];
            let path = words(path.trim_end_matches(':'));
            let begins = !self.code[..at].ends_with(|c| is_word(c) || c == ':' || c == '.');
            (begins && path[0] == name).then_some(path)
        })
    }
}

/// Takes apart `a::{b, c::d as e}` behind `prefix`.
fn import(prefix: &str, tree: &str, imports: &mut BTreeMap<String, Vec<String>>) {
    let Some((path, group)) = tree.split_once('{') else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, tree.rsplit("::").next().unwrap()));
        let mut path = words(&format!("{prefix}{path}"));
        path.retain(|word| !word.is_empty());
        let name = if name == "self" { path.pop().and(path.last().cloned()).unwrap() } else { name.to_owned() };
        imports.insert(name, path);
        return;
    };
    let (mut depth, mut start) = (0, 0);
    let group = group.strip_suffix('}').unwrap();
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let tree = group[start..at].trim();
                if !tree.is_empty() {
                    import(&format!("{prefix}{path}"), tree, imports);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The files of a crate.
struct Crate(BTreeMap<Module, File>);

impl Crate {
    fn read(folder: &Path) -> Self {
        let (mut folders, mut files) = (vec![folder.to_path_buf()], BTreeMap::new());
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
                    let inside = path.strip_prefix(folder).unwrap().with_extension("");
                    let mut module: Module = inside.iter().map(|word| word.to_str().unwrap().to_owned()).collect();
                    if matches!(module.last().unwrap().as_str(), "mod" | "lib" | "main") {
                        module.pop();
                    }
                    files.insert(module, File::parse(&text));
                }
            }
        }
        Self(files)
    }

    /// The file that declares what `path` means in `module`; `None` for another crate's.
    fn declares(&self, module: &[String], path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.walk(Vec::new(), rest),
            "super" => self.walk(module[..module.len().checked_sub(1)?].to_vec(), rest),
            "self" => self.walk(module.to_vec(), rest),
            _ if self.0.contains_key(&[module, &path[..1]].concat()) => self.walk(module.to_vec(), path),
            _ => {
                let imported = self.0[module].imports.get(first).filter(|imported| imported[0] != *first)?;
                self.declares(module, &[imported, rest].concat())
            }
        }
    }

    /// The same for a path from a module on.
    fn walk(&self, mut module: Module, path: &[String]) -> Option<Module> {
        for (at, name) in path.iter().enumerate() {
            let inner = [&module[..], &path[at..=at]].concat();
            if name == "super" {
                module.pop();
            } else if self.0.contains_key(&inner) {
                module = inner;
            } else if self.0[&module].imports.contains_key(name) {
                return self.declares(&module, &path[at..]);
            } else {
                break;
            }
        }
        Some(module)
    }

    /// The files that a module's file imports from.
    fn imported(&self, module: &Module) -> BTreeSet<Module> {
        let file = &self.0[module];
        let children = self.0.keys().filter(|other| other.len() == module.len() + 1 && other.starts_with(module));
        let modules = children.map(|child| child.last().unwrap().as_str()).chain(["crate", "super", "self"]);
        let in_modules = modules.flat_map(|name| file.paths(name)).filter(|path| path.len() > 1);
        let imported = file.imports.keys().flat_map(|name| file.paths(name));
        in_modules.chain(imported).filter_map(|path| self.declares(module, &path)).filter(|imported| imported != module).collect()
    }

    /// The shortest circle through a module, if it is in one.
    fn circle(imports: &BTreeMap<Module, BTreeSet<Module>>, module: &Module) -> Option<Vec<Module>> {
        let (mut ways, mut known) = (VecDeque::from([vec![module.clone()]]), BTreeSet::new());
        while let Some(way) = ways.pop_front() {
            for next in &imports[way.last().unwrap()] {
                if next == module {
                    return Some(way);
                }
                if known.insert(next.clone()) {
                    ways.push_back([way.clone(), vec![next.clone()]].concat());
                }
            }
        }
        None
    }

    /// Every shortest circle, once.
    fn circles(&self) -> BTreeSet<String> {
        let imports: BTreeMap<Module, BTreeSet<Module>> = self.0.keys().map(|module| (module.clone(), self.imported(module))).collect();
        let circles = self.0.keys().filter_map(|module| Self::circle(&imports, module));
        let text = |way: Vec<Module>| {
            let first = way.iter().position(|module| Some(module) == way.iter().min()).unwrap();
            let turned = [&way[first..], &way[..first]].concat();
            turned
                .iter()
                .map(|module| if module.is_empty() { "the root".into() } else { module.join("::") })
                .collect::<Vec<_>>()
                .join(" → ")
        };
        circles.map(text).collect()
    }
}

#[test]
fn circles_are_found() {
    let circles = |files: &[(&str, &str)]| {
        let module = |name: &str| name.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Crate(files.iter().map(|(name, text)| (module(name), File::parse(text))).collect()).circles().into_iter().collect::<Vec<_>>()
    };
    let root = ("", "mod room;\n");
    let (a, b) = (("room::a", "pub struct A;\n"), ("room::b", "use super::A;\nfn f(_: A) {}\n"));
    assert!(circles(&[root, ("room", "mod a;\nmod b;\npub use a::A;\n"), a, b]).is_empty());
    // The same by something of the door's own.
    let own = ("room::a", "use super::own;\npub struct A;\nfn f() { own() }\n");
    assert_eq!(circles(&[root, ("room", "mod a;\npub(crate) use a::{\n    A,\n};\npub fn own() { A; }\n"), own]), ["room → room::a"]);
    // By paths, through a third.
    let [x, y, z] = ["crate::y::f()", "super::z::f::<X>()", "crate::x::f() // crate::y"].map(|path| format!("pub fn f() {{ {path} }}\n"));
    assert_eq!(circles(&[("", "mod x;\n"), ("x", &x), ("y", &y), ("z", &z)]), ["x → y → z"]);
}

#[test]
fn no_file_imports_what_imports_it() {
    for folder in ["src", "cli/src"] {
        let files = Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        assert!(files.0.len() > 50, "{folder} has {} files only", files.0.len());
        let circles: Vec<String> = files.circles().into_iter().collect();
        assert!(circles.is_empty(), "{} circles in {folder}:\n{}", circles.len(), circles.join("\n"));
    }
}
