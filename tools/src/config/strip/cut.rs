//! Which bytes of a file go: the block that only this server takes, and keys that are there for it alone.
//!
//! Owns where a block begins and ends for a reader: its line, its comma. Reads included files only to see whether they hold
//! such a block.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use dunlin::config::keys;
use dunlin::config::spans::{Outline, ValueKind, included, outline};
use dunlin::config::walk::{Scalar, walk};
use zeroize::Zeroizing;

/// The key that nats-server does not have.
const OWN: &[u8] = b"dunlin";
/// Files inside files: the server's own bound.
const DEPTH_MAX: usize = 32;

/// A text without what only this server takes.
#[derive(Default)]
pub(super) struct Stripped {
    /// What is left.
    pub(super) text: Zeroizing<Vec<u8>>,
    /// Keys at the top that are not there any more.
    pub(super) left_out: Vec<Vec<u8>>,
    /// What to tell.
    pub(super) notes: Vec<String>,
    /// It includes others.
    pub(super) has_includes: bool,
}

/// Strips one file; the files that it includes stay as they are.
pub(super) fn strip(path: &Path, text: &[u8]) -> Result<Stripped, String> {
    let mut stripped = cut(path, text)?;
    let mut seen = HashSet::new();
    note_included(path, text, 0, &mut seen, &mut stripped.notes);
    Ok(stripped)
}

/// Takes out what goes.
pub(super) fn cut(path: &Path, text: &[u8]) -> Result<Stripped, String> {
    let outline = well_formed(path, text)?;
    let mut stripped = Stripped {
        text: Zeroizing::new(text.to_vec()),
        left_out: vec![OWN.to_vec()],
        notes: Vec::new(),
        has_includes: outline.entries.iter().any(|entry| entry.kind == ValueKind::Include),
    };
    note_lines(path, &outline, text, &mut stripped.notes);
    let used_before = variables(path, text);
    stripped.text = without(&stripped.text, &[OWN.to_vec()]);
    // Keys that are there for the variables of the block: nats-server does not know them where nothing takes their values.
    loop {
        let used_after = variables(path, &stripped.text);
        let outline = outline_of(&stripped.text);
        let names = outline.entries.iter().filter(|entry| entry.parent.is_none() && entry.kind != ValueKind::Include);
        let names = names.filter_map(|entry| stripped.text.get(entry.name.clone()));
        let is_orphan =
            |name: &&[u8]| used_before.contains(*name) && !used_after.contains(*name) && keys::find(name).is_none();
        let orphans: Vec<Vec<u8>> = names.filter(is_orphan).map(<[u8]>::to_vec).collect();
        if orphans.is_empty() {
            return Ok(stripped);
        }
        for name in &orphans {
            let name = String::from_utf8_lossy(name);
            stripped.notes.push(format!("{}: \"{name}\" is left out: only the block took its value", path.display()));
        }
        stripped.text = without(&stripped.text, &orphans);
        stripped.left_out.extend(orphans);
    }
}

fn outline_of(text: &[u8]) -> Outline {
    outline(text)
}

/// The outline of a file that is in the grammar.
pub(super) fn well_formed(path: &Path, text: &[u8]) -> Result<Outline, String> {
    let outline = outline(text);
    match &outline.fault {
        Some(fault) => {
            let (name, line) = (path.display(), fault.line);
            Err(format!("{name}: Parse error on line {line}; 'dunlinctl config check {name}' says what is wrong there"))
        }
        None => Ok(outline),
    }
}

fn note_lines(path: &Path, outline: &Outline, text: &[u8], notes: &mut Vec<String>) {
    let line_of = |at: usize| 1 + memchr::memchr_iter(b'\n', text.get(..at).unwrap_or_default()).count();
    for range in ranges(outline, text, &[OWN.to_vec()]) {
        let (first, last) = (line_of(range.start), line_of(range.end));
        let lines = if first == last { format!("line {first}") } else { format!("lines {first} to {last}") };
        notes.push(format!("{}: the block dunlin is left out ({lines})", path.display()));
    }
}

/// The variables that a text uses.
fn variables(path: &Path, text: &[u8]) -> HashSet<Vec<u8>> {
    let mut used = HashSet::new();
    // It is in the grammar, as far as it goes.
    let _ended = walk(path, text, &mut |entry| {
        if let Scalar::Variable(name) = entry.value {
            used.insert(name);
        }
    });
    used
}

/// Keys and values at the top of a file that have one of these names.
fn ranges(outline: &Outline, text: &[u8], names: &[Vec<u8>]) -> Vec<Range<usize>> {
    let entries = outline.entries.iter().filter(|entry| entry.parent.is_none() && entry.kind != ValueKind::Include);
    let is_named = |name: &[u8]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let named = entries.filter(|entry| text.get(entry.name.clone()).is_some_and(is_named));
    named
        .map(|entry| {
            let before = entry.name.start.checked_sub(1).and_then(|at| text.get(at));
            let quote = usize::from(matches!(before, Some(b'"' | b'\'')) && before == text.get(entry.name.end));
            entry.name.start - quote..entry.value.end
        })
        .collect()
}

