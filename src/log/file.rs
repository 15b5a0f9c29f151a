//! A log file: appended to, rotated by size, opened anew on request.
//!
//! Owns the file and its length. Knows nothing of how a line looks. A backup is called as on the peer:
//! `server.log.2026.11.25.17.57.24.297324433` (local time), so that names sort by age.
//! Invariant: `length` is what the file holds, as far as this process wrote it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;

use super::line::Level;

/// Who may read a log: its owner and their group, as on the peer.
const MODE: u32 = 0o640;

pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
    /// 0: never rotated.
    bytes_max: u64,
    /// Files with this log's name, itself included; 0: all are kept.
    files_max: u64,
    /// Length at which to rotate: `bytes_max`, or more after a rotation failed.
    rotate_above: u64,
}

impl LogFile {
    pub(super) fn open(path: &Path, bytes_max: u64, files_max: u64) -> io::Result<Self> {
        let (file, length) = open_end(path)?;
        Ok(Self { path: path.to_path_buf(), file, length, bytes_max, files_max, rotate_above: bytes_max })
    }

    /// Whether the file would be longer than its limit with `unwritten` more bytes.
    pub(super) fn is_past_limit(&self, unwritten: usize) -> bool {
        self.bytes_max > 0 && self.length.saturating_add(unwritten as u64) > self.rotate_above
    }

    /// Goes on in the file that has the path now; on an error, in the one that it had.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        (self.file, self.length) = open_end(&self.path)?;
        self.rotate_above = self.bytes_max;
        Ok(())
    }

    /// Renames the file and starts a new one; removes the oldest where there are too many. Returns what to log.
    pub(super) fn rotate(&mut self, now: DateTime) -> Vec<(Level, String)> {
        let backup = self.backup_path(now);
        let renamed = fs::rename(&self.path, &backup).and_then(|()| self.reopen());
        if let Err(error) = renamed {
            // Later again, not at each line.
            self.rotate_above = self.length.saturating_add(self.bytes_max);
            let why = crate::os::errno::text(&error);
            return vec![(Level::Error, format!("Unable to rotate log file: {why}"))];
        }
        let name = super::quote::quoted(backup.as_os_str().as_encoded_bytes());
        let mut lines = vec![(Level::Info, format!("Rotated log, backup saved as {name}"))];
        if self.files_max > 0 {
            self.purge(&mut lines);
        }
        lines
    }

    fn backup_path(&self, now: DateTime) -> PathBuf {
        let nanosecond = now.subsec_nanosecond();
        let stamp = now.strftime("%Y.%m.%d.%H.%M.%S");
        // Two rotations at one time must not cost a backup.
        (nanosecond..)
            .map(|n| self.with_suffix(&format!(".{stamp}.{n:09}")))
            .find(|path| !path.exists())
            .unwrap_or_default()
    }

    fn with_suffix(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// Removes the oldest backups until `files_max` files are left.
    fn purge(&self, lines: &mut Vec<(Level, String)>) {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let Some(base) = self.path.file_name().map(|name| name.as_encoded_bytes()) else {
            return;
        };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let why = crate::os::errno::text(&error);
                return lines.push((Level::Error, format!("Unable to list log files to purge: {why}")));
            }
        };
        let is_backup = |name: &std::ffi::OsStr| {
            let suffix = name.as_encoded_bytes().strip_prefix(base).and_then(|rest| rest.strip_prefix(b"."));
            suffix.is_some_and(is_stamp)
        };
        let mut backups: Vec<_> =
            entries.flatten().map(|entry| entry.file_name()).filter(|name| is_backup(name)).collect();
        backups.sort();
        let kept = usize::try_from(self.files_max - 1).unwrap_or(usize::MAX);
        for name in &backups[..backups.len().saturating_sub(kept)] {
            let shown = super::quote::quoted(name.as_encoded_bytes());
            lines.push(match fs::remove_file(folder.join(name)) {
                Ok(()) => (Level::Info, format!("Purged log file {shown}")),
                Err(error) => {
                    let why = crate::os::errno::text(&error);
                    (Level::Error, format!("Unable to purge log file {shown}: {why}"))
                }
            });
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open_end(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).mode(MODE).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// `2026.11.25.17.57.24`, with or without a fraction: the peer leaves out its trailing zeros.
fn is_stamp(suffix: &[u8]) -> bool {
    let mut parts = suffix.split(|&byte| byte == b'.');
    let widths_match = [4, 2, 2, 2, 2, 2]
        .iter()
        .all(|&width| parts.next().is_some_and(|part| part.len() == width && all_digits(part)));
    let fraction_matches = parts.next().is_none_or(|part| (1..=9).contains(&part.len()) && all_digits(part));
    widths_match && fraction_matches && parts.next().is_none()
}

fn all_digits(part: &[u8]) -> bool {
    part.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dunlin-log-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("it is there");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    #[test]
    fn backups_are_named_by_time_and_the_oldest_go() {
        let folder = folder("rotate");
        let path = folder.join("x.log");
        for stranger in
            ["x.log.2026.11.25", "x.log.old", "y.log.2026.11.25.17.57.24.1", "x.log.2026.11.25.17.57.24.12345678901"]
        {
            fs::write(folder.join(stranger), "").expect("writable");
        }
        let mut log = LogFile::open(&path, 10, 2).expect("writable");
        let now = jiff::civil::date(2026, 11, 25).at(17, 57, 24, 297_324_430);
        assert!(!log.is_past_limit(10) && log.is_past_limit(11));
        log.write_all(b"0123456789\n").expect("writable");
        assert!(log.is_past_limit(0));
        let first = format!("{}.2026.11.25.17.57.24.297324430", path.display());
        assert_eq!(log.rotate(now), [(Level::Info, format!("Rotated log, backup saved as \"{first}\""))]);
        assert!(!log.is_past_limit(0));
        log.write_all(b"x\n").expect("writable");
        let lines = log.rotate(now); // at the same nanosecond
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].1, "Purged log file \"x.log.2026.11.25.17.57.24.297324430\"");
        assert_eq!(
            names(&folder),
            [
                "x.log",
                "x.log.2026.11.25",
                "x.log.2026.11.25.17.57.24.12345678901",
                "x.log.2026.11.25.17.57.24.297324431",
                "x.log.old",
                "y.log.2026.11.25.17.57.24.1"
            ]
        );
        fs::remove_dir_all(&folder).expect("ours");
    }

    #[test]
    fn a_rotation_that_fails_is_said_and_tried_again_later() {
        let folder = folder("fail");
        let path = folder.join("x.log");
        let mut log = LogFile::open(&path, 10, 0).expect("writable");
        fs::remove_file(&path).expect("ours");
        log.write_all(b"0123456789\n").expect("writable");
        let lines = log.rotate(jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0));
        assert_eq!(lines, [(Level::Error, "Unable to rotate log file: no such file or directory".to_string())]);
        assert!(!log.is_past_limit(10) && log.is_past_limit(11));
        log.reopen().expect("writable");
        assert!(log.is_past_limit(11) && !log.is_past_limit(10));
        fs::remove_dir_all(&folder).expect("ours");
    }

    #[test]
    fn appends_to_what_is_there() {
        let folder = folder("append");
        let path = folder.join("x.log");
        fs::write(&path, "12345678").expect("writable");
        let mut log = LogFile::open(&path, 10, 0).expect("writable");
        assert!(log.is_past_limit(3));
        log.write_all(b"9").expect("writable");
        assert_eq!(fs::read(&path).expect("readable"), b"123456789");
        fs::remove_dir_all(&folder).expect("ours");
    }
}
