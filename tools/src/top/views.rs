//! From a look to a sheet: which columns each view has, and what stands in them.
//!
//! Pure. The connections are nats-top's columns; the others are Dunlin's own pages.

use std::collections::HashMap;

use super::format::harmless;
use super::look::{Memory, Page};
use super::options::{Options, RATE_SORTS, View};
use super::rates::Flow;
use super::sheet::{Cell, Column, Sheet};
use crate::monitoring::PageError;
use crate::monitoring::pages::{Connection, Connz, Corez, Queuez, Subjectz};

/// Which view the sheet is for, its page at the last look, and names of addresses that are known.
pub(crate) fn sheet(memory: &Memory, options: &Options, names: &HashMap<String, String>) -> Sheet {
    let Some(look) = &memory.last else { return Sheet::default() };
    let mut sheet = match (options.view, &look.page) {
        (View::Connections, Page::Connections(page)) => connections(page, memory, options, names),
        (View::Cores, Page::Cores(page)) => cores(page, memory, options),
        (View::Subjects, Page::Subjects(page)) => subjects(page, options),
        (View::Slow, Page::Slow(page)) => super::slow::sheet(page, options),
        (View::Queues, Page::Queues(page)) => queues(page, memory, options),
        (view, Page::Missing(missing, error)) if view == *missing => without(view, error),
        // The page of the view before: its own is on the way.
        (view, _) => Sheet { title: format!("{}: asking …", view.name()), ..Sheet::default() },
    };
    match options.view {
        View::Connections if RATE_SORTS.contains(&options.sort.as_str()) => {
            sort_by_rate(&mut sheet, memory, options);
        }
        View::Connections => {}
        view => sheet.sort_by(&options.sheet_sorts[view.place()]),
    }
    sheet
}

fn without(view: View, error: &PageError) -> Sheet {
    let page = view.page();
    let note = match error {
        PageError::NoSuchPage if view != View::Connections => {
            vec![
                format!("This server has no {page}."),
                format!("The view of {} needs a page that is Dunlin's own.", view.name()),
            ]
        }
        error => vec![format!("{page}: {}", harmless(&error.to_string()))],
    };
    Sheet { title: format!("No {}", view.name()), note, ..Sheet::default() }
}

fn host(connection: &Connection, options: &Options, names: &HashMap<String, String>) -> Cell {
    match names.get(&connection.ip).filter(|name| options.resolves_names && !name.is_empty()) {
        Some(name) => Cell::text(name),
        None => address(&connection.ip, connection.port),
    }
}

