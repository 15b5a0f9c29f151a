//! `/dashboard`: the pages as one page to look at, which asks for them itself.
//!
//! Everything is in one answer: styles and scripts are allowed by their digests alone, so that nothing that a client says of itself
//! could ever run. The sources are in `src/monitor/dashboard`; the files of the script share one scope and are put together here.

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::super::http::{Request, Response};
use super::super::query::Query;
use super::super::site::{PageError, Site};
use crate::identity;

const PAGE: &str = include_str!("../dashboard/page.html");
const STYLE: &str = include_str!("../dashboard/style.css");
/// A file that needs another one when it is read, not only when it runs, comes after it.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("../dashboard/format.js"),
    include_str!("../dashboard/rates.js"),
    include_str!("../dashboard/dom.js"),
    include_str!("../dashboard/feed.js"),
    include_str!("../dashboard/chart.js"),
    include_str!("../dashboard/traffic.js"),
    include_str!("../dashboard/cores.js"),
    include_str!("../dashboard/subjects.js"),
    include_str!("../dashboard/slow.js"),
    include_str!("../dashboard/connections.js"),
    include_str!("../dashboard/detail.js"),
    include_str!("../dashboard/keys.js"),
    include_str!("../dashboard/main.js"),
    "})();\n",
);

pub(super) fn page(_: &mut Site, _: &Query, _: &Request) -> Result<Response, PageError> {
    let headers = vec![
        ("Content-Security-Policy", policy()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("Referrer-Policy", "no-referrer".to_owned()),
        ("Cache-Control", "no-cache".to_owned()),
    ];
    Ok(Response { status: 200, content_type: "text/html; charset=utf-8", headers, body: body().into() })
}

fn body() -> String {
    let mut body = PAGE.replacen("__VERSION__", identity::VERSION, 1);
    for (place, text) in [("__STYLE__", STYLE), ("__SCRIPT__", SCRIPT)] {
        body = body.replacen(place, text, 1);
    }
    body
}

/// What the page may do: its own style and script, and questions to where it came from. Text can never become elements.
fn policy() -> String {
    let (style, script) = (source_of(STYLE), source_of(SCRIPT));
    format!(
        "default-src 'none'; script-src {script}; style-src {style}; img-src data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

fn source_of(text: &str) -> String {
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_of_what_stands_between_the_tags() {
        let body = body();
        for tag in ["style", "script"] {
            let (_, rest) = body.split_once(&format!("<{tag}>")).expect("it begins");
            let (inside, rest) = rest.split_once(&format!("</{tag}>")).expect("it ends");
            assert!(policy().contains(&source_of(inside)), "{tag}");
            assert!(!rest.contains(&format!("<{tag}")), "one {tag}");
        }
    }

    #[test]
    fn the_page_needs_nobody_else_and_makes_no_elements_of_text() {
        let body = body();
        for word in [
            "__",
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "new Function",
            " onclick",
            " onerror",
            " style=",
            "src=",
            "@import",
            "url(",
            "https://",
        ] {
            let found = body.lines().find(|line| line.contains(word));
            assert!(found.is_none(), "{word}: {}", found.unwrap_or_default());
        }
        // Links go to pages beside this one, whatever stands before its path.
        let links = body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for link in links.filter(|link| !link.starts_with("data:")) {
            assert!(!link.starts_with('/') && !link.contains("//"), "{link}");
        }
    }

    #[test]
    fn sources_are_short_say_what_they_are_and_are_all_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/monitor/dashboard");
        let mut count = 0;
        for file in std::fs::read_dir(folder).expect("it is there") {
            let path = file.expect("it can be read").path();
            let text = std::fs::read_to_string(&path).expect("it is text");
            let path = path.display();
            assert!(text.lines().count() <= 500, "{path} is long");
            assert!(["// ", "/* ", "<!DOCTYPE"].iter().any(|begin| text.starts_with(begin)), "{path}: what is it for?");
            assert!([PAGE, STYLE].contains(&text.as_str()) || SCRIPT.contains(&text), "{path} is left out");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }
}
