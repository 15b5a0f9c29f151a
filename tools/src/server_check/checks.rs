//! The checks: from what a server says or does to findings.
//!
//! What comes from `/varz` is pure; the client's checks go through a `Probe`.

use std::time::Duration;

use super::flags::{
    Check, ConnectionLimits, CountLimits, CpuLimits, MemLimits, MessageFlags, RequestLimits, ServerFlags, Share,
    SlowLimits, SubsLimits, UptimeLimits,
};
use super::report::{Metric, Report};
use super::threshold::{Bad, Judgement, Limits};
use crate::bench::target::Target;
use crate::bench::trouble::Outcome;
use crate::monitoring::pages::Varz;
use crate::probe::{Probe, inbox, show, url};

/// What a check needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A connection as a client.
    Client,
    /// `/varz`.
    Varz,
    /// `/healthz`.
    Health,
}

impl Check {
    pub(crate) fn source(&self) -> Source {
        match self {
            Self::Connection(_) | Self::Message(_) => Source::Client,
            Self::Health => Source::Health,
            _ => Source::Varz,
        }
    }

    /// What the names of metrics say.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::Message(_) => "message",
            Self::Server(_) => "server",
            Self::Connections(_) => "connections",
            Self::Cpu(_) => "cpu",
            Self::Mem(_) => "mem",
            Self::SlowConsumers(_) => "slow_consumers",
            Self::Subs(_) => "subs",
            Self::Uptime(_) => "uptime",
            Self::Health => "health",
        }
    }
}

/// Judges `/varz`. `before` is an earlier one, where growth is asked for. An error is a pair of limits that makes no sense.
pub(crate) fn varz(report: &mut Report, check: &Check, varz: &Varz, before: Option<&Varz>) -> Result<(), String> {
    match check {
        Check::Server(flags) => server(report, flags, varz),
        Check::Connections(limits) => connections(report, limits, varz),
        Check::Cpu(limits) => cpu(report, limits, varz),
        Check::Mem(limits) => mem(report, limits, varz),
        Check::SlowConsumers(limits) => slow_consumers(report, limits, varz, before),
        Check::Subs(limits) => subscriptions(report, limits, varz),
        Check::Uptime(limits) => uptime(report, limits, varz),
        Check::Connection(_) | Check::Message(_) | Check::Health => Ok(()),
    }
}

fn server(report: &mut Report, flags: &ServerFlags, varz: &Varz) -> Result<(), String> {
    if let Some(name) = flags.name.as_ref().filter(|name| **name != varz.server_name) {
        report.criticals.push(format!("result from wrong server \"{}\", not \"{name}\"", varz.server_name));
    }
    for (is_wanted, is_so, what) in
        [(flags.tls_required, varz.tls_required, "TLS"), (flags.auth_required, varz.auth_required, "Authentication")]
    {
        match (is_wanted, is_so) {
            (true, true) => report.oks.push(format!("{what} required")),
            (true, false) => report.criticals.push(format!("{what} not required")),
            (false, _) => {}
        }
    }
    uptime(report, &UptimeLimits { uptime_warn: flags.uptime_warn, uptime_critical: flags.uptime_critical }, varz)?;
    cpu(report, &CpuLimits { cpu_warn: flags.cpu_warn, cpu_critical: flags.cpu_critical }, varz)?;
    mem(report, &MemLimits { mem_warn: flags.mem_warn, mem_critical: flags.mem_critical }, varz)?;
    connections(report, &CountLimits { conn_warn: flags.conn_warn, conn_critical: flags.conn_critical }, varz)?;
    subscriptions(report, &SubsLimits { subs_warn: flags.subs_warn, subs_critical: flags.subs_critical }, varz)
}

