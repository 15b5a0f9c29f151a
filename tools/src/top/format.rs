//! Figures as nats-top writes them, and text of strangers made safe for a terminal.

/// Replaces what could move the cursor, hide, or turn text around: names come from clients.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if is_harmless(c) { c } else { '\u{fffd}' }).collect()
}

fn is_harmless(c: char) -> bool {
    let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !turns && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{061c}')
}

/// At most so many characters, the last one saying that there were more.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect()
}

/// How figures are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// `1.5K`, `3.2M`.
    #[default]
    Short,
    /// Every digit.
    Raw,
}

impl Style {
    /// Bytes: K is 1024.
    pub(crate) fn bytes(self, bytes: f64) -> String {
        self.scaled(bytes, 1024.0, ["K", "M", "G", "T"])
    }

    /// A count of anything else: K is 1000, and B stands for a thousand millions.
    pub(crate) fn count(self, count: f64) -> String {
        self.scaled(count, 1000.0, ["K", "M", "B", "T"])
    }

    fn scaled(self, figure: f64, step: f64, units: [&str; 4]) -> String {
        if self == Self::Raw || figure < step {
            return format!("{figure:.0}");
        }
        let (mut value, mut name) = (figure, "");
        for unit in units {
            if value < step {
                break;
            }
            (value, name) = (value / step, unit);
        }
        format!("{value:.1}{name}")
    }
}

/// A rate, or a dash where nothing can be said yet.
pub(crate) fn or_dash(rate: Option<f64>, show: impl Fn(f64) -> String) -> String {
    rate.map_or_else(|| "-".to_owned(), show)
}

#[cfg(test)]
mod tests {
    use super::{Style, harmless, or_dash, shortened};

    #[test]
    fn figures_are_those_of_nats_top() {
        let short = Style::Short;
        assert_eq!(
            [0.0, 1023.0, 1024.0, 1_572_864.0, 5e9, 3e12].map(|bytes| short.bytes(bytes)),
            ["0", "1023", "1.0K", "1.5M", "4.7G", "2.7T"]
        );
        assert_eq!(
            [999.0, 1000.0, 34_200.0, 1_600_000.0, 2e9, 7e12].map(|count| short.count(count)),
            ["999", "1.0K", "34.2K", "1.6M", "2.0B", "7.0T"]
        );
        assert_eq!([Style::Raw.bytes(1_572_864.0), Style::Raw.count(1e6)], ["1572864", "1000000"]);
        assert_eq!(short.bytes(u64::MAX as f64), "16777216.0T");
    }

    #[test]
    fn names_of_clients_cannot_drive_the_terminal() {
        assert_eq!(
            harmless("a\x1b[31mb\r\n\u{9b}c\u{202e}d\u{7f}"),
            "a\u{fffd}[31mb\u{fffd}\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}"
        );
        assert_eq!(harmless("größe 日本 🚀"), "größe 日本 🚀");
    }

    #[test]
    fn long_text_says_that_there_is_more() {
        assert_eq!([shortened("abc", 3), shortened("abcd", 3), shortened("äöü!", 3)], ["abc", "ab…", "äö…"]);
        assert_eq!(shortened("abc", 0), "…");
    }

    #[test]
    fn an_unknown_rate_is_a_dash() {
        assert_eq!([or_dash(None, |_| "x".into()), or_dash(Some(2.0), |rate| format!("{rate:.1}"))], ["-", "2.0"]);
    }
}
