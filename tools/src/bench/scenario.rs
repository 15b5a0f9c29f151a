//! Workloads side by side, from a TOML file.
//!
//! A workload is a table: `kind` is a command of bench, `name` its name in the report, `subject` its subject; every other key is
//! a flag of that command. So a file knows exactly what the command line knows, and a mistake is named in the same words.
//!
//! ```toml
//! [[workload]]
//! name = "service"
//! kind = "request"
//! responders = 1
//! rate = 1000
//! duration = "5s"
//! ```

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};

use super::connections::{self, Kind};
use super::flags::ConnectionLoadFlags;
use super::outcome::RunOutcome;
use super::progress::Progress;
use super::run::{self, Conditions};
use super::session::{Work, work_of_words};
use super::trouble::{Outcome, Trouble};
use super::workload::Workload;

const WORKLOADS_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    workload: Vec<Table>,
}

/// Reads a file.
pub(crate) fn read(file: &Path, timeout: Duration) -> Outcome<Work> {
    let wrong = |reason: String| Trouble::Usage(format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    parse(&text, timeout).map_err(|trouble| wrong(trouble.to_string()))
}

/// Reads the text of a file.
pub(crate) fn parse(text: &str, timeout: Duration) -> Outcome<Work> {
    let file: File = toml::from_str(text).map_err(|error| Trouble::Usage(error.to_string()))?;
    if file.workload.is_empty() || file.workload.len() > WORKLOADS_MAX {
        return Err(Trouble::Usage(format!("write 1 to {WORKLOADS_MAX} [[workload]] tables")));
    }
    let (mut messages, mut others) = (Vec::new(), Vec::new());
    for (place, table) in file.workload.iter().enumerate() {
        let name = text_of(table, "name").unwrap_or_else(|| format!("workload {}", place + 1));
        let of_it = |trouble: Trouble| Trouble::Usage(format!("{name}: {trouble}"));
        match work_of_words(&words(table).map_err(of_it)?, timeout).map_err(of_it)? {
            Work::Messages(workloads) => messages.extend(workloads.into_iter().map(|(_, load)| (name.clone(), load))),
            Work::Connections(kind, flags) => others.push((name, kind, flags)),
            Work::Mixed(..) => return Err(of_it(Trouble::Usage("a scenario in a scenario".into()))),
        }
    }
    Ok(if others.is_empty() { Work::Messages(messages) } else { Work::Mixed(messages, others) })
}

fn text_of(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// The command line that a table stands for.
fn words(table: &Table) -> Outcome<Vec<String>> {
    let kind =
        text_of(table, "kind").ok_or_else(|| Trouble::Usage("kind is missing: pubsub, request, storm, …".into()))?;
    let mut words = vec![kind];
    words.extend(text_of(table, "subject"));
    for (key, value) in table.iter().filter(|(key, _)| !["kind", "name", "subject"].contains(&key.as_str())) {
        let flag = format!("--{}", key.replace('_', "-"));
        let mut put = |value: String| words.push(format!("{flag}={value}"));
        match value {
            Value::Boolean(true) => words.push(flag),
            Value::Boolean(false) => {}
            Value::String(text) => put(text.clone()),
            Value::Integer(number) => put(number.to_string()),
            Value::Float(number) => put(number.to_string()),
            Value::Array(values) => {
                for value in values {
                    let text = value.as_str();
                    put(text.ok_or_else(|| Trouble::Usage(format!("{key}: a list of texts")))?.to_owned());
                }
            }
            Value::Datetime(_) | Value::Table(_) => {
                return Err(Trouble::Usage(format!("{key}: a text, a number, true or false")));
            }
        }
    }
    Ok(words)
}

/// Runs messages and connections at the same time.
pub(crate) fn execute(
    conditions: &Conditions,
    workloads: &[(String, Workload)],
    others: &[(String, Kind, ConnectionLoadFlags)],
    number: u16,
) -> Outcome<RunOutcome> {
    let connections: u64 = others.iter().map(|(_, _, flags)| flags.count).sum();
    run::allow_files(connections)?;
    // Their costs cannot be told apart: the server is measured once, over all of them.
    let blind = Conditions { is_blind: true, progress: Progress::default(), ..conditions.clone() };
    std::thread::scope(|scope| {
        let running: Vec<_> = others
            .iter()
            .map(|(name, kind, flags)| (name, scope.spawn(|| connections::execute(&blind, *kind, flags))))
            .collect();
        let mut outcome =
            if workloads.is_empty() { RunOutcome::default() } else { run::execute(conditions, workloads, number)? };
        for (name, thread) in running {
            let other = thread.join().map_err(|_| Trouble::Thread)??;
            let named = other.figures.into_iter().map(|(figure, value)| (format!("{name}: {figure}"), value));
            outcome.figures.extend(named);
            outcome.groups.extend(other.groups);
        }
        Ok(outcome)
    })
}

#[cfg(test)]
mod tests {
    use super::{Work, parse};
    use std::time::Duration;

    fn parsed(text: &str) -> Result<Work, String> {
        parse(text, Duration::from_secs(1)).map_err(|trouble| trouble.to_string())
    }

    #[test]
    fn tables_are_command_lines() {
        let text = "[[workload]]\nname = \"a\"\nkind = \"pubsub\"\nsubject = \"x.y\"\npub = 2\nrate = 10\nduration = \"1s\"\n\
header = [\"A: b\", \"C: d\"]\nmultisubject = true\nno_check = false\n[[workload]]\nkind = \"storm\"\ncount = 7\n";
        let Ok(Work::Mixed(messages, others)) = parsed(text) else { panic!("{:?}", parsed(text)) };
        assert_eq!((messages[0].0.as_str(), others[0].2.count), ("a", 7));
        assert_eq!(messages[0].1.planned(), Some(10));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, word) in [
            ("", "[[workload]]"),
            ("[[workload]]\nname = \"q\"", "q: kind is missing"),
            ("[[workload]]\nkind = \"pubsub\"\nspeed = 3", "--speed"),
            ("[[workload]]\nkind = \"knee\"", "workload 1"),
            ("[[work]]\n", "work"),
            ("[[workload]]\nkind = \"pub\"\nrate = {}", "rate: a text"),
        ] {
            let error = parsed(text).expect_err(text);
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
