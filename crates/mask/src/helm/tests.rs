use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::read::GzDecoder;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::json;

use super::*;
use crate::guard::{Reveal, View};
use crate::known::SecretValue;
use crate::masker::{Framing, Masker};
use crate::placeholder::placeholder_in;

const CANARY: &str = "kCANARYq7Xw2";

/// What is known, and seen in notes and files only.
const KNOWN: &str = "Zk7-KNOWN-pQ9vR2xL8wT4";

const MANIFEST: &str = r#"---
# Source: shop/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata:
  name: db
data:
  password: a0NBTkFSWXE3WHcy
stringData: {url: "postgres://u:kCANARYq7Xw2@db"}
---
# Source: shop/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: web
          env:
            - {name: DB_PASSWORD, value: kCANARYq7Xw2}
            - name: PORT
              value: "8080"
---
# Source: shop/templates/service.yaml
apiVersion: v1
kind: Service   # kept as it is
metadata: {name: web}
spec: {ports: [{port: 0o17}, {port: 0644}]}
"#;

fn release() -> Value {
    json!({
        "name": "shop", "namespace": "a", "version": 3, "unknown": {"kept": true},
        "info": {"status": "deployed", "notes": format!("log in with {KNOWN}"), "description": "Install complete"},
        "config": {
            "rootPassword": CANARY, "pin": {"password": 12345678, "passwordLength": 8}, "existingSecret": "db-secret",
            "credentials": [{"user": CANARY}], "image": {"tag": "1.2"}, "tls": {"enabled": true, "secretName": "web-tls"},
            "extraEnv": [{"name": "API_TOKEN", "value": CANARY}, {"name": "PORT", "value": "80"}],
            "env": {"MYSQL_PASSWORD": CANARY}, "persist": null,
            "extraDeploy": [{"kind": "Secret", "data": {"a": CANARY}}],
        },
        "chart": {
            "metadata": {"name": "shop", "version": "1.0.0"},
            "values": {"auth": {"password": CANARY}, "replicas": 2},
            "templates": [{"name": "templates/secret.yaml", "data": STANDARD.encode("a: {{ .Values.rootPassword }}\n")}],
            "files": [{"name": "files/app.conf", "data": STANDARD.encode(format!("login {KNOWN}\nport 80\n"))}],
        },
        "manifest": MANIFEST,
        "hooks": [{"name": "pre", "kind": "Job", "path": "shop/templates/job.yaml", "events": ["pre-install"],
            "manifest": format!("apiVersion: batch/v1\nkind: Job\nspec: {{template: {{spec: {{containers: [{{env: [{{name: TOKEN, value: {CANARY}}}]}}]}}}}}}\n")}],
    })
}

/// As Helm packs it, at another level of compression than the gate's.
fn gzip(json: &[u8]) -> String {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::fast());
    encoder.write_all(json).unwrap();
    STANDARD.encode(encoder.finish().unwrap())
}

fn wrap(json: &[u8], wrapped: Wrapped) -> String {
    match wrapped {
        Wrapped::Once => gzip(json),
        Wrapped::Twice => STANDARD.encode(gzip(json)),
    }
}

/// As Helm unpacks it.
fn unwrap(text: &str, wrapped: Wrapped) -> String {
    let mut bytes = STANDARD.decode(text).unwrap();
    if wrapped == Wrapped::Twice {
        bytes = STANDARD.decode(bytes).unwrap();
    }
    assert_eq!(bytes[..3], [0x1F, 0x8B, 0x08], "by which Helm knows that it is packed");
    let mut json = String::new();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut json).unwrap();
    json
}

fn guard() -> Guard {
    let known = KnownValues::none();
    assert_eq!(known.update([SecretValue::new(KNOWN.as_bytes().to_vec())]).known, 1);
    Guard::new("test", Catalogue::builtin(), known, [7; 16])
}

fn mask(release: &Value) -> Value {
    let text = wrap(release.to_string().as_bytes(), Wrapped::Twice);
    let masked = masked(text.as_bytes(), Wrapped::Twice, Some(&guard())).unwrap();
    serde_json::from_str(&unwrap(&masked.text, Wrapped::Twice)).unwrap()
}

