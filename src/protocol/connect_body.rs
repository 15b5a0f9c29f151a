//! How the body of a CONNECT is read: as Go's JSON package reads it.
//!
//! Owns the names of the fields and the rules where Go is more lenient than serde: names match without regard to case,
//! null leaves a field alone, of duplicates the last one counts, unknown fields are skipped, broken UTF-8 is replaced.
//! Must not decide what the fields mean. Invariant: options change only where the whole body was accepted,
//! but for the three that only name the client: the log of a refusal says who was refused.

use super::error::ConnectFault;
use super::handshake::ConnectOptions;
use crate::secret::Secret;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Changes `options` as `body` says, or says why not and leaves alone all that has an effect.
pub(super) fn apply(options: &mut ConnectOptions, body: &[u8], headers_allowed: bool) -> Result<(), ConnectFault> {
    let body = text_of(body);
    let mut draft = Draft { options: options.clone(), protocol: i64::from(options.protocol), names_account: false };
    draft.read(&body)?;
    draft.options.headers &= headers_allowed;
    match draft.judge() {
        Ok(()) => {
            *options = draft.options;
            Ok(())
        }
        Err(ConnectFault::AccountNamed) => {
            options.user = draft.options.user;
            Err(ConnectFault::AccountNamed)
        }
        Err(fault) => {
            options.name = draft.options.name;
            options.lang = draft.options.lang;
            options.version = draft.options.version;
            Err(fault)
        }
    }
}

/// Options while a body is read.
struct Draft {
    options: ConnectOptions,
    protocol: i64,
    names_account: bool,
}

impl Draft {
    /// Takes the fields over. A whole text that is not sound is refused as such before a type matters.
    fn read(&mut self, body: &str) -> Result<(), ConnectFault> {
        let is_json = || serde_json::from_str::<IgnoredAny>(body).is_ok();
        // Control characters, which no string may hold: fields would take them.
        if body.bytes().any(|byte| byte < b' ') && !is_json() {
            return Err(ConnectFault::Json);
        }
        let mut deserializer = serde_json::Deserializer::from_str(body);
        let read = deserializer.deserialize_any(BodyVisitor(self)).and_then(|()| deserializer.end());
        read.map_err(|_| if is_json() { ConnectFault::FieldType } else { ConnectFault::Json })
    }

    /// Whether what the fields say together is acceptable.
    fn judge(&mut self) -> Result<(), ConnectFault> {
        if self.names_account {
            return Err(ConnectFault::AccountNamed);
        }
        self.options.protocol = match self.protocol {
            0 => 0,
            1 => 1,
            _ => return Err(ConnectFault::Protocol),
        };
        if self.options.no_responders && !self.options.headers {
            return Err(ConnectFault::NoRespondersWithoutHeaders);
        }
        Ok(())
    }

    /// Reads the value that belongs to `name`.
    fn read_field<'de, A: MapAccess<'de>>(&mut self, name: FieldName, map: &mut A) -> Result<(), A::Error> {
        let options = &mut self.options;
        match name.folded() {
            b"verbose" => set(&mut options.verbose, map.next_value()?),
            b"pedantic" => set(&mut options.pedantic, map.next_value()?),
            b"echo" => set(&mut options.echo, map.next_value()?),
            b"headers" => set(&mut options.headers, map.next_value()?),
            b"no_responders" => set(&mut options.no_responders, map.next_value()?),
            b"tls_required" => set(&mut options.tls_required, map.next_value()?),
            b"protocol" => set(&mut self.protocol, map.next_value::<Option<GoInt>>()?.map(|number| number.0)),
            b"name" => set(&mut options.name, read_string(map)?),
            b"lang" => set(&mut options.lang, read_string(map)?),
            b"version" => set(&mut options.version, read_string(map)?),
            b"user" => set(&mut options.user, read_string(map)?),
            b"nkey" => set(&mut options.nkey, read_string(map)?),
            b"pass" => set(&mut options.pass, read_string(map)?.map(Secret::new)),
            b"auth_token" => set(&mut options.auth_token, read_string(map)?.map(Secret::new)),
            b"jwt" => set(&mut options.jwt, read_string(map)?.map(Secret::new)),
            b"sig" => set(&mut options.sig, read_string(map)?.map(Secret::new)),
            b"account" => self.names_account |= read_string(map)?.is_some_and(|account| !account.is_empty()),
            b"new_account" => self.names_account |= map.next_value::<Option<bool>>()?.unwrap_or(false),
            b"proxy_sig" => set(&mut options.proxy_sig, read_string(map)?.map(Secret::new)),
            b"import" | b"export" => {
                map.next_value::<Option<GoStruct>>()?;
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Null leaves a field alone.
fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn read_string<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Box<str>>, A::Error> {
    Ok(map.next_value::<Option<GoString>>()?.map(|string| string.0))
}

/// Reads an object into a draft; null changes nothing.
struct BodyVisitor<'d>(&'d mut Draft);

impl<'de> Visitor<'de> for BodyVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key()? {
            self.0.read_field(name, &mut map)?;
        }
        Ok(())
    }
}

/// Text, whatever the bytes are. The usual case first: it is the faster way to look at them.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// As long as the longest name of a field.
const NAME_BYTES_MAX: usize = "no_responders".len();

/// The name of a field in the form in which Go compares names.
#[derive(Default)]
struct FieldName {
    bytes: [u8; NAME_BYTES_MAX],
    /// 0: it is longer than any name that we know.
    length: usize,
}

impl FieldName {
    /// Two letters outside ASCII fold into it.
    fn new(name: &str) -> Self {
        let mut folded = Self::default();
        let mut places = folded.bytes.iter_mut();
        for character in name.chars() {
            let byte = match character {
                '\u{17f}' => b's',
                '\u{212a}' => b'k',
                other => u8::try_from(other).unwrap_or(b'?').to_ascii_lowercase(),
            };
            let Some(place) = places.next() else { return Self::default() };
            *place = byte;
        }
        folded.length = NAME_BYTES_MAX - places.len();
        folded
    }

