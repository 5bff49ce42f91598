//! Values that are put back from what was kept.

use super::*;

/// The object as it was, and as the session was shown it that then changed it.
fn kept(target: &str, object: &Value) -> (Kept, Value) {
    let live = live_for("before", target, object);
    let shown = live.shown.clone();
    (Kept::read(live.to_keep().to_be_sealed()).unwrap(), shown)
}

fn told(live: &Live, kept: &Kept, request: &Request) -> String {
    match live.restore(request, "CALL", kept) {
        Ok(sent) => {
            assert!(sent.is_restored());
            format!("{} {}", sent.method(), sent.body().unwrap().value())
        }
        Err(refused) => format!("{} {refused}", refused.code().as_u16()),
    }
}

/// The Secret by now: another value, another version.
fn changed() -> Value {
    let mut secret = secret();
    secret["metadata"]["resourceVersion"] = json!("43");
    secret["data"]["password"] = json!("TkVX");
    secret
}

/// As it is to be written: what it was, at the version it has now.
fn back(shown: &Value) -> Value {
    let mut back = shown.clone();
    back["metadata"]["resourceVersion"] = json!("43");
    back
}

#[test]
fn values_are_put_back_where_they_were_and_nowhere_else() {
    let (live, (kept, shown)) = (live(SECRET, &changed()), kept(SECRET, &secret()));
    let placeholder = shown["data"]["password"].clone();
    let put = |edit: &dyn Fn(&mut Value)| {
        let mut body = back(&shown);
        edit(&mut body);
        told(&live, &kept, &request("PUT", SECRET, JSON, &body))
    };
    let mut out = String::new();
    let mut tell = |what: &str, told: String| writeln!(out, "{what}\n  {told}").unwrap();
    tell("as it was", put(&|_| {}));
    tell("beside what is there now", put(&|body| body["data"]["user"] = live.shown["data"]["user"].clone()));
    tell("another place", put(&|body| body["data"]["copy"] = placeholder.clone()));
    tell(
        "a part of a text",
        put(&|body| body["data"]["password"] = format!("{}x", placeholder.as_str().unwrap()).into()),
    );
    tell("the version of before", put(&|body| body["metadata"]["resourceVersion"] = json!("41")));
    tell("nothing of what was kept", put(&|body| *body = live.shown.clone()));
    tell("its data left out", put(&|body| body["data"] = json!({})));
    let merge = json!({ "data": { "password": placeholder } });
    tell("a patch", told(&live, &kept, &request("PATCH", SECRET, MERGE, &merge)));
    insta::assert_snapshot!(out);
}

#[test]
fn what_was_deleted_is_made_of_what_was_kept() {
    let (kept, mut shown) = kept(SECRET, &secret());
    for set in ["uid", "resourceVersion", "managedFields"] {
        shown["metadata"].as_object_mut().unwrap().shift_remove(set);
    }
    let secrets = "/api/v1/namespaces/shop/secrets";
    let create = request("POST", secrets, JSON, &shown);
    let absent = Live::absent(&guard(), &create);
    let made = told(&absent, &kept, &create);
    assert!(made.contains("UkVBTA==") && made.contains("T0xE") && !made.contains("masked-by"), "{made}");
    assert!(!made.contains("portcullis.dev"), "it needs no mark: {made}");
    // An update of what is not there makes nothing.
    assert!(told(&absent, &kept, &request("PUT", SECRET, JSON, &shown)).starts_with("422"));

    // As another kind it would be shown.
    shown["kind"] = "ConfigMap".into();
    let map = request("POST", "/api/v1/namespaces/shop/configmaps", JSON, &shown);
    let exposed = told(&Live::absent(&guard(), &map), &kept, &map);
    assert!(exposed.starts_with("422") && !exposed.contains("UkVBTA=="), "{exposed}");
}

fn web(name: &str, value: &str, version: &str) -> Value {
    let mut web = deployment();
    web["metadata"]["resourceVersion"] = version.into();
    web["spec"] = variable(name, &value.into())["spec"].clone();
    web
}

