//! What becomes of clients when the configuration is another.

use super::*;
use crate::config::security::{Permissions, SingleLogin, SubjectLists};

fn renewed(before: &Security, after: &Security, body: &str) -> Option<Arc<Grant>> {
    let grant = login(&directory(before), body).expect("it came in");
    directory(after).renewed(&grant)
}

#[test]
fn those_who_are_as_they_were_stay() {
    let before = with_users([user("u", "p"), user("h", SESAME), nkey_user(KEY)]);
    let after = with_users([user("new", "p"), nkey_user(KEY), user("h", SESAME), user("u", "p")]);
    let nkey = format!(r#"{{"nkey":"{KEY}","sig":"SIG"}}"#);
    for body in [r#"{"user":"u","pass":"p"}"#, r#"{"user":"h","pass":"sesame"}"#, &nkey] {
        let old = login(&directory(&before), body).expect("it came in");
        assert_eq!(renewed(&before, &after, body), Some(old), "{body}: nothing has changed");
    }
}

#[test]
fn those_who_are_gone_or_others_do_not() {
    let before = with_users([user("u", "p"), nkey_user(KEY)]);
    let user_body = r#"{"user":"u","pass":"p"}"#;
    let closed = [
        with_users([user("v", "p")]),
        with_users([user("u", "q")]),
        with_users([user("u", SESAME)]),
        with_users([User { proxy_required: true, ..user("u", "p") }]),
        with_users([User { connection_types: vec!["MQTT".into()], ..user("u", "p") }]),
        Security::default(),
    ];
    for after in &closed {
        assert_eq!(renewed(&before, after, user_body), None);
    }
    let single = |name: &str, password| Security {
        single: Some(SingleLogin::User { name: name.into(), password: Secret::new(password) }),
        ..Security::default()
    };
    assert!(renewed(&single("u", "p"), &single("u", "p"), user_body).is_some());
    assert!(renewed(&single("u", "p"), &single("u", "q"), user_body).is_none());
    let token = |token| Security { single: Some(SingleLogin::Token(Secret::new(token))), ..Security::default() };
    assert!(renewed(&token("t"), &token("t"), r#"{"auth_token":"t"}"#).is_some());
    assert!(renewed(&token("t"), &token("s"), r#"{"auth_token":"t"}"#).is_none());
    assert!(renewed(&token("t"), &single("t", "t"), r#"{"auth_token":"t"}"#).is_none());
}

#[test]
fn nobody_in_particular_stays_as_long_as_nobody_must_log_in() {
    let users = with_users([user("u", "p")]);
    assert!(renewed(&Security::default(), &Security::default(), "{}").is_some());
    assert!(renewed(&Security::default(), &users, r#"{"user":"u","pass":"p"}"#).is_none(), "it did not prove that");
    let system = Security { anonymous_in_global: true, ..with_users([in_account(1, user("s", "p"))]) };
    assert!(renewed(&system, &system, "{}").is_some());
    assert!(renewed(&system, &Security { anonymous_in_global: false, ..system.clone() }, "{}").is_none());
}

#[test]
fn another_account_and_other_permissions_show() {
    let body = r#"{"user":"u","pass":"p"}"#;
    let two =
        |account| with_account(with_users([in_account(account, user("u", "p")), in_account(1, user("s", "p"))]), "A");
    let moved = renewed(&two(0), &two(2), body).expect("it is the same user");
    assert_eq!(moved.account, AccountId(12));
    let may = |subject: &str| {
        let publish = Some(SubjectLists { allow: Some(vec![subject.into()]), deny: Vec::new() });
        with_users([User { permissions: Some(Permissions { publish, ..Permissions::default() }), ..user("u", "p") }])
    };
    let old = login(&directory(&may("a")), body).expect("it came in");
    assert_eq!(renewed(&may("a"), &may("a"), body).map(|new| new.permissions == old.permissions), Some(true));
    assert_eq!(renewed(&may("a"), &may("b"), body).map(|new| new.permissions == old.permissions), Some(false));
}
