//! `/`: links to the pages.

use super::super::http::{Request, Response};
use super::super::query::Query;
use super::super::site::{PageError, Site};
use crate::identity;

/// Pages and what they are about; an empty name begins a part.
const LINKS: &[(&str, &str)] = &[
    ("", "As on nats-server"),
    ("varz", "General"),
    ("connz", "Connections"),
    ("subsz", "Subscriptions"),
    ("accountz", "Accounts"),
    ("accstatz", "Account statistics"),
    ("healthz", "Health"),
    ("routez", "Routes"),
    ("leafz", "Leaf nodes"),
    ("gatewayz", "Gateways"),
    ("jsz", "JetStream"),
    ("raftz", "Raft groups"),
    ("debug/vars", "Process"),
    ("", "Dunlin's own"),
    ("dashboard", "Dashboard"),
    ("corez", "Cores"),
    ("slowz", "Slow connections"),
    ("subjectz", "Busiest subjects"),
    ("queuez", "Queue groups"),
    ("metrics", "Prometheus metrics"),
];

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;margin:2rem;max-width:40rem;color-scheme:light dark}\
h1{font-size:1.4rem}h2{font-size:1rem;margin:1.2rem 0 .2rem}a{display:block}code{opacity:.6}";

pub(super) fn page(_: &mut Site, _: &Query, _: &Request) -> Result<Response, PageError> {
    let (version, peer) = (identity::VERSION, identity::PEER_VERSION);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Dunlin</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\n\
         <body>\n<h1>Dunlin {version}</h1>\n<p>A NATS server that behaves like nats-server {peer}.</p>\n"
    );
    for (name, title) in LINKS {
        html.push_str(&match *name {
            "" => format!("<h2>{title}</h2>\n"),
            name => format!("<a href=\"./{name}\">{title} <code>/{name}</code></a>\n"),
        });
    }
    html.push_str("</body>\n</html>\n");
    Ok(Response { status: 200, content_type: "text/html; charset=utf-8", headers: Vec::new(), body: html.into() })
}
