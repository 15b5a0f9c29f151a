//! `/stacksz` and `/debug/vars`: what the peer tells of its runtime, told of this process.
//!
//! There are no stacks to be shown from inside: `/stacksz` lists the threads, what each waits in and what CPU time it has used. Of the Go
//! runtime's memory figures only those are given that mean something here.

use std::fmt::Write as _;
use std::sync::PoisonError;

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json;
use super::super::query::Query;
use super::super::site::{PageError, Site};
use crate::os::usage;

pub(super) fn stacksz(_: &mut Site, _: &Query, _: &Request) -> Result<Response, PageError> {
    let mut text = String::new();
    for thread in usage::threads() {
        let _ = writeln!(text, "thread {} {:?} [{}] cpu {:?}", thread.id, thread.name, thread.state, thread.cpu);
    }
    Ok(Response::json(text.into_bytes()))
}

#[derive(Debug, Serialize)]
struct Vars {
    cmdline: Vec<String>,
    memstats: Memory,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Memory {
    alloc: u64,
    sys: u64,
    heap_alloc: u64,
    heap_sys: u64,
    heap_inuse: u64,
    #[serde(rename = "NumGC")]
    num_gc: u64,
    #[serde(rename = "EnableGC")]
    enable_gc: bool,
}

pub(super) fn vars(site: &mut Site, _: &Query, _: &Request) -> Result<Response, PageError> {
    let resident = usage::resident_bytes();
    let source = site.view.config.lock().unwrap_or_else(PoisonError::into_inner).source.clone();
    // The program and its file: flags may hold secrets.
    let program = std::env::args().next().unwrap_or_default();
    let file = source.map(|path| vec!["-c".to_owned(), path.display().to_string()]).unwrap_or_default();
    let memory = Memory {
        alloc: resident,
        sys: resident,
        heap_alloc: resident,
        heap_sys: resident,
        heap_inuse: resident,
        num_gc: 0,
        enable_gc: false,
    };
    let vars = Vars { cmdline: [vec![program], file].concat(), memstats: memory };
    let mut response = Response::text(200, json::compact(&vars));
    response.content_type = "application/json; charset=utf-8";
    Ok(response)
}
