//! The rows, one file a part of the protocol.

mod connect;
mod errors;
mod headers;
mod limits;
mod publish;
mod queue;
mod requests;
mod runs;
mod subscribe;
mod unsubscribe;

use crate::case::Case;

/// Every table.
pub(crate) const ALL: &[&[Case]] = &[
    connect::ROWS,
    publish::ROWS,
    subscribe::ROWS,
    unsubscribe::ROWS,
    queue::ROWS,
    headers::ROWS,
    requests::ROWS,
    runs::ROWS,
    errors::ROWS,
    limits::ROWS,
];
