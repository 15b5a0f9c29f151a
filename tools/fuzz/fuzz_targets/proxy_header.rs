//! No header of a proxy makes a panic, and cutting it does not change what it says.
#![no_main]

use dunlin::protocol::proxy_header::{LINE_BYTES_MAX, Progress, ProxyHeader};
use libfuzzer_sys::fuzz_target;

/// What became of it, and where its end was.
fn end(pieces: &[&[u8]]) -> (Result<Progress, String>, usize) {
    let mut header = ProxyHeader::default();
    let mut before = 0;
    for piece in pieces {
        match header.advance(piece) {
            Ok(Progress::NeedMore) => before += piece.len(),
            Ok(Progress::Done { consumed, source }) => {
                assert!(consumed <= piece.len());
                return (Ok(Progress::Done { consumed: 0, source }), before + consumed);
            }
            Ok(Progress::Absent) => {
                assert_eq!(header.held().len(), before, "nothing of what came is lost");
                return (Ok(Progress::Absent), 0);
            }
            Err(error) => return (Err(format!("{error:?}")), 0),
        }
        assert!(header.held().len() <= LINE_BYTES_MAX);
    }
    assert!(!header.missing().doing.is_empty());
    (Ok(Progress::NeedMore), before)
}

fuzz_target!(|input: (u16, Vec<u8>)| {
    let (cut, bytes) = input;
    let (left, right) = bytes.split_at(usize::from(cut) % (bytes.len() + 1));
    let whole = end(&[&bytes]);
    assert_eq!(end(&[left, right]), whole);
    assert_eq!(end(&bytes.chunks(1).collect::<Vec<_>>()), whole);
});