fn connections(report: &mut Report, limits: &CountLimits, varz: &Varz) -> Result<(), String> {
    let allowed = varz.max_connections as f64;
    let count = |share: Option<Share>| match share {
        None => Ok(None),
        Some(Share::Count(count)) => Ok(Some(count)),
        Some(Share::Percent(percent)) if allowed > 0.0 => Ok(Some(allowed * percent / 100.0)),
        Some(Share::Percent(_)) => {
            Err("connections: the server has no limit to take a percentage of; write a number".to_owned())
        }
    };
    let limits = Limits::new("connections", count(limits.conn_warn)?, count(limits.conn_critical)?, Bad::ByOrder)?;
    let value = varz.connections as f64;
    report.measure(
        Metric { name: "connections", help: "Active connections", value, unit: "", limits },
        format!("Connections {}", varz.connections),
    );
    Ok(())
}

fn cpu(report: &mut Report, limits: &CpuLimits, varz: &Varz) -> Result<(), String> {
    let limits = Limits::new("CPU", limits.cpu_warn, limits.cpu_critical, Bad::High)?;
    report.measure(
        Metric { name: "cpu", help: "NATS Server CPU usage in percentage", value: varz.cpu, unit: "%", limits },
        format!("CPU {:.2}%", varz.cpu),
    );
    Ok(())
}

fn mem(report: &mut Report, limits: &MemLimits, varz: &Varz) -> Result<(), String> {
    let limits = Limits::new("memory", limits.mem_warn, limits.mem_critical, Bad::High)?;
    let value = varz.mem as f64;
    report.measure(
        Metric { name: "mem", help: "NATS Server memory usage in bytes", value, unit: "", limits },
        format!("Memory {}", crate::bench::values::show_bytes(value)),
    );
    Ok(())
}

fn slow_consumers(report: &mut Report, limits: &SlowLimits, varz: &Varz, before: Option<&Varz>) -> Result<(), String> {
    let (count, when) = match (before, limits.over) {
        // A server that was started anew has counted from nothing.
        (Some(before), Some(over)) if before.server_id == varz.server_id && before.start == varz.start => {
            (varz.slow_consumers.saturating_sub(before.slow_consumers), format!("in {}", show(over)))
        }
        _ => (varz.slow_consumers, "since the start".to_owned()),
    };
    // The usual warning gives way to a critical limit below it.
    let warning = limits.slow_critical.map_or(limits.slow_warn, |critical| limits.slow_warn.min(critical));
    let limits = Limits::new("slow consumers", Some(warning), limits.slow_critical, Bad::High)?;
    report.measure(
        Metric { name: "slow_consumers", help: "Slow consumers", value: count as f64, unit: "", limits },
        format!("Slow consumers {count} {when}"),
    );
    Ok(())
}

fn subscriptions(report: &mut Report, limits: &SubsLimits, varz: &Varz) -> Result<(), String> {
    let limits = Limits::new("subscriptions", limits.subs_warn, limits.subs_critical, Bad::ByOrder)?;
    let value = varz.subscriptions as f64;
    report.measure(
        Metric { name: "subscriptions", help: "Active subscriptions", value, unit: "", limits },
        format!("Subscriptions {}", varz.subscriptions),
    );
    Ok(())
}

fn uptime(report: &mut Report, limits: &UptimeLimits, varz: &Varz) -> Result<(), String> {
    let seconds = |limit: Option<Duration>| limit.map(|limit| limit.as_secs_f64());
    let limits = Limits::new("uptime", seconds(limits.uptime_warn), seconds(limits.uptime_critical), Bad::Low)?;
    let Some(value) = varz.uptime_seconds() else {
        report.unknowns.push("the server does not say since when it runs".into());
        return Ok(());
    };
    report.measure(
        Metric { name: "uptime", help: "NATS Server uptime in seconds", value, unit: "s", limits },
        format!("Up {}", varz.uptime),
    );
    Ok(())
}

