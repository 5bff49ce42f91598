//! Which Secrets are read.

use std::str::FromStr;

/// Which Secrets are read, of all that a cluster has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// In a namespace that one of these matches.
    pub namespaces: Vec<NamespacePattern>,
    /// And not of these types.
    pub except_types: Vec<SecretType>,
}

/// A namespace's name, in which `*` stands for any characters or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespacePattern(String);

/// The type of a Secret, such as `helm.sh/release.v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretType(String);

/// Text that names no Secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadScope {
    /// It could not be a namespace.
    #[error(
        "`{0}` is no name of a namespace; use 1 to 63 lower-case letters, digits and `-`, and `*` for any of them"
    )]
    Namespace(String),
    /// It could not be a type.
    #[error("`{0}` is no type of Secrets; write it as `helm.sh/release.v1`")]
    Type(String),
}

impl Scope {
    /// The namespaces, where each is named exactly: then each is read by itself, and RBAC need give no more.
    #[must_use]
    pub fn named(&self) -> Option<Vec<&str>> {
        let mut names: Vec<_> = self.namespaces.iter().map(NamespacePattern::name).collect::<Option<_>>()?;
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    /// What is listed and watched: each namespace by itself, or `None`, all of them together.
    pub(super) fn sources(&self) -> Vec<Option<String>> {
        match self.named() {
            Some(names) => names.into_iter().map(|name| Some(name.to_owned())).collect(),
            None => vec![None],
        }
    }

    /// A field selector that leaves the types out (`k8s.io/kubernetes/pkg/registry/core/secret`, `ToSelectableFields`); empty
    /// for none.
    pub(super) fn selector(&self) -> String {
        let terms: Vec<_> = self.except_types.iter().map(|kind| format!("type!={}", kind.0)).collect();
        terms.join(",")
    }

    /// Whether Secrets in this namespace and of this type are read.
    pub(super) fn includes(&self, namespace: &str, kind: &str) -> bool {
        let excepted = self.except_types.iter().any(|except| except.0 == kind);
        !excepted && self.namespaces.iter().any(|pattern| pattern.matches(namespace))
    }
}

impl NamespacePattern {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn name(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(self.0.as_str())
    }

    fn matches(&self, name: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else { return self.0 == name };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let within = name.strip_prefix(head).and_then(|name| name.strip_suffix(tail));
        let Some(mut within) = within else { return false };
        middle.split('*').all(|part| match within.split_once(part) {
            Some((_any, after)) => {
                within = after;
                true
            }
            None => false,
        })
    }
}

impl SecretType {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NamespacePattern {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        let label =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'*');
        let fits = (1..=63).contains(&text.len()) && text.bytes().all(label);
        if fits { Ok(Self(text.to_owned())) } else { Err(BadScope::Namespace(text.to_owned())) }
    }
}

impl FromStr for SecretType {
    type Err = BadScope;

    /// Takes nothing that means something in a field selector.
    fn from_str(text: &str) -> Result<Self, BadScope> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/');
        let fits = (1..=253).contains(&text.len()) && text.bytes().all(plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(BadScope::Type(text.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn scope(namespaces: &[&str], except: &[&str]) -> Scope {
        Scope {
            namespaces: namespaces.iter().map(|text| text.parse().unwrap()).collect(),
            except_types: except.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        let table = [
            ("*", "any", true),
            ("shop", "shop", true),
            ("shop", "shop-2", false),
            ("team-*", "team-", true),
            ("team-*", "team-a", true),
            ("team-*", "a-team-b", false),
            ("*-prod", "shop-prod", true),
            ("*-prod", "shop-prod-2", false),
            ("a*b", "ab", true),
            ("a*a", "a", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("a*bc*bc", "abc", false),
            ("**", "x", true),
            ("a**b", "ab", true),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(scope(&[pattern], &[]).includes(name, "Opaque"), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn exact_names_are_sources_of_their_own() {
        assert_eq!(scope(&["b", "a", "b"], &[]).sources(), [Some("a".to_owned()), Some("b".to_owned())]);
        assert_eq!(scope(&["b", "a-*"], &[]).sources(), [None]);
        assert_eq!(scope(&["*"], &["x/y", "z"]).selector(), "type!=x/y,type!=z");
        assert!(!scope(&["*"], &["x/y"]).includes("n", "x/y"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "A", "a/b", "a.b", "../x", &"a".repeat(64)] {
            assert!(text.parse::<NamespacePattern>().is_err(), "{text}");
        }
        for text in ["", "a,b", "a=b", "a!b", "a b"] {
            assert!(text.parse::<SecretType>().is_err(), "{text}");
        }
        insta::assert_snapshot!("A".parse::<NamespacePattern>().unwrap_err(), @"`A` is no name of a namespace; use 1 to 63 lower-case letters, digits and `-`, and `*` for any of them");
        insta::assert_snapshot!("a,b".parse::<SecretType>().unwrap_err(), @"`a,b` is no type of Secrets; write it as `helm.sh/release.v1`");
    }
}
