//! What changes where it is masked: before and after look the same, and whoever approves has to be told.

use serde_json::Value;

use super::live::Live;

/// What a write changes though nobody asked it to (`ObjectMeta` in k8s.io/apimachinery/pkg/apis/meta/v1).
const BY_ITSELF: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

impl Live {
    /// The paths at which this object and `after` differ though they are shown alike, as `data.password`. No value is told.
    #[must_use]
    pub fn hidden_changes(&self, after: &Self) -> Vec<String> {
        let mut paths = Vec::new();
        let pair = Pair { real: (&self.real, &after.real), shown: (&self.shown, &after.shown) };
        pair.walk(String::new(), &mut paths);
        paths
    }
}

/// The same place in both objects, as it is and as it is shown.
#[derive(Clone, Copy)]
struct Pair<'a> {
    real: (&'a Value, &'a Value),
    shown: (&'a Value, &'a Value),
}

impl Pair<'_> {
    fn walk(self, path: String, paths: &mut Vec<String>) {
        if self.real.0 == self.real.1 {
            return;
        }
        match self.real {
            (Value::Object(before), Value::Object(after)) => {
                let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
                keys.sort_unstable();
                keys.dedup();
                for key in keys {
                    if path == "metadata" && BY_ITSELF.contains(&key.as_str()) {
                        continue;
                    }
                    let dot = if path.is_empty() { "" } else { "." };
                    self.at(|value| value.get(key)).walk(format!("{path}{dot}{key}"), paths);
                }
            }
            (Value::Array(before), Value::Array(after)) => {
                for index in 0..before.len().max(after.len()) {
                    self.at(|value| value.get(index)).walk(format!("{path}[{index}]"), paths);
                }
            }
            _ if self.shown.0 == self.shown.1 => paths.push(path),
            _ => {}
        }
    }

    /// Within both; where one has nothing there, or is masked as a whole, `null` or the mask stands for it.
    fn at<'b>(&'b self, step: impl Fn(&'b Value) -> Option<&'b Value>) -> Pair<'b> {
        const NOTHING: &Value = &Value::Null;
        let real = |value| step(value).unwrap_or(NOTHING);
        let shown = |value: &'b Value| if value.is_string() { value } else { step(value).unwrap_or(NOTHING) };
        Pair {
            real: (real(self.real.0), real(self.real.1)),
            shown: (shown(self.shown.0), shown(self.shown.1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The paths at which objects with these values, and shown like this, differ unseen.
    fn hidden(real: (Value, Value), shown: (Value, Value)) -> Vec<String> {
        let mut paths = Vec::new();
        let pair = Pair { real: (&real.0, &real.1), shown: (&shown.0, &shown.1) };
        pair.walk(String::new(), &mut paths);
        paths
    }

    #[test]
    fn what_looks_the_same_and_is_not_is_named() {
        let data = |a: &str, b: &str| json!({"data": {"a": a, "b": b}, "metadata": {"resourceVersion": a}});
        let masked = || data("MASK", "MASK");
        assert_eq!(hidden((data("1", "2"), data("1", "3")), (masked(), masked())), ["data.b"]);
        assert_eq!(hidden((data("1", "2"), data("4", "3")), (masked(), masked())), ["data.a", "data.b"]);
        assert_eq!(hidden((data("1", "2"), data("1", "2")), (masked(), masked())), [""; 0]);
        let seen = (data("1", "2"), data("4", "2"));
        assert_eq!(hidden(seen.clone(), seen), [""; 0], "the diff shows it");
    }

    #[test]
    fn lists_objects_masked_as_a_whole_and_what_came_or_went() {
        let env = |value: &str| json!({"env": [{"name": "A", "value": "1"}, {"name": "P", "value": value}]});
        assert_eq!(hidden((env("x"), env("y")), (env("MASK"), env("MASK"))), ["env[1].value"]);
        let whole = |value: &str| json!({"status": {"token": {"deep": [value]}}});
        let masked = || json!({"status": "MASK"});
        assert_eq!(hidden((whole("x"), whole("y")), (masked(), masked())), ["status.token.deep[0]"]);
        let (with, without) = (json!({"data": {"a": "1"}}), json!({"data": {}}));
        let shown = (json!({"data": {"a": "MASK"}}), json!({"data": {}}));
        assert_eq!(hidden((with, without), shown), [""; 0], "the diff shows that it is gone");
    }
}
