//! Known values that are numbers: in JSON, a number by itself has no quotation marks that a placeholder could stand between.

use std::ops::Range;

use super::CONTEXT;

/// Whether `range` is part of what stands outside of strings in a JSON document: numbers and punctuation. Told by what comes before
/// it, which is there whatever the chunks are: up to the next quotation mark, or up to a byte that stands in strings only.
///
/// A string that begins like the rest of an array (`",1,2…`) is taken for one. So is what has nothing but numbers for
/// [`CONTEXT`] bytes before it.
pub(super) fn is_bare(window: &[u8], range: &Range<usize>) -> bool {
    let matched = window.get(range.clone()).unwrap_or_default();
    if !matched.iter().copied().all(is_structure) {
        return false;
    }
    let before = window.get(range.start.saturating_sub(CONTEXT)..range.start).unwrap_or_default();
    let Some(last) = before.iter().rposition(|byte| !is_structure(*byte)) else { return true };
    let escaped = last.checked_sub(1).and_then(|at| before.get(at)) == Some(&b'\\');
    let next = before.get(last + 1).or_else(|| matched.first());
    before.get(last) == Some(&b'"') && !escaped && matches!(next, Some(b':' | b',' | b']' | b'}'))
}

/// What stands outside of strings (RFC 8259): numbers, `true`, `false`, `null`, punctuation, white space.
fn is_structure(byte: u8) -> bool {
    byte.is_ascii_digit() || b"+-.eE,:[]{} \t\r\ntrufalsn".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_themselves_and_in_strings() {
        for (document, bare) in [
            (r#"{"at":@}"#, true),
            (r#"{"at":[1,-2.5e3, @,4]}"#, true),
            (r#"{"a":true,"at": [ @ ]}"#, true),
            (r#"[@]"#, true),
            (r#"{"at":"@"}"#, false),
            (r#"{"at":"run results are @ of 5"}"#, false),
            (r#"{"at":"é @"}"#, false),
            (r#"{"at":"{\"at\":@}"}"#, false),
        ] {
            let number = "8675309123456787";
            let start = document.find('@').unwrap();
            let text = document.replace('@', number);
            assert_eq!(is_bare(text.as_bytes(), &(start..start + number.len())), bare, "{document}");
        }
        assert!(!is_bare(b"[12ab]", &(1..5)));
    }
}
