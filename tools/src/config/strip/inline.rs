//! Included files in the place of their includes, each without what only this server takes.
//!
//! Owns the reading of includes inside includes, within the server's own bounds. Whether the whole still means the same is
//! for who asked.

use std::path::Path;

use dunlin::config::spans::{KeyEntry, ValueKind, included};
use zeroize::Zeroizing;

use super::cut::{Stripped, cut, well_formed};

/// Files inside files, and bytes of all together: the server's own bounds.
const DEPTH_MAX: usize = 32;
const BYTES_MAX: usize = 64 << 20;

/// The text of a file and of all that it includes.
pub(super) fn inlined(path: &Path, text: &[u8]) -> Result<Stripped, String> {
    let mut whole = Stripped::default();
    let mut inlining = Inlining { bytes_left: BYTES_MAX, whole: &mut whole };
    let text = inlining.file(path, text, true, 0)?;
    whole.text = text;
    Ok(whole)
}

struct Inlining<'a> {
    bytes_left: usize,
    whole: &'a mut Stripped,
}

impl Inlining<'_> {
    /// One file; at the top of the configuration it may hold the block.
    fn file(&mut self, path: &Path, text: &[u8], is_top: bool, depth: usize) -> Result<Zeroizing<Vec<u8>>, String> {
        let name = path.display();
        if depth > DEPTH_MAX {
            return Err(format!("{name}: files inside files, deeper than {DEPTH_MAX}"));
        }
        let left = self.bytes_left.checked_sub(text.len());
        self.bytes_left = left.ok_or_else(|| format!("{name}: the configuration has more than {BYTES_MAX} bytes"))?;
        let text = if is_top {
            let stripped = cut(path, text)?;
            self.whole.notes.extend(stripped.notes);
            self.whole.left_out.extend(stripped.left_out);
            stripped.text
        } else {
            Zeroizing::new(text.to_vec())
        };
        let outline = well_formed(path, &text)?;
        let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
        let mut kept = 0;
        for entry in outline.entries.iter().filter(|entry| entry.kind == ValueKind::Include) {
            out.extend_from_slice(text.get(kept..entry.name.start).unwrap_or_default());
            let file = included(path, text.get(entry.value.clone()).unwrap_or_default());
            let inner = super::read(&file)?;
            let inner = self.file(&file, &inner, is_top && entry.parent.is_none(), depth + 1)?;
            self.whole.notes.push(format!("{}: it stands in the place of {name}:{}", file.display(), entry.line));
            out.extend_from_slice(&inner);
            kept = end_of(&text, entry);
            // What follows begins a line, as it did.
            let rest = text.get(kept..).unwrap_or_default();
            if inner.last().is_some_and(|&byte| byte != b'\n') && rest.first().is_some_and(|&byte| byte != b'\n') {
                out.push(b'\n');
            }
        }
        out.extend_from_slice(text.get(kept..).unwrap_or_default());
        Ok(out)
    }
}

/// The end of an include, the quote behind the name with it.
fn end_of(text: &[u8], entry: &KeyEntry) -> usize {
    let is_quote = |at: usize| matches!(text.get(at), Some(b'"' | b'\''));
    entry.value.end + usize::from(is_quote(entry.value.end))
}
