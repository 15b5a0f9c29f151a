//! Files by which scripts find this process: the pid file and the ports file.
//!
//! Owns their form, which is the peer's. Readers never see a part of a file, if its folder may be written.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::errno;
use super::process::program_name;

/// Writes this process's id to `path`, whole or not at all. The file stays after the end, as the peer's does.
pub fn write_pid_file(path: &Path) -> Result<(), FileError> {
    write_whole(path, std::process::id().to_string().as_bytes(), 0o600)
}

/// Why a file could not be written or removed, in the peer's words: `open PATH: REASON`.
#[derive(Debug)]
pub struct FileError {
    call: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.call, self.path.display(), errno::text(&self.source))
    }
}

impl FileError {
    /// Which file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::error::Error for FileError {}

/// A file in `ports_file_dir` that lists where clients reach this server, as JSON; it goes when this does.
#[derive(Debug)]
pub struct PortsFile {
    path: PathBuf,
    removed: bool,
}

impl PortsFile {
    /// Writes `FOLDER/PROGRAM_PID.ports`. `listener` is the bound address, `pages` that of the monitoring pages and their scheme; one
    /// that stands for every address is spelled out. `local` is Dunlin's own: a Unix socket.
    pub fn write(
        folder: &Path,
        listener: SocketAddr,
        pages: Option<(&str, SocketAddr)>,
        local: Option<&Path>,
    ) -> Result<Self, FileError> {
        let path = folder.join(format!("{}_{}.ports", program_name(), std::process::id()));
        let urls = |scheme: &str, bound: SocketAddr| {
            let addresses = if bound.ip().is_unspecified() { super::interfaces::addresses() } else { vec![bound.ip()] };
            urls_json(scheme, &addresses, bound.port())
        };
        let mut text = format!("{{\"nats\":{}", urls("nats", listener));
        if let Some((scheme, bound)) = pages {
            text.push_str(&format!(",\"monitoring\":{}", urls(scheme, bound)));
        }
        if let Some(local) = local {
            // serde_json never fails on text.
            let url = serde_json::to_string(&format!("unix:{}", local.display())).unwrap_or_default();
            text.push_str(&format!(",\"unix\":[{url}]"));
        }
        text.push('}');
        write_whole(&path, text.as_bytes(), 0o644)?;
        Ok(Self { path, removed: false })
    }

    /// Removes the file; errors are the caller's to log (`Error cleaning up ports file PATH: …`).
    pub fn remove(mut self) -> Result<(), FileError> {
        self.removed = true;
        fs::remove_file(&self.path).map_err(|source| FileError { call: "remove", path: self.path.clone(), source })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PortsFile {
    fn drop(&mut self) {
        if !self.removed {
            // Nobody is left to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn urls_json(scheme: &str, addresses: &[IpAddr], port: u16) -> String {
    let urls: Vec<_> =
        addresses.iter().map(|&address| format!("\"{scheme}://{}\"", SocketAddr::new(address, port))).collect();
    format!("[{}]", urls.join(","))
}

/// Readers see the old file or the new one, never a part; only where the folder may not be written is the file itself.
fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let write = |path: &Path| {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        file.write_all(bytes)
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = write(&beside).and_then(|()| fs::rename(&beside, path));
    let written = written.or_else(|_| {
        let _ = fs::remove_file(&beside);
        write(path)
    });
    written.map_err(|source| FileError { call: "open", path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dunlin-run-files-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        folder
    }

    #[test]
    fn the_pid_file_holds_the_number_alone() {
        let folder = folder("pid");
        let path = folder.join("n.pid");
        fs::write(&path, "an older and longer text").expect("writable");
        write_pid_file(&path).expect("writable");
        assert_eq!(fs::read_to_string(&path).expect("readable"), std::process::id().to_string());
        assert_eq!(fs::read_dir(&folder).expect("readable").count(), 1);
        let error = write_pid_file(Path::new("/nonexistent/x.pid")).expect_err("no folder");
        assert_eq!(error.to_string(), "open /nonexistent/x.pid: no such file or directory");
        fs::remove_dir_all(&folder).expect("ours");
    }

    #[test]
    fn the_ports_file_lists_urls_and_goes() {
        let folder = folder("ports");
        let address = "127.0.0.1:4222".parse().expect("an address");
        let ports = PortsFile::write(&folder, address, None, None).expect("writable");
        let path = ports.path().to_path_buf();
        assert!(path.to_string_lossy().ends_with(&format!("_{}.ports", std::process::id())));
        assert_eq!(fs::read_to_string(&path).expect("readable"), r#"{"nats":["nats://127.0.0.1:4222"]}"#);
        ports.remove().expect("ours");
        assert!(!path.exists());
        let ports = PortsFile::write(&folder, address, None, None).expect("writable");
        fs::remove_file(&path).expect("ours");
        let error = ports.remove().expect_err("gone");
        assert_eq!(error.to_string(), format!("remove {}: no such file or directory", path.display()));
        drop(PortsFile::write(&folder, "[::]:4222".parse().expect("an address"), None, None).expect("writable"));
        assert!(!path.exists());
        let addresses = ["127.0.0.1", "::1"].map(|text| text.parse().expect("an address"));
        assert_eq!(urls_json("nats", &addresses, 1), r#"["nats://127.0.0.1:1","nats://[::1]:1"]"#);
        let pages = Some(("http", address));
        let ports = PortsFile::write(&folder, address, pages, Some(Path::new("/run/a \"b\""))).expect("writable");
        let text = fs::read_to_string(ports.path()).expect("it is there");
        let unix = r#""unix":["unix:/run/a \"b\""]"#;
        assert_eq!(text, format!(r#"{{"nats":["nats://{address}"],"monitoring":["http://{address}"],{unix}}}"#));
        drop(ports);
        fs::remove_dir_all(&folder).expect("ours");
    }
}