    fn folded(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = FieldName;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<FieldName, E> {
        Ok(FieldName::new(&text_of(bytes)))
    }

    fn visit_str<E: Error>(self, string: &str) -> Result<FieldName, E> {
        Ok(FieldName::new(string))
    }
}

/// A string whose escapes may name half a surrogate pair, which serde takes as bytes only.
struct GoString(Box<str>);

impl<'de> Deserialize<'de> for GoString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(StringVisitor).map(Self)
    }
}

struct StringVisitor;

impl Visitor<'_> for StringVisitor {
    type Value = Box<str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Box<str>, E> {
        Ok(text_of(bytes).into())
    }

    fn visit_str<E: Error>(self, string: &str) -> Result<Box<str>, E> {
        Ok(string.into())
    }
}

/// A whole number; `1.0` is none, `-0` is one.
struct GoInt(i64);

impl<'de> Deserialize<'de> for GoInt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntVisitor).map(Self)
    }
}

struct IntVisitor;

impl Visitor<'_> for IntVisitor {
    type Value = i64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(|_| E::custom("too large"))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i64, E> {
        // serde_json reads `-0` as a float.
        if number == 0.0 && number.is_sign_negative() { Ok(0) } else { Err(E::custom("not whole")) }
    }
}

/// Permissions, which only routes and leaf nodes have a use for; their types are checked all the same.
struct GoStruct;

impl<'de> Deserialize<'de> for GoStruct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StructVisitor)
    }
}

struct StructVisitor;