/// The Secret or ConfigMap that Helm keeps it in, as Go writes it.
fn object(wrapped: Wrapped, release: &str) -> String {
    let (kind, rest) = match wrapped {
        Wrapped::Once => ("ConfigMap", ""),
        Wrapped::Twice => ("Secret", r#","type":"helm.sh/release.v1""#),
    };
    format!(
        r#"{{"kind":"{kind}","apiVersion":"v1","metadata":{{"name":"sh.helm.release.v1.shop.v3","uid":"u","resourceVersion":"5","labels":{{"owner":"helm"}}}},"data":{{"release":"{release}"}}{rest}}}"#
    )
}

fn shown(wrapped: Wrapped, object: &str, reveal: Reveal, chunk: usize) -> String {
    let resource = if wrapped == Wrapped::Once { "configmaps" } else { "secrets" };
    let guard = guard();
    let rules = guard.catalogue().rules_for("", resource, None);
    let view = View { session: "s".to_owned(), reveal };
    let mut masker = Masker::new(Framing::One, &rules).bound(&guard, &view);
    let mut out = Vec::new();
    for piece in object.as_bytes().chunks(chunk) {
        out.extend_from_slice(&masker.push(Bytes::copy_from_slice(piece)).unwrap());
    }
    masker.finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn release_in(object: &str) -> String {
    let object: Value = serde_json::from_str(object).unwrap();
    object["data"]["release"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_secret_in_a_release_is_masked_and_the_rest_stays() {
    let shown = mask(&release());
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
    insta::assert_snapshot!("manifest", shown["manifest"].as_str().unwrap());
    let files = STANDARD.decode(shown["chart"]["files"][0]["data"].as_str().unwrap()).unwrap();
    let files = String::from_utf8(files).unwrap();
    assert!(files.starts_with("login masked-by-") && files.ends_with("\nport 80\n"), "{files}");
    assert_eq!(shown["chart"]["templates"], release()["chart"]["templates"]);
    for text in [shown.to_string(), files] {
        assert!(
            ![CANARY, &STANDARD.encode(CANARY), KNOWN, "12345678"].iter().any(|value| text.contains(value))
        );
    }
}

#[test]
fn where_helm_keeps_it_it_is_masked_in_any_chunks_and_as_often_as_one_likes() {
    for wrapped in [Wrapped::Once, Wrapped::Twice] {
        let object = object(wrapped, &wrap(release().to_string().as_bytes(), wrapped));
        let whole = shown(wrapped, &object, Reveal::default(), usize::MAX);
        for chunk in [1, 7, 300] {
            assert_eq!(shown(wrapped, &object, Reveal::default(), chunk), whole, "pieces of {chunk}");
        }
        assert_eq!(shown(wrapped, &whole, Reveal::default(), usize::MAX), whole, "masked again");
        let masked = release_in(&whole);
        assert_eq!(serde_json::from_str::<Value>(&unwrap(&masked, wrapped)).unwrap(), mask(&release()));
        assert!(placeholder_in(&masked), "a write of it would not be recognised");
        assert_eq!(
            whole.replace(&masked, ""),
            object.replace(&release_in(&object), ""),
            "around it nothing changes"
        );
    }
}

#[test]
fn what_policy_reveals_is_shown_as_it_is() {
    let object = object(Wrapped::Twice, &wrap(release().to_string().as_bytes(), Wrapped::Twice));
    for reveal in [
        Reveal { keys: vec!["release".to_owned()], others: false },
        Reveal { keys: Vec::new(), others: true },
    ] {
        assert_eq!(shown(Wrapped::Twice, &object, reveal, 50), object);
    }
    let other = Reveal { keys: vec!["other".to_owned()], others: false };
    assert_eq!(
        shown(Wrapped::Twice, &object, other, 50),
        shown(Wrapped::Twice, &object, Reveal::default(), usize::MAX)
    );
}

#[test]
fn what_is_no_release_or_too_large_is_replaced() {
    let text = release().to_string();
    let without = |key: &str| {
        let mut release = release();
        release.as_object_mut().unwrap().remove(key);
        release.to_string()
    };
    let padded = |length: usize| {
        let mut release = release();
        release["padding"] = " ".repeat(length).into();
        release.to_string()
    };
    let many = text.replacen("true", &format!("[{}0]", "0,".repeat(MAX_VALUES)), 1);
    let deep = text.replacen("true", &format!("{}0{}", "[".repeat(200), "]".repeat(200)), 1);
    for wrapped in [Wrapped::Once, Wrapped::Twice] {
        let packed = |json: &str| wrap(json.as_bytes(), wrapped);
        let other = if wrapped == Wrapped::Once { Wrapped::Twice } else { Wrapped::Once };
        let mut cut = packed(&text);
        cut.truncate(cut.len() / 2);
        let jsons = [
            without("name"),
            without("info"),
            without("chart"),
            padded(MAX_UNPACKED),
            many.clone(),
            deep.clone(),
        ];
        let mut texts: Vec<String> = jsons.iter().map(|json| packed(json)).collect();
        texts.extend([
            cut,
            packed("[]"),
            packed(r#"{"password":"CANARY"}"#),
            packed("CANARY"),
            STANDARD.encode("H4sI CANARY"),
        ]);
        texts.push(wrap(text.as_bytes(), other));
        for text in &texts {
            assert!(masked(text.as_bytes(), wrapped, None).is_none(), "{}", text.get(..80).unwrap_or(text));
        }
        assert!(masked(packed(&padded(200_000)).as_bytes(), wrapped, None).is_some());
    }
    // In their place.
    let secret = |release: &str| object(Wrapped::Twice, release);
    for release in ["CANARY".to_owned(), wrap(b"{}", Wrapped::Twice), "a".repeat(3 << 20)] {
        let shown = shown(Wrapped::Twice, &secret(&release), Reveal::default(), 1 << 16);
        assert!(release_in(&shown).starts_with("bWFza2VkLWJ5LXBvcnRjdWxsaXMt"), "{shown}");
    }
}

#[test]
fn an_object_that_is_no_secret_of_its_own_shows_no_more() {
    // A release in a copy of an object, in a custom resource, in a list.
    let release = wrap(release().to_string().as_bytes(), Wrapped::Twice);
    let copy = object(Wrapped::Twice, &release);
    let guard = guard();
    let view = View::default();
    for (resource, object) in [
        (
            "secrets",
            json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": copy}}})
                .to_string(),
        ),
        (
            "pods",
            json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": copy}}})
                .to_string(),
        ),
        ("widgets", format!(r#"{{"spec":{{"manifests":[{copy}]}}}}"#)),
        (
            "widgets",
            format!(
                r#"{{"spec":{{"manifest":{{"apiVersion":"v1","data":{{"release":"{release}"}},"kind":"Secret"}}}}}}"#
            ),
        ),
        ("secrets", format!(r#"{{"kind":"SecretList","items":[{copy}]}}"#)),
    ] {
        let rules = guard.catalogue().rules_for("", resource, None);
        let mut masker = Masker::new(Framing::One, &rules).bound(&guard, &view);
        let shown = masker.push(Bytes::from(object)).unwrap();
        assert!(memchr::memmem::find(&shown, release.as_bytes()).is_none());
        assert!(masker.masked() > 0);
    }
}

#[test]
fn manifests_however_written() {
    let masked = |text: &str| Manifests::new(&Catalogue::builtin()).masked(text).map(|(text, _)| text);
    let placeholder = Placeholder::Text.as_str();
    for kept in [
        "",
        "\n",
        "# nothing\n",
        "---\n---\n# a\n---\n",
        "kind: ConfigMap\napiVersion: v1\ndata: {a: x}\n",
        "--- # a comment\nkind: Pod\r\n---\r\nkind: Pod",
        "kind: ConfigMap\ndata:\n  a: |\n    x\n     ---\n    y\n",
    ] {
        assert_eq!(masked(kept).as_deref(), Some(kept));
    }
    for (unreadable, around) in [
        ("kind: [", ("", "")),
        ("a: &a x\nb: *a\n", ("", "")),
        ("text\n", ("", "")),
        ("a: 1\na: 2\n", ("", "")),
        ("kind: Pod\n---\na: {\n---\nkind: Pod\n", ("kind: Pod\n---", "---\nkind: Pod\n")),
    ] {
        let (before, after) = around;
        assert_eq!(masked(unreadable), Some(format!("{before}\n{placeholder}\n{after}")), "{unreadable}");
    }
    for secret in [
        "data: {a: CANARY}\nkind: Secret\n",
        "kind: List\nitems: [{data: {a: CANARY}, kind: Secret}]\n",
        "kind: SecretList\nitems:\n- stringData:\n    a: |\n      CANARY\n",
        "--- {kind: Secret, data: {a: CANARY}}\n",
        "kind: Pod\n...\n---\nkind: Secret\nstringData:\n  ? a\n  : CANARY\n",
        "kind: Pod\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"a\":\"CANARY\"}'\n",
        "{\"kind\": \"Secret\", \"data\": {\"a\": \"CANARY\"}}",
        "Kind: Secret\nDATA: {a: CANARY}\n",
    ] {
        let once = masked(secret).unwrap();
        assert!(!once.contains("CANARY") && placeholder_in(&once), "{once}");
        assert_eq!(masked(&once), Some(once), "masked again");
    }
    // One release has one allowance, and what goes beyond it is not read.
    let catalogue = Catalogue::builtin();
    let mut manifests = Manifests::new(&catalogue);
    let many = format!("a: [{}]\n", "1,".repeat(150_000));
    assert_eq!(manifests.masked(&many), Some((many.clone(), 0)));
    assert_eq!(manifests.masked(&many).unwrap().1, 1);
    for many in ["---\na: b\n", "---\n"] {
        assert_eq!(masked(&many.repeat(2_001)), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(0), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a manifest is made of, it is read to its end or replaced.
    #[test]
    fn any_text_is_a_manifest(lines in prop::collection::vec("(---|\\.\\.\\.|kind: Secret|data:|  a: |[ -~\\t\u{85}\u{2028}é]{0,12})", 0..12)) {
        let text = lines.join("\n");
        Manifests::new(&Catalogue::builtin()).masked(&text);
    }

    /// However strange keys and values are, no value of a Secret is shown, and what is shown is a manifest that stays as it is.
    #[test]
    fn no_value_of_a_secret_shows(key: String, before: String, after: String, rest: String) {
        let mut secret = json!({"metadata": {"name": rest}, "data": {&key: 1}, "kind": "Secret"});
        secret["data"][&key] = format!("{before}{CANARY}{after}").into();
        let (once, _) = Manifests::new(&Catalogue::builtin()).masked(&format!("---\n{secret}\n")).unwrap();
        prop_assert!(!once.contains(CANARY), "{}", once);
        let twice = Manifests::new(&Catalogue::builtin()).masked(&once).unwrap();
        prop_assert_eq!(twice.0, once);
    }
}
