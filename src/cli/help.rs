//! The texts of `-h`, `-v` and `--help_tls`.
//!
//! Owns their form, which is the peer's; Dunlin's own flags have a section from their table.

use super::flags::FLAGS;
use crate::config::own_flags::OWN_FLAGS;
use crate::config::tls_names::{CIPHER_SUITES, CURVES, Known};
use std::fmt::Write as _;

/// The version of nats-server whose behaviour this is; clients and tools choose features by it.
const PEER_VERSION: &str = "2.15.1";

const PEER_OPTIONS: &str = "
Usage: dunlin [options]

Server Options:
    -a, --addr, --net <host>         Bind to host address (default: 0.0.0.0)
    -p, --port <port>                Use port for clients (default: 4222)
    -n, --name
        --server_name <server_name>  Server name (default: auto)
    -P, --pid <file>                 File to store PID
    -m, --http_port <port>           Use port for http monitoring
    -ms,--https_port <port>          Use port for https monitoring
    -c, --config <file>              Configuration file
    -t                               Test configuration and exit
    -sl,--signal <signal>[=<pid>]    Send signal to dunlin process (ldm, stop, quit, term, reopen, reload)
                                     <pid> can be either a PID (e.g. 1) or the path to a PID file (e.g. /var/run/dunlin.pid)
        --client_advertise <string>  Client URL to advertise to other servers
        --ports_file_dir <dir>       Creates a ports file in the specified directory (<executable_name>_<pid>.ports).

Logging Options:
    -l, --log <file>                 File to redirect log output
    -T, --logtime                    Timestamp log entries (default: true)
        --logtime_utc                Timestamps in UTC instead of local timezone (default: false)
    -s, --syslog                     Log to syslog or windows event log
    -r, --remote_syslog <addr>       Syslog server addr (udp://localhost:514)
    -D, --debug                      Enable debugging output
    -V, --trace                      Trace the raw protocol
    -VV                              Verbose trace (traces system account as well)
    -DV                              Debug and trace
    -DVV                             Debug and verbose trace (traces system account as well)
        --log_size_limit <limit>     Logfile size limit (default: auto)
        --max_traced_msg_len <len>   Maximum printable length for traced messages (default: unlimited)

JetStream Options:
    -js, --jetstream                 Enable JetStream functionality
    -sd, --store_dir <dir>           Set the storage directory

Authorization Options:
        --user <user>                User required for connections
        --pass <password>            Password required for connections
        --auth <token>               Authorization token required for connections

TLS Options:
        --tls                        Enable TLS, do not verify clients (default: false)
        --tlscert <file>             Server certificate file
        --tlskey <file>              Private key for server certificate
        --tlsverify                  Enable TLS, verify client certificates
        --tlscacert <file>           Client certificate CA for verification

Cluster Options:
        --routes <rurl-1, rurl-2>    Routes to solicit and connect
        --cluster <cluster-url>      Cluster URL for solicited routes
        --cluster_name <string>      Cluster Name, if not set one will be dynamically generated
        --no_advertise <bool>        Do not advertise known cluster information to clients
        --cluster_advertise <string> Cluster URL to advertise to other servers
        --connect_retries <number>   For implicit routes, number of connect retries
        --cluster_listen <url>       Cluster url from which members can solicit routes

Profiling Options:
        --profile <port>             Profiling HTTP port (accepted and ignored)

Common Options:
    -h, --help                       Show this message
    -v, --version                    Show version
        --help_tls                   TLS help
";

const SECRETS: &str =
    "        --user, --pass, --auth       Each also takes @<file> or $<variable>, which keeps it off the command line
                                     (@@ and $$ stand for the signs themselves)
";

const TLS_HELP: &str = "
TLS configuration is specified in the tls section of a configuration file:

e.g.

    tls {
        cert_file:      \"./certs/server-cert.pem\"
        key_file:       \"./certs/server-key.pem\"
        ca_file:        \"./certs/ca.pem\"
        verify:         true
        verify_and_map: true

        cipher_suites: [
            \"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\",
            \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"
        ]
        curve_preferences: [
            \"CurveP256\",
            \"CurveP384\"
        ]
    }
";

const TLS_HELP_END: &str = "
OCSP (\"ocsp\" and \"ocsp_peer\") is not supported yet, and refused when asked for.";

/// What `-h` prints.
pub fn usage() -> String {
    let mut text = String::from(PEER_OPTIONS);
    text.push_str("\nDunlin Options (what each trades for what):\n");
    text.push_str(SECRETS);
    for own in OWN_FLAGS {
        let head = format!("--{} {}", own.key.name, own.value);
        let _ = writeln!(text, "        {head:<28} {}", own.key.help);
    }
    text.push_str("\nNot supported yet, and refused when asked for:\n   ");
    let mut width = 3;
    for flag in FLAGS.iter().filter(|flag| flag.is_later()) {
        let name = flag.names.last().unwrap_or(&"");
        if width + name.len() + 3 > 100 {
            text.push_str("\n   ");
            width = 3;
        }
        width += name.len() + 3;
        let _ = write!(text, " --{name}");
    }
    text.push('\n');
    text
}

/// What `-v` prints: the line that tools parse, and who we are.
pub fn version() -> String {
    format!("nats-server: v{PEER_VERSION}\ndunlin: v{}", env!("CARGO_PKG_VERSION"))
}

/// What `--help_tls` prints.
pub(super) fn tls() -> String {
    let mut text = String::from(TLS_HELP);
    let names = |table: &[(&'static str, Known)]| {
        let here = table.iter().filter(|(_, known)| *known == Known::Here);
        here.map(|(name, _)| format!("    {name}\n")).collect::<String>()
    };
    let _ = write!(text, "\nAvailable cipher suites include:\n{}", names(CIPHER_SUITES));
    let _ = write!(text, "\nAvailable curve preferences include:\n{}", names(CURVES));
    text.push_str(TLS_HELP_END);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_in_the_help() {
        let text = usage();
        let words: Vec<&str> = text.split([' ', ',', '[', '\n']).collect();
        for flag in FLAGS {
            for name in flag.names {
                assert!(
                    words.contains(&format!("-{name}").as_str()) || words.contains(&format!("--{name}").as_str()),
                    "{name}"
                );
            }
        }
        for own in OWN_FLAGS {
            assert!(words.contains(&format!("--{}", own.key.name).as_str()), "{}", own.key.name);
        }
    }

    #[test]
    fn the_help_for_tls_names_what_can_be_configured() {
        let text = tls();
        assert!(
            text.starts_with("\nTLS configuration is specified in the tls section of a configuration file:\n\ne.g.\n")
        );
        for (name, known) in CIPHER_SUITES.iter().chain(CURVES) {
            assert_eq!(text.contains(&format!("\n    {name}\n")), *known == Known::Here, "{name}");
        }
    }

    #[test]
    fn the_version_is_two_lines() {
        assert_eq!(version(), "nats-server: v2.15.1\ndunlin: v0.1.0");
    }
}