impl<'de> Visitor<'de> for StructVisitor {
    type Value = GoStruct;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GoStruct, A::Error> {
        while let Some(name) = map.next_key::<FieldName>()? {
            match name.folded() {
                b"allow" | b"deny" => {
                    map.next_value::<Option<Vec<Option<GoString>>>>()?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(GoStruct)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply_to_defaults(body: &[u8]) -> Result<ConnectOptions, ConnectFault> {
        let mut options = ConnectOptions::default();
        let before = options.clone();
        match apply(&mut options, body, true) {
            Ok(()) => Ok(options),
            Err(fault) => {
                assert_eq!(options, before, "a refused body changes nothing");
                Err(fault)
            }
        }
    }

    #[test]
    fn bodies_that_go_accepts() {
        let quiet = ConnectOptions { verbose: false, ..ConnectOptions::default() };
        let named = |name: &str| ConnectOptions { name: name.into(), ..ConnectOptions::default() };
        let (with_nul, replaced) = (named("a\0b"), named("\u{fffd}"));
        let default = ConnectOptions::default();
        let proxied = ConnectOptions { proxy_sig: Secret::new("x"), ..ConnectOptions::default() };
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(2000), "]".repeat(2000));
        let rows: Vec<(&[u8], &ConnectOptions)> = vec![
            (b"{}", &default),
            (b"null", &default),
            (b"\t {} ", &default),
            (b"{\"verbose\":null,\"name\":null,\"echo\":null,\"protocol\":null}", &default),
            (b"{\"verbose\":false}", &quiet),
            (b"{\"VERBOSE\":false}", &quiet),
            (b"{\"v\\u0065rbose\":false}", &quiet),
            (b"{\"verbo\xc5\xbfe\":false}", &quiet),
            (b"{\"verbose\":true,\"Verbose\":false}", &quiet),
            (b"{\"verbose\":false,\"verbose\":null}", &quiet),
            (b"{\"unknown\":{\"a\":[1,2,{}]},\"x\":1e999,\"gateway\":5}", &default),
            (b"{\"account\":\"\",\"new_account\":false}", &default),
            (b"{\"Proxy_Sig\":\"x\"}", &proxied),
            (b"{\"import\":{\"subjects\":\"x\",\"allow\":[\"a\",null]},\"export\":null}", &default),
            (b"{\"protocol\":-0}", &default),
            (b"{\"name\":\"a\\u0000b\"}", &with_nul),
            (b"{\"name\":\"\xff\"}", &replaced),
            (deep.as_bytes(), &default),
        ];
        for (body, expected) in rows {
            assert_eq!(apply_to_defaults(body).as_ref(), Ok(expected), "{}", body.escape_ascii());
        }
        assert!(apply_to_defaults(b"{\"name\":\"\\ud800\"}").is_ok(), "half a surrogate pair");
    }

    #[test]
    fn bodies_that_go_refuses() {
        let json = "|x|{|{} x|{}{}|{},|{\"verbose\":false,}|{'verbose':false}|{\"a\":1|{\"a\":01}|{\"a\":\"\\x\"}|{\"a\":tru}|\
                    {\"a\":\"\u{1}\"}|{\"name\":\"\t\"}|{\"na\u{2}me\":1}|\u{feff}{}";
        for body in json.split('|') {
            assert_eq!(apply_to_defaults(body.as_bytes()), Err(ConnectFault::Json), "{body:?}");
        }
        let mut types = vec!["[1,2]".to_owned(), "5".into(), "\"x\"".into(), "true".into()];
        for name in "verbose pedantic echo headers no_responders tls_required new_account".split(' ') {
            types.extend([format!("{{\"{name}\":\"yes\"}}"), format!("{{\"{name}\":1}}")]);
        }
        for name in "name lang version user pass auth_token jwt nkey sig account proxy_sig import export".split(' ') {
            types.extend([format!("{{\"{name}\":5}}"), format!("{{\"{name}\":[1]}}")]);
        }
        for number in ["\"1\"", "1.0", "1.5", "1e0", "0.0", "99999999999999999999", "true", "[]"] {
            types.push(format!("{{\"protocol\":{number}}}"));
        }
        types.push("{\"verbose\":\"x\",\"verbose\":true}".into());
        types.push("{\"n\u{212a}ey\":5}".into());
        types.push("{\"import\":{\"allow\":5}}".into());
        for body in types {
            assert_eq!(apply_to_defaults(body.as_bytes()), Err(ConnectFault::FieldType), "{body}");
        }
    }

    #[test]
    fn refusals_in_the_peers_order() {
        let rows = [
            ("{\"protocol\":2,\"account\":\"X\"}", ConnectFault::AccountNamed),
            ("{\"new_account\":true,\"no_responders\":true}", ConnectFault::AccountNamed),
            ("{\"protocol\":-1,\"no_responders\":true}", ConnectFault::Protocol),
            ("{\"protocol\":2}", ConnectFault::Protocol),
            ("{\"protocol\":9223372036854775807}", ConnectFault::Protocol),
            ("{\"no_responders\":true}", ConnectFault::NoRespondersWithoutHeaders),
        ];
        for (body, expected) in rows {
            assert_eq!(apply_to_defaults(body.as_bytes()), Err(expected), "{body}");
        }
    }

    #[test]
    fn cve_2022_24450_nobody_names_their_account() {
        let body = b"{\"account\":\"$SYS\",\"new_account\":true}";
        assert_eq!(apply_to_defaults(body), Err(ConnectFault::AccountNamed));
    }

    #[test]
    fn a_second_connect_keeps_what_it_does_not_name() {
        let mut options = ConnectOptions::default();
        let first =
            b"{\"verbose\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1,\"user\":\"u\",\"pass\":\"p\"}";
        assert_eq!(apply(&mut options, first, true), Ok(()));
        assert_eq!(apply(&mut options, b"{\"verbose\":true,\"echo\":false}", true), Ok(()));
        assert!(options.verbose && !options.echo && options.headers && options.no_responders);
        assert_eq!((options.protocol, &*options.user, options.pass.expose()), (1, "u", "p"));
        assert_eq!(apply(&mut options, b"{\"headers\":false}", true), Err(ConnectFault::NoRespondersWithoutHeaders));
    }

    #[test]
    fn headers_need_the_servers_consent() {
        let mut options = ConnectOptions::default();
        assert_eq!(apply(&mut options, b"{\"headers\":true}", false), Ok(()));
        assert!(!options.headers);
        let body = b"{\"headers\":true,\"no_responders\":true}";
        assert_eq!(apply(&mut options, body, false), Err(ConnectFault::NoRespondersWithoutHeaders));
    }
}
