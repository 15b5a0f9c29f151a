//! What of a client's bytes is secret, and what a line shows instead.
//!
//! Owns which fields of CONNECT are hidden, and the shapes of what is secret wherever it stands: seeds of keys and JWTs, which people put
//! where a name belongs. Pure. What cannot be read is hidden rather than shown.

use std::borrow::Cow;

/// Fields of CONNECT that nobody else may know. The peer shows `jwt`; a bearer token is as good as a password, so we do not.
const SECRET_FIELDS: [&str; 7] = ["pass", "password", "auth_token", "sig", "nkey", "jwt", "proxy_sig"];

const REDACTED: &str = "[REDACTED]";

/// The body of a CONNECT with the values of secret fields replaced, everything else as it came; nothing of one that is no object.
pub fn connect_body(body: &[u8]) -> Cow<'_, [u8]> {
    let is_object = body.trim_ascii_start().starts_with(b"{");
    if !is_object || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
        return REDACTED.as_bytes().into();
    }
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(&first) = rest.first() {
        let is_text = first == b'"';
        let (token, after) = rest.split_at(if is_text { string_length(rest) } else { 1 });
        rest = after;
        if is_text && is_shaped(inside(token).as_bytes()) {
            out.extend_from_slice(format!("\"{REDACTED}\"").as_bytes());
            continue;
        }
        out.extend_from_slice(token);
        let value = rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        if let Some(value) = value.filter(|_| is_text && is_secret_field(token)) {
            let (before, value) = rest.split_at(rest.len() - value.len());
            out.extend_from_slice(before);
            rest = hide(&mut out, value);
        }
    }
    out.into()
}

/// Arguments of another operation: an object in them is the body of a CONNECT that went astray.
pub fn arguments(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes.iter().position(|&byte| byte == b'{') {
        Some(at) if bytes.get(at..).is_some_and(is_about_fields) => {
            let (before, body) = bytes.split_at(at);
            [before, &connect_body(body)].concat().into()
        }
        _ => bytes.into(),
    }
}

/// A part of a line that was not understood: an object in it is not whole, so nothing of it is shown.
pub fn excerpt(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes.iter().position(|&byte| byte == b'{') {
        Some(at) => [bytes.get(..at).unwrap_or_default(), REDACTED.as_bytes()].concat().into(),
        None => bytes.into(),
    }
}

/// What a client calls itself, unless that looks like a secret.
pub fn name(text: &str) -> &str {
    if is_shaped(text.as_bytes()) { REDACTED } else { text }
}

/// Whether a text is the seed of a key, or a JWT.
fn is_shaped(text: &[u8]) -> bool {
    let is_base32 = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
    let is_seed = text.len() == 58 && text.starts_with(b"S") && text.iter().all(is_base32);
    let is_base64_url = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=');
    let parts = text.split(|&byte| byte == b'.');
    let is_jwt = text.starts_with(b"eyJ")
        && parts.clone().count() == 3
        && parts.into_iter().all(|part| part.iter().all(is_base64_url));
    is_seed || is_jwt
}

/// Whether an object has text for keys, or keys at all: a subject with a brace in it is left alone.
fn is_about_fields(object: &[u8]) -> bool {
    object.iter().any(|byte| matches!(byte, b'"' | b'\'' | b':'))
}

/// Writes what stands for a secret value and returns what follows it.
fn hide<'a>(out: &mut Vec<u8>, value: &'a [u8]) -> &'a [u8] {
    let (replacement, length) = match value.first() {
        Some(b'"') => (format!("\"{REDACTED}\""), string_length(value)),
        // No value that a client sends on purpose: all of the rest may be secret.
        Some(b'{' | b'[') => (REDACTED.to_string(), value.len()),
        _ => (REDACTED.to_string(), value.iter().take_while(|&&byte| !matches!(byte, b',' | b'}')).count()),
    };
    out.extend_from_slice(replacement.as_bytes());
    value.get(length..).unwrap_or_default()
}

/// Length of the JSON string at the start, quotes included; all there is where it does not end.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A JSON string with its escapes resolved.
fn inside(token: &[u8]) -> String {
    serde_json::from_slice(token).unwrap_or_default()
}

