//! `dunlinctl config explain`: the configuration as the server has it, and where each value comes from.
//!
//! ```text
//! origin.rs    where a value was written, variables of the environment included
//! ```
//!
//! Owns what is shown without being asked for, and the form. Values, defaults and rules are the library's.

mod origin;

use std::ffi::OsString;
use std::process::ExitCode;

use dunlin::config::explain::{Setting, explain};
use dunlin::config::keys::{Reload, Status};
use serde::Serialize;

use self::origin::Source;
use super::arguments::{Arguments, Wanted, parse};
use super::colour::{Paint, Role};
use super::excerpt::{Sources, printable};
use super::resolved::resolve;
use super::secrets::masked;
use crate::USAGE_ERROR;
use crate::tool::say;

const HELP: &str = "\
Shows the configuration as the server has it: each setting, its value, where that comes from, and what a reload does with it.

Usage: dunlinctl config explain FILE [KEY...] [--all] [--json] [flags of the server]

    KEY           Only these keys, or keys of these blocks, with what they are for
        --all     Settings that have their defaults, too
        --json    One JSON object instead of lines for people
    -h, --help    Show this message

Without --all: what is set, and what people ask for most. Passwords, tokens and seeds are never shown.
Exit code: 0, 1 where the file is wrong or there is no such key, 2 where this command line is wrong.
";

/// Shown even where they have their defaults.
const IMPORTANT: &[&str] = &[
    "host",
    "port",
    "server_name",
    "max_connections",
    "max_payload",
    "max_pending",
    "write_deadline",
    "http_port",
    "log_file",
    "authorization",
    "tls",
    "dunlin.cores",
];
/// Columns of keys and values grow to this, and what is longer stands out.
const KEY_WIDTH_MAX: usize = 34;
const VALUE_WIDTH_MAX: usize = 28;

/// Runs the command.
pub(super) fn run(arguments: Vec<OsString>) -> ExitCode {
    match parse(arguments, Wanted { files: 1, all: true, words: true }) {
        Ok(Some(arguments)) => show(&arguments),
        Ok(None) => {
            say(HELP);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("dunlinctl config explain: {error}");
            eprintln!("Try 'dunlinctl config explain --help'.");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

/// One line.
struct Line {
    setting: Setting,
    source: Source,
}

fn show(arguments: &Arguments) -> ExitCode {
    let Some(file) = arguments.files.first() else { return ExitCode::from(USAGE_ERROR) };
    let resolved = match resolve(file, &arguments.flags) {
        Ok(resolved) => resolved,
        Err(report) => {
            eprint!("{report}");
            return ExitCode::FAILURE;
        }
    };
    let settings = match explain(Some(file), &resolved.raw, &resolved.config) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("dunlinctl config explain: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut sources = Sources::default();
    let total = settings.len();
    let is_asked = |setting: &Setting| {
        if !arguments.words.is_empty() {
            return arguments.words.iter().any(|word| is_of(word, setting));
        }
        arguments.all || setting.origin.is_some() || IMPORTANT.contains(&setting.path.as_str())
    };
    let lines: Vec<Line> = settings
        .into_iter()
        .filter(is_asked)
        .map(|setting| Line { source: origin::of(setting.origin.as_ref(), &mut sources), setting })
        .collect();
    if lines.is_empty() && !arguments.words.is_empty() {
        eprintln!("dunlinctl config explain: there is no key {}", arguments.words.join(" or "));
        eprintln!("'dunlinctl config explain --all FILE' lists the keys.");
        return ExitCode::FAILURE;
    }
    say(&if arguments.json {
        json(&lines)
    } else {
        table(&lines, !arguments.words.is_empty(), total, Paint::of_stdout())
    });
    ExitCode::SUCCESS
}

/// Whether a word is the key of a setting, another name for it, or its block.
fn is_of(word: &str, setting: &Setting) -> bool {
    let path = setting.path.to_ascii_lowercase();
    let word = word.to_ascii_lowercase();
    let is_block = path.strip_prefix(&word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let last = path.rsplit('.').next().unwrap_or_default();
    is_block || last == word || setting.key.is_some_and(|key| key.is_named(word.as_bytes()))
}

fn value_of(setting: &Setting) -> String {
    if setting.value.is_empty() { "(none)".into() } else { printable(&masked(&setting.value)) }
}

fn reload_of(setting: &Setting) -> (&'static str, Option<&'static str>) {
    match setting.key.map(|key| (key.reload, key.status)) {
        Some((_, Status::NotYet(_))) => ("fixed", Some("it is not supported yet")),
        Some((Reload::No(why), _)) => ("fixed", Some(why)),
        Some((Reload::NoEffect(why), _)) => ("no effect", Some(why)),
        Some((Reload::Yes, _)) | None => ("applied", None),
    }
}

fn table(lines: &[Line], is_asked: bool, total: usize, paint: Paint) -> String {
    let width = |of: &dyn Fn(&Line) -> usize, most: usize| lines.iter().map(of).max().unwrap_or(0).min(most);
    let key_width = width(&|line| line.setting.path.chars().count(), KEY_WIDTH_MAX);
    let value_width = width(&|line| value_of(&line.setting).chars().count(), VALUE_WIDTH_MAX);
    let origin_width = width(&|line| line.source.to_string().chars().count(), KEY_WIDTH_MAX);
    let mut out = String::new();
    for Line { setting, source } in lines {
        let key = paint.paint(Role::Strong, &format!("{:key_width$}", printable(&setting.path)));
        let value = format!("{:value_width$}", value_of(setting));
        let origin = printable(&source.to_string());
        let origin = paint.paint(Role::Frame, &format!("{origin:origin_width$}"));
        let reload = match reload_of(setting) {
            ("fixed", Some(why)) => format!("needs a restart: {why}"),
            (word, Some(why)) => format!("{word}: {why}"),
            (_, None) => "reloads".to_owned(),
        };
        out.push_str(&format!("{key}  {value}  {origin}  {reload}\n"));
        if let Some(key) = setting.key.filter(|_| is_asked) {
            out.push_str(&format!("    {}\n", key.help));
            let mut facts = vec![key.kind.type_name().to_owned()];
            facts.extend((!key.default.is_empty()).then(|| format!("default {}", key.default)));
            facts.extend(key.range.map(|range| format!("from {} to {}", range.low, range.high)));
            facts.extend((!key.aliases.is_empty()).then(|| format!("also {}", key.aliases.join(", "))));
            facts.extend((!key.differs.is_empty()).then(|| key.differs.to_owned()));
            out.push_str(&format!("    {}\n", facts.join("; ")));
        }
    }
    if !is_asked && lines.len() < total {
        out.push_str(&format!("\n{} more have their defaults: --all shows them.\n", total - lines.len()));
    }
    out
}

#[derive(Serialize)]
struct Page<'a> {
    settings: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    value: String,
    origin: &'a Source,
    reload: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'static str>,
}

fn json(lines: &[Line]) -> String {
    let rows = lines.iter().map(|line| {
        let (reload, why) = reload_of(&line.setting);
        Row {
            key: &line.setting.path,
            value: masked(&line.setting.value),
            origin: &line.source,
            reload,
            why,
            help: line.setting.key.map(|key| key.help),
        }
    });
    serde_json::to_string_pretty(&Page { settings: rows.collect() }).map(|text| text + "\n").unwrap_or_default()
}
