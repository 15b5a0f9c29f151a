//! What stands where in one configuration file: every key with the bytes of its value, and the first place that is not in
//! the grammar. For tools that show a file or take a part out of it.
//!
//! Owns nothing: it walks the tokens of `lexer`, as `parser` does, so what is a key is said in one place. Opens no include,
//! looks up no variable and knows no key. Invariant: entries are in the order of the file, and a parent stands before its children.

use super::lexer::{Lexer, Token, TokenKind};
use super::parser::beside;
use super::value::Place;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Text, in whatever quotes.
    Text,
    /// A truth value, a number or a date.
    Plain,
    /// `$NAME`.
    Variable,
    /// `{ }`.
    Block,
    /// `[ ]`.
    List,
    /// `include`: the entry has no name, and its value is the name of the file, without quotes.
    Include,
}

/// A key and its value, or an `include`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// The bytes of the key, without quotes (for an include: the word).
    pub name: Range<usize>,
    /// The bytes of the value, quotes and braces included. Where a file ends too early, they end with it.
    pub value: Range<usize>,
    /// What the value is.
    pub kind: ValueKind,
    /// The block or list that it stands in: an index among the entries.
    pub parent: Option<usize>,
    /// Line of the key, from 1.
    pub line: usize,
    /// Column of the key, counted as in [`Place`].
    pub column: usize,
}

/// The first place that is not in the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where the reader stood.
    pub at: usize,
    /// Line, as it is told.
    pub line: usize,
    /// The peer's text.
    pub text: String,
    /// Where the value begins that was being read, if one was.
    pub value_start: Option<usize>,
    /// The end of what is in the grammar.
    pub good_end: usize,
}

/// A brace or bracket that nothing closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclosed {
    /// The entry whose value it begins.
    pub entry: Option<usize>,
    /// Its byte.
    pub at: usize,
    /// It is a brace.
    pub is_brace: bool,
    /// A later key is not indented further than the line of this brace, so that its end is what was forgotten.
    pub is_likely: bool,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Keys and includes.
    pub entries: Vec<KeyEntry>,
    /// What is wrong with the grammar.
    pub fault: Option<Fault>,
    /// What was open where the reading ended, the innermost last.
    pub unclosed: Vec<Unclosed>,
    /// Blocks and lists that the end of another one has closed, by the look of their indentation.
    pub misclosed: Vec<Unclosed>,
    /// A key at the very end has no value.
    pub ends_in_key: bool,
}

/// What is open while a file is walked.
#[derive(Clone, Copy)]
struct Open {
    keys: usize,
    unclosed: Unclosed,
}

/// Walks a file to its end, or to the first place that is not in the grammar.
pub fn outline(text: &[u8]) -> Outline {
    let mut outline = Outline::default();
    let mut lexer = Lexer::new(text);
    // Entries whose value has not ended, and what is open.
    let (mut keys, mut open): (Vec<usize>, Vec<Open>) = (Vec::new(), Vec::new());
    let mut good_end = 0;
    loop {
        let token = match lexer.next_token() {
            Ok(token) => token,
            Err(error) => {
                let at = lexer.at.min(text.len());
                let value_start = Some(lexer.value_start).filter(|&start| start >= good_end && start < text.len());
                outline.fault = Some(Fault { at, line: error.line, text: error.text, value_start, good_end });
                // What stands first on this line may be a key that was taken for an element of a list.
                mark_likely(text, line_of(text, at.saturating_sub(1)), &mut open);
                break;
            }
        };
        if token.kind == TokenKind::End {
            break;
        }
        good_end = lexer.at;
        outline.take(text, &lexer, token, &mut keys, &mut open);
    }
    for key in keys {
        if let Some(entry) = outline.entries.get_mut(key) {
            entry.value.end = text.len();
        }
    }
    outline.unclosed = open.into_iter().map(|open| open.unclosed).collect();
    let Outline { entries, unclosed, misclosed, .. } = &mut outline;
    for open in unclosed.iter_mut().chain(misclosed) {
        open.is_likely &= is_indented(text, entries, open.at);
    }
    outline.misclosed.retain(|open| open.is_likely);
    outline
}

