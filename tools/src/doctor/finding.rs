//! What is said of one thing of the host.
//!
//! Pure. Names and verdict words are read by programs (`--json`): they stay.
//! Invariant: no text of a finding holds a control character, whatever the host's files say.

use serde::Serialize;

/// How good something is for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Nothing to do.
    Good,
    /// It costs something, and may be meant.
    WorthALook,
    /// It breaks something under the load that is expected.
    WillBite,
    /// It cannot be seen from here.
    Unknown,
}

impl Verdict {
    /// Its words in the table.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::WorthALook => "worth a look",
            Self::WillBite => "will bite",
            Self::Unknown => "unknown",
        }
    }
}

/// What a finding is about, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    Cpus,
    Speed,
    Files,
    Accepting,
    Sockets,
    Memory,
    Cards,
}

impl Theme {
    /// Its heading in the table.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Cpus => "CPUs",
            Self::Speed => "Speed",
            Self::Files => "Open files",
            Self::Accepting => "Accepting connections",
            Self::Sockets => "Sockets",
            Self::Memory => "Memory",
            Self::Cards => "Network cards",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) theme: Theme,
    pub(crate) name: &'static str,
    pub(crate) verdict: Verdict,
    /// What the host has.
    pub(crate) value: String,
    /// Why it matters to the server.
    pub(crate) why: String,
    /// Commands that mend it, and remarks that begin with `#`.
    pub(crate) mend: Vec<String>,
}

impl Finding {
    pub(crate) fn new(theme: Theme, name: &'static str, verdict: Verdict, value: impl AsRef<str>, why: &str) -> Self {
        Self { theme, name, verdict, value: printable(value.as_ref()), why: printable(why), mend: Vec::new() }
    }

    /// With a command or a remark that mends it; shown where the verdict asks for it.
    #[must_use]
    pub(crate) fn mend(mut self, line: impl AsRef<str>) -> Self {
        if matches!(self.verdict, Verdict::WorthALook | Verdict::WillBite) {
            self.mend.push(printable(line.as_ref()));
        }
        self
    }
}

/// Without control characters, and no longer than a person reads.
fn printable(text: &str) -> String {
    const CHARS_MAX: usize = 400;
    let clean = |c: char| if c.is_control() { '?' } else { c };
    let mut shown: String = text.chars().take(CHARS_MAX).map(clean).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_cannot_drive_the_terminal() {
        let finding = Finding::new(Theme::Cpus, "x", Verdict::WillBite, "\u{1b}[2Ja\nb", "w\rhy").mend("\u{7}rm");
        assert_eq!((finding.value.as_str(), finding.why.as_str()), ("?[2Ja?b", "w?hy"));
        assert_eq!(finding.mend, ["?rm"]);
        let long = Finding::new(Theme::Cpus, "x", Verdict::Good, "é".repeat(10_000), "");
        assert_eq!(long.value.chars().count(), 401);
    }

    #[test]
    fn what_is_good_or_unknown_has_nothing_to_mend() {
        for (verdict, lines) in
            [(Verdict::Good, 0), (Verdict::Unknown, 0), (Verdict::WorthALook, 1), (Verdict::WillBite, 1)]
        {
            assert_eq!(Finding::new(Theme::Cpus, "x", verdict, "", "").mend("true").mend.len(), lines);
        }
    }
}
