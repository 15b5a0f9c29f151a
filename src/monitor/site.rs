//! Which page answers which path, and who may see it.
//!
//! Owns what pages keep from one request to the next: how often each was asked for, when CPU time was last read, what subjects had.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;

use super::View;
use super::http::{Request, Response};
use super::json::{self, Time};
use super::pages::{self, Page};
use super::query::{BadParameter, Query};
use crate::config::monitoring::PageLogin;
use crate::ids::{AccountId, CoreId};
use crate::reactor::settings::Settings;
use crate::reactor::snapshot::{CoreFigures, Part, Question, Silent};
use crate::secret::Secret;
use std::sync::{Arc, PoisonError};

/// How long the cores may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// CPU time is measured over at least so long.
const CPU_SPAN: Duration = Duration::from_secs(1);

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum PageError {
    /// A parameter is wrong.
    Bad(String),
    /// The cores did not answer.
    Silent(Silent),
}

impl From<BadParameter> for PageError {
    fn from(bad: BadParameter) -> Self {
        Self::Bad(bad.0)
    }
}

impl From<Silent> for PageError {
    fn from(silent: Silent) -> Self {
        Self::Silent(silent)
    }
}

/// All pages of a server.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) view: View,
    /// How often each page was asked for.
    pub(super) requests: BTreeMap<&'static str, u64>,
    cpu: CpuUse,
    /// Of each core: when it was last looked at, how long it had been busy, and its percentage then.
    busy: Vec<(Instant, Duration, f64)>,
    pub(super) subjects: pages::subjectz::Before,
    /// In front of each path; empty, or with a slash in front and none behind.
    base: String,
}

/// CPU use of the process between two looks.
#[derive(Debug)]
struct CpuUse {
    at: Instant,
    used: Duration,
    percent: f64,
}

impl View {
    /// How long a request may take.
    pub(super) fn timeout(&self) -> Duration {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).monitoring.timeout
    }

    /// What the cores go by.
    pub(super) fn settings(&self) -> (Arc<Settings>, SystemTime) {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The account of a name.
    pub(super) fn account(&self, name: &str) -> Option<AccountId> {
        let accounts = &self.settings().0.accounts;
        accounts.iter().position(|known| known.is_configured && *known.name == *name).map(|at| AccountId(at as u32))
    }

    /// The name of an account.
    pub(super) fn account_name(&self, account: AccountId) -> String {
        self.settings().0.account_name(account).to_owned()
    }

    /// The system account's name, where there is one.
    pub(super) fn system_account(&self) -> Option<String> {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        let security = &config.security;
        security.system_account.and_then(|at| security.accounts.get(at)).map(|account| account.name.clone())
    }

    /// The time of an instant.
    pub(super) fn time(&self, at: Instant) -> Time {
        let (instant, wall) = self.started;
        match at.checked_duration_since(instant) {
            Some(after) => Time(wall + after),
            None => Time(wall - instant.saturating_duration_since(at)),
        }
    }
}

impl Site {
    pub(super) fn new(view: View) -> Self {
        let written = view.config.lock().unwrap_or_else(PoisonError::into_inner).monitoring.base_path.clone();
        let base = clean(&format!("/{written}"));
        let base = if base == "/" { String::new() } else { base.trim_end_matches('/').to_owned() };
        let cpu = CpuUse { at: view.started.0, used: Duration::ZERO, percent: 0.0 };
        Self {
            view,
            requests: BTreeMap::new(),
            cpu,
            busy: Vec::new(),
            subjects: pages::subjectz::Before::default(),
            base,
        }
    }

    /// The answer to a request.
    pub(super) fn answer(&mut self, request: &Request) -> Response {
        if let Some(refused) = self.refuse_stranger(request) {
            return refused;
        }
        let cleaned = clean(&request.path);
        if cleaned != request.path {
            let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
            return Response::moved(&format!("{}{query}", escape(&cleaned)));
        }
        let Some(path) = cleaned.strip_prefix(&self.base) else { return Response::not_found() };
        let Some((name, page)) = pages::find(if path.is_empty() { "/" } else { path }) else {
            return Response::not_found();
        };
        *self.requests.entry(name).or_default() += 1;
        self.show(page, request).unwrap_or_else(|error| match error {
            PageError::Bad(text) => Response::text(400, text),
            PageError::Silent(Silent { answered, cores }) => {
                Response::text(503, format!("only {answered} of {cores} cores have answered in time\n"))
            }
        })
    }

    fn show(&mut self, page: Page, request: &Request) -> Result<Response, PageError> {
        page(self, &Query::parse(&request.query), request)
    }

    /// `None` where who asks may see the pages.
    fn refuse_stranger(&self, request: &Request) -> Option<Response> {
        let login = self.view.config.lock().unwrap_or_else(PoisonError::into_inner).monitoring.login.clone()?;
        if request.authorization.as_deref().is_some_and(|given| opens(&login, given)) {
            return None;
        }
        let mut response = Response::text(401, "401 Unauthorized\n");
        // A browser asks for a login where it is offered Basic, in the middle of what a page does by itself.
        let scheme = if request.scripted { "Bearer" } else { "Basic" };
        response.headers.push(("WWW-Authenticate", format!("{scheme} realm=\"monitoring\"")));
        Some(response)
    }