impl Outline {
    fn take(&mut self, text: &[u8], lexer: &Lexer<'_>, token: Token, keys: &mut Vec<usize>, open: &mut Vec<Open>) {
        self.ends_in_key = false;
        let kind = match token.kind {
            TokenKind::Key(name) => {
                // A brace alone is read as a key; at the very end it is let pass.
                self.ends_in_key = name != b"}";
                let bytes = lexer.start..lexer.start.saturating_add(name.len());
                // The end of the file may have ended it, and begun the next token.
                let name = match text.get(bytes.clone()) == Some(&name) {
                    true => bytes,
                    false => lexer.at.saturating_sub(name.len())..lexer.at,
                };
                mark_likely(text, name.start, open);
                keys.push(self.add(name, ValueKind::Plain, text.len()..text.len(), keys, (token.line, token.column)));
                return;
            }
            TokenKind::Include(name) => {
                let value = lexer.start..lexer.start.saturating_add(name.len());
                let word = include_word(text, value.start);
                self.add(word, ValueKind::Include, value, keys, (token.line, token.column));
                return;
            }
            TokenKind::MapStart | TokenKind::ListStart => {
                let is_brace = token.kind == TokenKind::MapStart;
                let is_of_key = open.last().is_none_or(|open| open.unclosed.is_brace);
                let entry = keys.last().copied().filter(|_| is_of_key);
                if let Some(entry) = entry.and_then(|entry| self.entries.get_mut(entry)) {
                    entry.value = lexer.value_start..text.len();
                    entry.kind = if is_brace { ValueKind::Block } else { ValueKind::List };
                }
                let unclosed = Unclosed { entry, at: lexer.value_start, is_brace, is_likely: false };
                open.push(Open { keys: keys.len(), unclosed });
                return;
            }
            TokenKind::MapEnd | TokenKind::ListEnd => {
                if let Some(ended) = open.pop() {
                    self.misclosed.extend(Some(ended.unclosed).filter(|ended| ended.is_likely));
                    keys.truncate(ended.keys);
                    self.end_value(ended.unclosed.at..lexer.at, None, keys, open);
                }
                return;
            }
            TokenKind::Variable(_) => ValueKind::Variable,
            TokenKind::Text(_) => ValueKind::Text,
            TokenKind::Bool(_) | TokenKind::Number(_) | TokenKind::Float(_) | TokenKind::Date(_) | TokenKind::End => {
                ValueKind::Plain
            }
        };
        self.end_value(lexer.value_start..lexer.at, Some(kind), keys, open);
    }

    fn add(
        &mut self,
        name: Range<usize>,
        kind: ValueKind,
        value: Range<usize>,
        keys: &[usize],
        (line, column): (usize, usize),
    ) -> usize {
        self.entries.push(KeyEntry { name, value, kind, parent: keys.last().copied(), line, column });
        self.entries.len() - 1
    }

    /// A value is over: outside of a list, its key is too.
    fn end_value(&mut self, bytes: Range<usize>, kind: Option<ValueKind>, keys: &mut Vec<usize>, open: &[Open]) {
        if open.last().is_some_and(|open| !open.unclosed.is_brace) {
            return;
        }
        if let Some(entry) = keys.pop().and_then(|key| self.entries.get_mut(key)) {
            entry.value = bytes;
            entry.kind = kind.unwrap_or(entry.kind);
        }
        keys.truncate(open.last().map_or(0, |open| open.keys));
    }

