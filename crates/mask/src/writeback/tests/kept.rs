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

/// Two values in one text, of which one is known no more when they are put back: it would be shown.
#[test]
fn a_text_with_two_values_is_put_back_if_both_are_masked_again() {
    let settings = "/api/v1/namespaces/shop/configmaps/settings";
    let map = |text: &str, version: &str| {
        json!({
            "kind": "ConfigMap", "apiVersion": "v1",
            "metadata": { "name": "settings", "namespace": "shop", "uid": "8e0a", "resourceVersion": version },
            "data": { "dsn": text },
        })
    };
    for text in [
        "postgres://app:sh4pe-Masked-pw9@db/?token=k3j9x0q2m5zt-known",
        "password=sh4pe-Masked-pw9 token=k3j9x0q2m5zt-known",
        "AKIAIOSFODNN7EXAMPLE and k3j9x0q2m5zt-known and ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    ] {
        let (kept, mut shown) = kept(settings, &map(text, "61"));
        let live = live(settings, &map("plain", "63"));
        shown["metadata"]["resourceVersion"] = "63".into();
        let put = request("PUT", settings, JSON, &shown);
        assert!(told(&live, &kept, &put).contains(text), "{}", told(&live, &kept, &put));
        // The Secret that had it is gone.
        let guard = Guard::new("dev", Catalogue::builtin(), KnownValues::none(), [7; 16]);
        let live = live_by(&guard, "s", settings, &map("plain", "63"));
        let refused = told(&live, &kept, &put);
        assert!(refused.starts_with("422") && !refused.contains("-known"), "{refused}");
    }
}

fn thing(when: &str, version: &str) -> Value {
    let of = |user: &str| json!({ "user": user, "password": format!("{when}-PW-OF-{user}") });
    json!({
        "kind": "Thing", "apiVersion": "example.com/v1",
        "metadata": { "name": "t", "namespace": "shop", "uid": "8e0a", "resourceVersion": version },
        "spec": { "users": [of("admin"), of("guest")] },
    })
}

/// An element without a name is known by what stands beside its value.
#[test]
fn no_value_moves_to_what_came_to_stand_in_its_position() {
    const THING: &str = "/apis/example.com/v1/namespaces/shop/things/t";
    let (kept, mut shown) = kept(THING, &thing("OLD", "1"));
    let live = live(THING, &thing("NEW", "2"));
    shown["metadata"]["resourceVersion"] = "2".into();
    let put = |edit: &dyn Fn(&mut Value)| {
        let mut body = shown.clone();
        edit(&mut body["spec"]["users"]);
        told(&live, &kept, &request("PUT", THING, JSON, &body))
    };
    assert!(put(&|_| {}).contains("OLD-PW-OF-admin"), "{}", put(&|_| {}));
    for other in [
        put(&|users| users[0]["user"] = "agent".into()),
        put(&|users| users.as_array_mut().unwrap().swap(0, 1)),
        put(&|users| users[0] = json!({ "user": "agent", "password": users[0]["password"] })),
        put(&|users| drop(users.as_array_mut().unwrap().remove(0))),
    ] {
        assert!(!other.contains("OLD-PW-OF-admin"), "{other}");
    }
}

/// Somebody made another under the name.
#[test]
fn values_go_into_the_object_that_had_them_at_the_version_that_is_named() {
    let (kept, shown) = kept(SECRET, &secret());
    let mut other = changed();
    other["metadata"]["uid"] = "of-another".into();
    let put = |live: &Live, without: &[&str]| {
        let mut body = back(&shown);
        for field in without {
            body["metadata"].as_object_mut().unwrap().shift_remove(*field);
        }
        told(live, &kept, &request("PUT", SECRET, JSON, &body))
    };
    let (same, other) = (live(SECRET, &changed()), live(SECRET, &other));
    let mut out = String::new();
    for (what, told) in [
        ("another", put(&other, &[])),
        ("another, of which nothing is said", put(&other, &["uid", "resourceVersion"])),
        ("whatever version", put(&same, &["resourceVersion"])),
    ] {
        writeln!(out, "{what}\n  {told}").unwrap();
    }
    assert!(put(&same, &["uid"]).starts_with("PUT"), "its values are bound to it");
    insta::assert_snapshot!(out);
}

/// Whether the values are the same as there are does not show in the version.
#[test]
fn what_is_put_back_changes_the_object_whatever_it_held() {
    let (kept, mut shown) = kept(WEB, &web("DB_PASSWORD", "OLD-VALUE", "51"));
    shown["metadata"]["resourceVersion"] = "53".into();
    let put = request("PUT", WEB, JSON, &shown);
    let sent = ["OLD-VALUE", "NEW-VALUE"].map(|now| {
        let live = live(WEB, &web("DB_PASSWORD", now, "53"));
        live.restore(&put, "CALL", &kept).unwrap().body().unwrap().value().clone()
    });
    assert_eq!(sent[0], sent[1]);
    assert_eq!(sent[0]["metadata"]["annotations"]["portcullis.dev/call"], "CALL");
}
