//! HTTP/1.1: bytes to a request, a response to bytes. No socket.
//!
//! Any method is taken for GET, as on the peer; HEAD gets no body. Bodies of requests are passed over where their length is told and small;
//! else the connection ends after the answer. What is wrong with a request is answered in the peer's words, and ends the connection.

use std::time::SystemTime;

use super::json;
use super::query::unescape;

/// Bytes that a request's line and headers may have together.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Headers that a request may have.
const HEADERS_MAX: usize = 100;
/// Bytes of a body that are passed over.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The path, unescaped.
    pub(super) path: String,
    /// What follows the question mark, as written.
    pub(super) query: String,
    /// Only the head of the answer is wanted.
    pub(super) head_only: bool,
    /// The client speaks HTTP/1.0.
    pub(super) old: bool,
    /// The connection goes on after the answer.
    pub(super) keep_alive: bool,
    /// `Authorization`.
    pub(super) authorization: Option<String>,
    /// `Accept`.
    pub(super) accept: String,
    /// A script of a page asks, and would rather hear of a missing login than have the browser ask for one.
    pub(super) scripted: bool,
}

/// What the beginning of the input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The beginning of a request.
    NeedMore,
    /// A request, and its length with its body.
    Request(Box<Request>, usize),
    /// Nothing that can be answered but with this.
    Bad(Refusal),
}

/// How a request that is no request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: &'static str,
    text: &'static str,
}

impl Refusal {
    const BAD: Self = Self::of("400 Bad Request");
    const NO_HOST: Self = Self::of("400 Bad Request: missing required Host header");
    const HOST: Self = Self::of("400 Bad Request: malformed Host header");
    const HEADER_NAME: Self = Self::of("400 Bad Request: invalid header name");
    const VERSION: Self = Self::of("505 HTTP Version Not Supported: unsupported protocol version");
    pub(super) const TOO_LARGE: Self = Self::of("431 Request Header Fields Too Large");
    const ENCODING: Self = Self { status: "501 Not Implemented", text: "Unsupported transfer encoding" };

    const fn of(text: &'static str) -> Self {
        Self { status: text, text }
    }

    /// The whole answer.
    pub(super) fn bytes(self) -> Vec<u8> {
        let Self { status, text } = self;
        format!("HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{text}")
            .into()
    }
}

/// Takes a request from the front of the input.
pub(super) fn parse(input: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(input) {
        Ok(httparse::Status::Complete(head)) if head <= HEAD_BYTES_MAX => head,
        Ok(httparse::Status::Partial) if input.len() < HEAD_BYTES_MAX => return Parsed::NeedMore,
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Parsed::Bad(Refusal::TOO_LARGE),
        Err(httparse::Error::Version) if names_a_version(input) => return Parsed::Bad(Refusal::VERSION),
        Err(httparse::Error::HeaderName) if has_odd_name(input) => return Parsed::Bad(Refusal::HEADER_NAME),
        Err(_) => return Parsed::Bad(Refusal::BAD),
    };
    let target = request.path.unwrap_or_default();
    let Some((path, query)) = split_target(target) else { return Parsed::Bad(Refusal::BAD) };
    let old = request.version == Some(0);
    let is_head = request.method == Some("HEAD");
    match Heads::read(request.headers, old) {
        Err(refusal) => Parsed::Bad(refusal),
        Ok(heads) => {
            if input.len() < head + heads.body {
                return Parsed::NeedMore;
            }
            let request = Request {
                path,
                query,
                head_only: is_head,
                old,
                keep_alive: heads.keep_alive,
                authorization: heads.authorization,
                accept: heads.accept,
                scripted: heads.scripted,
            };
            Parsed::Request(Box::new(request), head + heads.body)
        }
    }
}

/// What matters of the headers.
struct Heads {
    keep_alive: bool,
    authorization: Option<String>,
    accept: String,
    scripted: bool,
    body: usize,
}

impl Heads {
    fn read(headers: &[httparse::Header<'_>], old: bool) -> Result<Self, Refusal> {
        let mut heads = Self { keep_alive: !old, authorization: None, accept: String::new(), scripted: false, body: 0 };
        let mut hosts = 0;
        for header in headers {
            let value = String::from_utf8_lossy(header.value);
            let value = value.trim();
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("host") {
                hosts += 1;
                if value.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"\\^`{|}/?#".contains(c)) {
                    return Err(Refusal::HOST);
                }
            } else if is("connection") {
                let has = |word: &str| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
                heads.keep_alive = !has("close") && (!old || has("keep-alive"));
            } else if is("authorization") {
                heads.authorization = Some(value.to_owned());
            } else if is("accept") {
                value.clone_into(&mut heads.accept);
            } else if is("x-requested-with") {
                heads.scripted = value.eq_ignore_ascii_case("XMLHttpRequest");
            } else if is("content-length") {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                heads.body = value.parse().ok().filter(|_| digits).ok_or(Refusal::BAD)?;
            } else if is("transfer-encoding") {
                if !value.eq_ignore_ascii_case("chunked") {
                    return Err(Refusal::ENCODING);
                }
                heads.keep_alive = false; // the body is not looked at
            }
        }
        if heads.body > BODY_BYTES_MAX {
            (heads.body, heads.keep_alive) = (0, false);
        }
        match hosts {
            0 if !old => Err(Refusal::NO_HOST),
            0 | 1 => Ok(heads),
            _ => Err(Refusal::BAD),
        }
    }
}

fn names_a_version(input: &[u8]) -> bool {
    let line = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.windows(5).any(|part| part == b"HTTP/")
}

/// Whether some header has a colon, so that it is its name that is wrong.
fn has_odd_name(input: &[u8]) -> bool {
    let mut lines = input.split(|byte| *byte == b'\n').skip(1);
    !lines.any(|line| line.len() > 1 && !line.contains(&b':'))
}

