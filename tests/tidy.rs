//! The style guide as a test: sizes, headers, directions of imports, words that are not used here.
//!
//! An exception is a line in a table of this file, and the tables may only shrink: one that is no longer needed fails too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Where Rust of ours is, and nothing else's.
const RUST: &[&str] = &["src", "tests", "benches", "tools"];

/// Files that are longer than a file may be.
const LONG_FILES: &[&str] = &[];
/// Functions that are longer than a function may be: `file: name`.
const LONG_FUNCTIONS: &[&str] = &[];

/// Which module may use which: the left of the colon may say `crate::` and a name on the right. The arrows of the style guide.
const MAY_USE: &[(&str, &[&str])] = &[
    ("ids", &["limits"]),
    ("limits", &[]),
    ("secret", &[]),
    ("protocol", &["ids", "limits", "secret"]),
    ("subject", &["ids", "limits"]),
    ("routing", &["ids", "limits", "protocol", "subject"]),
    ("auth", &["ids", "limits", "secret", "protocol", "subject", "routing", "config"]),
    ("connection", &["ids", "limits", "buffer", "protocol", "subject", "routing", "auth", "config", "secret"]),
    ("buffer", &["limits"]),
    ("identity", &["limits"]),
    ("fabric", &["ids", "limits", "buffer"]),
    // `os::poll` is what the links' `Schedule` stands for in a server.
    ("os", &["ids", "limits", "config", "fabric"]),
    ("config", &["ids", "limits", "secret", "protocol", "subject"]),
    ("cli", &["limits", "secret", "config", "tls"]),
    ("log", &["ids", "limits", "config", "os"]),
    ("tls", &["ids", "limits", "secret", "auth", "config", "os"]),
    (
        "reactor",
        &[
            "ids",
            "limits",
            "buffer",
            "protocol",
            "subject",
            "routing",
            "auth",
            "connection",
            "fabric",
            "os",
            "config",
            "tls",
            "log",
        ],
    ),
    (
        "monitor",
        &["ids", "limits", "identity", "secret", "subject", "routing", "config", "os", "log", "tls", "reactor"],
    ),
    (
        "server",
        &[
            "ids",
            "limits",
            "secret",
            "buffer",
            "identity",
            "protocol",
            "subject",
            "routing",
            "auth",
            "connection",
            "fabric",
            "os",
            "config",
            "tls",
            "log",
            "cli",
            "monitor",
            "reactor",
        ],
    ),
];

/// Edges against the arrows: `file: module`.
const EXTRA_EDGES: &[&str] = &[];

/// Folders whose code gets bytes, ids and `now`, and gives back effects.
const PURE: &[&str] = &["protocol", "subject", "routing", "auth", "connection"];
/// What a pure folder holds nothing of.
const IMPURE: &[&str] =
    &["std::net", "Instant::now", "SystemTime", "std::thread", "std::sync::atomic", "std::fs", "mio::", "socket2::"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "types", "misc"];

/// Spelt in two halves, so that this file does not contain what it forbids. They hold in `src`, `tests` and `tools`:
/// a bench may wait for time to pass.
const FORBIDDEN: &[(&str, &str)] = &[
    ("todo", "!("),
    ("unimplemented", "!("),
    ("dbg", "!("),
    ("#[ign", "ore"),
    ("thread::sl", "eep"),
    ("static mu", "t "),
    ("thread_lo", "cal!"),
    ("#[all", "ow("),
    ("/ho", "me/"),
    ("/wo", "rk/"),
];

/// Forbidden words that have a reason where they are: `file: first half`.
const EXCUSED_WORDS: &[&str] = &[
    // The log thread, before a pipe that somebody else made non-blocking: there is nothing of ours to wait for.
    "src/log/sink.rs: thread::sl",
    // A rest that the user asked for (`--rest_us`): not to be woken is what it is for.
    "src/os/poll.rs: thread::sl",
];

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines of code that are part of the program: no comments, and not the tests at the end of the file.
    fn code(&self) -> impl Iterator<Item = &str> {
        let tests = self.text.find("\n#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        self.text[..tests].lines().filter(|line| !line.trim_start().starts_with("//"))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = RUST.iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        // A folder of the tree that has nothing in it yet.
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_built = path.file_name().is_some_and(|name| name == "target" || name == "node_modules");
            if path.is_dir() && !is_built {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is text");
                let path = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
                files.push(Source { path, text });
            }
        }
    }
    assert!(files.len() > 10, "the sources are not where this test looks");
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Fails with what is wrong, and with exceptions that nobody needs any more.
fn settle(what: &str, found: impl IntoIterator<Item = String>, exceptions: &[&str]) {
    let found: BTreeSet<String> = found.into_iter().collect();
    let excused: BTreeSet<String> = exceptions.iter().map(|&name| name.to_owned()).collect();
    let wrong: Vec<_> = found.difference(&excused).collect();
    let unneeded: Vec<_> = excused.difference(&found).collect();
    assert!(wrong.is_empty(), "{what}:\n{wrong:#?}");
    assert!(unneeded.is_empty(), "{what}: exceptions that are no longer needed:\n{unneeded:#?}");
}

#[test]
fn files_are_short() {
    let long = sources().into_iter().filter(|source| source.text.lines().count() > FILE_LINES_MAX);
    settle("files over 500 lines", long.map(|source| source.path), LONG_FILES);
}

