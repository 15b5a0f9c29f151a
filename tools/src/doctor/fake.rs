//! A tree of `/proc` and `/sys` for tests, in a folder that goes away with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The tree.
#[derive(Debug)]
pub(crate) struct Fake(PathBuf);

impl Fake {
    pub(crate) fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dunlinctl-doctor-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file with this text.
    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    /// A link to another place of the tree.
    pub(crate) fn link(&self, path: &str, target: &str) -> &Self {
        let (path, target) = (self.0.join(path), self.0.join(target));
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        std::os::unix::fs::symlink(target, path).expect("a link");
        self
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}
