//! JSON as the peer writes it: two blanks a level, `<`, `>` and `&` escaped, whole floats without a point; its times and durations.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// Text of a page.
pub(super) fn pretty(value: &impl Serialize) -> Vec<u8> {
    write(value, Escaping(PrettyFormatter::new()))
}

/// The same on one line.
pub(super) fn compact(value: &impl Serialize) -> Vec<u8> {
    write(value, Escaping(CompactFormatter))
}

fn write(value: &impl Serialize, formatter: impl Formatter) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // Into memory, and from structures whose keys are texts: there is nothing that could fail.
    drop(value.serialize(&mut serializer));
    out
}

/// Escapes what the peer escapes beyond JSON.
struct Escaping<F>(F);

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $arg: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $arg)*)
        })*
    };
}

impl<F: Formatter> Formatter for Escaping<F> {
    pass_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 && value.abs() < 1e15 {
            return write!(writer, "{value:.0}");
        }
        self.0.write_f64(writer, value)
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (plain, special) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut chars = special.chars();
            if let Some(special) = chars.next() {
                write!(writer, "\\u{:04x}", special as u32)?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// A time, by RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) SystemTime);

impl Time {
    pub(super) fn now() -> Self {
        Self(SystemTime::now())
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        jiff::Timestamp::try_from(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The date of a response.
pub(super) fn http_date(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// How long something lasts, to the second: `1d2h3m4s`.
pub(super) fn uptime(length: Duration) -> String {
    let seconds = length.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let (years, days_of_year) = (days / 365, days % 365);
    if years > 0 {
        return format!("{years}y{days_of_year}d{}h{}m{}s", hours % 24, minutes % 60, seconds % 60);
    }
    if days > 0 {
        return format!("{days}d{}h{}m{}s", hours % 24, minutes % 60, seconds % 60);
    }
    if hours > 0 {
        return format!("{hours}h{}m{}s", minutes % 60, seconds % 60);
    }
    if minutes > 0 {
        return format!("{minutes}m{}s", seconds % 60);
    }
    format!("{seconds}s")
}

/// A round trip as the peer shows it.
pub(super) fn round_trip(length: Duration) -> String {
    let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
    let shown = if nanos < 1000 { nanos } else { nanos / 1000 * 1000 };
    crate::config::duration::shown(i64::try_from(shown).unwrap_or(i64::MAX))
}

/// For `skip_serializing_if`.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Sample {
        text: &'static str,
        whole: f64,
        part: f64,
        empty: Vec<u8>,
        list: Vec<u8>,
    }

    #[test]
    fn it_is_written_as_the_peer_does() {
        let sample = Sample { text: "a.>&<\u{2028}\"\n", whole: 3.0, part: 0.25, empty: vec![], list: vec![1] };
        let text = String::from_utf8(pretty(&sample)).expect("text");
        assert_eq!(
            text,
            "{\n  \"text\": \"a.\\u003e\\u0026\\u003c\\u2028\\\"\\n\",\n  \"whole\": 3,\n  \"part\": 0.25,\n  \"empty\": [],\n  \"list\": [\n    1\n  ]\n}"
        );
        assert!(compact(&sample).starts_with(b"{\"text\":"));
    }

    #[test]
    fn times_are_written_as_the_peer_does() {
        let at = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 120_000_000);
        assert_eq!(Time(at).to_string(), "2023-11-14T22:13:20.12Z");
        assert_eq!(http_date(at), "Tue, 14 Nov 2023 22:13:20 GMT");
        for (seconds, shown) in
            [(0, "0s"), (61, "1m1s"), (3600, "1h0m0s"), (90_061, "1d1h1m1s"), (31_536_001, "1y0d0h0m1s")]
        {
            assert_eq!(uptime(Duration::from_secs(seconds)), shown);
        }
        for (nanos, shown) in [(0, "0s"), (900, "900ns"), (462_900, "462\u{b5}s"), (1_234_567, "1.234ms")] {
            assert_eq!(round_trip(Duration::from_nanos(nanos)), shown);
        }
    }
}
