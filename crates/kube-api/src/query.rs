//! A query as decoded pairs.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::refusal::Refusal;

/// No client sends more parameters.
const MAX_PAIRS: usize = 64;
/// Continue tokens and selectors are the longest values there are.
const MAX_QUERY: usize = 32 * 1024;

/// The `name=value` pairs of a query, decoded as Go's `net/url` does (`+` is a space), in their order.
///
/// # Errors
/// What `net/url` would drop silently: `;`, broken escapes; and what is not UTF-8, holds control characters, or is
/// too much.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let problem = |problem| Err(Refusal::Query { problem });
    if query.len() > MAX_QUERY {
        return problem("more than 32 KiB");
    }
    let mut pairs = Vec::new();
    for pair in query.split('&') {
        if pair.is_empty() {
            if query.is_empty() {
                break;
            }
            return problem("an empty parameter");
        }
        if pair.contains(';') {
            return problem("a `;`");
        }
        if pairs.len() == MAX_PAIRS {
            return problem("more than 64 parameters");
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((decoded(name)?, decoded(value)?));
    }
    Ok(pairs)
}

fn decoded(raw: &str) -> Result<String, Refusal> {
    let spaced: Cow<'_, str> = if raw.contains('+') { raw.replace('+', " ").into() } else { raw.into() };
    let broken = raw.split('%').skip(1).any(|rest| {
        !matches!(rest.as_bytes(), [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    });
    if broken {
        return Err(Refusal::Query { problem: "a broken percent-encoding" });
    }
    let text = percent_decode_str(&spaced)
        .decode_utf8()
        .map_err(|_| Refusal::Query { problem: "percent-encoding that is not UTF-8" })?;
    if text.chars().any(char::is_control) {
        return Err(Refusal::Query { problem: "a control character" });
    }
    Ok(text.into_owned())
}