/// Connects and checks as a client. Trouble of the connection is a finding; an error is a pair of limits that makes no sense.
pub(crate) fn client(report: &mut Report, check: &Check, target: &Target) -> Result<(), String> {
    let outcome = match check {
        Check::Connection(limits) => connection(report, limits, target)?,
        Check::Message(flags) => message(report, flags, target)?,
        _ => Ok(()),
    };
    if let Err(trouble) = outcome {
        report.criticals.push(trouble.to_string());
    }
    Ok(())
}

fn time_limits(what: &str, warning: Duration, critical: Duration) -> Result<Limits, String> {
    Limits::new(what, Some(warning.as_secs_f64()), Some(critical.as_secs_f64()), Bad::High)
}

fn request_limits(limits: &RequestLimits) -> Result<Limits, String> {
    time_limits("--req-critical", limits.req_warn, limits.req_critical)
}

/// A time with its limits; one that is too long says what it has exceeded.
fn measure_time(
    report: &mut Report,
    name: &'static str,
    help: &'static str,
    time: Duration,
    limits: Limits,
    told: [&str; 2],
) {
    let [fine, late] = told;
    let value = time.as_secs_f64();
    let text = match limits.judge(value) {
        Judgement::Ok => format!("{fine} {}", show(time)),
        Judgement::Warning | Judgement::Critical => format!("{late} {}", show(time)),
    };
    report.measure(Metric { name, help, value, unit: "s", limits }, text);
}

fn connection(report: &mut Report, limits: &ConnectionLimits, target: &Target) -> Result<Outcome<()>, String> {
    let connect = time_limits("--connect-critical", limits.connect_warn, limits.connect_critical)?;
    let rtt = time_limits("--rtt-critical", limits.rtt_warn, limits.rtt_critical)?;
    let request = request_limits(&limits.request)?;
    Ok((|| {
        let (mut probe, endpoint) = Probe::connect_any(target)?;
        let url = url(endpoint);
        let told = [format!("connected to {url} in"), format!("connected to {url}, which took")];
        let told = told.each_ref().map(String::as_str);
        measure_time(report, "connect_time", "Time taken to connect to NATS", probe.connect_time, connect, told);
        let time = probe.rtt()?;
        measure_time(
            report,
            "rtt",
            "The round-trip-time of the connection",
            time,
            rtt,
            ["rtt time", "rtt time exceeded:"],
        );
        let (time, is_whole) = probe.round_trip(&inbox(), &payload(100))?;
        judge_round_trip(report, time, is_whole, request);
        Ok(())
    })())
}

fn judge_round_trip(report: &mut Report, time: Duration, is_whole: bool, limits: Limits) {
    if !is_whole {
        report.criticals.push("did not receive the message that was sent".into());
    }
    let help = "Time taken for a full Request-Reply operation";
    measure_time(report, "request_time", help, time, limits, ["round trip took", "round trip took too long:"]);
}

fn message(report: &mut Report, flags: &MessageFlags, target: &Target) -> Result<Outcome<()>, String> {
    let limits = request_limits(&flags.request)?;
    let subject = flags.subject.clone().unwrap_or_else(inbox);
    let is_subject = subject.split('.').all(|token| !token.is_empty() && token != "*" && token != ">");
    if !is_subject || subject.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("--subject '{subject}': write tokens with dots between, and no wildcards"));
    }
    Ok((|| {
        let (mut probe, _) = Probe::connect_any(target)?;
        if !probe.server_name().is_empty() {
            report.name = probe.server_name().to_owned();
        }
        let (mut slowest, mut is_whole) = (Duration::ZERO, true);
        for _ in 0..flags.count {
            let (time, whole) = probe.round_trip(&subject, &payload(flags.size))?;
            slowest = slowest.max(time);
            is_whole &= whole;
        }
        judge_round_trip(report, slowest, is_whole, limits);
        report.metrics.push(Metric {
            name: "messages",
            help: "Messages that were sent and came back",
            value: f64::from(flags.count),
            unit: "",
            limits: Limits::default(),
        });
        Ok(())
    })())
}

/// Bytes that no other sender has by chance.
fn payload(size: usize) -> Vec<u8> {
    inbox().into_bytes().into_iter().cycle().take(size).collect()
}

