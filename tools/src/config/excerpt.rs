//! The line of a file that a message is about, with a mark under the place.
//!
//! Owns how a line is cut, what of it is hidden and where the mark goes. Invariants: no secret and no byte that moves a
//! terminal's cursor is shown; the mark is under the character that it means, whatever stands before it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dunlin::config::Place;
use dunlin::config::spans::{Outline, byte_of, outline};
use zeroize::Zeroizing;

use super::colour::{Paint, Role};
use super::secrets::{MASK, secrets, words_of_secrets};

/// Characters of a line that are shown, around the place.
const WIDTH_MAX: usize = 100;
/// Of these, before the place.
const BEFORE_MAX: usize = 60;
/// The server's own bound on what it reads.
const BYTES_MAX: u64 = 64 << 20;

/// A file that a message is about.
pub(super) struct Source {
    /// What it holds.
    pub(super) text: Zeroizing<Vec<u8>>,
    /// What stands where.
    pub(super) outline: Outline,
    secrets: Vec<Range<usize>>,
}

/// The files of a configuration, read when they are needed.
#[derive(Default)]
pub(super) struct Sources(BTreeMap<PathBuf, Option<Source>>);

impl Sources {
    /// The file of this name; `None` where it cannot be read.
    pub(super) fn get(&mut self, path: &Path) -> Option<&Source> {
        if !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), read(path));
        }
        self.0.get(path).and_then(Option::as_ref)
    }

    /// The secrets of the files read so far, as they are written.
    pub(super) fn secrets(&self) -> Vec<Zeroizing<String>> {
        let mut found = Vec::new();
        for source in self.0.values().flatten() {
            for range in &source.secrets {
                let bytes = source.text.get(range.clone()).unwrap_or_default();
                let text = String::from_utf8_lossy(bytes);
                found.push(Zeroizing::new(
                    text.trim_matches(|c: char| matches!(c, '"' | '\'' | '$') || c.is_whitespace()).to_owned(),
                ));
            }
        }
        found
    }
}

fn read(path: &Path) -> Option<Source> {
    let mut text = Zeroizing::new(Vec::new());
    File::open(path).ok()?.take(BYTES_MAX).read_to_end(&mut text).ok()?;
    let outline = outline(&text);
    let secrets = secrets(&text, &outline);
    Some(Source { text, outline, secrets })
}

/// A place in a file and how much of the line is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The file, as messages name it.
    pub(super) file: PathBuf,
    /// Line, from 1.
    pub(super) line: usize,
    /// Column, as the server counts: from 0 on the first line, from 1 on the others.
    pub(super) column: usize,
    /// The first byte.
    pub(super) start: usize,
    /// How many bytes; at least one.
    pub(super) length: usize,
}

impl Span {
    /// The span of a place that the server tells: the word that begins there.
    pub(super) fn of_place(source: &Source, place: &Place) -> Self {
        let start = byte_of(&source.text, place);
        let entry = source.outline.at(place).and_then(|at| source.outline.entries.get(at));
        let length = match entry {
            Some(entry) if entry.name.start == start => entry.name.len(),
            _ => 1,
        };
        Self { file: place.file.to_path_buf(), line: place.line, column: place.column, start, length: length.max(1) }
    }

    /// The span of bytes.
    pub(super) fn of_bytes(source: &Source, file: &Path, bytes: Range<usize>) -> Self {
        let before = source.text.get(..bytes.start).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let column = bytes.start - line_start + usize::from(line > 1);
        Self { file: file.to_owned(), line, column, start: bytes.start, length: bytes.len().max(1) }
    }
}

/// A line of a file as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The line, in part perhaps.
    pub(super) line: String,
    /// Characters before the mark.
    pub(super) before: usize,
    /// Characters above the mark.
    pub(super) marked: usize,
}

/// The line of a span.
pub(super) fn excerpt(source: &Source, span: &Span) -> Excerpt {
    let text: &[u8] = &source.text;
    let at = span.start.min(text.len());
    let line_start = memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |found| found + 1);
    let rest = text.get(line_start..).unwrap_or_default();
    let mut line_end = line_start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    if text.get(line_start..line_end).is_some_and(|line| line.ends_with(b"\r")) {
        line_end -= 1;
    }
    let mut hidden: Vec<Range<usize>> = source.secrets.clone();
    hidden.extend(comment_secret(source, line_start..line_end));
    let mut shown = Shown { out: Vec::new(), mark: None };
    let mut position = line_start;
    let marked = at..at.saturating_add(span.length);
    while position < line_end {
        if let Some(end) = hidden.iter().filter(|range| range.contains(&position)).map(|range| range.end).max() {
            shown.mask(position..end.min(line_end), &marked);
            position = end.min(line_end);
            continue;
        }
        let rest = text.get(position..line_end).unwrap_or_default();
        let (c, length) = first_char(rest);
        shown.push(c, position, &marked);
        position += length;
    }
    shown.cut()
}

/// A comment may speak of a secret too.
fn comment_secret(source: &Source, line: Range<usize>) -> Option<Range<usize>> {
    let is_on_line = |at: usize| line.start <= at && at <= line.end;
    let ends = source.outline.entries.iter().flat_map(|entry| [entry.name.end, entry.value.end]);
    let start = ends.filter(|&end| is_on_line(end)).max().unwrap_or(line.start);
    words_of_secrets(&source.text, start..line.end)
}