#[test]
fn a_variable_is_found_by_its_name_and_stays_masked() {
    let (kept, shown) = kept(WEB, &web("DB_PASSWORD", "OLD-VALUE", "51"));
    let live = live(WEB, &web("DB_PASSWORD", "NEW-VALUE", "53"));
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut body = shown.clone();
        body["metadata"]["resourceVersion"] = "53".into();
        edit(&mut body);
        told(&live, &kept, &request("PUT", WEB, JSON, &body))
    };
    let containers = |body: &mut Value| {
        let list = &mut body["spec"]["template"]["spec"]["containers"];
        list.as_array_mut().unwrap().insert(0, json!({ "name": "side" }));
    };
    let first = |body: &mut Value, name: &str| {
        body["spec"]["template"]["spec"]["containers"][0]["env"][0]["name"] = name.into();
    };
    let moved = with(&containers);
    assert!(moved.contains("OLD-VALUE") && !moved.contains("NEW-VALUE"), "{moved}");
    assert!(with(&|body| first(body, "COLOUR")).starts_with("422"));
    // The generation of a dry run would tell whether the values are the same.
    let mut body = shown.clone();
    body["metadata"]["resourceVersion"] = "53".into();
    let dry = told(&live, &kept, &request("PUT", &format!("{WEB}?dryRun=All"), JSON, &body));
    assert!(dry.starts_with("422") && dry.contains("would tell"), "{dry}");
}

/// The same is taken, another is not: neither is, so nothing is told.
#[test]
fn what_cannot_be_changed_is_not_put_back_the_same_or_another() {
    let mut immutable = changed();
    immutable["immutable"] = json!(true);
    let mut same = secret();
    same["immutable"] = json!(true);
    same["metadata"]["resourceVersion"] = json!("43");
    let (kept_secret, shown) = kept(SECRET, &secret());
    let put = request("PUT", SECRET, JSON, &back(&shown));
    let told_of = [immutable, same].map(|now| told(&live(SECRET, &now), &kept_secret, &put));
    assert_eq!(told_of[0], told_of[1]);
    assert!(told_of[0].contains("immutable"), "{}", told_of[0]);

    let pod = "/api/v1/namespaces/shop/pods/web";
    let of = |value: &str, version: &str| {
        let env = json!([{ "name": "DB_PASSWORD", "value": value }]);
        json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": { "name": "web", "namespace": "shop", "uid": "9e0a", "resourceVersion": version },
            "spec": { "containers": [{ "name": "web", "env": env }] },
        })
    };
    let (kept, mut shown) = kept(pod, &of("OLD-VALUE", "1"));
    shown["metadata"]["resourceVersion"] = "2".into();
    let told_of = ["OLD-VALUE", "NEW-VALUE"]
        .map(|now| told(&live(pod, &of(now, "2")), &kept, &request("PUT", pod, JSON, &shown)));
    assert_eq!(told_of[0], told_of[1]);
    assert!(told_of[0].starts_with("422") && told_of[0].contains("would tell"), "{}", told_of[0]);
}

/// A value that is known is masked by the same text everywhere: it is the one that was kept, since that is what was asked for.
#[test]
fn one_that_is_bound_to_nothing_is_the_one_that_was_kept() {
    let settings = "/api/v1/namespaces/shop/configmaps/settings";
    let map = |copy: &str, version: &str| {
        json!({
            "kind": "ConfigMap", "apiVersion": "v1",
            "metadata": { "name": "settings", "namespace": "shop", "uid": "8e0a", "resourceVersion": version },
            "data": { "copy": copy, "other": "x" },
        })
    };
    let (kept, mut shown) = kept(settings, &map("k3j9x0q2m5zt-known", "61"));
    let live = live(settings, &map("plain", "63"));
    shown["metadata"]["resourceVersion"] = "63".into();
    let put = told(&live, &kept, &request("PUT", settings, JSON, &shown));
    assert!(put.contains("k3j9x0q2m5zt-known"), "{put}");
    shown["data"]["other"] = shown["data"]["copy"].clone();
    assert!(told(&live, &kept, &request("PUT", settings, JSON, &shown)).starts_with("422"));
}

#[test]
fn nothing_tells_of_what_is_kept_and_nothing_else_is_read_as_it() {
    let (kept, _) = kept(SECRET, &secret());
    let told = format!("{kept:?} {:?}", live(SECRET, &secret()).to_keep());
    assert!(!told.contains("UkVBTA"), "{told}");
    for bytes in ["", "[]", "{}", "[{},{},{}]", "[{},{}"] {
        assert!(Kept::read(bytes.as_bytes()).is_err(), "{bytes}");
    }
}
