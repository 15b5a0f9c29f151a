//! A file is replaced at once, or not at all: written beside its place, forced to the disk, then renamed.
//!
//! Owns the temporary file until it is renamed; where that does not come to pass, it is removed. Invariant: nobody but the
//! owner can read it before it has the mode of the file that it replaces.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// The mode of a file that was not there before: it may hold what is left of the secrets.
const NEW_FILE_MODE: u32 = 0o600;
/// The bits of a mode that are kept.
const MODE_BITS: u32 = 0o7777;

/// A file that is written and not yet in its place.
#[derive(Debug)]
pub(super) struct Staged {
    temporary: PathBuf,
    target: PathBuf,
    is_placed: bool,
}

impl Staged {
    /// Writes what will be at `path`. A link stays a link: what it points to is replaced.
    ///
    /// # Errors
    /// The place is no file, or cannot be written with the owner and mode of the file that is there.
    pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let (target, before) = match fs::metadata(path) {
            Ok(before) if before.is_file() => (fs::canonicalize(path)?, Some(before)),
            Ok(_) => return Err(io::Error::other("it is there and no file, so it cannot be replaced")),
            Err(error) if error.kind() == ErrorKind::NotFound => (path.to_owned(), None),
            Err(error) => return Err(error),
        };
        let (mut file, temporary) = create_beside(&target)?;
        // From here on the temporary file goes with this value.
        let staged = Self { temporary, target, is_placed: false };
        if let Some(before) = &before {
            keep_owner(&file, before)?;
        }
        file.write_all(bytes)?;
        let mode = before.map_or(NEW_FILE_MODE, |before| before.mode() & MODE_BITS);
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        Ok(staged)
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// The system refuses; then nothing has changed.
    pub(super) fn place(mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)?;
        self.is_placed = true;
        // The name is on the disk when the folder is; some file systems have no such thing for a folder.
        let _unsupported = File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_placed {
            // There is nobody left to tell.
            let _gone = fs::remove_file(&self.temporary);
        }
    }
}

fn keep_owner(file: &File, before: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (before.uid(), before.gid()) {
        return Ok(());
    }
    fchown(file, Some(before.uid()), Some(before.gid())).map_err(|error| {
        io::Error::new(error.kind(), format!("its owner cannot be kept, run this as the owner or as root: {error}"))
    })
}

fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().ok_or_else(|| io::Error::other("it is no name of a file"))?;
    let mut random = [0; 8];
    crate::random::fill(&mut random)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{:016x}", u64::from_le_bytes(random)));
    let temporary = folder_of(target).join(hidden);
    let file = OpenOptions::new().write(true).create_new(true).mode(NEW_FILE_MODE).open(&temporary)?;
    Ok((file, temporary))
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("dunlinctl-replace-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).expect("ours").flatten();
            let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _gone = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").mode() & MODE_BITS
    }

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode() {
        let folder = Folder::new("mode");
        let file = folder.0.join("a");
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("ours");
        let staged = Staged::write(&file, b"new").expect("written");
        assert_eq!(fs::read(&file).expect("there"), b"old");
        staged.place().expect("renamed");
        assert_eq!((fs::read(&file).expect("there"), mode(&file)), (b"new".to_vec(), 0o640));
        assert_eq!(folder.names(), ["a"]);
    }

    #[test]
    fn a_file_keeps_its_owner() {
        let folder = Folder::new("owner");
        let file = folder.0.join("a");
        fs::write(&file, "old").expect("written");
        // Only root may give a file away; for others the owner is the same anyway.
        let _refused = std::os::unix::fs::chown(&file, Some(12345), Some(54321));
        let owner = |path: &Path| fs::metadata(path).map(|data| (data.uid(), data.gid())).expect("there");
        let before = owner(&file);
        Staged::write(&file, b"new").and_then(Staged::place).expect("written");
        assert_eq!(owner(&file), before);
    }

    #[test]
    fn a_new_file_is_its_owners_alone() {
        let folder = Folder::new("new");
        let file = folder.0.join("a");
        Staged::write(&file, b"new").and_then(Staged::place).expect("written");
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn what_is_not_placed_leaves_nothing_behind() {
        let folder = Folder::new("drop");
        drop(Staged::write(&folder.0.join("a"), b"new").expect("written"));
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = Folder::new("link");
        let (file, link) = (folder.0.join("a"), folder.0.join("b"));
        fs::write(&file, "old").expect("written");
        symlink("a", &link).expect("a link");
        Staged::write(&link, b"new").and_then(Staged::place).expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&file).expect("there"), b"new");
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = Folder::new("other");
        for path in [folder.0.as_path(), Path::new("/dev/null"), &folder.0.join("no/such"), Path::new("/")] {
            assert!(Staged::write(path, b"new").is_err(), "{}", path.display());
        }
        assert!(folder.names().is_empty());
    }
}
