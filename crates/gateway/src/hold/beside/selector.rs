//! Label selectors in objects, as controllers read them.

use serde_json::Value;

/// Whether pods with these `labels` are selected (`LabelSelectorAsSelector` in k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go): none by
/// no selector, all by an empty one. `None` if it is not understood.
pub(super) fn selects(selector: &Value, labels: &Value) -> Option<bool> {
    if selector.is_null() {
        return Some(false);
    }
    let selector = selector.as_object()?;
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let mut all = true;
    match selector.get("matchLabels") {
        None | Some(Value::Null) => {}
        Some(wanted) => {
            for (key, value) in wanted.as_object()? {
                all &= label(key) == Some(value.as_str()?);
            }
        }
    }
    match selector.get("matchExpressions") {
        None | Some(Value::Null) => {}
        Some(expressions) => {
            for expression in expressions.as_array()? {
                all &= matches(expression, label)?;
            }
        }
    }
    Some(all)
}

fn matches<'a>(expression: &Value, label: impl Fn(&str) -> Option<&'a str>) -> Option<bool> {
    let found = label(expression.get("key")?.as_str()?);
    let among = || {
        let values = expression.get("values")?.as_array()?;
        Some(found.is_some_and(|found| values.iter().any(|value| value == found)))
    };
    match expression.get("operator")?.as_str()? {
        "In" => among(),
        "NotIn" => among().map(|among| !among),
        "Exists" => Some(found.is_some()),
        "DoesNotExist" => Some(found.is_none()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_select_as_controllers_read_them() {
        let one = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]});
        let labels = json!({"app": "web", "tier": "front"});
        for (selector, expected) in [
            (Value::Null, Some(false)),
            (json!({}), Some(true)),
            (json!({"matchLabels": {"app": "web"}, "matchExpressions": null}), Some(true)),
            (json!({"matchLabels": {"app": "web", "tier": "back"}}), Some(false)),
            (json!({"matchLabels": {"other": "web"}}), Some(false)),
            (one("In", json!(["front", "back"])), Some(true)),
            (one("In", json!(["back"])), Some(false)),
            (one("NotIn", json!(["back"])), Some(true)),
            (one("NotIn", json!(["front"])), Some(false)),
            (one("Exists", Value::Null), Some(true)),
            (one("DoesNotExist", Value::Null), Some(false)),
            (one("Like", json!(["f*"])), None),
            (one("In", Value::Null), None),
            (json!({"matchLabels": {"app": 1}}), None),
            (json!("app=web"), None),
        ] {
            assert_eq!(selects(&selector, &labels), expected, "{selector}");
        }
        assert_eq!(selects(&one("NotIn", json!(["front"])), &Value::Null), Some(true), "without labels");
    }
}
