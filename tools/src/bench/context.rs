//! Contexts of the `nats` command: named files with a server and a login, one of which may be selected.
//!
//! `--context NAME` or `$NATS_CONTEXT` names one; else the selected one holds where no server is given. Flags come before what a
//! context says; a login by flag replaces that of the context as a whole. What a context asks for and is not known here is refused.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::target::ConnectionFlags;
use super::trouble::{Outcome, Trouble};

/// Where contexts are kept, below the folder of configurations.
const FOLDER: &str = "nats/context";
/// The name of the selected one.
const SELECTED: &str = "nats/context.txt";

/// A context file; empty texts are as good as none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Context {
    url: String,
    user: String,
    password: String,
    token: String,
    creds: String,
    nkey: String,
    user_jwt: String,
    cert: String,
    key: String,
    ca: String,
    tls_first: bool,
    nsc: String,
    socks_proxy: String,
}

/// The flags, completed by the context that holds.
pub(crate) fn complete(flags: &ConnectionFlags) -> Outcome<ConnectionFlags> {
    let mut flags = flags.clone();
    // A variable that is set to nothing says nothing.
    flags.server = flags.server.filter(|server| !server.is_empty());
    flags.context = flags.context.filter(|name| !name.is_empty());
    complete_in(&flags, folder().as_deref())
}

fn complete_in(flags: &ConnectionFlags, folder: Option<&Path>) -> Outcome<ConnectionFlags> {
    let file = match (&flags.context, folder) {
        (Some(name), _) if name.starts_with('/') || name.ends_with(".json") => PathBuf::from(name),
        (Some(name), Some(folder)) => path(name, folder)?,
        (Some(_), None) => return Err(Trouble::Usage("--context: there is neither $XDG_CONFIG_HOME nor $HOME".into())),
        (None, Some(folder)) if flags.server.is_none() => match std::fs::read_to_string(folder.join(SELECTED)) {
            Ok(name) if !name.trim().is_empty() => path(name.trim(), folder)?,
            _ => return Ok(flags.clone()),
        },
        _ => return Ok(flags.clone()),
    };
    let wrong = |reason: String| Trouble::Usage(format!("context {}: {reason}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|error| {
        let known = folder.map(names).unwrap_or_default();
        wrong(if known.is_empty() { error.to_string() } else { format!("{error}; there are {}", known.join(", ")) })
    })?;
    let context: Context = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if !context.nsc.is_empty() && context.creds.is_empty() {
        return Err(wrong("it takes its login from nsc, which is not asked here: give --creds".into()));
    }
    if !context.socks_proxy.is_empty() {
        return Err(wrong("it goes through a SOCKS proxy, which is not spoken here".into()));
    }
    Ok(merged(flags, context))
}

fn merged(flags: &ConnectionFlags, context: Context) -> ConnectionFlags {
    let text = |text: String| (!text.is_empty()).then_some(text);
    let file = |path: String| text(path).map(|path| home(&path));
    let mut merged = flags.clone();
    merged.server = merged.server.or_else(|| text(context.url));
    let has_login = flags.user.is_some() || flags.token.is_some() || flags.nkey.is_some() || flags.creds.is_some();
    if !has_login {
        merged.user = text(context.user);
        merged.password = merged.password.or_else(|| text(context.password));
        merged.token = text(context.token);
        merged.creds = file(context.creds);
        merged.nkey = file(context.nkey);
        merged.jwt = text(context.user_jwt);
    }
    merged.tlsca = merged.tlsca.or_else(|| file(context.ca));
    if merged.tlscert.is_none() && merged.tlskey.is_none() {
        (merged.tlscert, merged.tlskey) = (file(context.cert), file(context.key));
    }
    merged.tlsfirst |= context.tls_first;
    merged
}

/// The folder of configurations.
fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("XDG_CONFIG_HOME").or_else(|| named("HOME").map(|home| home.join(".config")))
}

fn path(name: &str, folder: &Path) -> Outcome<PathBuf> {
    // A name is one part of a path, not a way to other files.
    if name.contains(['/', '\\']) || name.starts_with('.') || name.is_empty() {
        return Err(Trouble::Usage(format!(
            "--context '{name}': give the name of a context, or a path that ends with .json"
        )));
    }
    Ok(folder.join(FOLDER).join(format!("{name}.json")))
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join(FOLDER)) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned()))
        .collect();
    names.sort();
    names
}

/// `~/x` is below the home of whoever runs this.
fn home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::complete_in;
    use crate::bench::target::ConnectionFlags;
    use std::path::PathBuf;

    fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dunlinctl-context-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("nats/context")).expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.join("nats").join(name), text).expect("written");
        }
        folder
    }

    const LAB: &str =
        r#"{"description":"lab","url":"nats://127.0.0.1:7","user":"me","password":"pw","ca":"ca.pem","nsc":""}"#;

    #[test]
    fn a_named_context_fills_what_flags_leave_open() {
        let folder = folder("named", &[("context/lab.json", LAB)]);
        let named = ConnectionFlags { context: Some("lab".into()), ..ConnectionFlags::default() };
        let full = complete_in(&named, Some(&folder)).expect("read");
        assert_eq!((full.server.as_deref(), full.user.as_deref()), (Some("nats://127.0.0.1:7"), Some("me")));
        assert_eq!((full.password.as_deref(), full.tlsca), (Some("pw"), Some("ca.pem".into())));
        let other = ConnectionFlags { server: Some("h".into()), token: Some("t".into()), ..named };
        let full = complete_in(&other, Some(&folder)).expect("read");
        assert_eq!((full.server.as_deref(), full.user, full.token.as_deref()), (Some("h"), None, Some("t")));
    }

    #[test]
    fn the_selected_context_holds_where_no_server_is_given() {
        let folder = folder("selected", &[("context/lab.json", LAB), ("context.txt", "lab\n")]);
        let full = complete_in(&ConnectionFlags::default(), Some(&folder)).expect("read");
        assert_eq!(full.user.as_deref(), Some("me"));
        let elsewhere = ConnectionFlags { server: Some("nats://other".into()), ..ConnectionFlags::default() };
        let full = complete_in(&elsewhere, Some(&folder)).expect("read");
        assert_eq!((full.user, full.password), (None, None), "a password goes to nobody else");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let nsc = r#"{"nsc":"nsc://op/acc/user"}"#;
        let files = [("context/lab.json", LAB), ("context/nsc.json", nsc), ("context/bad.json", "{")];
        let folder = folder("wrong", &files);
        for (name, part) in
            [("nsc", "--creds"), ("bad", "bad.json"), ("none", "there are bad, lab, nsc"), ("../x", ".json")]
        {
            let flags = ConnectionFlags { context: Some(name.into()), ..ConnectionFlags::default() };
            let error = complete_in(&flags, Some(&folder)).expect_err(name).to_string();
            assert!(error.contains("context") && error.contains(part), "{error}");
        }
        let flags = ConnectionFlags { context: Some("lab".into()), ..ConnectionFlags::default() };
        assert!(complete_in(&flags, None).expect_err("no home").to_string().contains("$HOME"));
    }
}
