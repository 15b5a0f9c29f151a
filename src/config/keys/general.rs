//! Keys of listeners, identity, logs and files.

use super::key::Key;
use super::kinds::{DurationForm, IntBound, Kind};
use super::show::{advertised, path, time};
use super::{BROKER, slot};

const LISTENING: &str = "the listener is open";
const ROTATION: &str = "the log is opened with it once";
const PROFILER: &str = "there is no Go profiler here";
const ROUTES: &str = "it counts failures of routes, gateways and leaf nodes, which are not supported yet";

/// Where clients connect.
pub(super) const LISTENER: &[Key] = &[
    Key::new("listen", Kind::Listen)
        .default("\"0.0.0.0:4222\"")
        .fixed(LISTENING)
        .since(BROKER)
        .help("Host and port for clients; a number alone is the port, -1 any free one"),
    Key::new("host", Kind::Text(slot!(host)))
        .aliases(&["net"])
        .default("\"0.0.0.0\"")
        .fixed(LISTENING)
        .since(BROKER)
        .help("Host for clients: an address or a name")
        .shown_as("Host", |c| c.host.clone()),
    Key::new("port", Kind::Int(slot!(port), IntBound::Any))
        .default("4222")
        .range(4222, -1, 65_535)
        .fixed(LISTENING)
        .since(BROKER)
        .help("Port for clients; -1 is any free one, 0 the default")
        .shown_as("Port", |c| c.port.to_string()),
    Key::new("client_advertise", Kind::Text(slot!(client_advertise)))
        .example("\"nats.example.net:4222\"")
        .since(BROKER)
        .help("Host and port that clients are told instead of the bound ones")
        .shown(|c| advertised(c.client_advertise.as_ref())),
];

/// What the server is called.
pub(super) const IDENTITY: &[Key] = &[
    Key::new("server_name", Kind::ServerName)
        .example("\"sea-1\"")
        .fixed("clients and pages know the server by it")
        .since(BROKER)
        .help("Name of the server, without spaces (default: its id)")
        .shown_as("ServerName", |c| c.server_name.clone()),
    Key::new("server_tags", Kind::Tags)
        .example("[\"zone:a\", \"ssd\"]")
        .since(BROKER)
        .help("Tags of the server, kept in lower case")
        .shown_as("tags", |c| c.server_tags.join(", ")),
    Key::new("server_metadata", Kind::Metadata)
        .example("{zone: \"a\"}")
        .since(BROKER)
        .help("Pairs of texts that pages show of the server")
        .shown(|c| format!("{:?}", c.server_metadata)),
    Key::new("feature_flags", Kind::FeatureFlags)
        .example("{js_ack_fc_v2: true}")
        .ignored("it switches parts of JetStream, which is not supported yet")
        .since(BROKER)
        .help("Switches of nats-server's JetStream")
        .differs("taken, without effect"),
];

