use proptest::prelude::*;

use super::*;

/// What Kubernetes 1.37's own `CreateThreeWayMergePatch` and `CreateThreeWayJSONMergePatch` make of such objects; `null` where they
/// refuse.
const VECTORS: &str = include_str!("vectors.jsonl");

fn fields(value: &Value) -> Fields {
    value.as_object().cloned().unwrap_or_default()
}

fn way(wanted: &Value) -> Way<'_> {
    let version = wanted["apiVersion"].as_str().unwrap();
    let group = version.split_once('/').map_or("", |(group, _version)| group);
    Way::of(group, wanted["kind"].as_str().unwrap())
}

fn patch(last: &Value, wanted: &Value, live: &Value) -> Result<Fields, NoKey> {
    way(wanted).patch(&fields(last), &fields(wanted), &fields(live))
}

#[test]
fn a_patch_is_as_kubectl_makes_it() {
    for line in VECTORS.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let made = patch(&vector["last"], &vector["wanted"], &vector["live"]);
        let made = made.map_or(Value::Null, Value::Object);
        let same = match way(&vector["wanted"]) {
            Way::Strategic(_) => made == vector["patch"],
            // Ours leaves out nulls that have no effect.
            Way::Plain => merged(&vector["live"], &made) == merged(&vector["live"], &vector["patch"]),
        };
        assert!(same, "{}: {made} instead of {}", vector["name"], vector["patch"]);
    }
    assert!(VECTORS.lines().count() > 30);
}

#[test]
fn a_list_that_cannot_be_merged_is_named() {
    let pod = |env: Value| {
        let containers = json!([{"name": "web", "env": env}]);
        json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": containers}})
    };
    let refused =
        patch(&json!(null), &pod(json!([{"value": "1"}])), &pod(json!([{"name": "A"}]))).unwrap_err();
    insta::assert_snapshot!(refused, @"an item of `env` has no `name`, which tells them apart");
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        "[ab]".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn objects() -> impl Strategy<Value = Fields> {
    prop::collection::btree_map("[a-c]", values(), 0..4).prop_map(|map| fields(&json!(map)))
}

/// RFC 7386, section 2.
fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut target = fields(target);
    for (field, value) in patch {
        if value.is_null() {
            target.remove(field);
        } else {
            let before = target.get(field).cloned().unwrap_or_default();
            target.insert(field.clone(), merged(&before, value));
        }
    }
    Value::Object(target)
}

proptest! {
    #[test]
    fn what_is_wanted_comes_true_and_what_was_applied_goes(last in objects(), wanted in objects(), live in objects()) {
        let patch = Way::Plain.patch(&last, &wanted, &live).unwrap();
        let (wanted, live) = (Value::Object(wanted), Value::Object(live));
        let after = merged(&live, &Value::Object(patch));
        // Nothing more is wanted of it.
        prop_assert_eq!(&merged(&after, &wanted), &after);
        for field in last.keys().filter(|field| wanted.get(field.as_str()).is_none()) {
            prop_assert_eq!(after.get(field), None);
        }
        for (field, value) in live.as_object().unwrap() {
            if wanted.get(field).is_none() && !last.contains_key(field) {
                prop_assert_eq!(after.get(field), Some(value));
            }
        }
    }

    #[test]
    fn what_is_so_already_needs_no_patch(wanted in objects()) {
        let patch = Way::Strategic("Pod").patch(&wanted, &wanted, &wanted).unwrap();
        prop_assert!(patch.is_empty());
    }
}