/// The character that bytes begin with, and how many of them it takes. One that a terminal acts on is shown as a sign.
fn first_char(bytes: &[u8]) -> (char, usize) {
    let chunk = bytes.utf8_chunks().next();
    match chunk.and_then(|chunk| chunk.valid().chars().next()) {
        Some('\t') => (' ', 1),
        Some(c) if c.is_control() || is_invisible(c) => (char::REPLACEMENT_CHARACTER, c.len_utf8()),
        Some(c) => (c, c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A message as a terminal may have it.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' || is_invisible(c) { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(shown).collect()
}

/// A line while it is made.
struct Shown {
    out: Vec<char>,
    /// The first and the last marked character.
    mark: Option<(usize, usize)>,
}

impl Shown {
    fn push(&mut self, c: char, at: usize, marked: &Range<usize>) {
        if marked.contains(&at) {
            let here = self.out.len();
            self.mark = Some((self.mark.map_or(here, |mark| mark.0), here));
        }
        self.out.push(c);
    }

    fn mask(&mut self, bytes: Range<usize>, marked: &Range<usize>) {
        if bytes.is_empty() {
            return;
        }
        let is_marked = bytes.start < marked.end && marked.start < bytes.end;
        for c in MASK.chars() {
            self.push(c, if is_marked { marked.start } else { usize::MAX }, marked);
        }
    }

    /// Around the mark where the line is long.
    fn cut(self) -> Excerpt {
        let length = self.out.len();
        let (first, last) = self.mark.unwrap_or((length, length));
        let from = if length > WIDTH_MAX { first.saturating_sub(BEFORE_MAX) } else { 0 };
        let to = length.min(from + WIDTH_MAX);
        let mut line: String = self.out.iter().skip(from).take(to - from).collect();
        let mut before = first - from;
        if from > 0 {
            line.insert(0, '…');
            before += 1;
        }
        if to < length {
            line.push('…');
        }
        let marked = (last + 1).min(to.max(first + 1)) - first;
        Excerpt { line: line.trim_end().to_owned(), before, marked }
    }
}

/// The lines of an excerpt: where it is, the line, the mark with a word beside it.
pub(super) fn drawn(source: Option<&Source>, span: &Span, label: &str, role: Role, paint: Paint) -> String {
    let number = span.line.to_string();
    let margin = " ".repeat(number.len());
    let arrow = paint.paint(Role::Frame, "-->");
    let place = printable(&format!("{}:{}:{}", span.file.display(), span.line, span.column));
    let mut out = format!("{margin}{arrow} {place}\n");
    let Some(source) = source else { return out };
    let excerpt = excerpt(source, span);
    let bar = paint.paint(Role::Frame, "|");
    let mark = format!("{} {label}", "^".repeat(excerpt.marked));
    out.push_str(&format!("{margin} {bar}\n"));
    out.push_str(&format!("{} {bar} {}\n", paint.paint(Role::Frame, &number), excerpt.line));
    out.push_str(&format!("{margin} {bar} {}{}\n", " ".repeat(excerpt.before), paint.paint(role, mark.trim_end())));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        let outline = outline(text.as_bytes());
        let secrets = secrets(text.as_bytes(), &outline);
        Source { text: Zeroizing::new(text.as_bytes().to_vec()), outline, secrets }
    }

    fn shown(text: &str, what: &str) -> String {
        let source = source(text);
        let start = text.find(what).expect("it is there");
        let span = Span::of_bytes(&source, Path::new("x.conf"), start..start + what.len());
        drawn(Some(&source), &span, "here", Role::Error, Paint::NONE)
    }

    #[test]
    fn the_mark_is_under_what_it_means() {
        assert_eq!(shown("a: 1\n\tbcd: 2 # é\n", "bcd"), " --> x.conf:2:2\n  |\n2 |  bcd: 2 # é\n  |  ^^^ here\n");
        assert_eq!(shown("é: ü, x: 1", "x"), " --> x.conf:1:8\n  |\n1 | é: ü, x: 1\n  |       ^ here\n");
    }

    #[test]
    fn secrets_before_the_place_do_not_move_the_mark() {
        let text = "authorization { users: [ {user: a, password: a_long_secret, bogus: 1} ] } # token: other";
        let expected = "authorization { users: [ {user: a, password: *****, bogus: 1} ] } # token*****";
        let lines = shown(text, "bogus");
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines[2], format!("1 | {expected}"));
        assert_eq!(lines[3].find('^'), lines[2].find("bogus"));
    }

    #[test]
    fn what_moves_a_cursor_is_not_shown() {
        let lines = shown("a: \"x\x1b[2Jy\u{202e}z\" b", "a");
        assert!(!lines.contains('\x1b') && !lines.contains('\u{202e}'), "{lines:?}");
        assert_eq!(printable("a\x1b[1mb\r"), "a\u{fffd}[1mb\u{fffd}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{} marked: 1 {}", "a: 1,".repeat(100), "b: 2,".repeat(100));
        let lines = shown(&text, "marked");
        let lines: Vec<&str> = lines.lines().collect();
        let character = |line: &str, what: char| line.chars().position(|c| c == what);
        assert!(lines[2].chars().count() < 120 && lines[2].contains("marked"), "{lines:?}");
        assert_eq!(character(lines[3], '^'), character(lines[2], 'm'), "{lines:?}");
    }
}
