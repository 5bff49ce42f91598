//! Long answers are compressed for clients that want it, after they have been masked.

use e2e::{Answer, CANARY, Client, MASKED_DATA, MASKED_TEXT, lab, text};
use testkit::Cluster;

/// Long enough to be compressed, when there are [`REPEATS`] of it.
const FILLER: &str = "0123456789abcdef";
const REPEATS: usize = 8 * 1024;

/// What is long, and how what is masked in it begins: a value in its own Secret, and where somebody copied it.
const LONG: &[(&str, &str)] = &[
    ("configmaps", MASKED_TEXT),
    ("configmaps/two", MASKED_TEXT),
    ("secrets", MASKED_DATA),
    ("secrets/long", MASKED_DATA),
];

/// Short answers and streams.
const PLAIN: &[(&str, &str)] = &[
    ("secrets/one", MASKED_DATA),
    ("configmaps?watch=true&timeoutSeconds=1", MASKED_TEXT),
    ("secrets?watch=true&timeoutSeconds=1", MASKED_DATA),
];

/// Two Secrets with the value and a ConfigMap into which it was copied, behind as much of what is harmless.
fn objects() -> String {
    let filler = FILLER.repeat(REPEATS);
    format!(
        "apiVersion: v1
kind: Namespace
metadata: {{name: long}}
---
apiVersion: v1
kind: Secret
metadata: {{name: one, namespace: long}}
stringData: {{password: {CANARY}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: long, namespace: long, annotations: {{example.com/filler: '{filler}'}}}}
stringData: {{password: {CANARY}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: two, namespace: long}}
data: {{filler: '{filler}', note: 'the password is {CANARY}'}}
"
    )
}

/// Masked in head and body, which is without its compression.
fn masked(what: &str, answer: &Answer, placeholder: &str) {
    assert!(answer.status == 200 && answer.whole, "{what}: {}", answer.head);
    assert!(answer.body.contains(placeholder), "{what}: nothing is masked");
    assert!(!answer.leaks(), "{what}");
}

#[test]
fn a_long_answer_is_compressed_for_who_wants_it_and_masked_before() -> anyhow::Result<()> {
    // Before the gate starts, so that it knows the value from its first call on.
    let cluster = Cluster::shared()?;
    // Not applied: an annotation may not hold the filler twice.
    let made = cluster.kubectl_with_input(&["create", "-f", "-"], &objects())?;
    assert!(made.status.success(), "{}", text(&made));
    let lab = lab()?;
    let (direct, gated) =
        (Client::administrator(cluster)?, Client::new(&lab.gate, &lab.gate.session("compression")?)?);
    let ask = |client: &Client, what: &str, encoding: &str| {
        client.ask(
            &format!("GET /api/v1/namespaces/long/{what}"),
            &[&format!("Accept-Encoding: {encoding}")],
            "",
        )
    };
    for (what, placeholder) in LONG {
        // The control: past the gate, what is unpacked shows the value.
        let leaked = ask(&direct, what, "gzip")?;
        assert_eq!(leaked.header("content-encoding"), Some("gzip"), "{what}: {}", leaked.head);
        assert!(leaked.leaks(), "the control: {what}");

        let (plain, zipped) = (ask(&gated, what, "identity")?, ask(&gated, what, "br, gzip")?);
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{what}: {}", zipped.head);
        assert_eq!(plain.header("content-encoding"), None, "{what}: {}", plain.head);
        assert!(plain.body.len() > FILLER.len() * REPEATS, "{what}: not long");
        assert_eq!(plain.body, zipped.body, "{what}");
        masked(what, &plain, placeholder);
        masked(what, &zipped, placeholder);
    }
    for (what, placeholder) in PLAIN {
        assert!(ask(&direct, what, "identity")?.leaks(), "the control: {what}");
        let answer = ask(&gated, what, "gzip")?;
        assert_eq!(answer.header("content-encoding"), None, "{what}: {}", answer.head);
        masked(what, &answer, placeholder);
    }
    Ok(())
}
