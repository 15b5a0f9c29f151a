//! Levels, and the form of one line: `[pid] 2026/11/25 17:50:49.929939 [INF] text`.
//!
//! Owns how a line looks on a terminal and in a file. Does no I/O and reads no clock.
//! Invariant: a line has exactly one line end, its last byte, whatever its text holds.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::quote::push_visible;

/// How urgent a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `[INF]`
    Info,
    /// `[WRN]`
    Warn,
    /// `[ERR]`
    Error,
    /// `[FTL]`
    Fatal,
    /// `[DBG]`
    Debug,
    /// `[TRC]`
    Trace,
}

impl Level {
    const fn tag(self) -> &'static str {
        match self {
            Self::Info => "[INF] ",
            Self::Warn => "[WRN] ",
            Self::Error => "[ERR] ",
            Self::Fatal => "[FTL] ",
            Self::Debug => "[DBG] ",
            Self::Trace => "[TRC] ",
        }
    }

    const fn coloured_tag(self) -> &'static str {
        match self {
            Self::Info => "[\x1b[32mINF\x1b[0m] ",
            Self::Warn => "[\x1b[0;93mWRN\x1b[0m] ",
            Self::Error => "[\x1b[31mERR\x1b[0m] ",
            Self::Fatal => "[\x1b[31mFTL\x1b[0m] ",
            Self::Debug => "[\x1b[36mDBG\x1b[0m] ",
            Self::Trace => "[\x1b[33mTRC\x1b[0m] ",
        }
    }

    /// Severity as syslog counts it. The peer writes infos and traces as notices, fatal lines as critical.
    pub(super) const fn severity(self) -> u8 {
        match self {
            Self::Fatal => 2,
            Self::Error => 3,
            Self::Warn => 4,
            Self::Info | Self::Trace => 5,
            Self::Debug => 7,
        }
    }
}

/// What stands before a line's text.
#[derive(Clone, Debug)]
pub(super) struct LineForm {
    pub(super) pid: u32,
    /// `None`: no time in lines.
    pub(super) zone: Option<TimeZone>,
    pub(super) colours: bool,
}

impl LineForm {
    /// Appends one line to `out`.
    pub(super) fn push_line(&self, out: &mut Vec<u8>, level: Level, at: SystemTime, text: &str) {
        out.push(b'[');
        push_number(out, self.pid, 1);
        out.extend_from_slice(b"] ");
        if let Some(zone) = &self.zone {
            push_time(out, at, zone);
        }
        let tag = if self.colours { level.coloured_tag() } else { level.tag() };
        out.extend_from_slice(tag.as_bytes());
        push_visible(out, text);
        out.push(b'\n');
    }
}

/// `at` in `zone`; a time that the calendar does not reach (year 10000) is written as the calendar's first.
pub(super) fn civil(at: SystemTime, zone: &TimeZone) -> jiff::civil::DateTime {
    let stamp = Timestamp::try_from(at).unwrap_or_default();
    zone.to_datetime(stamp)
}

fn push_time(out: &mut Vec<u8>, at: SystemTime, zone: &TimeZone) {
    let time = civil(at, zone);
    let parts = [
        (i32::from(time.year()), 4, b'/'),
        (i32::from(time.month()), 2, b'/'),
        (i32::from(time.day()), 2, b' '),
        (i32::from(time.hour()), 2, b':'),
        (i32::from(time.minute()), 2, b':'),
        (i32::from(time.second()), 2, b'.'),
        (time.subsec_nanosecond() / 1000, 6, b' '),
    ];
    for (number, width, end) in parts {
        push_number(out, number.unsigned_abs(), width);
        out.push(end);
    }
}

/// `number` in decimal, with leading zeros up to `width`.
fn push_number(out: &mut Vec<u8>, mut number: u32, width: usize) {
    let mut digits = [b'0'; 10];
    let mut at = digits.len();
    while number > 0 || digits.len() - at < width {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn line(form: &LineForm, level: Level, text: &str) -> String {
        let mut out = Vec::new();
        let at = SystemTime::UNIX_EPOCH + Duration::new(1_795_629_049, 29_939_999);
        form.push_line(&mut out, level, at, text);
        String::from_utf8(out).expect("lines are UTF-8")
    }

    #[test]
    fn pid_time_level_text() {
        let mut form = LineForm { pid: 7524, zone: Some(TimeZone::UTC), colours: false };
        assert_eq!(
            line(&form, Level::Info, "Server is ready"),
            "[7524] 2026/11/25 17:50:49.029939 [INF] Server is ready\n"
        );
        form.zone = Some(TimeZone::fixed(jiff::tz::offset(-5)));
        assert_eq!(line(&form, Level::Trace, "x"), "[7524] 2026/11/25 12:50:49.029939 [TRC] x\n");
        form.zone = None;
        assert_eq!(line(&form, Level::Warn, "x"), "[7524] [WRN] x\n");
        form.colours = true;
        assert_eq!(line(&form, Level::Warn, "x"), "[7524] [\x1b[0;93mWRN\x1b[0m] x\n");
        assert_eq!(line(&form, Level::Debug, "x"), "[7524] [\x1b[36mDBG\x1b[0m] x\n");
    }

    #[test]
    fn nat_01_001_and_002_control_bytes_of_clients_cannot_make_lines() {
        let form = LineForm { pid: 1, zone: None, colours: false };
        let got = line(&form, Level::Error, "a\r\n[1] [INF] forged\x1b[31m\u{85}\u{9b}\u{2028}\u{202e}\0é");
        assert_eq!(got, "[1] [ERR] a\\r\\n[1] [INF] forged\\x1b[31m\\u0085\\u009b\\u2028\\u202e\\x00é\n");
    }

    #[test]
    fn times_beyond_the_calendar_do_not_panic() {
        let form = LineForm { pid: 1, zone: Some(TimeZone::UTC), colours: false };
        let mut out = Vec::new();
        form.push_line(&mut out, Level::Info, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60), "x");
        assert!(out.ends_with(b"[INF] x\n"));
    }
}
