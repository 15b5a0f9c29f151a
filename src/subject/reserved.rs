//! Subjects that clients may not publish to, and may not ask answers on: the peer keeps them for its own routing of replies.
//!
//! Owns the table. Must not decide what happens then. Invariant: [`may_be_reserved`] is true wherever one of the others is,
//! and costs two comparisons where it is not, since each published message is asked it.

/// Beginnings that answers may not be asked on, where something follows.
const REPLIES: [&[u8]; 3] = [b"_GR_.", b"$GR.", b"$JS.ACK."];
/// Of these nothing need follow.
const REPLIES_BARE: &[u8] = b"_R_.";
/// Beginnings of what cannot be published to, where something follows.
const SUBJECTS: [&[u8]; 2] = [b"_GR_.", b"$GR."];
/// Of this nothing need follow.
const SUBJECTS_BARE: &[u8] = b"$NRG.";

/// Whether it is worth asking the others.
#[inline]
pub const fn may_be_reserved(subject: &[u8]) -> bool {
    matches!(subject, [b'_', b'R' | b'G', ..] | [b'$', b'G' | b'J' | b'N', ..])
}

/// Whether a client may not publish to it.
pub fn is_reserved_subject(subject: &[u8]) -> bool {
    subject.starts_with(SUBJECTS_BARE) || begins_with_one(subject, &SUBJECTS)
}

/// Whether a client may not ask for answers on it.
pub fn is_reserved_reply(reply: &[u8]) -> bool {
    reply.starts_with(REPLIES_BARE) || begins_with_one(reply, &REPLIES)
}

fn begins_with_one(subject: &[u8], beginnings: &[&[u8]]) -> bool {
    beginnings.iter().any(|beginning| subject.len() > beginning.len() && subject.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_peer_refuses() {
        // Subject; refused as a subject; refused as a reply.
        let rows: [(&[u8], bool, bool); 22] = [
            (b"", false, false),
            (b"_", false, false),
            (b"a", false, false),
            (b"_INBOX.x", false, false),
            (b"_R_", false, false),
            (b"_R_x", false, false),
            (b"_R_.", false, true),
            (b"_R_.x", false, true),
            (b"_GR_", false, false),
            (b"_GR_.", false, false),
            (b"_GR_.x", true, true),
            (b"_GR_..b", true, true),
            (b"$GR.", false, false),
            (b"$GR.x.y", true, true),
            (b"$G.x", false, false),
            (b"$GNR.x", false, false),
            (b"$JS.ACK", false, false),
            (b"$JS.ACK.", false, false),
            (b"$JS.ACK.x", false, true),
            (b"$NRG", false, false),
            (b"$NRG.", true, false),
            (b"$NRG.x", true, false),
        ];
        for (subject, as_subject, as_reply) in rows {
            assert_eq!(is_reserved_subject(subject), as_subject, "{}", subject.escape_ascii());
            assert_eq!(is_reserved_reply(subject), as_reply, "{}", subject.escape_ascii());
            assert!(may_be_reserved(subject) || !(as_subject || as_reply), "{}", subject.escape_ascii());
        }
    }
}
