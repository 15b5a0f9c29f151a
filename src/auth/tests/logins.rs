//! Who comes in: rows as the peer was seen to decide them.

use super::*;
use crate::auth::directory::DirectoryError;
use crate::auth::grant::Identity;
use crate::config::security::SingleLogin;

const NKEY_SIGNED: &str = r#"{"nkey":"UDR3SSUSWTPATKKD7IF6GQ74OZPP2BLNCMPQVWX7H4U4SFIPX3YO4UUZ","sig":"SIG"}"#;
const NKEY_BARE: &str = r#"{"nkey":"UDR3SSUSWTPATKKD7IF6GQ74OZPP2BLNCMPQVWX7H4U4SFIPX3YO4UUZ"}"#;

fn single(user: &str, password: &str) -> Security {
    let login = SingleLogin::User { name: user.into(), password: Secret::new(password) };
    Security { single: Some(login), ..Security::default() }
}

fn token(token: &str) -> Security {
    Security { single: Some(SingleLogin::Token(Secret::new(token))), ..Security::default() }
}

#[test]
fn without_logins_everyone_comes_in() {
    let security = Security::default();
    play(&security, &[("{}", Some("-")), (r#"{"user":"u","nkey":"n","sig":"s","proxy_sig":"x"}"#, Some("-"))]);
    let directory = directory(&security);
    assert!(!directory.is_required() && !directory.is_announced() && !directory.wants_nonce());
    assert_eq!(login(&directory, "{}").map(|grant| grant.account), Ok(AccountId(10)));
    for none in [token(""), single("", "p")] {
        play(&none, &[("{}", Some("-")), (r#"{"pass":"p"}"#, Some("-"))]);
    }
}

#[test]
fn one_user() {
    let rows = [
        (r#"{"user":"u","pass":"p"}"#, Some("u")),
        (r#"{"user":"u","pass":"p","auth_token":"junk"}"#, Some("u")),
        (r#"{"user":"U","pass":"p"}"#, None),
        (r#"{"user":"u","pass":"P"}"#, None),
        (r#"{"user":"u"}"#, None),
        (r#"{"pass":"p"}"#, None),
        (r#"{"auth_token":"p"}"#, None),
        ("{}", None),
    ];
    play(&single("u", "p"), &rows);
    let rows =
        [(r#"{"user":"u"}"#, Some("u")), ("{}", None), (r#"{"user":"u","pass":"x"}"#, None), (r#"{"user":"v"}"#, None)];
    play(&single("u", ""), &rows);
    let rows = [
        (r#"{"user":"u","pass":"sesame"}"#.to_owned(), Some("u")),
        (r#"{"user":"U","pass":"sesame"}"#.to_owned(), None),
        (r#"{"pass":"sesame"}"#.to_owned(), None),
        (r#"{"user":"u","pass":""}"#.to_owned(), None),
        (format!(r#"{{"user":"u","pass":"{SESAME}"}}"#), None),
    ];
    play(&single("u", SESAME), &rows.each_ref().map(|(body, expected)| (body.as_str(), *expected)));
}

#[test]
fn one_token() {
    for kept in ["sesame", SESAME] {
        let security = token(kept);
        let rows = [
            (r#"{"auth_token":"sesame"}"#, Some("-")),
            (r#"{"auth_token":"sesame","user":"x"}"#, Some("-")),
            (r#"{"auth_token":"Sesame"}"#, None),
            (r#"{"auth_token":""}"#, None),
            (r#"{"user":"sesame"}"#, None),
            (r#"{"pass":"sesame"}"#, None),
            ("{}", None),
        ];
        play(&security, &rows);
        let hash = format!(r#"{{"auth_token":"{SESAME}"}}"#);
        play(&security, &[(&hash, None)]);
        let grant = login(&directory(&security), r#"{"auth_token":"sesame"}"#);
        assert_eq!(grant.map(|grant| grant.identity.clone()), Ok(Identity::Token));
    }
}

#[test]
fn lists_of_users_and_keys() {
    let security = with_users([nkey_user(KEY), user("u", "p"), user("open", "")]);
    let rows = [
        (NKEY_SIGNED, Some(KEY)),
        (r#"{"nkey":"UDR3SSUSWTPATKKD7IF6GQ74OZPP2BLNCMPQVWX7H4U4SFIPX3YO4UUZ","sig":"SIG","user":"zz"}"#, Some(KEY)),
        (NKEY_BARE, None),
        (r#"{"nkey":"UDR3SSUSWTPATKKD7IF6GQ74OZPP2BLNCMPQVWX7H4U4SFIPX3YO4UUZ","user":"u","pass":"p"}"#, None),
        (r#"{"nkey":"X","user":"u","pass":"p"}"#, None),
        (r#"{"nkey":"udr3ssuswtpatkkd7if6gq74ozpp2blncmpqvwx7h4u4sfipx3yo4uuz","sig":"SIG"}"#, None),
        (r#"{"nkey":"UAJLWEKIFN42JOZF2HHYTV63HMOXQH7H7XCDNXCMQGVLBOXLQXLTACU3","sig":"SIG"}"#, None),
        (r#"{"user":"UDR3SSUSWTPATKKD7IF6GQ74OZPP2BLNCMPQVWX7H4U4SFIPX3YO4UUZ"}"#, None),
        (r#"{"user":"u","pass":"p"}"#, Some("u")),
        (r#"{"user":"u","pass":"p","auth_token":"zzz"}"#, Some("u")),
        (r#"{"user":"open"}"#, Some("open")),
        (r#"{"user":"open","pass":""}"#, Some("open")),
        (r#"{"user":"open","pass":"x"}"#, None),
        (r#"{"pass":"p"}"#, None),
        (r#"{"auth_token":"p"}"#, None),
        ("{}", None),
    ];
    play(&security, &rows);
    let directory = directory(&security);
    assert!(directory.is_required() && directory.is_announced() && directory.wants_nonce());
    // Where nobody has a key, what is said of one is not heard.
    play(
        &with_users([user("u", "p")]),
        &[(r#"{"nkey":"X","user":"u","pass":"p"}"#, Some("u")), (r#"{"nkey":"X"}"#, None)],
    );
}

#[test]
fn a_signature_is_for_one_nonce() {
    let directory = directory(&with_users([nkey_user(KEY)]));
    let options = options(NKEY_SIGNED);
    for nonce in [&b""[..], b"another", &NONCE[1..]] {
        let verdict = directory.decide(&Claims { nonce, ..claims(&options) });
        assert_eq!(settle(verdict), Err(Refusal::Credentials));
    }
}

#[test]
fn cve_2023_47090_no_auth_user_is_for_those_who_say_nothing() {
    let guest = |users: Vec<User>, name: &str| Security { no_auth_user: Some(name.into()), ..with_users(users) };
    let security = guest(vec![nkey_user(KEY), user("u", "p")], "u");
    let rows = [
        ("{}", Some("u")),
        (r#"{"name":"n"}"#, Some("u")),
        (r#"{"sig":"x"}"#, Some("u")),
        (r#"{"jwt":"x"}"#, Some("u")),
        (r#"{"user":"u"}"#, None),
        (r#"{"user":"who"}"#, None),
        (r#"{"auth_token":"t"}"#, None),
        (r#"{"pass":"p"}"#, None),
        (r#"{"nkey":"Y"}"#, None),
        (NKEY_BARE, None),
    ];
    play(&security, &rows);
    let made = directory(&security);
    assert!(made.is_required() && !made.is_announced(), "clients are not told");
    play(
        &guest(vec![user("u", "p")], "u"),
        &[(r#"{"nkey":"Y","sig":"s"}"#, Some("u")), (r#"{"nkey":"Y","user":"z"}"#, None)],
    );
    play(&guest(vec![user("u", SESAME)], "u"), &[("{}", None), (r#"{"user":"u","pass":"sesame"}"#, Some("u"))]);
    let rows = [
        ("{}", Some(KEY)),
        (NKEY_BARE, Some(KEY)),
        (r#"{"sig":"x"}"#, Some(KEY)),
        (r#"{"nkey":"Y"}"#, None),
        (r#"{"user":"u"}"#, None),
        (r#"{"pass":"p"}"#, None),
        (r#"{"user":"u","pass":"p"}"#, Some("u")),
    ];
    play(&guest(vec![nkey_user(KEY), user("u", "p")], KEY), &rows);
}

#[test]
fn cve_2023_47090_users_of_the_system_account_alone_leave_the_rest_open_and_no_other_do() {
    let open = |security| Security { anonymous_in_global: true, ..security };
    let system = open(with_users([in_account(1, user("s", "p"))]));
    let rows = [
        (r#"{"user":"s","pass":"p"}"#, Some("s")),
        ("{}", Some("-")),
        (r#"{"nkey":"x"}"#, Some("-")),
        (r#"{"jwt":"x"}"#, Some("-")),
        (r#"{"user":"x"}"#, None),
        (r#"{"auth_token":"x"}"#, None),
        (r#"{"pass":"x"}"#, None),
    ];
    play(&system, &rows);
    let made = directory(&system);
    assert!(made.is_announced());
    assert_eq!(login(&made, "{}").map(|grant| grant.account), Ok(AccountId(10)), "in $G");
    let with_key = open(with_users([in_account(1, nkey_user(KEY))]));
    play(&with_key, &[("{}", Some("-")), (NKEY_SIGNED, Some(KEY)), (NKEY_BARE, None), (r#"{"user":"x"}"#, None)]);
    let closed = [
        Security { anonymous_in_global: false, ..system.clone() },
        with_users([in_account(1, user("s", "p")), user("u", "p")]),
    ];
    for security in closed {
        play(&security, &[("{}", None), (r#"{"user":"s","pass":"p"}"#, Some("s"))]);
    }
}

#[test]
fn ghsa_hmmp_26_24_connection_types_hold_on_every_way_in() {
    let only = |user: User, kind: &str| User { connection_types: vec![kind.into()], ..user };
    let users = [
        only(user("u", "p"), "WEBSOCKET"),
        only(user("v", "p"), "STANDARD"),
        user("w", "p"),
        only(user("h", SESAME), "MQTT"),
        only(nkey_user(KEY), "MQTT"),
    ];
    let security = Security { no_auth_user: Some("u".into()), ..with_users(users) };
    let rows = [
        (r#"{"user":"u","pass":"p"}"#, None),
        (r#"{"user":"v","pass":"p"}"#, Some("v")),
        (r#"{"user":"w","pass":"p"}"#, Some("w")),
        (r#"{"user":"h","pass":"sesame"}"#, None),
        ("{}", None),
        (NKEY_SIGNED, None),
    ];
    play(&security, &rows);
    let directory = directory(&security);
    let (nothing, signed) = (options("{}"), options(NKEY_SIGNED));
    let over =
        |options, connection_type| settle(directory.decide(&Claims { connection_type, ..claims(options) })).is_ok();
    assert!(over(&nothing, ConnectionType::Websocket) && over(&signed, ConnectionType::Mqtt));
    assert!(!over(&nothing, ConnectionType::Leafnode) && !over(&signed, ConnectionType::Websocket));
}

#[test]
fn proxies_sign_for_those_who_must_come_through_one() {
    let through = |user: User| User { proxy_required: true, ..user };
    let users = [through(user("u", "p")), user("v", "p"), through(user("h", SESAME)), through(nkey_user(KEY))];
    let security = Security { trusted_proxies: vec![KEY.into()], no_auth_user: Some("u".into()), ..with_users(users) };
    let made = directory(&security);
    assert!(made.wants_nonce());
    let refused = Err;
    let rows = [
        ("{}", refused(Refusal::ProxyRequired)),
        (r#"{"proxy_sig":"SIG"}"#, Ok("u")),
        (r#"{"user":"u","pass":"p"}"#, refused(Refusal::ProxyRequired)),
        (r#"{"user":"u","pass":"x"}"#, refused(Refusal::ProxyRequired)),
        (r#"{"user":"u","pass":"p","proxy_sig":"SIG"}"#, Ok("u")),
        (r#"{"user":"u","pass":"p","proxy_sig":"SIG=="}"#, refused(Refusal::ProxyNotTrusted)),
        (r#"{"user":"v","pass":"p","proxy_sig":"x"}"#, refused(Refusal::ProxyNotTrusted)),
        (r#"{"user":"v","pass":"x","proxy_sig":"SIG"}"#, refused(Refusal::Credentials)),
        (r#"{"user":"v","pass":"p"}"#, Ok("v")),
        (r#"{"user":"h","pass":"sesame"}"#, refused(Refusal::ProxyRequired)),
        (r#"{"user":"h","pass":"wrong"}"#, refused(Refusal::ProxyRequired)),
        (r#"{"user":"nobody","pass":"sesame"}"#, refused(Refusal::Credentials)),
        (r#"{"user":"h","pass":"sesame","proxy_sig":"SIG"}"#, Ok("h")),
        (NKEY_SIGNED, refused(Refusal::ProxyRequired)),
    ];
    for (body, expected) in rows {
        let came = login(&made, body);
        let name = came.as_ref().map(|grant| grant.identity.name().unwrap_or("-"));
        assert_eq!(name.map_err(|refusal| *refusal), expected, "{body}");
    }
    // Without proxies that are trusted nobody comes through one, and what is said of one is not heard.
    let none = Security { trusted_proxies: Vec::new(), ..security.clone() };
    play(
        &none,
        &[
            (r#"{"user":"u","pass":"p","proxy_sig":"SIG"}"#, None),
            (r#"{"user":"v","pass":"p","proxy_sig":"x"}"#, Some("v")),
        ],
    );
    let everyone = Security { users: Vec::new(), no_auth_user: None, ..security.clone() };
    play(&everyone, &[("{}", Some("-")), (r#"{"proxy_sig":"SIG"}"#, Some("-")), (r#"{"proxy_sig":"x"}"#, None)]);
    // `authorization.proxy_required` is of the single login.
    let one = Security { proxy_required: true, trusted_proxies: vec![KEY.into()], ..token("t") };
    play(&one, &[(r#"{"auth_token":"t"}"#, None), (r#"{"auth_token":"t","proxy_sig":"SIG"}"#, Some("-"))]);
    let list = Security { proxy_required: true, ..with_users([user("u", "p")]) };
    play(&list, &[(r#"{"user":"u","pass":"p"}"#, Some("u"))]);
}

#[test]
fn users_are_in_their_accounts() {
    let security = with_account(with_users([in_account(2, user("a", "p")), in_account(1, user("s", "p"))]), "A");
    let directory = directory(&security);
    let account = |body: &str| login(&directory, body).map(|grant| grant.account);
    assert_eq!(account(r#"{"user":"a","pass":"p"}"#), Ok(AccountId(12)));
    assert_eq!(account(r#"{"user":"s","pass":"p"}"#), Ok(AccountId(11)));
}

#[test]
fn what_cannot_be_configured_is_named() {
    let new = |security: &Security| Directory::new(security, &[AccountId(0), AccountId(1)]).map(drop);
    let kind = User { connection_types: vec!["TELEX".into()], ..user("u", "p") };
    let rows = [
        (with_users([in_account(2, user("u", "p"))]), DirectoryError::Account(2)),
        (with_users([nkey_user("bad")]), DirectoryError::UserKey("bad".into())),
        (with_users([kind]), DirectoryError::ConnectionType("TELEX".into())),
        (
            Security { no_auth_user: Some("x".into()), ..with_users([user("u", "p")]) },
            DirectoryError::NoAuthUser("x".into()),
        ),
        (
            Security { trusted_proxies: vec!["bad".into()], ..Security::default() },
            DirectoryError::ProxyKey("bad".into()),
        ),
    ];
    for (security, error) in rows {
        assert_eq!(new(&security), Err(error));
    }
    assert_eq!(Directory::new(&Security::default(), &[]).map(drop), Err(DirectoryError::Account(0)));
}
