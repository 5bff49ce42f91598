//! Policy bundles: those that come with the gate, and those in folders.

/// Names of the bundles that come with the gate.
#[must_use]
pub(crate) fn builtin_names() -> Vec<&'static str> {
    vec!["read-only", "developer", "operator"]
}
