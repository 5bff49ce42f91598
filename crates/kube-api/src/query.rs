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
/// What `net/url` would drop silently: `;`, broken escapes; and what is not UTF-8, holds a NUL, or is too much.
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
        if !pair.is_ascii() {
            return problem("a character that is not ASCII and not percent-encoded");
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // No parameter has a name that needs it.
        if name.contains(['%', '+']) {
            return problem("a parameter name that is encoded");
        }
        pairs.push((name.to_owned(), decoded(value)?));
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
    if text.contains('\0') {
        return Err(Refusal::Query { problem: "a NUL" });
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_as_go_does() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("").unwrap(), []);
        assert_eq!(
            pairs("labelSelector=a%3Db%2Cc+in+(d)&watch&limit=5&x=a=b").unwrap(),
            [pair("labelSelector", "a=b,c in (d)"), pair("watch", ""), pair("limit", "5"), pair("x", "a=b")]
        );
    }

    #[test]
    fn ambiguous_queries_are_refused() {
        let many = "a=1&".repeat(70);
        let long = format!("a={}", "x".repeat(MAX_QUERY));
        let mut told = Vec::new();
        for query in [
            "&",
            "a=1&&b=2",
            "a=1&",
            "a=1;b=2",
            "a=%",
            "a=%zz",
            "a=%ff",
            "a=%00",
            "w%61tch=1",
            "w+x=1",
            "a=é",
            &many,
            &long,
        ] {
            let shown: String = query.chars().take(16).collect();
            told.push(format!("{shown}: {}", pairs(query).unwrap_err()));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        &: the query has an empty parameter; encode parameters as `name=value`, joined by `&`
        a=1&&b=2: the query has an empty parameter; encode parameters as `name=value`, joined by `&`
        a=1&: the query has an empty parameter; encode parameters as `name=value`, joined by `&`
        a=1;b=2: the query has a `;`; encode parameters as `name=value`, joined by `&`
        a=%: the query has a broken percent-encoding; encode parameters as `name=value`, joined by `&`
        a=%zz: the query has a broken percent-encoding; encode parameters as `name=value`, joined by `&`
        a=%ff: the query has percent-encoding that is not UTF-8; encode parameters as `name=value`, joined by `&`
        a=%00: the query has a NUL; encode parameters as `name=value`, joined by `&`
        w%61tch=1: the query has a parameter name that is encoded; encode parameters as `name=value`, joined by `&`
        w+x=1: the query has a parameter name that is encoded; encode parameters as `name=value`, joined by `&`
        a=é: the query has a character that is not ASCII and not percent-encoded; encode parameters as `name=value`, joined by `&`
        a=1&a=1&a=1&a=1&: the query has more than 64 parameters; encode parameters as `name=value`, joined by `&`
        a=xxxxxxxxxxxxxx: the query has more than 32 KiB; encode parameters as `name=value`, joined by `&`
        ");
    }
}