/// `ip:port`, an IPv6 address in brackets.
pub(crate) fn address(ip: &str, port: u64) -> Cell {
    Cell::text(&if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") })
}

fn connections(page: &Connz, memory: &Memory, options: &Options, names: &HashMap<String, String>) -> Sheet {
    let has_names = page.connections.iter().any(|connection| !connection.name.is_empty());
    let per_second = options.shows_rates;
    let pick = |total: &'static str, rate: &'static str| if per_second { rate } else { total };
    let mut columns = vec![Column::new("HOST", "host", 15), Column::new("CID", "cid", 6)];
    if has_names {
        columns.push(Column::new("NAME", "name", 4));
    }
    columns.extend([
        Column::new("SUBS", "subs", 6),
        Column::new("PENDING", "pending", 10),
        Column::new(pick("MSGS_TO", "MSGS_TO/S"), "msgs_to", 10),
        Column::new(pick("MSGS_FROM", "MSGS_FROM/S"), "msgs_from", 10),
        Column::new(pick("BYTES_TO", "BYTES_TO/S"), "bytes_to", 10),
        Column::new(pick("BYTES_FROM", "BYTES_FROM/S"), "bytes_from", 10),
        Column::new("LANG", "lang", 7),
        Column::new("VERSION", "version", 7),
        Column::new("UPTIME", "uptime", 7),
        Column::new("LAST_ACTIVITY", "last", 30),
    ]);
    if options.shows_subjects {
        columns.push(Column::new("SUBSCRIPTIONS", "subscriptions", 0));
    }
    let row = |connection: &Connection| {
        let mut row = vec![host(connection, options, names), Cell::whole(connection.cid)];
        if has_names {
            row.push(Cell::text(&connection.name));
        }
        row.extend([
            Cell::whole(connection.subscriptions),
            figure(connection.pending_bytes, |n| options.style().bytes(n)),
        ]);
        row.extend(traffic(connection, memory.connection(connection.cid), options));
        let texts = [&connection.lang, &connection.version, &connection.uptime, &connection.last_activity];
        row.extend(texts.map(|text| Cell::text(text)));
        if options.shows_subjects {
            row.push(Cell::text(&connection.subjects.join(", ")));
        }
        row
    };
    let total = page.total.max(page.connections.len() as u64);
    let of = if total > page.connections.len() as u64 { format!(" of {total}") } else { String::new() };
    Sheet {
        title: format!("Connections Polled: {}{of}", page.connections.len()),
        rows: page.connections.iter().map(row).collect(),
        columns,
        note: Vec::new(),
    }
}

/// To and from, messages before bytes: totals, or rates.
fn traffic(connection: &Connection, flow: Option<Flow>, options: &Options) -> [Cell; 4] {
    let style = options.style();
    let total = &connection.traffic;
    if options.shows_rates {
        return [
            rate(flow, |flow| flow.out_msgs, |n| style.count(n)),
            rate(flow, |flow| flow.in_msgs, |n| style.count(n)),
            rate(flow, |flow| flow.out_bytes, |n| style.bytes(n)),
            rate(flow, |flow| flow.in_bytes, |n| style.bytes(n)),
        ];
    }
    [
        figure(total.out_msgs, |n| style.count(n)),
        figure(total.in_msgs, |n| style.count(n)),
        figure(total.out_bytes, |n| style.bytes(n)),
        figure(total.in_bytes, |n| style.bytes(n)),
    ]
}

fn figure(number: u64, show: impl Fn(f64) -> String) -> Cell {
    Cell::figure(number as f64, show(number as f64))
}

fn rate(flow: Option<Flow>, pick: impl Fn(Flow) -> f64, show: impl Fn(f64) -> String) -> Cell {
    Cell::rate(flow.map(pick), show)
}

/// Sorts by what grows fastest, also where the columns show totals.
fn sort_by_rate(sheet: &mut Sheet, memory: &Memory, options: &Options) {
    let Some(Page::Connections(page)) = memory.last.as_ref().map(|look| &look.page) else { return };
    let of = |connection: &Connection| {
        memory.connection(connection.cid).map_or(-1.0, |flow| match options.sort.as_str() {
            "msgs_to_rate" => flow.out_msgs,
            "msgs_from_rate" => flow.in_msgs,
            "bytes_to_rate" => flow.out_bytes,
            _ => flow.in_bytes,
        })
    };
    let mut rows: Vec<_> = page.connections.iter().map(of).zip(std::mem::take(&mut sheet.rows)).collect();
    rows.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    sheet.rows = rows.into_iter().map(|(_, row)| row).collect();
}

fn cores(page: &Corez, memory: &Memory, options: &Options) -> Sheet {
    let style = options.style();
    let decimal = |number: f64| Cell::figure(number, format!("{number:.1}"));
    let rows = page.cores.iter().map(|core| {
        let flow = memory.core(core.core);
        let looked_up = core.cache_hits.saturating_add(core.cache_misses);
        let hits = (looked_up > 0).then(|| 100.0 * core.cache_hits as f64 / looked_up as f64);
        vec![
            Cell::whole(core.core),
            core.cpu_id.map_or_else(|| Cell::text("-"), Cell::whole),
            decimal(core.busy_percent),
            decimal(core.turn_us_p50),
            decimal(core.turn_us_p99),
            decimal(core.turn_us_max),
            Cell::whole(core.connections),
            Cell::whole(core.subscriptions),
            rate(flow, |flow| flow.in_msgs, |n| style.count(n)),
            rate(flow, |flow| flow.out_msgs, |n| style.count(n)),
            rate(flow, |flow| flow.in_bytes, |n| style.bytes(n)),
            rate(flow, |flow| flow.out_bytes, |n| style.bytes(n)),
            figure(core.in_flight_bytes, |n| style.bytes(n)),
            figure(core.high_water_bytes, |n| style.bytes(n)),
            figure(core.spill_bytes, |n| style.bytes(n)),
            figure(core.credit_stalls, |n| style.count(n)),
            figure(core.stalls, |n| style.count(n)),
            figure(core.wakes, |n| style.count(n)),
            figure(core.parks, |n| style.count(n)),
            Cell::rate(hits, |hits| format!("{hits:.0}%")),
            figure(core.memory_bytes, |n| style.bytes(n)),
        ]
    });
    let columns = [
        Column::new("CORE", "core", 4),
        Column::new("CPU", "cpu", 3),
        Column::new("BUSY%", "busy", 5),
        Column::new("TURN_P50", "p50", 8),
        Column::new("TURN_P99", "p99", 8),
        Column::new("TURN_MAX", "max", 8),
        Column::new("CONNS", "connections", 6),
        Column::new("SUBS", "subs", 6),
        Column::new("MSGS_IN/S", "msgs_in", 9),
        Column::new("MSGS_OUT/S", "msgs_out", 10),
        Column::new("BYTES_IN/S", "bytes_in", 10),
        Column::new("BYTES_OUT/S", "bytes_out", 11),
        Column::new("RING", "ring", 7),
        Column::new("RING_MAX", "ring_max", 8),
        Column::new("SPILL", "spill", 6),
        Column::new("CREDIT", "credit", 6),
        Column::new("STALLS", "stalls", 6),
        Column::new("WAKES", "wakes", 7),
        Column::new("PARKS", "parks", 7),
        Column::new("CACHE", "cache", 5),
        Column::new("MEMORY", "memory", 7),
    ];
    Sheet {
        title: format!("Cores: {} (turns in µs)", page.cores.len()),
        columns: columns.into(),
        rows: rows.collect(),
        note: Vec::new(),
    }
}

fn subjects(page: &Subjectz, options: &Options) -> Sheet {
    let style = options.style();
    let rows = page.subjects.iter().map(|subject| {
        vec![
            Cell::text(&subject.subject),
            Cell::text(&subject.account),
            Cell::figure(subject.in_msgs_rate, style.count(subject.in_msgs_rate)),
            Cell::figure(subject.in_bytes_rate, style.bytes(subject.in_bytes_rate)),
            figure(subject.traffic.in_msgs, |n| style.count(n)),
            figure(subject.traffic.in_bytes, |n| style.bytes(n)),
            figure(subject.traffic.out_msgs, |n| style.count(n)),
            figure(subject.traffic.out_bytes, |n| style.bytes(n)),
            Cell::whole(subject.subscribers),
            Cell::text(&subject.last_seen),
        ]
    });
    let columns = [
        Column::new("SUBJECT", "subject", 20),
        Column::new("ACCOUNT", "account", 7),
        Column::new("MSGS_IN/S", "msgs_in_rate", 9),
        Column::new("BYTES_IN/S", "bytes_in_rate", 10),
        Column::new("MSGS_IN", "msgs_in", 8),
        Column::new("BYTES_IN", "bytes_in", 8),
        Column::new("MSGS_OUT", "msgs_out", 8),
        Column::new("BYTES_OUT", "bytes_out", 9),
        Column::new("SUBS", "subs", 6),
        Column::new("LAST_SEEN", "last", 0),
    ];
    let depth =
        if options.depth == 0 { "whole subjects".to_owned() } else { format!("first {} tokens", options.depth) };
    let counted = match page.sample_every {
        0 | 1 => String::new(),
        every => {
            format!(", one message in {every} is counted, off by {} at most", style.count(page.error_bound_msgs as f64))
        }
    };
    Sheet {
        title: format!("Busiest Subjects: {} ({depth}{counted})", page.subjects.len()),
        columns: columns.into(),
        rows: rows.collect(),
        note: Vec::new(),
    }
}

fn queues(page: &Queuez, memory: &Memory, options: &Options) -> Sheet {
    let style = options.style();
    let rows = page.groups.iter().map(|group| {
        let by_core = group.members_by_core.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        vec![
            Cell::text(&group.queue),
            Cell::text(&group.subject),
            Cell::text(&group.account),
            Cell::whole(group.members),
            figure(group.picks, |n| style.count(n)),
            Cell::rate(memory.group(group), |n| style.count(n)),
            Cell::figure(group.fairness, format!("{:.2}", group.fairness)),
            Cell::text(&by_core),
        ]
    });
    let columns = [
        Column::new("QUEUE", "queue", 16),
        Column::new("SUBJECT", "subject", 20),
        Column::new("ACCOUNT", "account", 7),
        Column::new("MEMBERS", "members", 7),
        Column::new("PICKS", "picks", 8),
        Column::new("PICKS/S", "picks_rate", 8),
        Column::new("FAIRNESS", "fairness", 8),
        Column::new("MEMBERS_BY_CORE", "cores", 0),
    ];
    Sheet {
        title: format!("Queue Groups: {}", page.groups.len()),
        columns: columns.into(),
        rows: rows.collect(),
        note: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::sheet;
    use crate::monitoring::PageError;
    use crate::top::look::{Look, Page};
    use crate::top::options::View;
    use crate::top::recorded;

    fn lines(view: View, change: impl Fn(&mut crate::top::options::Options)) -> Vec<String> {
        let (mut options, names) = recorded::options(view);
        change(&mut options);
        let sheet = sheet(&recorded::memory(view), &options, &names);
        let (head, rows) = sheet.lines();
        [sheet.title, head].into_iter().chain(rows).collect()
    }

    fn words(line: &str) -> Vec<&str> {
        line.split_whitespace().collect()
    }

    #[test]
    fn connections_are_nats_tops_columns() {
        let lines = lines(View::Connections, |_| {});
        assert_eq!(lines[0], "Connections Polled: 2");
        let columns =
            "HOST CID NAME SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM LANG VERSION UPTIME LAST_ACTIVITY";
        assert_eq!(words(&lines[1]).join(" "), columns);
        assert_eq!(words(&lines[2])[1..5], ["5", "orders-worker", "2", "0"]);
        assert_eq!(words(&lines[3])[9..11], ["python3", "2.16.0"]);
    }

    #[test]
    fn connections_show_rates_and_subscriptions_on_demand() {
        let lines = lines(View::Connections, |options| {
            options.shows_rates = true;
            options.shows_subjects = true;
            options.sort = "msgs_from_rate".into();
        });
        assert!(lines[1].contains("MSGS_FROM/S") && lines[1].ends_with("SUBSCRIPTIONS"), "{}", lines[1]);
        assert!(lines[2].contains("shop") && words(&lines[2])[6].ends_with('K'), "the busiest first: {}", lines[2]);
        assert!(lines[3].ends_with("orders.*, stock.>"), "{}", lines[3]);
    }

    #[test]
    fn a_limit_is_said() {
        let (options, names) = recorded::options(View::Connections);
        let mut memory = recorded::memory(View::Connections);
        if let Some(Look { page: Page::Connections(page), .. }) = &mut memory.last {
            page.total = 70;
        }
        assert_eq!(sheet(&memory, &options, &names).title, "Connections Polled: 2 of 70");
    }

    #[test]
    fn names_stand_in_the_place_of_addresses_once_known() {
        let (mut options, mut names) = recorded::options(View::Connections);
        names.insert("127.0.0.1".into(), "loop.example".into());
        let memory = recorded::memory(View::Connections);
        assert!(!sheet(&memory, &options, &names).lines().1[0].contains("loop.example"));
        options.resolves_names = true;
        assert!(sheet(&memory, &options, &names).lines().1[0].contains("loop.example"));
    }

    #[test]
    fn cores_show_what_each_does_and_missing_fields_are_no_trouble() {
        let lines = lines(View::Cores, |options| options.sheet_sorts[View::Cores.place()] = "busy".into());
        assert_eq!(lines[0], "Cores: 2 (turns in µs)");
        let first = words(&lines[2]);
        assert_eq!(first[..12].join(" "), "0 0 41.7 4.1 62.5 812.0 5 12 10.0K 0 0 1.0M");
        assert_eq!(first[12..].join(" "), "2.0K 64.0K 10 1 2 300 280 99% 196.0K");
        assert_eq!(words(&lines[3])[..3].join(" "), "1 - 3.2");
    }

    #[test]
    fn subjects_and_queues_are_listed() {
        let lines = lines(View::Subjects, |options| options.depth = 2);
        assert_eq!(lines[0], "Busiest Subjects: 2 (first 2 tokens, one message in 64 is counted, off by 1.3K at most)");
        assert_eq!(words(&lines[2])[..4], ["orders.new", "$G", "4.0K", "386.8K"]);
        let lines = self::lines(View::Queues, |_| {});
        assert_eq!(words(&lines[2]).join(" "), "workers work.> $G 3 9.0K - 0.98 2 1");
    }

    #[test]
    fn a_server_without_the_page_is_told_apart_from_a_page_on_its_way() {
        let (options, names) = recorded::options(View::Cores);
        let mut memory = recorded::memory(View::Connections);
        assert_eq!(sheet(&memory, &options, &names).title, "cores: asking …");
        memory.last.as_mut().expect("a look").page = Page::Missing(View::Cores, PageError::NoSuchPage);
        let missing = sheet(&memory, &options, &names);
        assert_eq!((missing.title.as_str(), missing.note[0].as_str()), ("No cores", "This server has no /corez."));
        memory.last.as_mut().expect("a look").page = Page::Missing(View::Cores, PageError::Forbidden);
        assert!(sheet(&memory, &options, &names).note[0].contains("user:password@"));
    }
}
