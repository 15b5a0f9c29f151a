//! Values as people write them on a command line: `128B`, `16KiB`, `5s`, `250us`, `1M`.

use std::time::Duration;

/// `500ns`, `250us`, `20ms`, `5s`, `2m`, `1h`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("'{text}' is no duration: write 250us, 20ms, 5s or 2m")),
    };
    let number: f64 = number.parse().map_err(|_| format!("'{text}' is no duration: write 250us, 20ms, 5s or 2m"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| format!("'{text}' is out of range"))
}

/// `128`, `128B`, `16KB`, `16KiB`, `1MB` (as `nats bench` reads them: K is 1024 either way).
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text);
    let factor = match unit.to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
        "" => 1.0,
        "k" => 1024.0,
        "m" => 1024.0 * 1024.0,
        _ => return Err(format!("'{text}' is no size: write 128B, 16KiB or 1MiB")),
    };
    let number: f64 = number.parse().map_err(|_| format!("'{text}' is no size: write 128B, 16KiB or 1MiB"))?;
    let bytes = number * factor;
    if bytes <= 64.0 * 1024.0 * 1024.0 {
        Ok(bytes as usize)
    } else {
        Err(format!("'{text}': no server takes more than 64MiB"))
    }
}

/// `1000000`, `1M`, `500k`, `1_000_000`.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let plain = text.replace(['_', ','], "");
    let (number, unit) = split(&plain);
    let factor = match unit {
        "" => 1.0,
        "k" | "K" => 1e3,
        "m" | "M" => 1e6,
        "G" | "g" => 1e9,
        _ => return Err(format!("'{text}' is no count: write 100000, 100k or 1M")),
    };
    let number: f64 = number.parse().map_err(|_| format!("'{text}' is no count: write 100000, 100k or 1M"))?;
    if number < 0.0 || number * factor > 1e15 {
        Err(format!("'{text}' is out of range"))
    } else {
        Ok((number * factor) as u64)
    }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// A figure in the largest unit that leaves a digit before the point.
pub(crate) fn scaled(figure: f64, units: &[(f64, &str)]) -> String {
    let Some((size, unit)) = units.iter().find(|(size, _)| figure.abs() >= *size).or(units.last()) else {
        return String::new();
    };
    let value = figure / size;
    let decimals = if value.abs() >= 99.95 || value == 0.0 {
        0
    } else if value.abs() >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}{unit}")
}

/// Nanoseconds for people.
pub(crate) fn show_ns(ns: f64) -> String {
    scaled(ns, &[(1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1.0, " ns")])
}

/// Bytes for people.
pub(crate) fn show_bytes(bytes: f64) -> String {
    scaled(bytes, &[((1 << 30) as f64, " GiB"), ((1 << 20) as f64, " MiB"), (1024.0, " KiB"), (1.0, " B")])
}

/// Something a second.
pub(crate) fn show_rate(rate: f64) -> String {
    scaled(rate, &[(1e6, " M/s"), (1e3, " k/s"), (1.0, " /s")])
}

/// A count with commas.
pub(crate) fn show_count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{count, duration, show_bytes, show_count, show_ns, show_rate, size};
    use std::time::Duration;

    #[test]
    fn what_people_write_is_read() {
        assert_eq!(duration("250us"), Ok(Duration::from_micros(250)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("3"), Ok(Duration::from_secs(3)));
        assert_eq!(size("128B"), Ok(128));
        assert_eq!([size("16KiB"), size("16kb"), size("16K")], [Ok(16384), Ok(16384), Ok(16384)]);
        assert_eq!([count("1M"), count("1_000"), count("2.5k")], [Ok(1_000_000), Ok(1000), Ok(2500)]);
    }

    #[test]
    fn nonsense_says_what_to_write() {
        for text in [duration("5 apples").unwrap_err(), size("12X").unwrap_err(), count("-1").unwrap_err()] {
            assert!(text.contains("write"), "{text}");
        }
        assert!(size("1000MB").unwrap_err().contains("64MiB"));
    }

    #[test]
    fn figures_are_short() {
        assert_eq!(
            [show_ns(0.0), show_ns(999.0), show_ns(1_234.0), show_ns(45_600_000.0)],
            ["0 ns", "999 ns", "1.23 µs", "45.6 ms"]
        );
        assert_eq!([show_bytes(100.0), show_bytes(2048.0)], ["100 B", "2.00 KiB"]);
        assert_eq!([show_rate(1_500_000.0), show_rate(12.0)], ["1.50 M/s", "12.0 /s"]);
        assert_eq!([show_count(7), show_count(1234), show_count(1_234_567)], ["7", "1,234", "1,234,567"]);
    }
}
