//! Parameters of a request, read as the peer reads them, and its words for what is wrong with one.
//!
//! Every number is checked or saturates: nothing that is asked can overflow.

/// The parameters of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

/// What is wrong with a parameter: the text of a 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadParameter(pub(super) String);

impl Query {
    /// Parameters that are not well formed are passed over, as on the peer.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|part| !part.is_empty() && !part.contains(';')).filter_map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((unescape(name, true)?, unescape(value, true)?))
        });
        Self { pairs: pairs.collect() }
    }

    /// The first value of a parameter; empty where it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A truth value; not there is `false`.
    pub(super) fn boolean(&self, name: &str) -> Result<bool, BadParameter> {
        match self.text(name) {
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            other => Err(bad("boolean", name, "strconv.ParseBool", other, "invalid syntax")),
        }
    }

    /// A whole number that may be negative; not there is 0.
    pub(super) fn integer(&self, name: &str) -> Result<i64, BadParameter> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(0);
        }
        text.parse().map_err(|_| {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            bad("int", name, "strconv.Atoi", text, why(digits))
        })
    }

    /// A count: a number below 1 stands for `default`.
    pub(super) fn count(&self, name: &str, default: usize) -> Result<usize, BadParameter> {
        Ok(usize::try_from(self.integer(name)?).ok().filter(|&count| count > 0).unwrap_or(default))
    }

    /// A whole number that is not negative; not there is 0.
    pub(super) fn unsigned(&self, name: &str) -> Result<u64, BadParameter> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(0);
        }
        let parsed = if text.starts_with('+') { None } else { text.parse().ok() };
        parsed.ok_or_else(|| bad("uint64", name, "strconv.ParseUint", text, why(text)))
    }
}

fn why(digits: &str) -> &'static str {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { "value out of range" } else { "invalid syntax" }
}

fn bad(kind: &str, name: &str, function: &str, value: &str, why: &str) -> BadParameter {
    BadParameter(format!("Error decoding {kind} for '{name}': {function}: parsing {}: {why}", quoted(value)))
}

/// As Go quotes a text.
fn quoted(text: &str) -> String {
    crate::config::quoted(text.as_bytes())
}

/// Resolves `%XX`, and `+` where it stands for a blank; `None` where that is not well formed.
pub(super) fn unescape(text: &str, plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus => b' ',
            byte => byte,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_the_peer_reads_them() {
        let query = Query::parse("a=1&b=x%20y+z&c&d=%zz&e=1;f=2&a=2&%61g=3&limit=-5&offset=9223372036854775807");
        assert_eq!([query.text("a"), query.text("b"), query.text("c"), query.text("d")], ["1", "x y z", "", ""]);
        assert_eq!([query.text("e"), query.text("f"), query.text("ag")], ["", "", "3"]);
        assert_eq!((query.count("limit", 1024), query.count("nothing", 7)), (Ok(1024), Ok(7)));
        assert_eq!(query.count("offset", 0), Ok(i64::MAX as usize));
        assert_eq!((query.boolean("a"), query.unsigned("a")), (Ok(true), Ok(1)));
    }

    #[test]
    fn bad_ones_have_the_peers_words() {
        let query = Query::parse("n=abc&b=2&big=99999999999999999999999&neg=-1&bytes=%ff");
        let text = |result: Result<i64, BadParameter>| result.expect_err("it is bad").0;
        assert_eq!(
            text(query.integer("n")),
            "Error decoding int for 'n': strconv.Atoi: parsing \"abc\": invalid syntax"
        );
        assert_eq!(
            text(query.integer("big")),
            "Error decoding int for 'big': strconv.Atoi: parsing \"99999999999999999999999\": value out of range"
        );
        assert_eq!(
            query.unsigned("neg").expect_err("it is bad").0,
            "Error decoding uint64 for 'neg': strconv.ParseUint: parsing \"-1\": invalid syntax"
        );
        assert_eq!(
            query.boolean("b").expect_err("it is bad").0,
            "Error decoding boolean for 'b': strconv.ParseBool: parsing \"2\": invalid syntax"
        );
        assert!(query.boolean("bytes").is_err());
    }
}