fn without(text: &[u8], names: &[Vec<u8>]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut kept = 0;
    for range in ranges(&outline_of(text), text, names) {
        let range = with_surroundings(text, range);
        out.extend_from_slice(text.get(kept..range.start.max(kept)).unwrap_or_default());
        kept = range.end.max(kept);
    }
    out.extend_from_slice(text.get(kept..).unwrap_or_default());
    out
}

/// A block, with its line where it has one of its own, and with the comma that separated it.
fn with_surroundings(text: &[u8], range: Range<usize>) -> Range<usize> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let behind = |at: usize| text.get(at..).unwrap_or_default();
    let mut end = range.end + behind(range.end).iter().take_while(|byte| is_blank(byte)).count();
    let has_separator = matches!(text.get(end), Some(b',' | b';'));
    end = if has_separator { end + 1 } else { range.end };
    let before = text.get(..range.start).unwrap_or_default();
    if !has_separator {
        // The last one of a file in JSON: the comma before it goes.
        let is_space = |byte: &u8| byte.is_ascii_whitespace();
        let next = behind(end).iter().find(|byte| !is_space(byte));
        let last = before.iter().rposition(|byte| !is_space(byte));
        if let (Some(b'}'), Some(comma)) = (next, last)
            && before.get(comma) == Some(&b',')
        {
            return comma..end;
        }
    }
    let line_start = before.iter().rposition(|byte| !is_blank(byte)).map_or(0, |at| at + 1);
    let is_first = line_start == 0 || text.get(line_start - 1) == Some(&b'\n');
    let blanks = behind(end).iter().take_while(|byte| is_blank(byte) || **byte == b'\r').count();
    match behind(end + blanks).first() {
        Some(b'\n') if is_first => line_start..end + blanks + 1,
        None if is_first => line_start..end + blanks,
        _ => range.start..end,
    }
}

/// Included files that hold such a block themselves.
fn note_included(
    path: &Path,
    text: &[u8],
    depth: usize,
    seen: &mut HashSet<std::path::PathBuf>,
    notes: &mut Vec<String>,
) {
    let outline = outline_of(text);
    for entry in outline.entries.iter().filter(|entry| entry.kind == ValueKind::Include && entry.parent.is_none()) {
        let file = included(path, text.get(entry.value.clone()).unwrap_or_default());
        if depth >= DEPTH_MAX || !seen.insert(file.clone()) {
            continue;
        }
        // One that cannot be read is told of when the texts are compared.
        let Ok(inner) = super::read(&file) else { continue };
        if !ranges(&outline_of(&inner), &inner, &[OWN.to_vec()]).is_empty() {
            notes.push(format!(
                "{}: it is included at {}:{} and has a block dunlin, which stays there: strip it too, or use --inline",
                file.display(),
                path.display(),
                entry.line
            ));
        }
        note_included(&file, &inner, depth + 1, seen, notes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> String {
        let stripped = cut(Path::new("x.conf"), text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        String::from_utf8(stripped.text.to_vec()).expect("text")
    }

    #[test]
    fn the_block_goes_and_the_rest_stays_byte_for_byte() {
        for (text, left) in [
            (
                "port: 1 # dunlin { }\n\ndunlin {\n  spin_us: 5 # x\n}\n\nhost: a\n",
                "port: 1 # dunlin { }\n\n\nhost: a\n",
            ),
            ("Dunlin: { spin_us: 5 }\r\nport: 1\r\n", "port: 1\r\n"),
            ("port: 1\ndunlin { a: \"}\" }", "port: 1\n"),
            ("dunlin { a: 1 } # mine\nport: 1\n", " # mine\nport: 1\n"),
            ("port: 1; dunlin { a: 1 }; host: a\n", "port: 1;  host: a\n"),
            ("{\"port\": 1, \"dunlin\": {\"a\": [1, 2 ]}}", "{\"port\": 1}"),
            ("{\n  \"dunlin\": {\"a\": 1},\n  \"port\": 1\n}\n", "{\n  \"port\": 1\n}\n"),
            ("'dunlin' = {\n}\nport: 1", "port: 1"),
            ("accounts { dunlin { users: [] } }\n", "accounts { dunlin { users: [] } }\n"),
            ("dunlin { a: 1 }\nport: 1\ndunlin { b: 1 }\n", "port: 1\n"),
        ] {
            assert_eq!(stripped(text), left, "{text}");
        }
    }

    #[test]
    fn keys_for_the_variables_of_the_block_go_with_it() {
        assert_eq!(stripped("spin = 5\nother = $spin\ndunlin { spin_us: $other }\nport: 1\n"), "port: 1\n");
        assert_eq!(stripped("p = 5\ndunlin { spin_us: $p }\nport: $p\n"), "p = 5\nport: $p\n");
        assert_eq!(stripped("port = 5\ndunlin { spin_us: $port }\n"), "port = 5\n");
    }

    #[test]
    fn what_is_not_in_the_grammar_stays_untouched() {
        let error = cut(Path::new("x.conf"), b"a: 1\nauthorization { token: hunter2 x }").err().expect("it is wrong");
        assert!(error.contains("line 2") && error.contains("config check") && !error.contains("hunter2"), "{error}");
    }
}
