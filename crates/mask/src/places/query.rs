//! Whether a path in an object has to do with a masked place.

use super::tree::Step;
use super::{Catalogue, SECRETS};

/// Where the lists of variables are in the kinds that have a pod template (`k8s.io/api/core/v1`, `PodSpec`): above them, too,
/// a path tells of their values.
const POD_SPECS: &[&[&str]] = &[
    &["spec"],
    &["spec", "template", "spec"],
    &["spec", "jobTemplate", "spec", "template", "spec"],
    &["template", "spec"],
    &["data", "spec", "template", "spec"],
];
const CONTAINERS: &[&str] = &["containers", "initContainers", "ephemeralContainers"];

impl Catalogue {
    /// Whether the path of `segments` (as in a JSON pointer, decoded) is at, above or below a masked place of a resource's
    /// objects. Variables are in lists whose place in custom resources nobody knows: there, a path counts that goes through `env`
    /// or `containers`, or is a whole part of the object such as `/spec`.
    #[must_use]
    pub fn is_masked_place(&self, group: &str, resource: &str, segments: &[&str]) -> bool {
        let resource = self.named(group, resource, None);
        let named = |entry: &&super::Entry| {
            let prefix = entry.resource.strip_prefix(resource.as_str());
            entry.resource == "*" || prefix.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut entries = self.0.entries.iter().filter(named);
        entries.any(|entry| related(&entry.steps, segments))
            || resource != SECRETS && may_have_variables(segments)
    }
}

/// Whether one leads to or through the other.
fn related(steps: &[Step], segments: &[&str]) -> bool {
    steps.iter().zip(segments).all(|(step, segment)| match step {
        Step::Key(key) => key.eq_ignore_ascii_case(segment),
        Step::Glob(glob) => glob.matches(segment.as_bytes()),
        // An index of an array, or `-`.
        Step::Any | Step::Each => true,
    })
}

fn may_have_variables(segments: &[&str]) -> bool {
    let is = |segment: &str, keys: &[&str]| keys.iter().any(|key| key.eq_ignore_ascii_case(segment));
    let within = segments.iter().any(|segment| is(segment, &["env", "stringData"]));
    let container = match segments {
        [.., last] if is(last, CONTAINERS) => true,
        [.., list, _index] => is(list, CONTAINERS),
        _ => false,
    };
    let whole = match segments {
        [] => true,
        [only] => !is(only, &["kind", "apiVersion", "metadata", "status"]),
        _ => false,
    };
    let above = POD_SPECS.iter().any(|path| {
        segments.len() <= path.len() && segments.iter().zip(*path).all(|(segment, key)| is(segment, &[key]))
    });
    within || container || whole || above
}

/// Whether masking what `steps` lead to would take away what tells the object.
pub(super) fn needed(steps: &[Step]) -> bool {
    let key = |step: &Step| match step {
        Step::Key(key) => key.to_ascii_lowercase(),
        Step::Glob(_) | Step::Any | Step::Each => "*".to_owned(),
    };
    let keys: Vec<String> = steps.iter().map(key).collect();
    match keys.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["*" | "kind" | "apiversion" | "items" | "object" | "rows", ..] | ["metadata"] => true,
        ["metadata", second, ..] => {
            matches!(second, "*" | "uid" | "resourceversion" | "name" | "namespace" | "generation")
        }
        _ => false,
    }
}
