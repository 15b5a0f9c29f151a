//! The one table of flags: names, aliases, what they take, whether their feature is there.
//!
//! nats-server's flags are listed here, Dunlin's own in `config::own_flags`.

use crate::config::own_flags::{Kind, OWN_FLAGS, OwnFlag};
use crate::config::{RawConfig, Written};
use crate::secret::Secret;

/// Where a value goes.
type Slot<T> = fn(&mut RawConfig) -> &mut Option<Written<T>>;

/// What a flag takes and sets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Switch(Slot<bool>),
    Int(Slot<i64>),
    Text(Slot<String>),
    /// Text that may also be named: `@FILE`, `$VARIABLE`.
    Login(Slot<String>),
    /// The same, and it is never printed.
    Secret(Slot<Secret>),
    /// Several log levels at once.
    Levels {
        debug: bool,
        trace: bool,
        verbose: bool,
    },
    Config,
    Test,
    Signal,
    Help,
    HelpTls,
    Version,
    /// Of a feature that is not there yet; `false`, 0 and the empty text ask for nothing.
    LaterSwitch,
    LaterInt,
    LaterText,
    Own(&'static OwnFlag),
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    pub(super) names: &'static [&'static str],
    pub(super) takes: Takes,
}

impl Flag {
    /// Whether it stands without a value.
    pub(super) fn is_switch(&self) -> bool {
        match self.takes {
            Takes::Switch(_)
            | Takes::Levels { .. }
            | Takes::Test
            | Takes::Help
            | Takes::HelpTls
            | Takes::Version
            | Takes::LaterSwitch => true,
            Takes::Own(own) => own.value.is_empty(),
            Takes::Int(_)
            | Takes::Text(_)
            | Takes::Login(_)
            | Takes::Secret(_)
            | Takes::Config
            | Takes::Signal
            | Takes::LaterInt
            | Takes::LaterText => false,
        }
    }

    /// Whether its value may only say where it stands: `@FILE`, `$VARIABLE`.
    pub(super) fn may_be_named(&self) -> bool {
        match self.takes {
            Takes::Login(_) | Takes::Secret(_) => true,
            Takes::Own(own) => matches!(own.kind, Kind::Secret(_)),
            _ => false,
        }
    }

    /// Whether its feature is not there yet.
    pub(super) fn is_later(&self) -> bool {
        matches!(self.takes, Takes::LaterSwitch | Takes::LaterInt | Takes::LaterText)
    }
}

/// The flag of a name without dashes; case counts.
pub(super) fn find(name: &str) -> Option<Flag> {
    let of_peer = FLAGS.iter().find(|flag| flag.names.contains(&name)).copied();
    of_peer.or_else(|| {
        OWN_FLAGS.iter().find(|own| own.key.name == name).map(|own| Flag { names: &[], takes: Takes::Own(own) })
    })
}

const fn flag(names: &'static [&'static str], takes: Takes) -> Flag {
    Flag { names, takes }
}

const fn levels(debug: bool, trace: bool, verbose: bool) -> Takes {
    Takes::Levels { debug, trace, verbose }
}

/// nats-server's flags.
pub(super) const FLAGS: &[Flag] = &[
    flag(&["a", "addr", "net"], Takes::Text(|raw| &mut raw.host)),
    flag(&["p", "port"], Takes::Int(|raw| &mut raw.port)),
    flag(&["n", "name", "server_name"], Takes::Text(|raw| &mut raw.server_name)),
    flag(&["P", "pid"], Takes::Text(|raw| &mut raw.pid_file)),
    flag(&["m", "http_port"], Takes::Int(|raw| &mut raw.http_port)),
    flag(&["ms", "https_port"], Takes::Int(|raw| &mut raw.https_port)),
    flag(&["c", "config"], Takes::Config),
    flag(&["t"], Takes::Test),
    flag(&["sl", "signal"], Takes::Signal),
    flag(&["client_advertise"], Takes::Text(|raw| &mut raw.client_advertise)),
    flag(&["ports_file_dir"], Takes::Text(|raw| &mut raw.ports_file_dir)),
    flag(&["l", "log"], Takes::Text(|raw| &mut raw.log_file)),
    flag(&["T", "logtime"], Takes::Switch(|raw| &mut raw.logtime)),
    flag(&["logtime_utc"], Takes::Switch(|raw| &mut raw.logtime_utc)),
    flag(&["s", "syslog"], Takes::Switch(|raw| &mut raw.syslog)),
    flag(&["r", "remote_syslog"], Takes::Text(|raw| &mut raw.remote_syslog)),
    flag(&["D", "debug"], Takes::Switch(|raw| &mut raw.debug)),
    flag(&["V", "trace"], Takes::Switch(|raw| &mut raw.trace)),
    flag(&["VV"], levels(false, true, true)),
    flag(&["DV"], levels(true, true, false)),
    flag(&["DVV"], levels(true, true, true)),
    flag(&["log_size_limit"], Takes::Int(|raw| &mut raw.log_size_limit)),
    flag(&["max_traced_msg_len"], Takes::Int(|raw| &mut raw.max_traced_msg_len)),
    flag(&["js", "jetstream"], Takes::LaterSwitch),
    flag(&["sd", "store_dir"], Takes::LaterText),
    flag(&["user"], Takes::Login(|raw| &mut raw.user)),
    flag(&["pass"], Takes::Secret(|raw| &mut raw.password)),
    flag(&["auth"], Takes::Secret(|raw| &mut raw.token)),
    flag(&["tls"], Takes::Switch(|raw| &mut raw.tls_flag)),
    flag(&["tlscert"], Takes::Text(|raw| &mut raw.tls_cert_flag)),
    flag(&["tlskey"], Takes::Text(|raw| &mut raw.tls_key_flag)),
    flag(&["tlsverify"], Takes::Switch(|raw| &mut raw.tls_verify_flag)),
    flag(&["tlscacert"], Takes::Text(|raw| &mut raw.tls_ca_flag)),
    flag(&["routes"], Takes::LaterText),
    flag(&["cluster"], Takes::LaterText),
    flag(&["cluster_name"], Takes::LaterText),
    flag(&["no_advertise"], Takes::LaterSwitch),
    flag(&["cluster_advertise"], Takes::LaterText),
    flag(&["connect_retries"], Takes::LaterInt),
    flag(&["cluster_listen"], Takes::LaterText),
    flag(&["profile"], Takes::Int(|raw| &mut raw.prof_port)),
    flag(&["h", "help"], Takes::Help),
    flag(&["v", "version"], Takes::Version),
    flag(&["help_tls"], Takes::HelpTls),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let mut seen = std::collections::HashSet::new();
        for name in FLAGS.iter().flat_map(|flag| flag.names).chain(OWN_FLAGS.iter().map(|own| &own.key.name)) {
            assert!(seen.insert(*name), "{name} is there twice");
            assert!(find(name).is_some());
        }
    }
}
