//! Users that a certificate names: rows as the peer was seen to decide them. Subjects are written here as they stand in a
//! certificate, widest part first, parts between blanks.

use super::*;
use crate::auth::certificate::{Attribute, DistinguishedName};

const OIDS: [(&str, &str); 13] = [
    ("CN", "2.5.4.3"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("TITLE", "2.5.4.12"),
    ("POSTALCODE", "2.5.4.17"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("MAIL", "1.2.840.113549.1.9.1"),
];

/// Blanks in values are written as `_`.
fn attribute(text: &str) -> Attribute {
    let (name, value) = text.split_once('=').expect("a name and a value");
    let (_, oid) = OIDS.iter().find(|(known, _)| *known == name).expect("a known name");
    Attribute { oid: (*oid).into(), value: value.replace('_', " ") }
}

fn with_subject(subject: &str) -> PeerCertificate {
    let parts = subject.split(' ').filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.split('&').map(attribute).collect()).collect();
    PeerCertificate { subject: DistinguishedName(parts), ..PeerCertificate::default() }
}

fn with_names(emails: &[&str], dns_names: &[&str], uris: &[&str], subject: &str) -> PeerCertificate {
    let owned = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
    PeerCertificate { emails: owned(emails), dns_names: owned(dns_names), uris: owned(uris), ..with_subject(subject) }
}

fn comes_in(name: &str, subject: &str) -> bool {
    login_with(&directory(&with_users([user(name, "")])), Some(&with_subject(subject)), "{}").is_ok()
}

#[test]
fn subjects_as_the_peer_maps_them() {
    let rows = [
        ("CN=alice,OU=CNCF", "CN=alice OU=CNCF", true),
        ("CN=alice,OU=CNCF", "OU=CNCF CN=alice", true),
        ("OU=CNCF,CN=alice", "CN=alice OU=CNCF", true),
        ("cn=alice , ou=CNCF", "CN=alice OU=CNCF", true),
        (" CN= alice ,OU=CNCF", "CN=alice OU=CNCF", true),
        ("CN=alice,OU=CNCF,", "CN=alice OU=CNCF", true),
        ("CN=alice,OU=CNCF,O=", "CN=alice OU=CNCF", true),
        ("CN=alice,OU=CNCF", "CN=ALICE OU=CNCF", false),
        ("CN=alice", "CN=alice OU=CNCF", false),
        ("OU=CNCF", "CN=alice OU=CNCF", false),
        ("2.5.4.3=alice,OU=CNCF", "CN=alice OU=CNCF", false),
        ("commonName=alice,OU=CNCF", "CN=alice OU=CNCF", false),
        ("CN=alice;OU=CNCF", "CN=alice OU=CNCF", false),
        ("CN=x=alice,OU=CNCF", "CN=alice OU=CNCF", false),
        ("CN=m+OU=a,DC=x,DC=org", "DC=org DC=x OU=a&CN=m", true),
        ("OU=a+CN=m,DC=x,DC=org", "DC=org DC=x OU=a&CN=m", true),
        ("DC=org,DC=x,OU=a+CN=m", "DC=x DC=org OU=a&CN=m", true),
        ("CN=m+OU=a", "OU=a CN=m", false),
        ("CN=d,OU=a,OU=b", "CN=d OU=b OU=a", true),
        ("CN=d,OU=a,OU=a", "CN=d OU=a OU=a", true),
        ("CN=d,OU=a,OU=a", "CN=d OU=a OU=b", false),
        ("CN=d,OU=a", "CN=d OU=a OU=a", false),
        ("CN=sp", "CN=_sp_", false),
        (r"CN=\ sp\ ", "CN=_sp_", true),
        ("CN=", "", false),
        (" ", "", false),
        ("", "", false),
    ];
    for (name, subject, expected) in rows {
        assert_eq!(comes_in(name, subject), expected, "{name:?} with {subject:?}");
    }
}

#[test]
fn ghsa_26_13_cve_2026_33248_a_value_does_not_pass_for_another_attribute() {
    let rows = [
        ("CN=a,OU=admin", "CN=a,OU=admin", false),
        ("CN=a,OU=admin", "CN=a OU=admin", true),
        (r"CN=a\,OU=admin", "CN=a,OU=admin", true),
        (r"CN=a\2COU\3Dadmin", "CN=a,OU=admin", true),
        (r"CN=a\,OU=admin", "CN=a OU=admin", false),
        ("CN=p+OU=q", "CN=p+OU=q", false),
        (r"CN=p\+OU=q", "CN=p+OU=q", true),
        // The peer lets this one in: it does not escape the text of domain components.
        ("CN=d,DC=x,DC=org", "DC=x,DC=org CN=d", false),
        (r"CN=d,DC=x\,DC=org", "DC=x,DC=org CN=d", true),
    ];
    for (name, subject, expected) in rows {
        assert_eq!(comes_in(name, subject), expected, "{name:?} with {subject:?}");
    }
}

#[test]
fn texts_of_subjects_that_are_no_sound_names_are_the_peers() {
    let all = "C=US O=Acme,_Inc OU=a OU=b L=L ST=S STREET=st POSTALCODE=1 CN=first CN=#last SERIALNUMBER=7 TITLE=x";
    let rows = [
        ("CN=o", "MAIL=m@x CN=o", true),
        ("CN=o", "UID=me CN=o", true),
        ("CN=o,UID=me", "UID=me CN=o", false),
        ("CN=o,emailAddress=m@x", "MAIL=m@x CN=o", false),
        ("CN=o,1.2.840.113549.1.9.1=#16036d4078", "MAIL=m@x CN=o", false),
        ("CN=d", "DC=org DC=x CN=d", true),
        ("CN=d,DC=org,DC=x", "DC=org DC=x CN=d", true),
        ("CN=d,DC=x,DC=org", "DC=org DC=x CN=d", true),
        ("CN=m,OU=a", "OU=a&CN=m", true),
        ("CN=m,OU=a,DC=x,DC=org", "DC=org DC=x OU=a&CN=m", false),
        ("CN=m,OU=a,DC=x,DC=org", "DC=x DC=org OU=a&CN=m", true),
        ("CN=d,OU=a+OU=a", "CN=d OU=a OU=a", true),
        (r"SERIALNUMBER=7,CN=\#last,OU=a+OU=b,O=Acme\, Inc,POSTALCODE=1,STREET=st,L=L,ST=S,C=US", all, true),
        ("SERIALNUMBER=7,CN=#last,OU=a+OU=b,O=Acme, Inc,POSTALCODE=1,STREET=st,L=L,ST=S,C=US", all, false),
    ];
    for (name, subject, expected) in rows {
        assert_eq!(comes_in(name, subject), expected, "{name:?} with {subject:?}");
    }
}

#[test]
fn email_then_host_then_uri_then_subject() {
    let uri = "spiffe://x/y";
    let all = with_names(&["no@x.org", "a@x.org"], &["host.x"], &[uri], "CN=first");
    let mut users = vec![user("CN=first", ""), user(uri, ""), user("host.x", ""), user("a@x.org", "")];
    while let Some(last) = users.last().cloned() {
        let Credential::Password { name, .. } = last.credential else { panic!("a name") };
        let came = login_with(&directory(&with_users(users.clone())), Some(&all), "{}");
        assert_eq!(came.map(|grant| grant.identity.name().map(str::to_owned)), Ok(Some(name)));
        users.pop();
    }
    for (name, expected) in [("A@X.ORG", false), ("HOST.X", false), ("no@x.org", true), ("", false)] {
        let nothing = with_names(&["", "no@x.org"], &[""], &[""], "");
        let came = login_with(&directory(&with_users([user(name, "")])), Some(&nothing), "{}");
        assert_eq!(came.is_ok(), expected, "{name:?}");
    }
}

#[test]
fn a_certificate_is_only_a_name() {
    let security = with_users([user("CN=alice", "p"), user("CN=open", ""), user("CN=hash", SESAME), user("guest", "")]);
    let security = Security { no_auth_user: Some("guest".into()), ..security };
    let directory = directory(&security);
    let rows = [
        ("CN=alice", "{}", false),
        ("CN=alice", r#"{"pass":"p"}"#, true),
        ("CN=alice", r#"{"user":"CN=open"}"#, false),
        ("CN=open", "{}", true),
        ("CN=open", r#"{"user":"other","auth_token":"x"}"#, true),
        ("CN=open", r#"{"pass":"x"}"#, false),
        ("CN=hash", r#"{"pass":"sesame"}"#, true),
        ("CN=hash", "{}", false),
        ("CN=nobody", "{}", false),
        ("CN=nobody", r#"{"user":"guest"}"#, false),
    ];
    for (subject, body, expected) in rows {
        assert_eq!(login_with(&directory, Some(&with_subject(subject)), body).is_ok(), expected, "{subject} {body}");
    }
    assert!(login_with(&directory, None, "{}").is_err(), "without a certificate nobody is named");
    assert!(login_with(&directory, None, r#"{"user":"guest"}"#).is_err());
}

#[test]
fn users_who_may_not_come_this_way_are_passed_over() {
    let elsewhere = |name: &str| User { connection_types: vec!["MQTT".into()], ..user(name, "") };
    let certificate = with_names(&["a@x.org"], &[], &[], "OU=b CN=a");
    let security = with_users([elsewhere("a@x.org"), elsewhere("CN=a,OU=b"), user("OU=b,CN=a", "")]);
    let came = login_with(&directory(&security), Some(&certificate), "{}");
    assert_eq!(came.map(|grant| grant.identity.name().map(str::to_owned)), Ok(Some("OU=b,CN=a".into())));
    let security = with_users([elsewhere("a@x.org"), elsewhere("CN=a,OU=b")]);
    assert!(login_with(&directory(&security), Some(&certificate), "{}").is_err());
}

#[test]
fn the_same_order_comes_before_another() {
    let security = with_users([user("OU=b,CN=a", ""), user("CN=a,OU=b", "")]);
    let came = login_with(&directory(&security), Some(&with_subject("OU=b CN=a")), "{}");
    assert_eq!(came.map(|grant| grant.identity.name().map(str::to_owned)), Ok(Some("CN=a,OU=b".into())));
}

#[test]
fn keys_and_single_logins_do_not_look_at_certificates() {
    let nkey = format!(r#"{{"nkey":"{KEY}","sig":"SIG"}}"#);
    let certificate = with_subject("CN=alice");
    let both = directory(&with_users([user("CN=alice", ""), nkey_user(KEY)]));
    assert!(login_with(&both, Some(&certificate), &nkey).is_ok());
    let keys = directory(&with_users([nkey_user(KEY)]));
    assert!(login_with(&keys, Some(&certificate), "{}").is_err());
    assert!(login_with(&keys, Some(&certificate), &nkey).is_ok());
    let none = directory(&Security::default());
    assert!(login_with(&none, None, "{}").is_ok());
    let system = directory(&with_users([in_account(1, user("CN=alice", ""))]));
    assert_eq!(login_with(&system, Some(&certificate), "{}").map(|grant| grant.account), Ok(AccountId(11)));
    assert!(login_with(&system, Some(&with_subject("CN=bob")), "{}").is_err(), "it is not let in as nobody");
}
