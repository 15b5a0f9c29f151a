//! What may be published, subscribed to and delivered: rows as the peer was seen to decide them, and random ones as the oracle does.

use crate::auth::oracle;
use crate::auth::permissions::Permissions;
use crate::config::security::{self, ResponsePermission, SubjectLists};
use crate::routing::Rng;

/// Lists as `allow / deny`, the entries between commas; `-`: there is no list.
fn lists(text: &str) -> SubjectLists {
    let (allow, deny) = text.split_once(" / ").expect("two lists");
    let list = |text: &str| text.split(", ").filter(|entry| !entry.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    SubjectLists { allow: (allow != "-").then(|| list(allow)), deny: if deny == "-" { Vec::new() } else { list(deny) } }
}

fn publish(text: &str) -> Permissions {
    Permissions::new(&security::Permissions { publish: Some(lists(text)), ..Default::default() })
}

fn subscribe(text: &str) -> Permissions {
    Permissions::new(&security::Permissions { subscribe: Some(lists(text)), ..Default::default() })
}

/// What of `asked` is allowed.
fn published<'a>(permissions: &Permissions, asked: &'a str) -> Vec<&'a str> {
    asked.split(' ').filter(|subject| permissions.may_publish(subject.as_bytes())).collect()
}

/// The queue group behind a `:`.
fn parts(subscription: &str) -> (&[u8], Option<&[u8]>) {
    let (pattern, queue) = subscription.split_once(':').map_or((subscription, None), |(p, q)| (p, Some(q)));
    (pattern.as_bytes(), queue.map(str::as_bytes))
}

fn subscribed<'a>(permissions: &Permissions, asked: &'a str) -> Vec<&'a str> {
    asked.split(' ').filter(|asked| permissions.may_subscribe(parts(asked).0, parts(asked).1)).collect()
}

#[test]
fn publishing_as_the_peer_decides() {
    let asked = "foo foo.a foo.* foo.> > a..b a. .a foo.. a.b.c * foo.a.b A foo.a.*";
    let rows = [
        ("> / -", "foo foo.a foo.* foo.> > a.b.c * foo.a.b A foo.a.*"),
        ("- / >", "a..b a. .a foo.."),
        ("foo.* / -", "foo.a foo.* foo.>"),
        ("foo.> / -", "foo.a foo.* foo.> foo.a.b foo.a.*"),
        ("- / foo.*", "foo > a..b a. .a foo.. a.b.c * foo.a.b A foo.a.*"),
        ("foo.* / foo.a", "foo.* foo.>"),
        ("* / -", "foo > * A"),
        ("foo / -", "foo"),
        ("> / a.>", "foo foo.a foo.* foo.> > * foo.a.b A foo.a.*"),
        ("foo, foo / -", "foo"),
        ("foo.a> / -", ""),
        (" / -", ""),
        ("- / -", asked),
    ];
    for (written, expected) in rows {
        assert_eq!(published(&publish(written), asked).join(" "), expected, "{written}");
    }
    assert!(publish("foo / -").may_publish(b"foo") && !publish("foo / -").may_publish(b"f\xff"));
    assert!(publish("> / -").may_publish(b"f\xff"));
    assert!(publish("- / -").may_publish_all() && !publish("> / -").may_publish_all());
}

#[test]
fn responses_close_what_is_not_named() {
    let rule = ResponsePermission { messages_max: Some(1), expires: None };
    let with = |publish: Option<&str>| {
        let publish = publish.map(lists);
        Permissions::new(&security::Permissions { publish, responses: Some(rule), ..Default::default() })
    };
    for publish in [None, Some("- / foo"), Some("- / -")] {
        let permissions = with(publish);
        assert!(!permissions.may_publish(b"bar") && !permissions.may_publish_all(), "{publish:?}");
        assert_eq!(permissions.responses(), Some(rule));
    }
    assert_eq!(published(&with(Some("pp / -")), "pp in"), ["pp"]);
}