    /// The keys that lead to an entry, itself last.
    pub fn path<'t>(&self, text: &'t [u8], entry: usize) -> Vec<&'t [u8]> {
        let mut names = Vec::new();
        let mut next = Some(entry);
        while let Some(entry) = next.and_then(|at| self.entries.get(at)) {
            if entry.kind != ValueKind::Include {
                names.push(text.get(entry.name.clone()).unwrap_or_default());
            }
            next = entry.parent;
        }
        names.reverse();
        names
    }

    /// The entry whose key is at a place.
    pub fn at(&self, place: &Place) -> Option<usize> {
        let is_here = |entry: &KeyEntry| (entry.line, entry.column) == (place.line, place.column);
        self.entries.iter().position(is_here)
    }

    /// The innermost entry whose key or value holds a byte.
    pub fn around(&self, byte: usize) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.name.start <= byte && byte < entry.value.end)
    }
}

/// Blocks whose end was forgotten: a key on a later line stands no further right than the line on which they begin.
fn mark_likely(text: &[u8], key: usize, open: &mut [Open]) {
    let here = indentation(text, key);
    for open in open.iter_mut().rev() {
        let (line, there) = indentation(text, open.unclosed.at);
        // Only a key that begins its line says something.
        let is_key =
            text.get(key).is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'"' | b'\''));
        if here.0 == line || !is_key || here.1.is_none() || here.1 > there.or(Some(0)) {
            return;
        }
        open.unclosed.is_likely = true;
    }
}

/// Whether what stands in a block is indented: only then does it say something where it is not.
fn is_indented(text: &[u8], entries: &[KeyEntry], open: usize) -> bool {
    let (line, there) = indentation(text, open);
    let inside =
        entries.iter().filter(|entry| entry.name.start > open).map(|entry| indentation(text, entry.name.start));
    let first = inside.filter(|(start, _)| *start != line).find_map(|(_, blanks)| blanks);
    first.is_none_or(|first| Some(first) > there)
}

/// The first byte of a line that is no blank.
fn line_of(text: &[u8], at: usize) -> usize {
    let start = memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |found| found + 1);
    let line = text.get(start..).unwrap_or_default();
    start + line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Where the line of a byte begins, and how far it is indented; `None`: something stands before the byte.
fn indentation(text: &[u8], at: usize) -> (usize, Option<usize>) {
    let before = text.get(..at).unwrap_or_default();
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let line = text.get(start..).unwrap_or_default();
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let is_first =
        before.get(start..).unwrap_or_default().iter().all(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'\''));
    // Of the line of a brace the indentation counts, wherever the brace is.
    let is_brace = matches!(text.get(at), Some(b'{' | b'['));
    (start, (is_first || is_brace).then_some(blanks))
}

/// The word before the name of an included file.
fn include_word(text: &[u8], file: usize) -> Range<usize> {
    const WORD: &[u8] = b"include";
    let before = text.get(..file).unwrap_or_default();
    let end = before.iter().rposition(|byte| byte.eq_ignore_ascii_case(&b'e')).map_or(file, |at| at + 1);
    end.saturating_sub(WORD.len())..end
}

/// The path of an included file, as the server looks for it: beside the file that includes it.
pub fn included(file: &Path, name: &[u8]) -> PathBuf {
    beside(file, &String::from_utf8_lossy(name))
}