#[test]
fn functions_are_short() {
    let long = sources().into_iter().flat_map(|source| {
        let functions = functions(&source.text);
        let long = functions.into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
        long.map(move |(name, _)| format!("{}: {name}", source.path)).collect::<Vec<_>>()
    });
    settle("functions over 70 lines", long, LONG_FUNCTIONS);
}

/// Names and lengths of the functions in formatted source: from `fn` to the brace at the same depth.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some((before, after)) = code.split_once("fn ") else { continue };
        let is_item = before
            .split_whitespace()
            .all(|word| word.starts_with("pub") || ["const", "async", "unsafe", "extern", "\"C\""].contains(&word));
        if !is_item || code.starts_with("//") {
            continue;
        }
        let indent = line.len() - code.len();
        let is_end = |line: &&str| line.len() == indent + 1 && line.ends_with('}');
        let body = &lines[start..];
        // A declaration without a body, or a body on one line, ends where it begins.
        let ends_early =
            body.iter().take_while(|line| !line.trim_end().ends_with('{')).any(|line| line.ends_with([';', '}']));
        if !ends_early {
            let length = body.iter().position(is_end).map_or(body.len(), |end| end + 1);
            let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            functions.push((name.to_owned(), length));
        }
    }
    functions
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    settle("files that do not begin with a header", silent.map(|source| source.path), &[]);
}

#[test]
fn imports_point_one_way() {
    let mut against = Vec::new();
    for source in sources() {
        let Some(module) = module_of(&source.path) else { continue };
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            against.push(format!("{}: a module that the table does not know", source.path));
            continue;
        };
        for used in used_modules(source.code()) {
            if used != module && !allowed.contains(&used.as_str()) {
                against.push(format!("{}: {used}", source.path));
            }
        }
    }
    settle("uses against the arrows of the style guide", against, EXTRA_EDGES);
}

/// The top-level module that a file of the library belongs to. The roots of the crates may use everything, and so may
/// files of tests.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/").filter(|path| !path.ends_with("tests.rs"))?;
    let first = inside.split('/').next()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!["lib", "main", "bin"].contains(&name)).then_some(name)
}

/// What stands behind each `crate::`, groups included.
fn used_modules<'a>(code: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let code = code.collect::<Vec<_>>().join("\n");
    let mut used = BTreeSet::new();
    for (_, after) in code.match_indices("crate::").map(|(at, found)| (at, &code[at + found.len()..])) {
        let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match after.strip_prefix('{') {
            Some(group) => used.extend(group_heads(group).map(|item| name(item.trim()))),
            None => drop(used.insert(name(after))),
        }
    }
    // A name with a capital is a re-export of the root, and `self` is the root itself.
    used.retain(|name| name.starts_with(|c: char| c.is_lowercase()) && name != "self");
    used
}

/// The items of a `{…}` group, nested groups left out.
fn group_heads(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 1;
    let end = group.char_indices().find(|(_, c)| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth == 0
    });
    let inside = &group[..end.map_or(group.len(), |(at, _)| at)];
    let mut depth = 0;
    inside.split(move |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
}

#[test]
fn the_shapes_that_this_test_reads_are_read_right() {
    let text = "use crate::{ids::{A, B}, limits, Config};\n// crate::server\nfn f() { crate::routing::g() }\n";
    let tests = "\n#[cfg(test)]\nmod tests {\n    use crate::os;\n}\n";
    let source = Source { path: String::new(), text: format!("{text}{tests}") };
    assert_eq!(used_modules(source.code()), ["ids", "limits", "routing"].map(String::from).into());
    let text = "trait T {\n    fn a(&self);\n    fn b(&self) -> u8 {\n        0\n    }\n}\nfn c() {}\npub(crate) fn d(\n    x: u8,\n) {\n    x;\n}\n";
    assert_eq!(functions(text), [("b".to_owned(), 3), ("d".to_owned(), 5)]);
}

#[test]
fn pure_folders_hold_no_socket_clock_thread_or_atomic() {
    let mut impure = Vec::new();
    for source in sources() {
        if module_of(&source.path).is_some_and(|module| PURE.contains(&module)) {
            for line in source.code() {
                impure.extend(
                    IMPURE.iter().filter(|word| line.contains(**word)).map(|word| format!("{}: {word}", source.path)),
                );
            }
        }
    }
    settle("pure folders that touch the world", impure, &[]);
}

#[test]
fn names_say_what_is_inside() {
    let empty = sources()
        .into_iter()
        .map(|source| source.path)
        .filter(|path| path.split('/').any(|part| EMPTY_NAMES.contains(&part.strip_suffix(".rs").unwrap_or(part))));
    settle("files and folders with names that say nothing", empty, &[]);
}

#[test]
fn forbidden_words_are_absent() {
    let mut found = Vec::new();
    for source in sources().into_iter().filter(|source| !source.path.starts_with("benches/")) {
        for (first, second) in FORBIDDEN {
            let word = format!("{first}{second}");
            found.extend(source.text.contains(&word).then(|| format!("{}: {first}", source.path)));
        }
    }
    settle("words that do not belong here", found, EXCUSED_WORDS);
}

#[test]
fn unsafe_code_lives_in_its_files() {
    let word = format!("{}{}", "unsa", "fe {");
    let elsewhere = sources().into_iter().filter(|source| {
        source.path.starts_with("src/")
            && !["src/fabric/ring.rs", "src/os/argv.rs", "src/os/memory.rs"].contains(&source.path.as_str())
            && source.text.contains(&word)
    });
    settle("unsafe code outside its files", elsewhere.map(|source| source.path), &[]);
}
