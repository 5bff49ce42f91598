//! Field selectors, as far as their reading changes what is judged.

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

/// Whether the server can read a selector, and every term of it selects: it leaves out terms without a field and a value
/// (`Transform` there), so that `=` and `!=` and `,` select everything.
pub(crate) fn is_field_selector(selector: &str) -> bool {
    let selects = |term: &str| split_term(term).is_some_and(|(field, ..)| !field.is_empty());
    required_name(selector).is_ok() && split_terms(selector).into_iter().all(selects)
}

/// The fields that a selector looks at.
pub(crate) fn selected_fields(selector: &str) -> Vec<&str> {
    split_terms(selector).into_iter().filter_map(split_term).map(|(field, ..)| field).collect()
}

/// A selector that the server refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Splits at commas that no backslash precedes.
fn split_terms(selector: &str) -> Vec<&str> {
    let mut terms = Vec::new();
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
        }
    }
    if !selector.is_empty() {
        terms.extend(selector.get(start..));
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
            assert!(!is_field_selector(unreadable), "{unreadable}");
        }
        for everything in ["=", "!=", "==", ",", "a=b,", "a=b,="] {
            assert!(!is_field_selector(everything), "{everything}");
        }
        assert_eq!(selected_fields(r"a=b,spec.token!=x\,metadata.name=y,b==c"), ["a", "spec.token", "b"]);
        for some in ["", "a=", "metadata.name=a", "a!=b,c==d"] {
            assert!(is_field_selector(some), "{some}");
        }
    }
}
