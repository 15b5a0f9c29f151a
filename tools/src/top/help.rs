//! The texts of help: of the command line, and of the key `?`.

/// `dunlinctl top -h`.
pub(crate) const USAGE: &str = "\
Watches a NATS server through its monitoring port, as nats-top does.

Usage: dunlinctl top [-s server] [-m http_port] [-ms https_port] [-n num_connections] [-d delay_secs] [-r max]
                     [-o FILE] [-l DELIMITER] [-sort by] [-cert FILE] [-key FILE] [-cacert FILE] [-k] [-b] [-u]

  -s SERVER     host, or http://user:password@host:port/base (default: $NATS_MONITOR, which nobody else sees, or 127.0.0.1)
  -m PORT       monitoring port (default 8222)
  -ms PORT      monitoring port with HTTPS
  -n COUNT      connections that are asked for (default 1024)
  -d SECONDS    time between two looks (default 1; 0.5 is possible)
  -r COUNT      end after so many looks
  -o FILE       write one table to FILE and end; '-' is standard output. Two looks, -d apart, make its rates;
                with -d 0 there is one look and no rate
  -l DELIMITER  with -o: fields between delimiters (',' is CSV, '\\t' a tab) in the place of aligned columns
  -sort BY      cid start subs pending msgs_to msgs_from bytes_to bytes_from last idle uptime rtt,
                or by what flows now: msgs_to_rate msgs_from_rate bytes_to_rate bytes_from_rate
  -lookup       names in the place of addresses
  -b            all digits
  -u            show subscriptions (--display-subscriptions-column)
  -rates        show rates in the place of totals
  -view VIEW    connections, or with Dunlin: cores, subjects, slow, queues
  -depth COUNT  subjects: put those together that begin with the same so many tokens
  -timeout SECS how long a page may take (default 5)
  -cert, -key   certificate and key for HTTPS;  -cacert  authority of the server;  -k  do not check the server
  -v, -h        version, help

Exit code: 0; 1 where the server cannot be asked or the file cannot be written; 2 for a wrong command line.
";

/// What `?` shows.
pub(crate) const KEYS: &str = "\
Command          Description

o<option>        Set primary sort key to <option>: cid, start, subs, pending,
                 msgs_to, msgs_from, bytes_to, bytes_from, last, idle, uptime,
                 rtt, msgs_to_rate, msgs_from_rate, bytes_to_rate,
                 bytes_from_rate; in the other views the name of a column.

n<limit>         Set sample size of connections to request from the server.

s                Toggle displaying connection subscriptions.
d                Toggle activating DNS address lookup for clients.
b                Toggle displaying raw bytes.
space            Toggle displaying rates per second in connections.
t<depth>         Put subjects together by their first tokens; 0: whole.

Tab, 1 to 5      Next view: connections, cores, subjects, slow, queues.
arrows, j, k     Scroll; also PageUp, PageDown, Home, End.
q, Ctrl-C        Quit.

Press any key to continue...
";
