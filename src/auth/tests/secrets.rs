//! What is not told: neither by words, nor by the work that a refusal is.

use super::*;
use crate::auth::password::Kept;

/// How many rounds a login that fails takes; `None`: it takes no check.
fn rounds(verdict: &Verdict) -> Option<u64> {
    let Verdict::Verify(check) = verdict else { return None };
    let own = check.hash.as_ref().map_or(0, |hash| 1 << hash.cost);
    Some(own + check.made_up().map(|cost| 1_u64 << cost).sum::<u64>())
}

/// Hashes of one password at several costs: that they match is of no matter here.
fn of_cost(cost: u8) -> String {
    SESAME.replacen("$04$", &format!("${cost:02}$"), 1)
}

#[test]
fn unknown_users_and_wrong_passwords_are_the_same_work() {
    let users = [user("plain", "p"), user("low", &of_cost(4)), user("high", &of_cost(9)), user("broken", "$2a$04$")];
    let security = Security { no_auth_user: None, ..with_users(users) };
    let directory = directory(&security);
    for name in ["plain", "low", "high", "broken", "nobody"] {
        let options = options(&format!(r#"{{"user":"{name}","pass":"wrong"}}"#));
        let verdict = directory.decide(&claims(&options));
        assert_eq!(rounds(&verdict), Some(1 << 9), "{name}");
        assert_eq!(settle(verdict), Err(Refusal::Credentials), "{name}");
    }
    assert!(login(&directory, r#"{"user":"plain","pass":"p"}"#).is_ok());
    assert!(login(&directory, r#"{"user":"low","pass":"sesame"}"#).is_ok());
}

#[test]
fn without_hashes_nothing_is_handed_out() {
    let directory = directory(&with_users([user("u", "p"), nkey_user(KEY)]));
    for body in [r#"{"user":"u","pass":"x"}"#, r#"{"user":"x","pass":"p"}"#, "{}", r#"{"nkey":"x"}"#] {
        let options = options(body);
        assert!(matches!(directory.decide(&claims(&options)), Verdict::Refuse(Refusal::Credentials)), "{body}");
    }
}

#[test]
fn a_hash_that_costs_minutes_makes_only_its_own_logins_dear() {
    let directory = directory(&with_users([user("slow", &of_cost(20)), user("u", "p")]));
    let options = options(r#"{"user":"nobody","pass":"wrong"}"#);
    assert_eq!(rounds(&directory.decide(&claims(&options))), Some(1 << 16));
}

#[test]
fn cve_2026_33216_nothing_that_is_secret_is_printed() {
    let security = with_users([user("u", "hidden"), user("v", SESAME)]);
    let directory = directory(&security);
    let options = options(r#"{"user":"v","pass":"hidden"}"#);
    let check = directory.decide(&claims(&options));
    let grant = login(&directory, r#"{"user":"u","pass":"hidden"}"#);
    for shown in [format!("{security:?}"), format!("{directory:?}"), format!("{check:?}"), format!("{grant:?}")] {
        assert!(!shown.contains("hidden") && !shown.contains("1LLom"), "{shown}");
    }
}

#[test]
fn a_kept_text_is_compared_whole() {
    let kept = Kept::new(&Secret::new("p\0q"));
    assert_eq!(kept, Kept::Plain(Secret::new("p\0q")));
    let directory = directory(&with_users([user("u", "p\0q")]));
    for (pass, expected) in [("p\\u0000q", true), ("p", false), ("p\\u0000", false), ("p\\u0000r", false)] {
        assert_eq!(login(&directory, &format!(r#"{{"user":"u","pass":"{pass}"}}"#)).is_ok(), expected, "{pass}");
    }
}
