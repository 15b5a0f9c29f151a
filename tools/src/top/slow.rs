//! The view of slow consumers: three tables of one page in one sheet, each line saying what it is about.
//!
//! Those that are behind come first, then the publishers that wait for them, then those that were closed.

use super::options::Options;
use super::sheet::{Cell, Column, Sheet};
use super::views::address;
use crate::monitoring::pages::Slowz;

/// The sheet of `/slowz`.
pub(crate) fn sheet(page: &Slowz, options: &Options) -> Sheet {
    let style = options.style();
    let bytes = |bytes: u64| Cell::figure(bytes as f64, style.bytes(bytes as f64));
    let nothing = || Cell::text("-");
    let mut rows = Vec::new();
    rows.extend(page.connections.iter().map(|slow| {
        vec![
            Cell::text("behind"),
            Cell::whole(slow.cid),
            Cell::text(&slow.name),
            address(&slow.ip, slow.port),
            bytes(slow.pending_bytes),
            Cell::figure(slow.behind_ms as f64, milliseconds(slow.behind_ms)),
            Cell::whole(slow.stalls_caused),
            nothing(),
            Cell::text(&format!("account {}, core {}", slow.account, slow.core)),
        ]
    }));
    rows.extend(page.held_back.iter().map(|held| {
        let by = held.by.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        vec![
            Cell::text("held back"),
            Cell::whole(held.cid),
            Cell::text(&held.name),
            Cell::text(&held.ip),
            nothing(),
            nothing(),
            Cell::whole(held.stalls),
            nothing(),
            Cell::text(&format!("by cid {by}")),
        ]
    }));
    rows.extend(page.closed.iter().map(|closed| {
        vec![
            Cell::text("closed"),
            Cell::whole(closed.cid),
            Cell::text(&closed.name),
            Cell::text(&closed.ip),
            bytes(closed.pending_bytes),
            nothing(),
            nothing(),
            Cell::whole(closed.lost_msgs),
            Cell::text(&format!("{} at {}", closed.reason, closed.stop)),
        ]
    }));
    let columns = [
        Column::new("WHAT", "what", 9),
        Column::new("CID", "cid", 6),
        Column::new("NAME", "name", 10),
        Column::new("HOST", "host", 15),
        Column::new("PENDING", "pending", 8),
        Column::new("BEHIND", "behind", 8),
        Column::new("STALLS", "stalls", 6),
        Column::new("LOST", "lost", 6),
        Column::new("WHY", "why", 0),
    ];
    let note =
        if rows.is_empty() { vec!["Nobody is behind, and nobody was closed for it.".to_owned()] } else { Vec::new() };
    let counts = [page.held_back.len(), page.closed.len()];
    let title = format!("Slow Consumers: {}  Held Back: {}  Closed: {}", page.num_slow, counts[0], counts[1]);
    Sheet { title, columns: columns.into(), rows, note }
}

fn milliseconds(ms: u64) -> String {
    if ms < 10_000 { format!("{ms}ms") } else { format!("{:.1}s", ms as f64 / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::{milliseconds, sheet};
    use crate::monitoring::pages::Slowz;
    use crate::top::options::{Options, View};
    use crate::top::recorded;

    #[test]
    fn who_is_behind_whom_it_hurts_and_what_was_lost() {
        let (options, names) = recorded::options(View::Slow);
        let sheet = crate::top::views::sheet(&recorded::memory(View::Slow), &options, &names);
        assert_eq!(sheet.title, "Slow Consumers: 1  Held Back: 1  Closed: 1");
        let rows = sheet.lines().1;
        let words: Vec<_> = rows.iter().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            words,
            [
                "behind 9 ledger 10.0.0.7:5123 5.0M 740ms 31 - account $G, core 1",
                "held back 6 shop 10.0.0.9 - - 31 - by cid 9, 4",
                "closed 4 old-ledger 10.0.0.8 64.0M - - 51234 Slow Consumer (Pending Bytes) at 2026-11-25T21:01:02Z",
            ]
        );
    }

    #[test]
    fn nobody_slow_is_said() {
        let sheet = sheet(&Slowz::default(), &Options::default());
        assert!(sheet.note[0].contains("Nobody"), "{sheet:?}");
        assert_eq!([milliseconds(740), milliseconds(12_340)], ["740ms", "12.3s"]);
    }
}
