//! Reads fields of a page as it came. What is missing or of another type is nothing: a page of a newer or another server is no error.

use serde_json::Value;

/// A count; one that is written as `1e3` or `5.0` is a count too.
pub(crate) fn count(page: &Value, name: &str) -> u64 {
    let value = &page[name];
    value.as_u64().or_else(|| value.as_f64().map(|number| number.max(0.0) as u64)).unwrap_or_default()
}

/// A number that may have a fraction.
pub(crate) fn number(page: &Value, name: &str) -> f64 {
    page[name].as_f64().filter(|number| number.is_finite()).unwrap_or_default()
}

/// A count that may be missing.
pub(crate) fn maybe_count(page: &Value, name: &str) -> Option<u64> {
    page[name].as_u64()
}

/// A text.
pub(crate) fn text(page: &Value, name: &str) -> String {
    page[name].as_str().unwrap_or_default().to_owned()
}

/// The members of a list.
pub(crate) fn list<'a>(page: &'a Value, name: &str) -> &'a [Value] {
    page[name].as_array().map_or(&[], Vec::as_slice)
}

/// A list of counts.
pub(crate) fn counts(page: &Value, name: &str) -> Vec<u64> {
    list(page, name).iter().filter_map(Value::as_u64).collect()
}

/// A moment in RFC 3339.
pub(crate) fn moment(page: &Value, name: &str) -> Option<jiff::Timestamp> {
    page[name].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{count, counts, list, maybe_count, moment, number, text};
    use serde_json::json;

    #[test]
    fn what_is_there_is_read_and_what_is_not_is_nothing() {
        let page = json!({"n": 5, "f": 2.5, "e": 1e3, "s": "x", "l": [1, "a", 2], "t": "2026-01-02T03:04:05.6Z", "neg": -4, "z": null});
        assert_eq!([count(&page, "n"), count(&page, "e"), count(&page, "neg"), count(&page, "s")], [5, 1000, 0, 0]);
        assert_eq!([number(&page, "f"), number(&page, "n"), number(&page, "none")], [2.5, 5.0, 0.0]);
        assert_eq!(
            [maybe_count(&page, "n"), maybe_count(&page, "z"), maybe_count(&page, "none")],
            [Some(5), None, None]
        );
        assert_eq!([text(&page, "s"), text(&page, "n")], ["x".to_owned(), String::new()]);
        assert_eq!((list(&page, "l").len(), list(&page, "s").len()), (3, 0));
        assert_eq!(counts(&page, "l"), [1, 2]);
        assert!(moment(&page, "t").is_some() && moment(&page, "s").is_none());
    }

    #[test]
    fn a_page_that_is_no_object_has_no_fields() {
        for page in [json!(null), json!([1]), json!("x"), json!(7)] {
            assert_eq!((count(&page, "n"), text(&page, "s"), list(&page, "l").len()), (0, String::new(), 0));
        }
    }
}