/// What is logged, and where.
pub(super) const LOGS: &[Key] = &[
    Key::new("trace", Kind::Bool(slot!(trace)))
        .default("false")
        .since(BROKER)
        .help("Log every operation of clients")
        .shown(|c| c.logging.trace.to_string()),
    Key::new("trace_verbose", Kind::Bool(slot!(trace_verbose)))
        .default("false")
        .since(BROKER)
        .help("The same, with those of the system account")
        .shown(|c| c.logging.trace_verbose.to_string()),
    Key::new("trace_headers", Kind::Bool(slot!(trace_headers)))
        .default("false")
        .since(BROKER)
        .help("Log operations, and of messages only the headers")
        .shown(|c| c.logging.trace_headers.to_string()),
    Key::new("debug", Kind::Bool(slot!(debug)))
        .default("false")
        .since(BROKER)
        .help("Log what helps to find faults")
        .shown(|c| c.logging.debug.to_string()),
    Key::new("logtime", Kind::Bool(slot!(logtime)))
        .default("true")
        .since(BROKER)
        .help("Log lines have the time")
        .shown(|c| c.logging.time.to_string()),
    Key::new("logtime_utc", Kind::Bool(slot!(logtime_utc)))
        .default("false")
        .since(BROKER)
        .help("That time is UTC")
        .shown(|c| c.logging.time_utc.to_string()),
    Key::new("log_file", Kind::Text(slot!(log_file)))
        .aliases(&["logfile"])
        .example("\"/var/log/dunlin.log\"")
        .since(BROKER)
        .help("File for the log (default: standard error)")
        .shown(|c| path(c.logging.file.as_ref())),
    Key::new("log_size_limit", Kind::Int(slot!(log_size_limit), IntBound::Any))
        .aliases(&["logfile_size_limit"])
        .default("0")
        .fixed(ROTATION)
        .since(BROKER)
        .help("Bytes of a log file before it is rotated; 0 is never")
        .shown_as("LogSizeLimit", |c| c.logging.file_bytes_max.to_string()),
    Key::new("log_max_num", Kind::Int(slot!(log_max_num), IntBound::Any))
        .aliases(&["logfile_max_num"])
        .default("0")
        .fixed(ROTATION)
        .since(BROKER)
        .help("Rotated log files that are kept; 0 is all")
        .shown_as("LogMaxFiles", |c| c.logging.files_max.to_string()),
    Key::new("max_traced_msg_len", Kind::Int(slot!(max_traced_msg_len), IntBound::Any))
        .default("0")
        .since(BROKER)
        .help("Bytes of a message's body in traces; 0 is all")
        .shown(|c| c.logging.traced_payload_bytes_max.to_string()),
    Key::new("syslog", Kind::Bool(slot!(syslog)))
        .default("false")
        .since(BROKER)
        .help("Log to the syslog of this host")
        .shown(|c| c.logging.syslog.to_string()),
    Key::new("remote_syslog", Kind::Text(slot!(remote_syslog)))
        .example("\"udp://localhost:514\"")
        .since(BROKER)
        .help("Log to a syslog elsewhere")
        .shown(|c| c.logging.remote_syslog.clone()),
    Key::new("connect_error_reports", Kind::Int(slot!(connect_error_reports), IntBound::Any))
        .default("3600")
        .ignored(ROUTES)
        .since(BROKER)
        .help("Every how many failed first connects of a route one is logged")
        .differs("taken, without effect"),
    Key::new("reconnect_error_reports", Kind::Int(slot!(reconnect_error_reports), IntBound::Any))
        .default("1")
        .ignored(ROUTES)
        .since(BROKER)
        .help("Every how many failed reconnects of a route one is logged")
        .differs("taken, without effect"),
];

/// Files that others read, and the process.
pub(super) const PROCESS: &[Key] = &[
    Key::new("pid_file", Kind::Text(slot!(pid_file)))
        .aliases(&["pidfile"])
        .example("\"/run/dunlin.pid\"")
        .since(BROKER)
        .help("File that holds the process id")
        .shown(|c| path(c.pid_file.as_ref())),
    Key::new("ports_file_dir", Kind::Text(slot!(ports_file_dir)))
        .example("\"/run\"")
        .since(BROKER)
        .help("Folder for a file with the ports that are open")
        .shown(|c| path(c.ports_file_dir.as_ref())),
    Key::new("prof_port", Kind::Int(slot!(prof_port), IntBound::Any))
        .default("0")
        .ignored(PROFILER)
        .since(BROKER)
        .help("Port of nats-server's profiler")
        .differs("taken, without effect"),
    Key::new("prof_block_rate", Kind::Int(slot!(prof_block_rate), IntBound::Any))
        .default("0")
        .ignored(PROFILER)
        .since(BROKER)
        .help("Setting of nats-server's profiler")
        .differs("taken, without effect"),
    Key::new("lame_duck_duration", Kind::Duration(slot!(lame_duck_duration), DurationForm::LameDuck))
        .default("\"2m\"")
        .fixed("a lame duck may be under way")
        .since(BROKER)
        .help("How long clients are closed one after the other in lame duck mode")
        .shown_as("LameDuckDuration", |c| time(c.timing.lame_duck_duration)),
    Key::new("lame_duck_grace_period", Kind::Duration(slot!(lame_duck_grace_period), DurationForm::Grace))
        .default("\"10s\"")
        .fixed("a lame duck may be under way")
        .since(BROKER)
        .help("How long lame duck mode waits before it closes the first")
        .shown_as("LameDuckGracePeriod", |c| time(c.timing.lame_duck_grace)),
];