    /// The counters of every core, in their order.
    pub(super) fn figures(&self) -> Result<Vec<CoreFigures>, PageError> {
        let mut figures = Vec::new();
        self.ask(&Question::Figures, |part| {
            if let Part::Figures(of_core) = part {
                figures.push(*of_core);
            }
        })?;
        figures.sort_by_key(|of_core| of_core.core);
        Ok(figures)
    }

    /// Asks the cores.
    pub(super) fn ask(&self, question: &Question, mut take: impl FnMut(Part)) -> Result<(), PageError> {
        self.ask_each(question, |_, part| take(part))
    }

    /// The same, and says which core each piece is from.
    pub(super) fn ask_each(&self, question: &Question, take: impl FnMut(CoreId, Part)) -> Result<(), PageError> {
        Ok(self.view.cores.ask(question, ANSWER_WITHIN, take)?)
    }

    /// How busy each core has lately been, in percent, to a tenth.
    pub(super) fn busy_percents(&mut self, figures: &[CoreFigures]) -> Vec<f64> {
        let now = Instant::now();
        if self.busy.len() < figures.len() {
            self.busy = figures.iter().map(|core| (core.meters.since, Duration::ZERO, 0.0)).collect();
        }
        for ((at, before, percent), core) in self.busy.iter_mut().zip(figures) {
            let (span, busy) = (now.saturating_duration_since(*at), core.meters.turns.sum);
            if span >= CPU_SPAN {
                let part = busy.saturating_sub(*before).as_secs_f64() / span.as_secs_f64();
                (*at, *before, *percent) = (now, busy, (part.min(1.0) * 1000.0).round() / 10.0);
            }
        }
        self.busy.iter().map(|(.., percent)| *percent).collect()
    }

    /// CPU that the process has used lately, in percent of one CPU, to a tenth.
    pub(super) fn cpu_percent(&mut self) -> f64 {
        let (now, used) = (Instant::now(), crate::os::usage::process_cpu());
        let span = now.saturating_duration_since(self.cpu.at);
        if span >= CPU_SPAN {
            let percent = used.saturating_sub(self.cpu.used).as_secs_f64() / span.as_secs_f64() * 100.0;
            self.cpu = CpuUse { at: now, used, percent: (percent * 10.0).round() / 10.0 };
        }
        self.cpu.percent
    }

    /// A page of JSON.
    pub(super) fn page(value: &impl serde::Serialize) -> Result<Response, PageError> {
        Ok(Response::json(json::pretty(value)))
    }
}

/// Whether an `Authorization` header opens the pages.
fn opens(login: &PageLogin, given: &str) -> bool {
    let Some((scheme, value)) = given.split_once(' ') else { return false };
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return login.token.as_ref().is_some_and(|token| token.matches(&Secret::new(value)));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(value).ok();
    let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else { return false };
    let Some((name, password)) = text.split_once(':') else { return false };
    // A browser can only ask for a name and a password: without a name, the password is the token.
    if name.is_empty() && login.token.as_ref().is_some_and(|token| token.matches(&Secret::new(password))) {
        return true;
    }
    login.user.as_ref().is_some_and(|(known, secret)| {
        // Both are compared, so that the time does not tell whether the name was right.
        let same_name = Secret::new(known.as_str()).matches(&Secret::new(name));
        secret.matches(&Secret::new(password)) & same_name
    })
}

/// A path without empty parts, `.` and `..`.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

/// A path as it stands in a `Location`.
fn escape(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~$&+:=@".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_on_the_peer() {
        for (path, cleaned) in [
            ("/varz", "/varz"),
            ("//varz", "/varz"),
            ("/./varz", "/varz"),
            ("/a/../varz", "/varz"),
            ("/..", "/"),
            ("/a/", "/a/"),
            ("/", "/"),
        ] {
            assert_eq!(clean(path), cleaned);
        }
    }

    #[test]
    fn only_the_right_words_open_the_pages() {
        let login = PageLogin { user: Some(("ann".into(), Secret::new("pw:1"))), token: Some(Secret::new("t0k")) };
        let basic = |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
        for (given, expected) in [
            (basic("ann:pw:1"), true),
            (basic("ann:pw:2"), false),
            (basic("bob:pw:1"), false),
            (basic("ann"), false),
            (basic(":t0k"), true),
            (basic(":t0"), false),
            (basic("ann:t0k"), false),
            ("basic !!!".into(), false),
            ("Bearer t0k".into(), true),
            ("bearer  t0k".into(), true),
            ("Bearer t0".into(), false),
            ("Bearer".into(), false),
            ("Digest t0k".into(), false),
        ] {
            assert_eq!(opens(&login, &given), expected, "{given}");
        }
        let without = PageLogin { user: None, token: None };
        assert!(!opens(&without, "Bearer ") && !opens(&without, &basic(":")));
    }
}