/// Field names are compared as clients and the peer may compare them: without case, where ſ is an s and the sign of Kelvin a k.
fn is_secret_field(token: &[u8]) -> bool {
    let folded = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    let name: String = inside(token).chars().map(folded).collect();
    SECRET_FIELDS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: Cow<'_, [u8]>) -> String {
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn secrets_of_connect_are_hidden_however_they_are_spelled() {
        let rows = [
            (r#"{"user":"u","pass":"top","name":"n"}"#, r#"{"user":"u","pass":"[REDACTED]","name":"n"}"#),
            (r#"{"pass" : "top", "auth_token": "top"}"#, r#"{"pass" : "[REDACTED]", "auth_token": "[REDACTED]"}"#),
            (
                r#"{"jwt":"top","sig":"top","nkey":"top"}"#,
                r#"{"jwt":"[REDACTED]","sig":"[REDACTED]","nkey":"[REDACTED]"}"#,
            ),
            (r#"{"PASS":"top","pass":"top"}"#, r#"{"PASS":"[REDACTED]","pass":"[REDACTED]"}"#),
            (r#"{"p\u0061ss":"top"}"#, r#"{"p\u0061ss":"[REDACTED]"}"#),
            (r#"{"paſs":"top","pa\u017Fs":"top"}"#, r#"{"paſs":"[REDACTED]","pa\u017Fs":"[REDACTED]"}"#),
            (r#"{"auth_toKen":"top"}"#, r#"{"auth_toKen":"[REDACTED]"}"#),
            (r#"{"pass":"to\"top","user":"u"}"#, r#"{"pass":"[REDACTED]","user":"u"}"#),
            (r#"{"pass":null,"auth_token":12}"#, r#"{"pass":[REDACTED],"auth_token":[REDACTED]}"#),
            (r#"{"pass":["top"],"user":"u"}"#, r#"{"pass":[REDACTED]"#),
            (r#"{"name":"pass","x":"sig"}"#, r#"{"name":"pass","x":"sig"}"#),
            (r#"{"name":"\"pass\":","user":"u"}"#, r#"{"name":"\"pass\":","user":"u"}"#),
            (r#"{"verbose":false,"tls_required":true}"#, r#"{"verbose":false,"tls_required":true}"#),
        ];
        for (body, expected) in rows {
            assert_eq!(shown(connect_body(body.as_bytes())), expected, "{body}");
        }
        for body in [
            r#"{pass: top}"#,
            r#"{"pass" "top"}"#,
            r#"{"pass:"top"}"#,
            r#"{"pass":"top"#,
            "pass=top",
            "{}}",
            "\"top\"",
            "[1]",
            "",
        ] {
            assert_eq!(shown(connect_body(body.as_bytes())), REDACTED, "{body}");
        }
    }

    #[test]
    fn seeds_and_jwts_are_hidden_wherever_they_stand() {
        let (seed, jwt) = (format!("SU{}", "A".repeat(56)), "eyJhIjoxfQ.eyJiIjoyfQ.c2ln-_");
        for secret in [seed.as_str(), jwt] {
            assert_eq!(name(secret), REDACTED);
            let body = format!(r#"{{"user":"{secret}","name":"{secret}"}}"#);
            assert_eq!(shown(connect_body(body.as_bytes())), r#"{"user":"[REDACTED]","name":"[REDACTED]"}"#);
        }
        let public = format!("U{}", "A".repeat(55));
        for plain in ["", "S", "eyJ", "eyJ.a", "a.b.c", "ann", &public, &seed[1..], &seed.to_lowercase()] {
            assert_eq!(name(plain), plain);
        }
    }

    #[test]
    fn a_connect_that_went_astray_is_hidden_too() {
        for (bytes, as_arguments, as_excerpt) in [
            (r#"foo 5"#, r#"foo 5"#, r#"foo 5"#),
            (r#"foo.{a} 5"#, r#"foo.{a} 5"#, r#"foo.[REDACTED]"#),
            (r#"a {"user":"u","pass":"p"}"#, r#"a {"user":"u","pass":"[REDACTED]"}"#, "a [REDACTED]"),
            (r#"a {'pass':'p'}"#, "a [REDACTED]", "a [REDACTED]"),
            (r#"{"pass":"p"#, REDACTED, REDACTED),
        ] {
            assert_eq!(shown(arguments(bytes.as_bytes())), as_arguments);
            assert_eq!(shown(excerpt(bytes.as_bytes())), as_excerpt);
        }
    }

    #[test]
    fn nothing_secret_is_shown_wherever_the_body_is_cut() {
        let body = br#"{"verbose":false,"pass":"t#o#p","auth_token":"t#o#p","user":"u","sig":"t#o#p"}"#;
        for cut in 0..=body.len() {
            for hidden in [connect_body(&body[..cut]), arguments(&body[..cut]), excerpt(&body[..cut])] {
                assert!(!hidden.contains(&b'#'), "{}", shown(hidden));
            }
        }
    }
}
