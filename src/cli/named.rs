//! Values of `--user`, `--pass` and `--auth` that stand elsewhere: `@FILE` is a file, `$VARIABLE` the environment's.
//!
//! Owns that way of writing, which is beyond the peer: what stands on a command line is seen by everyone on the machine.
//! No message holds what was written, since it may be a secret that begins with one of the two signs.

use std::io::Read as _;

/// The most that is read of a file.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Whether `written` only says where the value is.
pub(super) fn is_elsewhere(written: &str) -> bool {
    let is_doubled = written.starts_with("@@") || written.starts_with("$$");
    !is_doubled && (written.starts_with('@') || written.strip_prefix('$').is_some_and(is_name))
}

/// What `written` stands for: itself, unless it begins with `@` or with `$` and a name. Twice the sign is the sign itself.
///
/// # Errors
/// Why the file or the variable has nothing to give.
pub(super) fn text(written: &str) -> Result<String, String> {
    if written.starts_with("@@") || written.starts_with("$$") {
        return Ok(written.get(1..).unwrap_or_default().to_owned());
    }
    if let Some(path) = written.strip_prefix('@') {
        return of_file(path);
    }
    // A bcrypt hash begins with `$2a$`, which is no name.
    match written.strip_prefix('$').filter(|name| is_name(name)) {
        Some(name) => std::env::var(name).map_err(|_| {
            "the environment has no such variable, or it is no text (\"$$\" stands for the sign itself)".to_owned()
        }),
        None => Ok(written.to_owned()),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The text of a file without the end of its last line.
fn of_file(path: &str) -> Result<String, String> {
    let unreadable = |error: std::io::Error| {
        format!("the file after \"@\" cannot be read: {error} (\"@@\" stands for the sign itself)")
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("the file after \"@\" is larger than {FILE_BYTES_MAX} bytes"));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn values_stand_for_themselves_unless_they_name_something() {
        for written in ["", "secret", "$2a$11$W2zko751", "$", "$1", "a@b", "a$HOME", "$a-b"] {
            assert_eq!(text(written).as_deref(), Ok(written));
        }
        for (written, expected) in [("@@file", "@file"), ("$$PATH", "$PATH"), ("@@", "@")] {
            assert_eq!(text(written).as_deref(), Ok(expected));
        }
        assert_eq!(text("$PATH").ok(), std::env::var("PATH").ok());
    }

    #[test]
    fn a_file_gives_its_text_without_the_line_end() {
        let path = std::env::temp_dir().join(format!("dunlin-named-{}", std::process::id()));
        for (content, expected) in [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("a\nb", "a\nb"), ("", "")] {
            std::fs::write(&path, content).expect("a file in the folder for such files");
            assert_eq!(text(&format!("@{}", path.display())).as_deref(), Ok(expected));
        }
        std::fs::remove_file(&path).expect("the file is there");
    }

    #[test]
    fn faults_do_not_show_what_was_written() {
        for written in ["@hunter2", "$hunter2_is_not_set"] {
            let why = text(written).expect_err("there is none");
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