#[cfg(test)]
mod tests {
    use super::{payload, varz};
    use crate::monitoring::pages::Varz;
    use crate::server_check::flags::{Command, Flags};
    use crate::server_check::report::{Report, Status};
    use clap::Parser;

    fn page(slow: u64) -> Varz {
        Varz::read(&serde_json::json!({
            "server_id": "A", "server_name": "n1", "start": "2026-01-01T00:00:00Z", "now": "2026-01-01T01:00:00Z", "uptime": "1h0m0s",
            "cpu": 71.5, "mem": 104_857_600, "connections": 80, "max_connections": 100, "subscriptions": 12, "slow_consumers": slow,
            "auth_required": true,
        }))
    }

    fn judged(line: &str, before: Option<&Varz>) -> Result<Report, String> {
        let words = ["x", "check"].into_iter().chain(line.split_whitespace());
        let Command::Check(flags) =
            Flags::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}")).command;
        let mut report = Report::new(flags.check.name(), "n1");
        varz(&mut report, &flags.check, &page(5), before)?;
        Ok(report)
    }

    #[test]
    fn every_limit_is_judged() {
        use Status::{Critical, Ok, Warning};
        for (line, status) in [
            ("cpu", Ok),
            ("cpu --cpu-warn 71.5", Warning),
            ("cpu --warn 50 --critical 70%", Critical),
            ("mem --mem-warn 101MiB", Ok),
            ("mem --mem-critical 100MiB", Critical),
            ("connections --conn-warn 81 --conn-critical 90", Ok),
            ("connections --warn 80% --critical 90%", Warning),
            ("connections --warn 100 --critical 85", Critical),
            ("connections --warn 79 --critical 70", Ok),
            ("subs --subs-warn 12", Warning),
            ("subs --subs-warn 20 --subs-critical 12", Critical),
            ("uptime --uptime-warn 2h --uptime-critical 30m", Warning),
            ("uptime --uptime-critical 1h", Critical),
            ("uptime --uptime-warn 59m", Ok),
            ("slow-consumers", Warning),
            ("slow --warn 6", Ok),
            ("slow --critical 5", Critical),
            ("server --name n1 --auth-required", Ok),
            ("server --name n2", Critical),
            ("server --tls-required", Critical),
            ("server --cpu-warn 70 --mem-critical 1GiB --subs-critical 100 --uptime-warn 5m --conn-warn 90", Warning),
        ] {
            let report = judged(line, None).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(report.status(), status, "{line}: {report:?}");
        }
    }

    #[test]
    fn the_server_check_has_all_figures() {
        let report = judged("server", None).expect("no limits");
        let names: Vec<_> = report.metrics.iter().map(|metric| metric.name).collect();
        assert_eq!(names, ["uptime", "cpu", "mem", "connections", "subscriptions"]);
    }

    #[test]
    fn slow_consumers_over_a_time_are_those_that_came() {
        for (before, count, status) in [(page(5), 0.0, Status::Ok), (page(2), 3.0, Status::Warning)] {
            let report = judged("slow-consumers --over 5s", Some(&before)).expect("judged");
            assert_eq!((report.metrics[0].value, report.status()), (count, status));
        }
        let other = Varz { server_id: "B".into(), ..page(9) };
        assert_eq!(judged("slow --over 5s", Some(&other)).expect("judged").metrics[0].value, 5.0, "started anew");
    }

    #[test]
    fn limits_that_make_no_sense_are_an_error() {
        assert!(judged("cpu --warn 90 --critical 80", None).expect_err("refused").contains("CPU"));
        assert!(judged("uptime --warn 1m --critical 1h", None).expect_err("refused").contains("uptime"));
    }

    #[test]
    fn a_payload_has_its_size() {
        assert_eq!([0, 1, 100, 5000].map(|size| payload(size).len()), [0, 1, 100, 5000]);
    }
}
