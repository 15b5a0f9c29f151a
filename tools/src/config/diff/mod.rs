//! `dunlinctl config diff`: what a reload from one file to another would do.
//!
//! Owns the form alone: what differs, what is refused and who is closed is the library's to say, and the server goes by the
//! same functions.

use std::ffi::OsString;
use std::process::ExitCode;

use dunlin::config::changes::{Change, Outcome, diff};
use dunlin::config::changes_users::{Effect, effects};
use serde::Serialize;

use super::arguments::{Arguments, Wanted, parse};
use super::colour::{Paint, Role};
use super::excerpt::printable;
use super::resolved::resolve;
use crate::USAGE_ERROR;
use crate::tool::say;

const HELP: &str = "\
Says what a server that runs with one configuration file would do at a reload to another.

Usage: dunlinctl config diff OLD NEW [--json] [flags of the server]

        --json    One JSON object instead of lines for people
    -h, --help    Show this message

The flags of the server go over both files, as they do in the server: a flag hides what the files say.
What is in certificates and keys is not compared: a reload reads them again in any case.
Exit code: 0 where the reload is carried out, 1 where it is refused or one of the files is wrong, 2 where this command
line is wrong.
";

/// Names of changes that say nothing themselves: their details do.
const LISTS: [&str; 3] = ["accounts", "authorization users", "authorization nkey users"];

/// Runs the command.
pub(super) fn run(arguments: Vec<OsString>) -> ExitCode {
    match parse(arguments, Wanted { files: 2, all: false, words: false }) {
        Ok(Some(arguments)) => compare(&arguments),
        Ok(None) => {
            say(HELP);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("dunlinctl config diff: {error}");
            eprintln!("Try 'dunlinctl config diff --help'.");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

fn compare(arguments: &Arguments) -> ExitCode {
    let [old, new] = arguments.files.as_slice() else { return ExitCode::from(USAGE_ERROR) };
    let (before, after) = match (resolve(old, &arguments.flags), resolve(new, &arguments.flags)) {
        (Ok(before), Ok(after)) => (before.config, after.config),
        (before, after) => {
            for report in [before.err(), after.err()].into_iter().flatten() {
                eprint!("{report}");
            }
            return ExitCode::FAILURE;
        }
    };
    let mut changes = diff(&before, &after);
    // The log names both lists where one login changes, as the peer does; here the one that has something to say is enough.
    let is_said = |change: &Change| !LISTS.contains(&change.name) || !change.details.is_empty();
    changes.retain(is_said);
    // What refuses all of it comes first; else the order stays.
    changes.sort_by_key(|change| change.refusal().is_none());
    let is_refused = changes.iter().any(|change| change.refusal().is_some());
    // A reload that is refused does nothing to anybody.
    let effects = if is_refused { Vec::new() } else { effects(&before, &after) };
    say(&if arguments.json { json(&changes, &effects) } else { lines(&changes, &effects, Paint::of_stdout()) });
    if is_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn lines(changes: &[Change], effects: &[Effect], paint: Paint) -> String {
    if changes.is_empty() {
        return format!("{}: nothing differs\n", paint.paint(Role::Good, "nothing to do"));
    }
    let mut out = String::new();
    for change in changes {
        let values = match &change.values {
            Some((old, new)) if old == new => "changes within".to_owned(),
            Some((old, new)) => format!("{} -> {}", shown(old), shown(new)),
            None => "differs".to_owned(),
        };
        let (word, role, why) = match change.outcome {
            Outcome::Applied => ("applied", Role::Good, String::new()),
            Outcome::Refused(why) => ("REFUSED", Role::Error, format!(": {why}")),
            Outcome::NoEffect(why) => ("no effect", Role::Warning, format!(": {why}")),
        };
        let key = paint.paint(Role::Strong, &change.key);
        out.push_str(&format!("{key}: {values} ({}{why})\n", paint.paint(role, word)));
        for detail in &change.details {
            out.push_str(&format!("    {}\n", printable(detail)));
        }
    }
    out.push('\n');
    let refused = changes.iter().filter(|change| change.refusal().is_some()).count();
    if refused > 0 {
        let word = paint.paint(Role::Error, "refused");
        let which = if refused == 1 { "one setting".to_owned() } else { format!("{refused} settings") };
        out.push_str(&format!(
            "{word}: {which} cannot change while the server runs. The whole reload is refused and the old configuration \
             stays; start the server again to have the new one.\n"
        ));
        return out;
    }
    for effect in effects {
        let role = if effect.is_closing { Role::Warning } else { Role::Frame };
        out.push_str(&format!("{} {}\n", paint.paint(role, &format!("{}:", printable(&effect.who))), effect.what));
    }
    if effects.iter().all(|effect| !effect.is_closing) {
        out.push_str("No connection is closed.\n");
    }
    out.push_str(&format!(
        "{}: a reload carries this out while the server runs.\n",
        paint.paint(Role::Good, "applied")
    ));
    out
}

fn shown(value: &str) -> String {
    if value.is_empty() { "(none)".into() } else { printable(value) }
}

#[derive(Serialize)]
struct Page<'a> {
    verdict: &'static str,
    changes: Vec<Row<'a>>,
    connections: Vec<Touched<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<&'a str>,
    details: &'a [String],
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

#[derive(Serialize)]
struct Touched<'a> {
    who: &'a str,
    what: &'a str,
    closed: bool,
}

fn json(changes: &[Change], effects: &[Effect]) -> String {
    let row = |change: &'_ Change| {
        let (outcome, why) = match change.outcome {
            Outcome::Applied => ("applied", None),
            Outcome::Refused(why) => ("refused", Some(why)),
            Outcome::NoEffect(why) => ("no effect", Some(why)),
        };
        (outcome, why)
    };
    let is_refused = changes.iter().any(|change| change.refusal().is_some());
    let page = Page {
        verdict: match (is_refused, changes.is_empty()) {
            (true, _) => "refused",
            (false, true) => "nothing to do",
            (false, false) => "applied",
        },
        changes: changes
            .iter()
            .map(|change| {
                let (outcome, why) = row(change);
                let values = change.values.as_ref();
                Row {
                    key: &change.key,
                    old: values.map(|(old, _)| old.as_str()),
                    new: values.map(|(_, new)| new.as_str()),
                    details: &change.details,
                    outcome,
                    why,
                }
            })
            .collect(),
        connections: effects
            .iter()
            .map(|effect| Touched { who: &effect.who, what: &effect.what, closed: effect.is_closing })
            .collect(),
    };
    serde_json::to_string_pretty(&page).map(|text| text + "\n").unwrap_or_default()
}