#[test]
fn subscribing_as_the_peer_decides() {
    let asked = "foo foo:q1 foo:q2 foo:v1.x bar bar:q1 foo.> foo.* a..b > >:q1 *:q1 * foo.*:q1 foo.a foo.a:q1";
    let all_but = |refused: &str| {
        let refused: Vec<_> = refused.split(' ').collect();
        asked.split(' ').filter(|asked| !refused.contains(asked)).collect::<Vec<_>>().join(" ")
    };
    let rows = [
        ("foo, foo q1 / -", "foo foo:q1".to_owned()),
        ("foo q1 / -", "foo:q1".to_owned()),
        ("foo v1.*, foo q2 / -", "foo:q2 foo:v1.x".to_owned()),
        ("foo > / -", "foo:q1 foo:q2 foo:v1.x".to_owned()),
        ("> q1 / -", "foo:q1 bar:q1 >:q1 *:q1 foo.*:q1 foo.a:q1".to_owned()),
        ("foo.* / -", "foo.> foo.* foo.*:q1 foo.a foo.a:q1".to_owned()),
        ("foo, * q1 / -", "foo foo:q1 bar:q1 >:q1 *:q1".to_owned()),
        ("foo, foo q1 / foo", String::new()),
        ("> / foo, > q1", "bar foo.> foo.* > * foo.a".to_owned()),
        ("foo  q1 / -", "foo:q1".to_owned()),
        ("foo\tq1 / -", "foo:q1".to_owned()),
        ("foo / bar", "foo foo:q1 foo:q2 foo:v1.x".to_owned()),
        (" / -", String::new()),
        ("- / foo q1", all_but("foo:q1")),
        ("- / foo, foo q1", all_but("foo foo:q1 foo:q2 foo:v1.x")),
        ("- / > q1", all_but("foo:q1 bar:q1 >:q1 *:q1 foo.*:q1 foo.a:q1")),
        ("- / * q1", all_but("foo:q1 bar:q1 >:q1 *:q1")),
        ("- / foo v1.*, foo v1.x", all_but("foo:v1.x")),
        ("- / foo *.x", all_but("foo:v1.x")),
        ("- / foo v1.>", all_but("foo:v1.x")),
        ("- / >", "a..b".to_owned()),
        ("- / foo.*", all_but("foo.> foo.* foo.*:q1 foo.a foo.a:q1")),
        ("- / foo.>", all_but("foo.> foo.* foo.*:q1 foo.a foo.a:q1")),
        ("- / *", all_but("foo foo:q1 foo:q2 foo:v1.x bar bar:q1 > >:q1 *:q1 *")),
    ];
    for (written, expected) in rows {
        assert_eq!(subscribed(&subscribe(written), asked).join(" "), expected, "{written}");
    }
}

#[test]
fn names_of_queue_groups_may_be_patterns() {
    let asked = "foo:v1.* foo:v1.> foo:v1 foo:v1.a.b foo:w1.a.b foo:w1 foo:*.* foo:> foo:v1..";
    let allowed = subscribe("foo v1.*, foo w1.> / -");
    assert_eq!(subscribed(&allowed, asked).join(" "), "foo:v1.* foo:w1.a.b");
    let denied = subscribe("- / foo v1.*, foo w1.>");
    assert_eq!(subscribed(&denied, asked).join(" "), "foo:v1.> foo:v1 foo:v1.a.b foo:w1 foo:*.* foo:> foo:v1..");
}

/// Each row: lists, a subscription, what is published, and what of it arrives.
#[track_caller]
fn delivered(rows: &[(&str, &str, &str, &str)]) {
    for (written, subscription, published, expected) in rows {
        let permissions = subscribe(written);
        let (pattern, queue) = parts(subscription);
        let context = format!("{written}: {subscription}");
        assert!(permissions.may_subscribe(pattern, queue), "{context}");
        let arrives = |subject: &&str| permissions.may_deliver(subject.as_bytes(), queue);
        assert_eq!(published.split(' ').filter(arrives).collect::<Vec<_>>().join(" "), *expected, "{context}");
        assert!(permissions.needs_delivery_check(pattern), "{context}");
    }
}