/// The byte of a place in its file.
pub fn byte_of(text: &[u8], place: &Place) -> usize {
    let mut start = 0;
    for _ in 1..place.line {
        match text.get(start..).and_then(|rest| memchr::memchr(b'\n', rest)) {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    // The first line counts from 0, the others from 1.
    let column = if place.line > 1 { place.column.saturating_sub(1) } else { place.column };
    start.saturating_add(column).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let outline = outline(text.as_bytes());
        let line = |(at, entry): (usize, &KeyEntry)| {
            let path: Vec<_> =
                outline.path(text.as_bytes(), at).into_iter().map(String::from_utf8_lossy).collect::<Vec<_>>();
            let value = &text[entry.value.clone()];
            format!("{}:{} {} | {:?} | {value}", entry.line, entry.column, path.join("."), entry.kind)
        };
        outline.entries.iter().enumerate().map(line).collect()
    }

    #[test]
    fn every_key_is_told_with_its_value() {
        let text = "port: 1 # c\n\"a b\" {\n  'x' = [ {user: u, pass: $P}, {user: v} ]\n  include 'f.conf'\n}\nInclude g.conf\nd: true";
        assert_eq!(
            told(text),
            [
                "1:0 port | Plain | 1",
                "2:2 a b | Block | {\n  'x' = [ {user: u, pass: $P}, {user: v} ]\n  include 'f.conf'\n}",
                "3:4 a b.x | List | [ {user: u, pass: $P}, {user: v} ]",
                "3:12 a b.x.user | Text | u",
                "3:21 a b.x.pass | Variable | $P",
                "3:33 a b.x.user | Text | v",
                "4:12 a b | Include | f.conf",
                "6:9  | Include | g.conf",
                "7:1 d | Plain | true",
            ]
        );
        let text = text.as_bytes();
        let outline = outline(text);
        let words = outline.entries.iter().filter(|entry| entry.kind == ValueKind::Include);
        let words: Vec<_> = words.map(|entry| String::from_utf8_lossy(&text[entry.name.clone()])).collect();
        assert_eq!(words, ["include", "Include"]);
    }

    #[test]
    fn a_forgotten_end_is_found_by_indentation() {
        let text = "a {\n  b {\n    c: 1\n  d: 2\n}\n";
        let outline = outline(text.as_bytes());
        assert!(outline.fault.is_some());
        assert_eq!(outline.unclosed.iter().map(|open| (open.at, open.is_likely)).collect::<Vec<_>>(), [(2, false)]);
        assert_eq!(outline.misclosed.iter().map(|open| open.at).collect::<Vec<_>>(), [8]);
        let outline = super::outline(b"a {\n  b: 1\nport: 3\nc { d: 1 }\n");
        let likely: Vec<_> = outline.unclosed.iter().map(|open| (open.at, open.is_likely)).collect();
        assert_eq!(likely, [(2, true)]);
        let outline = super::outline(b"a {\n  b: [\n    {c: 1}\nport: 3\n");
        assert_eq!(outline.unclosed.iter().map(|open| open.is_likely).collect::<Vec<_>>(), [true, true]);
        let outline = super::outline(b"a\n{\nb: [\n{c: 1 d e}\n]\n}\n");
        assert_eq!(outline.unclosed.iter().filter(|open| open.is_likely).count(), 0, "nothing is indented");
    }

    #[test]
    fn places_and_bytes_agree() {
        let text = b"ab: 1\n  cd { ef: 2 }\n";
        let outline = outline(text);
        for (at, entry) in outline.entries.iter().enumerate() {
            let place = Place { file: std::path::Path::new("x").into(), line: entry.line, column: entry.column };
            assert_eq!((byte_of(text, &place), outline.at(&place)), (entry.name.start, Some(at)));
            assert_eq!(outline.around(entry.name.start), Some(at));
        }
    }

    #[test]
    fn any_bytes_have_an_outline() {
        for seed in 0..3000_u64 {
            let mut state = seed;
            let mut text = Vec::new();
            for _ in 0..40 {
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^= z >> 31;
                let parts: [&[u8]; 12] =
                    [b"a", b": ", b"{", b"}", b"[", b"]", b"\n", b"include ", b"'", b"\"", b",", b"$x "];
                text.extend_from_slice(parts[usize::try_from(z % 12).expect("small")]);
            }
            let outline = outline(&text);
            for (at, entry) in outline.entries.iter().enumerate() {
                assert!(text.get(entry.name.clone()).is_some(), "seed {seed}");
                assert!(text.get(entry.value.clone()).is_some(), "seed {seed}");
                assert!(entry.parent.is_none_or(|parent| parent < at), "seed {seed}");
            }
        }
    }
}
