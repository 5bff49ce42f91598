//! Field and label selectors, as far as their reading changes what is judged.

/// The name that a field selector requires, as `RequiresExactMatch("metadata.name")` finds it
/// (k8s.io/apimachinery/pkg/fields/selector.go): terms sorted, the first that demands equality.
///
/// # Errors
/// The server could not read the selector.
pub(crate) fn required_name(selector: &str) -> Result<Option<String>, Unreadable> {
    let mut terms = split_terms(selector);
    terms.sort_unstable();
    let mut name = None;
    for term in terms.into_iter().filter(|term| !term.is_empty()) {
        let (field, operator, value) = split_term(term).ok_or(Unreadable)?;
        let value = unescaped(value)?;
        if field == "metadata.name" && operator != "!=" && name.is_none() {
            name = Some(value);
        }
    }
    Ok(name)
}

/// A selector that the server refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Splits at commas that no backslash precedes.
fn split_terms(selector: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let mut rest = selector;
    let mut escaped = false;
    let mut start = 0;
    for (at, character) in selector.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == ',' {
            terms.extend(selector.get(start..at));
            start = at + 1;
            rest = selector.get(start..).unwrap_or_default();
        }
    }
    if !selector.is_empty() {
        terms.push(rest);
    }
    terms
}

/// At the first place where an operator stands; of several that could, `!=` and `==` before `=`.
fn split_term(term: &str) -> Option<(&str, &str, &str)> {
    for (at, _) in term.char_indices() {
        let rest = term.get(at..)?;
        for operator in ["!=", "==", "="] {
            if let Some(value) = rest.strip_prefix(operator) {
                return Some((term.get(..at)?, operator, value));
            }
        }
    }
    None
}

fn unescaped(value: &str) -> Result<String, Unreadable> {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => text.push(escaped),
                _ => return Err(Unreadable),
            },
            ',' | '=' => return Err(Unreadable),
            plain => text.push(plain),
        }
    }
    Ok(text)
}

/// Whether the server can read a label selector (k8s.io/apimachinery/pkg/labels/selector.go). Stricter than the
/// server in one thing: keys and values must be of the characters that labels are made of.
pub(crate) fn is_label_selector(selector: &str) -> bool {
    let mut rest = selector.trim_matches(' ');
    if rest.is_empty() {
        return true;
    }
    loop {
        let Some(after) = requirement(rest) else { return false };
        if after.is_empty() {
            return true;
        }
        let Some(next) = after.strip_prefix(',') else { return false };
        rest = next.trim_start_matches(' ');
    }
}

/// Reads one requirement; answers what follows it.
fn requirement(text: &str) -> Option<&str> {
    if let Some(text) = text.strip_prefix('!') {
        let (key, rest) = word(text.trim_start_matches(' '));
        return is_key(key).then(|| rest.trim_start_matches(' '));
    }
    let (key, rest) = word(text);
    if !is_key(key) {
        return None;
    }
    let rest = rest.trim_start_matches(' ');
    if rest.is_empty() || rest.starts_with(',') {
        return Some(rest);
    }
    for operator in ["==", "!=", "="] {
        if let Some(value) = rest.strip_prefix(operator) {
            let (value, rest) = word(value.trim_start_matches(' '));
            return is_value(value).then(|| rest.trim_start_matches(' '));
        }
    }
    for operator in [">", "<"] {
        if let Some(value) = rest.strip_prefix(operator) {
            let (value, rest) = word(value.trim_start_matches(' '));
            return value.parse::<i64>().is_ok().then(|| rest.trim_start_matches(' '));
        }
    }
    let (operator, rest) = word(rest);
    if operator != "in" && operator != "notin" {
        return None;
    }
    let (values, rest) = rest.trim_start_matches(' ').strip_prefix('(')?.split_once(')')?;
    values.split(',').all(|value| is_value(value.trim_matches(' '))).then(|| rest.trim_start_matches(' '))
}

fn word(text: &str) -> (&str, &str) {
    let end = text.find([' ', ',', '=', '!', '<', '>', '(', ')']).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// A qualified name: an optional DNS prefix, a slash, a label name.
fn is_key(key: &str) -> bool {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let dns = |prefix: &str| {
        prefix.len() <= 253
            && prefix.split('.').all(|label| {
                is_word(label, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(), |byte| byte == b'-')
            })
    };
    !name.is_empty() && is_value(name) && prefix.is_none_or(dns)
}

/// A label value: at most 63 characters, empty or from letter or digit to letter or digit.
fn is_value(value: &str) -> bool {
    value.is_empty()
        || (value.len() <= 63
            && is_word(value, |byte| byte.is_ascii_alphanumeric(), |byte| matches!(byte, b'-' | b'_' | b'.')))
}

fn is_word(text: &str, edge: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    edge(first) && edge(last) && bytes.iter().all(|&byte| edge(byte) || inner(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_the_server_finds_them() {
        let named = |selector| required_name(selector).unwrap();
        assert_eq!(named("metadata.name=a").as_deref(), Some("a"));
        assert_eq!(named("metadata.name==a").as_deref(), Some("a"));
        assert_eq!(named("metadata.name!=a"), None);
        assert_eq!(named("spec.nodeName=n,metadata.name=b,metadata.name=a").as_deref(), Some("a"), "sorted");
        assert_eq!(named(r"metadata.name=a\,b").as_deref(), Some("a,b"));
        assert_eq!(named("").as_deref(), None);
        for unreadable in ["metadata.name=a,foo", "a=b=c", r"a=\x", r"a=b\"] {
            assert_eq!(required_name(unreadable), Err(Unreadable), "{unreadable}");
        }
    }

    #[test]
    fn label_selectors_are_read() {
        for good in ["", "a=b", "a==b,c!=d", "!a", "a", "a in (b, c),d notin (e)", "x.io/a=b", "a=", "n>5", "a in (b)"] {
            assert!(is_label_selector(good), "{good}");
        }
        for bad in ["=", "a=b,", "a in b", "a in (b", "-a=b", "a=b c", "X.io/a=b", "a=b!", "n>x", "a,,b"] {
            assert!(!is_label_selector(bad), "{bad}");
        }
    }
}
