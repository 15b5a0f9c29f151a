//! What the pages say: a file a page, or a few that belong together.
//!
//! The peer's: `varz`, `connz`, `subsz`, `accounts`, `health`, `absent` (of features that are not here), `debug`, `root`.
//! Dunlin's own: `corez`, `slowz`, `subjectz`, `queuez`, `metrics`
//! (with `exposition`, `own_metrics`), `dashboard`. Structures are written in the order of their fields, which is the peer's.

mod absent;
mod accounts;
mod connz;
mod corez;
mod dashboard;
mod debug;
mod exposition;
mod health;
mod metrics;
mod own_metrics;
mod queuez;
mod root;
mod slowz;
pub(super) mod subjectz;
mod subsz;
mod varz;

use super::http::{Request, Response};
use super::query::Query;
use super::site::{PageError, Site};

/// A page.
pub(super) type Page = fn(&mut Site, &Query, &Request) -> Result<Response, PageError>;

/// Paths; those with one name are counted under it.
const PAGES: &[(&str, &str, Page)] = &[
    ("/", "/", root::page),
    ("/varz", "/varz", varz::page),
    ("/connz", "/connz", connz::page),
    ("/subsz", "/subsz", subsz::page),
    ("/subscriptionsz", "/subsz", subsz::page),
    ("/accountz", "/accountz", accounts::accountz),
    ("/accstatz", "/accstatz", accounts::accstatz),
    ("/healthz", "/healthz", health::page),
    ("/routez", "/routez", absent::routez),
    ("/leafz", "/leafz", absent::leafz),
    ("/gatewayz", "/gatewayz", absent::gatewayz),
    ("/jsz", "/jsz", absent::jsz),
    ("/raftz", "/raftz", absent::raftz),
    ("/ipqueuesz", "/ipqueuesz", absent::ipqueuesz),
    ("/stacksz", "/stacksz", debug::stacksz),
    ("/debug/vars", "/debug/vars", debug::vars),
    ("/corez", "/corez", corez::page),
    ("/slowz", "/slowz", slowz::page),
    ("/subjectz", "/subjectz", subjectz::page),
    ("/queuez", "/queuez", queuez::page),
    ("/metrics", "/metrics", metrics::page),
    ("/dashboard", "/dashboard", dashboard::page),
];

/// The page of a path, and the name it is counted under.
pub(super) fn find(path: &str) -> Option<(&'static str, Page)> {
    PAGES.iter().find(|(known, ..)| *known == path).map(|&(_, name, page)| (name, page))
}
