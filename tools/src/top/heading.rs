//! The lines above the table: nats-top's, for the screen, for text and for fields between delimiters.
//!
//! Pure.

use super::format::{harmless, or_dash};
use super::look::Memory;
use super::options::Options;
use super::sheet::record;
use crate::monitoring::pages::Varz;

/// Figures of the heading, written once for every form.
struct Figures {
    load: [String; 3],
    /// In, then out: messages, bytes, messages a second, bytes a second.
    flows: [[String; 4]; 2],
}

fn figures(varz: &Varz, memory: &Memory, options: &Options) -> Figures {
    let style = options.style();
    let rates = memory.server();
    let msgs_rate = |rate: Option<f64>| or_dash(rate, |rate| format!("{rate:.1}"));
    let bytes_rate = |rate: Option<f64>| or_dash(rate, |rate| style.bytes(rate));
    let row = |msgs: u64, bytes: u64, msgs_flow: Option<f64>, bytes_flow: Option<f64>| {
        [style.count(msgs as f64), style.bytes(bytes as f64), msgs_rate(msgs_flow), bytes_rate(bytes_flow)]
    };
    let traffic = &varz.traffic;
    Figures {
        // Memory is short in every style, as in nats-top.
        load: [
            format!("{:.1}%", varz.cpu),
            super::format::Style::Short.bytes(varz.mem as f64),
            varz.slow_consumers.to_string(),
        ],
        flows: [
            row(traffic.in_msgs, traffic.in_bytes, rates.map(|flow| flow.in_msgs), rates.map(|flow| flow.in_bytes)),
            row(traffic.out_msgs, traffic.out_bytes, rates.map(|flow| flow.out_msgs), rates.map(|flow| flow.out_bytes)),
        ],
    }
}

/// Six lines. `state` stands at the end of the first.
pub(crate) fn lines(memory: &Memory, options: &Options, state: &str) -> Vec<String> {
    let varz = memory.last.as_ref().map(|look| look.varz.clone()).unwrap_or_default();
    let Figures { load: [cpu, mem, slow], flows: [into, out] } = figures(&varz, memory, options);
    let name = if varz.server_name == varz.server_id { "" } else { &varz.server_name };
    let flow = |[msgs, bytes, msgs_rate, bytes_rate]: [String; 4]| {
        format!("Msgs: {msgs}  Bytes: {bytes}  Msgs/Sec: {msgs_rate}  Bytes/Sec: {bytes_rate}")
    };
    let lines = [
        format!("NATS server version {} (uptime: {}) {state}", varz.version, varz.uptime),
        format!("Server: {name}"),
        format!("  ID:   {}", varz.server_id),
        format!("  Load: CPU:  {cpu}  Memory: {mem}  Slow Consumers: {slow}"),
        format!("  In:   {}", flow(into)),
        format!("  Out:  {}", flow(out)),
    ];
    lines.map(|line| harmless(line.trim_end())).into()
}

/// The same between delimiters, in the records that nats-top writes.
pub(crate) fn records(memory: &Memory, options: &Options, delimiter: &str) -> String {
    let varz = memory.last.as_ref().map(|look| look.varz.clone()).unwrap_or_default();
    let Figures { load: [cpu, mem, slow], flows } = figures(&varz, memory, options);
    let version = harmless(&varz.version);
    let uptime = harmless(&format!("(uptime: {})", varz.uptime));
    let mut text = record(["NATS server version", &version, &uptime, ""].into_iter(), delimiter);
    text.push_str(&record(["Server:"].into_iter(), delimiter));
    let load = ["Load:", "CPU:", &cpu, "Memory:", &mem, "Slow Consumers:", &slow];
    text.push_str(&record(load.into_iter(), delimiter));
    for (direction, [msgs, bytes, msgs_rate, bytes_rate]) in ["In:", "Out:"].into_iter().zip(&flows) {
        let fields = [direction, "Msgs:", msgs, "Bytes:", bytes, "Msgs/Sec:", msgs_rate, "Bytes/Sec:", bytes_rate];
        text.push_str(&record(fields.into_iter(), delimiter));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{lines, records};
    use crate::top::look::Memory;
    use crate::top::options::{Options, View};
    use crate::top::recorded;

    #[test]
    fn the_heading_is_nats_tops() {
        let lines = lines(&recorded::memory(View::Connections), &Options::default(), "");
        assert!(lines[0].starts_with("NATS server version 2.15.1 (uptime: 2m"), "{}", lines[0]);
        assert_eq!(lines[1], "Server: n1");
        assert!(lines[2].starts_with("  ID:   N"), "{}", lines[2]);
        assert!(lines[3].starts_with("  Load: CPU:  ") && lines[3].ends_with("M  Slow Consumers: 0"), "{}", lines[3]);
        assert!(lines[4].starts_with("  In:   Msgs: 55") && lines[4].contains("  Msgs/Sec: 3"), "{}", lines[4]);
        assert!(lines[5].starts_with("  Out:  Msgs: 55") && lines[5].contains("K  Bytes: "), "{}", lines[5]);
    }

    #[test]
    fn without_a_look_there_is_a_heading_all_the_same() {
        let lines = lines(&Memory::default(), &Options::default(), "no answer");
        assert_eq!((lines.len(), lines[0].as_str()), (6, "NATS server version  (uptime: ) no answer"));
        assert!(lines[4].ends_with("Msgs/Sec: -  Bytes/Sec: -"), "{}", lines[4]);
    }

    #[test]
    fn records_have_the_fields_of_nats_top() {
        let text = records(&recorded::memory(View::Connections), &Options::default(), ",");
        let fields: Vec<_> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(fields, [4, 1, 7, 9, 9]);
        assert!(text.lines().nth(3).is_some_and(|line| line.starts_with("In:,Msgs:,55")), "{text}");
    }
}
