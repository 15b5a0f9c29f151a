//! `unix_socket` and `unix_socket_mode`: a second listener, for clients of this host.
//!
//! Owns what they mean and their checks. Touches no file: whether the path can be listened at shows when the server starts.

use std::path::PathBuf;

use super::raw::{Origin, RawConfig, Written};

/// Who may connect where nothing is written: the server's user and its group.
const MODE_DEFAULT: u32 = 0o660;
/// The kernel holds no longer names of sockets.
const PATH_BYTES_MAX: usize = 107;

/// A Unix socket to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// Where its file is.
    pub path: PathBuf,
    /// The file's mode: who may write to it may connect.
    pub mode: u32,
}

impl RawConfig {
    /// The listener, where one is wanted; `refuse` gets what is wrong with it.
    pub(super) fn resolve_unix_socket(&self, refuse: &mut impl FnMut(String)) -> Option<UnixSocket> {
        let mode = match &self.unix_socket_mode {
            None => MODE_DEFAULT,
            Some(written) => mode(&written.value).unwrap_or_else(|| {
                let value = &written.value;
                refuse(format!("{}unix_socket_mode {value:?} is no file mode: write it as in \"0660\"", at(written)));
                MODE_DEFAULT
            }),
        };
        let written = self.unix_socket.as_ref().filter(|written| !written.value.is_empty())?;
        let path = &written.value;
        if path.len() > PATH_BYTES_MAX {
            let bytes = path.len();
            refuse(format!(
                "{}unix_socket {path:?} has {bytes} bytes, and the name of a socket at most {PATH_BYTES_MAX}: \
                 choose a shorter path",
                at(written)
            ));
            return None;
        }
        if path.contains('\0') {
            refuse(format!("{}unix_socket {path:?} is no path", at(written)));
            return None;
        }
        Some(UnixSocket { path: PathBuf::from(path), mode })
    }
}

fn at<T>(written: &Written<T>) -> String {
    match &written.origin {
        Origin::File(place) => format!("{place}: "),
        _ => String::new(),
    }
}

/// Octal digits, as for `chmod`.
fn mode(text: &str) -> Option<u32> {
    let is_octal = !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    if !is_octal {
        return None;
    }
    u32::from_str_radix(text, 8).ok().filter(|&mode| mode <= 0o777)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(path: &str, mode: Option<&str>) -> Result<Option<UnixSocket>, String> {
        let written = |text: &str| Some(Written { value: text.to_owned(), origin: Origin::Code });
        let raw =
            RawConfig { unix_socket: written(path), unix_socket_mode: mode.and_then(written), ..RawConfig::default() };
        let mut refused = Vec::new();
        let socket = raw.resolve_unix_socket(&mut |text| refused.push(text));
        if refused.is_empty() { Ok(socket) } else { Err(refused.join("\n")) }
    }

    #[test]
    fn a_path_and_who_may_connect() {
        let socket = |mode| Ok(Some(UnixSocket { path: "/run/dunlin.sock".into(), mode }));
        assert_eq!(resolved("/run/dunlin.sock", None), socket(0o660));
        for (text, mode) in [("0666", 0o666), ("600", 0o600), ("0777", 0o777)] {
            assert_eq!(resolved("/run/dunlin.sock", Some(text)), socket(mode));
        }
        assert_eq!(resolved("", None), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for text in ["", "8", "0o660", "rw", "1777", "-1", "+7"] {
            let error = resolved("/run/dunlin.sock", Some(text)).expect_err("no mode");
            assert_eq!(error, format!("unix_socket_mode {text:?} is no file mode: write it as in \"0660\""));
        }
        let error = resolved(&"x".repeat(108), None).expect_err("too long");
        assert!(error.contains("has 108 bytes") && error.ends_with("choose a shorter path"), "{error}");
        assert!(resolved(&"x".repeat(107), None).is_ok());
    }
}
