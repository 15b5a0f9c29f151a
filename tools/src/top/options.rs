//! What the user has chosen: by flags at first, by keys later. Plain data.

use super::format::Style;

/// Connections that are asked for, as nats-top and the server have it.
pub(crate) const LIMIT: u64 = 1024;
/// Tokens of a subject that can be told apart.
pub(crate) const DEPTH_MAX: u64 = 16;

/// By what the server sorts connections.
const SERVER_SORTS: [&str; 12] = [
    "cid",
    "start",
    "subs",
    "pending",
    "msgs_to",
    "msgs_from",
    "bytes_to",
    "bytes_from",
    "last",
    "idle",
    "uptime",
    "rtt",
];
/// By what we sort those that it has sent.
pub(crate) const RATE_SORTS: [&str; 4] = ["msgs_to_rate", "msgs_from_rate", "bytes_to_rate", "bytes_from_rate"];

/// Every order of connections.
pub(crate) fn sorts() -> Vec<&'static str> {
    SERVER_SORTS.into_iter().chain(RATE_SORTS).collect()
}

/// Whether connections can be sorted so.
pub(crate) fn is_sort(name: &str) -> bool {
    SERVER_SORTS.contains(&name) || RATE_SORTS.contains(&name)
}

/// What is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    #[default]
    Connections,
    Cores,
    Subjects,
    Slow,
    Queues,
}

impl View {
    /// In the order of Tab.
    pub(crate) const ALL: [Self; 5] = [Self::Connections, Self::Cores, Self::Subjects, Self::Slow, Self::Queues];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Cores => "cores",
            Self::Subjects => "subjects",
            Self::Slow => "slow",
            Self::Queues => "queues",
        }
    }

    /// The page that it needs.
    pub(crate) fn page(self) -> &'static str {
        match self {
            Self::Connections => "/connz",
            Self::Cores => "/corez",
            Self::Subjects => "/subjectz",
            Self::Slow => "/slowz",
            Self::Queues => "/queuez",
        }
    }

    /// The view of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// So many places further in the order.
    pub(crate) fn step(self, by: usize) -> Self {
        Self::ALL[(self.place() + by) % Self::ALL.len()]
    }

    /// Its place in the order.
    pub(crate) fn place(self) -> usize {
        Self::ALL.iter().position(|view| *view == self).unwrap_or_default()
    }
}

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) view: View,
    /// The order of connections; one of `sorts`.
    pub(crate) sort: String,
    /// The order of each other view: the key of a column, or empty for the order of the server.
    pub(crate) sheet_sorts: [String; View::ALL.len()],
    pub(crate) limit: u64,
    pub(crate) depth: u64,
    pub(crate) shows_subjects: bool,
    pub(crate) shows_rates: bool,
    pub(crate) resolves_names: bool,
    pub(crate) is_raw: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            view: View::default(),
            sort: "cid".into(),
            sheet_sorts: Default::default(),
            limit: LIMIT,
            depth: 0,
            shows_subjects: false,
            shows_rates: false,
            resolves_names: false,
            is_raw: false,
        }
    }
}

impl Options {
    /// How figures are written.
    pub(crate) fn style(&self) -> Style {
        if self.is_raw { Style::Raw } else { Style::Short }
    }

    /// The path that the view asks for.
    pub(crate) fn path(&self) -> String {
        let page = self.view.page();
        match self.view {
            View::Connections => {
                // What we sort ourselves comes in the order of the counter that grows.
                let sort = self.sort.strip_suffix("_rate").unwrap_or(&self.sort);
                let subjects = if self.shows_subjects { "&subs=1" } else { "" };
                format!("{page}?limit={}&sort={sort}{subjects}", self.limit)
            }
            View::Subjects if self.depth > 0 => format!("{page}?depth={}", self.depth),
            View::Subjects | View::Cores | View::Slow | View::Queues => page.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, View, is_sort};

    #[test]
    fn paths_carry_what_is_asked() {
        let mut options = Options { sort: "bytes_to_rate".into(), limit: 5, ..Options::default() };
        assert_eq!(options.path(), "/connz?limit=5&sort=bytes_to");
        options.shows_subjects = true;
        assert_eq!(options.path(), "/connz?limit=5&sort=bytes_to&subs=1");
        options.view = View::Subjects;
        assert_eq!(options.path(), "/subjectz");
        options.depth = 2;
        assert_eq!(options.path(), "/subjectz?depth=2");
    }

    #[test]
    fn views_go_round_in_both_directions() {
        let mut seen = vec![View::Connections];
        seen.extend((1..5).map(|by| View::Connections.step(by)));
        assert_eq!(seen, View::ALL);
        assert_eq!(View::Queues.step(1), View::Connections);
        assert_eq!(View::Connections.step(View::ALL.len() - 1), View::Queues);
        assert!(View::ALL.iter().all(|view| View::named(view.name()) == Some(*view)));
        assert!(is_sort("rtt") && is_sort("msgs_to_rate") && !is_sort("reason"));
    }
}
