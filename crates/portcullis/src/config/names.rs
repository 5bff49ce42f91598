//! Names that policy, RBAC and sessions share.

/// Kubernetes' own bound for a label value, which the names end up in.
const LONGEST: usize = 63;

/// A DNS label: what the API server's user and group names can carry without any quoting or confusion.
pub(super) fn check(what: &str, name: &str) -> Result<(), String> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
    let bytes = name.as_bytes();
    let fits = bytes.len() <= LONGEST && bytes.iter().copied().all(inner) && edge(bytes.first()) && edge(bytes.last());
    if fits {
        return Ok(());
    }
    Err(format!(
        "`{name}` cannot be a {what}'s name; use up to {LONGEST} lower-case letters, digits and `-`, \
         with no `-` at either end"
    ))
}

/// Ids of the fixed denials that an operator may lift.
pub(super) fn fixed_denials() -> Vec<&'static str> {
    Vec::new()
}
