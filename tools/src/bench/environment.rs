//! Where a figure was measured: kernel, CPUs and how they are set, the server and its flags.
//!
//! Reads what the kernel tells everybody. Values of flags that look like secrets stay out.

use std::fs;

use serde::Serialize;

use super::target::Info;

/// Flags whose values are nobody's business.
const SECRET_FLAGS: &[&str] = &["--user", "--pass", "--auth", "--password", "--token", "-user", "-pass", "-auth"];

/// The block that stands under every report.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Environment {
    pub(crate) tool: String,
    pub(crate) date_unix: u64,
    pub(crate) host: String,
    pub(crate) kernel: String,
    pub(crate) cpu: String,
    pub(crate) cpus: usize,
    pub(crate) governor: String,
    pub(crate) numa_nodes: usize,
    pub(crate) mitigations: Vec<String>,
    pub(crate) server_name: String,
    pub(crate) server_version: String,
    pub(crate) server_commit: String,
    pub(crate) server_command: String,
    /// Where several servers were measured, each of them: its name in the report, version and commit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) servers: Vec<(String, String)>,
}

impl Environment {
    /// This host, and a server of which INFO and perhaps the process are known.
    pub(crate) fn look(info: &Info, server_pid: Option<u32>) -> Self {
        let name = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model =
            cpuinfo.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            tool: format!("dunlinctl {}", env!("CARGO_PKG_VERSION")),
            date_unix: since_epoch.map_or(0, |time| time.as_secs()),
            host: text(name.nodename()),
            kernel: format!("{} {} {}", text(name.sysname()), text(name.release()), text(name.machine())),
            cpu: model.unwrap_or("unknown").to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            governor: first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            numa_nodes: count("/sys/devices/system/node", "node").max(1),
            mitigations: mitigations(),
            server_name: short(&info.server_name),
            server_version: info.version.clone(),
            server_commit: info.git_commit.clone(),
            server_command: server_pid.map(command_line).unwrap_or_default(),
            servers: Vec::new(),
        }
    }

    /// This host and several servers: their names in the report, and what each said of itself.
    pub(crate) fn of_servers<'a>(servers: impl Iterator<Item = (&'a str, &'a Info)>) -> Self {
        let of = |(name, info): (&str, &Info)| (name.to_owned(), format!("{} {}", info.version, info.git_commit));
        Self { servers: servers.map(of).collect(), ..Self::look(&Info::default(), None) }
    }

    /// Names and values, for tables.
    pub(crate) fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![
            ("tool", self.tool.clone()),
            ("measured", date(self.date_unix)),
            ("host", format!("{}, {}", self.host, self.kernel)),
            (
                "CPU",
                format!("{} × {}, governor {}, {} NUMA node(s)", self.cpus, self.cpu, self.governor, self.numa_nodes),
            ),
            ("mitigations", self.mitigations.join("; ")),
            ("server", format!("{} {} {}", self.server_name, self.server_version, self.server_commit)),
            ("server command", self.server_command.clone()),
        ];
        rows.extend(self.servers.iter().map(|(name, version)| ("server", format!("{name}: {}", version.trim()))));
        rows.retain(|(_, value)| !value.trim().is_empty());
        rows
    }
}

/// A server without a name calls itself by its key, of which the beginning will do.
fn short(name: &str) -> String {
    if name.chars().count() > 24 { name.chars().take(12).chain(['…']).collect() } else { name.to_owned() }
}

/// `2026-11-25 19:30 UTC`.
pub(crate) fn date(unix: u64) -> String {
    let days = (unix / 86_400) as i64;
    // Civil from days, after Howard Hinnant.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (unix / 3600 % 24, unix / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().filter(|line| !line.is_empty()).unwrap_or("unknown").to_owned()
}

fn count(folder: &str, prefix: &str) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let is_numbered = |name: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
    };
    entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_numbered)).count()
}

/// Those that cost something: what is not affected is left out.
fn mitigations() -> Vec<String> {
    let Ok(entries) = fs::read_dir("/sys/devices/system/cpu/vulnerabilities") else { return Vec::new() };
    let mut found: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let text = fs::read_to_string(entry.path()).ok()?;
            let state = text.trim();
            (!state.starts_with("Not affected")).then(|| format!("{}: {state}", entry.file_name().to_string_lossy()))
        })
        .collect();
    found.sort();
    found
}

fn command_line(pid: u32) -> String {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<String> = raw
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    without_secrets(&words).join(" ")
}

fn without_secrets(words: &[String]) -> Vec<String> {
    let mut shown = Vec::new();
    let mut is_secret = false;
    for word in words {
        let (flag, value) = word.split_once('=').map_or((word.as_str(), None), |(flag, value)| (flag, Some(value)));
        if is_secret {
            shown.push("…".into());
            is_secret = false;
        } else if SECRET_FLAGS.contains(&flag) {
            shown.push(if value.is_some() { format!("{flag}=…") } else { word.clone() });
            is_secret = value.is_none();
        } else {
            shown.push(word.clone());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Environment, date, without_secrets};
    use crate::bench::target::Info;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_635_000), "2026-11-25 19:30 UTC");
    }

    #[test]
    fn secrets_stay_out() {
        let words = ["dunlin", "--pass", "geheim", "--auth=geheim", "-p", "4222"].map(String::from);
        assert_eq!(without_secrets(&words).join(" "), "dunlin --pass … --auth=… -p 4222");
    }

    #[test]
    fn this_host_is_described() {
        let environment = Environment::look(&Info::default(), None);
        assert!(environment.kernel.contains("Linux") && environment.cpus > 0, "{environment:?}");
    }
}