#[test]
fn cve_2022_29946_what_is_denied_does_not_come_through_a_queue_group_either() {
    delivered(&[
        ("- / foo", "*", "foo bar", "bar"),
        ("- / foo", "*:q", "foo bar", "bar"),
        ("- / foo.secret, bar.*.x", ">:q", "foo.secret bar.q.x foo.open", "foo.open"),
    ]);
}

#[test]
fn ghsa_wh7g_26_17_a_deny_that_overlaps_a_subscription_holds_as_one_that_is_inside() {
    delivered(&[
        ("- / foo.*", "*.a", "foo.a b.a", "b.a"),
        ("- / *.a", "foo.*", "foo.a foo.b", "foo.b"),
        ("- / foo.*.c", "foo.b.*", "foo.b.c foo.b.d", "foo.b.d"),
        ("- / *.x", "foo.>", "foo.x foo.y foo.x.y", "foo.y foo.x.y"),
        ("- / foo.x.>", "foo.*.*", "foo.x.y foo.z.y", "foo.z.y"),
        ("foo.* / foo.a.>", "foo.>", "foo.a foo.a.b foo.c.d", "foo.a foo.c.d"),
    ]);
    for (written, pattern) in
        [("- / foo.*", "bar.*"), ("- / foo", "foo.*"), ("- / foo.*.c", "foo.*"), ("- / foo.>", "foo")]
    {
        assert!(!subscribe(written).needs_delivery_check(pattern.as_bytes()), "{written} and {pattern} are disjoint");
    }
}

#[test]
fn ghsa_jx8g_26_18_entries_for_groups_never_open_what_is_denied_to_all() {
    let rows = ["- / foo, foo q2", "- / foo, > q2", "- / foo, foo q2, foo v.*", "> / foo q2, foo"];
    for written in rows {
        for asked in ["foo", "foo:q1", "foo:q2", "foo:v.a"] {
            assert_eq!(subscribed(&subscribe(written), asked), [""; 0], "{written}: {asked}");
            assert!(!subscribe(written).may_deliver(b"foo", parts(asked).1), "{written}: {asked}");
        }
    }
    delivered(&[("- / foo, foo q2", "*:q1", "foo bar", "bar")]);
}

#[test]
fn commit_2a45fb2e1_a_deny_for_a_group_holds_at_delivery() {
    delivered(&[
        ("- / foo q1", "*", "foo bar", "foo bar"),
        ("- / foo q1", "*:q1", "foo bar", "bar"),
        ("- / foo q1", "*:q2", "foo bar", "foo bar"),
        ("- / foo v.*", "*:v.a", "foo bar", "bar"),
        ("- / foo q1, zzz", ">:q1", "foo bar zzz", "bar"),
    ]);
}

#[test]
fn a_literal_subscription_needs_no_further_check() {
    let permissions = subscribe("- / foo q1, *.x");
    for pattern in ["foo", "a.y", "a.x"] {
        assert!(!permissions.needs_delivery_check(pattern.as_bytes()), "{pattern}");
    }
}

#[test]
fn random_permissions_as_the_oracle_decides() {
    let count: u64 = std::env::var("DUNLIN_PERMISSION_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    for seed in 0..count {
        let mut rng = Rng::new(seed);
        let bytes: Vec<u8> = (0..400).map(|_| rng.next_u64() as u8).collect();
        let passed = std::panic::catch_unwind(|| oracle::check(bytes));
        assert!(passed.is_ok(), "seed {seed}");
    }
}

#[test]
fn a_look_is_bounded_by_the_lists_whatever_the_subject() {
    // Each level has a literal and a star: a walk that tried both everywhere would take 2^40 steps.
    let deep: Vec<String> =
        (0..40).map(|at| [vec!["a"; at], vec!["*"], vec!["a"; 39 - at]].concat().join(".")).collect();
    let permissions = publish(&format!("{} / -", deep.join(", ")));
    let subject = vec!["a"; 40].join(".");
    assert!(permissions.may_publish(subject.as_bytes()));
    assert!(!permissions.may_publish(format!("{}.b.b", &subject[..76]).as_bytes()));
    assert!(!permissions.may_publish(".".repeat(100_000).as_bytes()));
    assert!(!permissions.may_publish("a.".repeat(100_000).trim_end_matches('.').as_bytes()));
}
