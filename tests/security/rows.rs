//! README.md beside this file names a test for each row, or says why there is none. Here: that those tests are there.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Where tests are.
const FOLDERS: [&str; 3] = ["src", "tests", "tools"];

/// The names of all tests.
fn tests() -> HashSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|name| root.join(name)).collect();
    let mut names = HashSet::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("a folder of ours").flatten().map(|entry| entry.path()) {
            let is_built = path.file_name().is_some_and(|name| name == "target" || name == "node_modules");
            if path.is_dir() && !is_built {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                names.extend(tests_of(&std::fs::read_to_string(path).expect("a source file is text")));
            }
        }
    }
    names
}

fn tests_of(source: &str) -> Vec<String> {
    let after_attribute = source.split("#[test]\n").skip(1);
    let named = after_attribute.filter_map(|rest| rest.trim_start().strip_prefix("fn ")?.split('(').next());
    named.map(str::to_owned).collect()
}

/// The rows: what they are about, and what stands behind it.
fn rows() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("README.md").lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Id |"));
    lines
        .map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let (Some(id), Some(_), Some(held), None) = (cells.next(), cells.next(), cells.next(), cells.next()) else {
                panic!("a row has three cells: {line}");
            };
            (id, held)
        })
        .collect()
}

/// What stands between backticks and may be a test.
fn named(held: &str) -> impl Iterator<Item = &str> {
    held.split('`').skip(1).step_by(2).filter(|name| name.contains('_'))
}

/// An identifier as a test's name has it, in parts: any of them.
fn parts(id: &str) -> Vec<String> {
    let spelled = |part: &str| part.to_lowercase().replace('-', "_");
    let words = id.split([' ', ',']).filter(|word| word.chars().any(|c| c.is_ascii_digit()));
    words.map(spelled).collect()
}

#[test]
fn every_row_has_a_test_that_is_there_or_says_why_not() {
    let tests = tests();
    let mut missing = Vec::new();
    let rows = rows();
    for (id, held) in &rows {
        missing.extend(named(held).filter(|name| !tests.contains(*name)).map(|name| format!("{id}: {name}")));
        let has_reason = ["Not ", "the fuzz target"].iter().any(|reason| held.contains(reason));
        assert!(named(held).next().is_some() || has_reason, "{id} has neither a test nor a reason");
    }
    assert_eq!(missing, [""; 0], "no tests of these names");
    assert!(rows.len() > 50, "the table is not where this test looks");
}

/// Whoever looks for an identifier finds its test, and whoever names a test after one finds its row.
#[test]
fn names_carry_the_identifiers_of_their_rows() {
    let (tests, rows) = (tests(), rows());
    for (id, held) in &rows {
        let parts = parts(id);
        let carries = |name: &str| parts.iter().any(|part| name.contains(part.as_str()));
        let first = named(held).next();
        let borrowed = held.contains("one rule for all of them") || held.starts_with("Not here yet");
        assert!(parts.is_empty() || borrowed || first.is_none_or(carries), "{id}: {first:?} does not carry it");
    }
    let all: HashSet<&str> = rows.iter().flat_map(|(_, held)| named(held)).collect();
    let prefixes = ["cve_", "ghsa_", "nat_0", "tob_nats", "commit_"];
    let unknown = tests.iter().filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    let known_rows: Vec<String> = rows.iter().flat_map(|(id, _)| parts(id)).collect();
    for name in unknown.filter(|name| !all.contains(name.as_str())) {
        assert!(known_rows.iter().any(|part| name.contains(part.as_str())), "{name} has no row");
    }
}