/// Path and query of a request's target.
fn split_target(target: &str) -> Option<(String, String)> {
    let target = match target.split_once("://") {
        Some(("http" | "https", rest)) => rest.find('/').map_or("/", |at| rest.get(at..).unwrap_or("/")),
        _ => target,
    };
    if !target.starts_with('/') {
        return None;
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some((unescape(path, false)?, query.to_owned()))
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// Headers beyond the usual ones.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// A page of JSON.
    pub(super) fn json(body: Vec<u8>) -> Self {
        Self::json_with(200, body)
    }

    /// JSON with another status.
    pub(super) fn json_with(status: u16, body: Vec<u8>) -> Self {
        let headers = vec![("Access-Control-Allow-Origin", "*".to_owned())];
        Self { status, content_type: "application/json", headers, body }
    }

    /// A line of text.
    pub(super) fn text(status: u16, text: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", headers: Vec::new(), body: text.into() }
    }

    /// There is no such page.
    pub(super) fn not_found() -> Self {
        let mut response = Self::text(404, "404 page not found\n");
        response.headers.push(("X-Content-Type-Options", "nosniff".to_owned()));
        response
    }

    /// The page is somewhere else.
    pub(super) fn moved(to: &str) -> Self {
        let shown = to.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;");
        let body = format!("<a href=\"{shown}\">Temporary Redirect</a>.\n\n");
        let headers = vec![("Location", to.to_owned())];
        Self { status: 307, content_type: "text/html; charset=utf-8", headers, body: body.into() }
    }

    fn reason(&self) -> &'static str {
        match self.status {
            200 => "OK",
            307 => "Temporary Redirect",
            400 => "Bad Request",
            401 => "Unauthorized",
            404 => "Not Found",
            500 => "Internal Server Error",
            _ => "Service Unavailable",
        }
    }

    /// The answer to `request`, sent at `now`.
    pub(super) fn bytes(&self, request: &Request, now: SystemTime) -> Vec<u8> {
        let version = if request.old { "1.0" } else { "1.1" };
        let mut head = format!("HTTP/{version} {} {}\r\n", self.status, self.reason());
        for (name, value) in &self.headers {
            // A target may hold anything that a URL may; a line end is not among that, but nothing may ever begin a line here.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Type: {}\r\n", self.content_type));
        head.push_str(&format!("Date: {}\r\nContent-Length: {}\r\n", json::http_date(now), self.body.len()));
        match (request.keep_alive, request.old) {
            (false, false) => head.push_str("Connection: close\r\n"),
            (true, true) => head.push_str("Connection: keep-alive\r\n"),
            _ => {}
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if !request.head_only {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> (Request, usize) {
        match parse(text.as_bytes()) {
            Parsed::Request(request, length) => (*request, length),
            other => panic!("{text:?} is {other:?}"),
        }
    }

    #[test]
    fn requests_are_read_however_they_are_cut() {
        let text = "POST http://h:1/a%20b?x=%20&y HTTP/1.1\r\nHost: h\r\nauthorization: Bearer t\r\nContent-Length: 3\r\n\r\nabcGET";
        let (whole, length) = request(text);
        assert_eq!((whole.path.as_str(), whole.query.as_str(), length), ("/a b", "x=%20&y", text.len() - 3));
        assert_eq!((whole.keep_alive, whole.authorization.as_deref()), (true, Some("Bearer t")));
        for cut in 0..length {
            assert_eq!(parse(&text.as_bytes()[..cut]), Parsed::NeedMore, "{cut}");
        }
        assert!(!request("GET / HTTP/1.0\r\n\r\n").0.keep_alive);
        assert!(request("GET / HTTP/1.0\r\nX-Requested-With: XMLHttpRequest\r\n\r\n").0.scripted);
        assert!(request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").0.keep_alive);
        assert!(!request("HEAD / HTTP/1.1\nHost: x\nConnection: x, close\n\n").0.keep_alive);
    }

    #[test]
    fn what_is_no_request_has_the_peers_answer() {
        let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX));
        let long = format!("GET / HTTP/1.1\r\nHost: x\r\na: {}", "b".repeat(HEAD_BYTES_MAX));
        for (text, expected) in [
            ("GARBAGE\r\n\r\n", Refusal::BAD),
            ("\0\u{1}\u{2}\r\n\r\n", Refusal::BAD),
            ("GET /healthz\r\n\r\n", Refusal::BAD),
            ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", Refusal::VERSION),
            ("GET / HTTP/1.1\r\n\r\n", Refusal::NO_HOST),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Refusal::BAD),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Refusal::HOST),
            ("GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", Refusal::BAD),
            ("GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n", Refusal::HEADER_NAME),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", Refusal::BAD),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", Refusal::BAD),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", Refusal::ENCODING),
            ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BAD),
            ("GET varz HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BAD),
            ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BAD),
            (many.as_str(), Refusal::TOO_LARGE),
            (long.as_str(), Refusal::TOO_LARGE),
        ] {
            assert_eq!(parse(text.as_bytes()), Parsed::Bad(expected), "{:?}", &text[..text.len().min(60)]);
        }
    }

    #[test]
    fn no_header_begins_a_line_of_its_own() {
        let (asked, _) = request("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        let bytes = Response::moved("/a\r\nEvil: 1").bytes(&asked, SystemTime::UNIX_EPOCH);
        let text = String::from_utf8_lossy(&bytes);
        let (head, _) = text.split_once("\r\n\r\n").expect("a head ends");
        assert!(head.contains("Location: /aEvil: 1\r\n") && !head.contains("\r\nEvil"), "{head}");
    }
}
