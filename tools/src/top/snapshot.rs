//! `-o`: one table as text or as fields, for scripts.
//!
//! Two looks make its rates. Writes to a file or to standard output and ends.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use super::flags::Flags;
use super::look::{Look, Memory, Page};
use super::options::Options;
use super::sheet::record;
use super::{heading, poller, views};
use crate::monitoring::Monitor;
use crate::tool::say;

/// Looks, and writes. `first` has been had already.
pub(crate) fn run(flags: &Flags, monitor: &Monitor, first: Look, file: &Path) -> Result<(), String> {
    let start = Instant::now();
    let mut memory = Memory::default();
    memory.look(first);
    if !flags.delay.is_zero() {
        // Time has to pass for a rate: that is all that is waited for.
        let end = start + flags.delay;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            std::thread::park_timeout(left);
        }
        let look = Look::take(monitor, &flags.options, start.elapsed().as_secs_f64());
        memory.look(look.map_err(|error| format!("{}: {error}", monitor.place()))?);
    }
    if let Some(Page::Missing(view, error)) = memory.last.as_ref().map(|look| &look.page) {
        return Err(format!("{}: {error}", monitor.place().url(view.page())));
    }
    let text = text(&memory, &flags.options, flags.delimiter.as_deref(), &names(&memory, &flags.options));
    if file == Path::new("-") {
        say(&text);
        return Ok(());
    }
    std::fs::write(file, text).map_err(|error| format!("-o {}: {error}", file.display()))
}

fn names(memory: &Memory, options: &Options) -> HashMap<String, String> {
    let mut names = HashMap::new();
    if let (true, Some(Page::Connections(page))) = (options.resolves_names, memory.last.as_ref().map(|look| &look.page))
    {
        for connection in &page.connections {
            names.entry(connection.ip.clone()).or_insert_with(|| poller::name(&connection.ip));
        }
    }
    names
}

/// The table as it is written.
fn text(memory: &Memory, options: &Options, delimiter: Option<&str>, names: &HashMap<String, String>) -> String {
    let sheet = views::sheet(memory, options, names);
    let Some(delimiter) = delimiter else {
        let (titles, rows) = sheet.lines();
        let mut lines = heading::lines(memory, options, "");
        lines.extend([String::new(), sheet.title, titles]);
        lines.extend(rows);
        return lines.join("\n") + "\n";
    };
    let title = sheet.title.split_once(": ").map_or((sheet.title.as_str(), ""), |parts| parts);
    let mut text = heading::records(memory, options, delimiter);
    text.push('\n');
    text.push_str(&record([format!("{}:", title.0).as_str(), title.1].into_iter(), delimiter));
    text.push_str(&sheet.fields(delimiter));
    text
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::top::options::View;
    use crate::top::recorded;

    #[test]
    fn text_has_the_heading_and_the_table() {
        let (options, names) = recorded::options(View::Connections);
        let text = text(&recorded::memory(View::Connections), &options, None, &names);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[6], lines[7]), (11, "", "Connections Polled: 2"));
        assert!(lines[8].trim_start().starts_with("HOST") && lines[10].contains("shop"), "{text}");
    }

    #[test]
    fn fields_have_one_record_a_connection() {
        let (options, names) = recorded::options(View::Connections);
        let text = text(&recorded::memory(View::Connections), &options, Some(","), &names);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[6], "Connections Polled:,2");
        assert_eq!(
            lines[7],
            "HOST,CID,NAME,SUBS,PENDING,MSGS_TO,MSGS_FROM,BYTES_TO,BYTES_FROM,LANG,VERSION,UPTIME,LAST_ACTIVITY"
        );
        assert_eq!([lines[8], lines[9]].map(|line| line.split(',').count()), [13, 13]);
    }

    #[test]
    fn every_view_can_be_written() {
        for view in View::ALL {
            let (options, names) = recorded::options(view);
            for delimiter in [None, Some(",")] {
                let text = text(&recorded::memory(view), &options, delimiter, &names);
                assert!(text.lines().count() >= 9 && !text.contains("asking"), "{view:?}: {text}");
            }
        }
    }
}
