//! What changes where it is masked: before and after look the same, and whoever approves has to be told.

use serde_json::Value;

use super::live::Live;

/// What every write changes (`ObjectMeta` in k8s.io/apimachinery/pkg/apis/meta/v1).
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
