//! Long answers are compressed for clients that want it, after they have been masked.

use e2e::{CANARY, Client, MASKED_DATA, contains_canary, lab};

#[test]
fn a_long_answer_is_compressed_for_who_wants_it_and_masked_before() -> anyhow::Result<()> {
    let lab = lab()?;
    let filler = "0123456789abcdef".repeat(8 * 1024);
    lab.cluster.apply(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: long}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: \
         one, namespace: long}}\nstringData: {{password: {CANARY}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: \
         two, namespace: long}}\ndata: {{filler: '{filler}'}}\n"
    ))?;
    let session = lab.gate.session("compression")?;
    let client = Client::new(&lab.gate, &session)?;
    let ask = |what: &str, encoding: &str| {
        client.ask(
            &format!("GET /api/v1/namespaces/long/{what}"),
            &[&format!("Accept-Encoding: {encoding}")],
            "",
        )
    };
    let long = ["configmaps", "configmaps/two"];
    for what in long {
        let (plain, zipped) = (ask(what, "identity")?, ask(what, "br, gzip")?);
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{}", zipped.head);
        assert_eq!(plain.header("content-encoding"), None);
        assert!(plain.whole && zipped.whole && plain.body == zipped.body, "{what}");
    }
    // Short answers and streams are not.
    for what in ["secrets/one", "configmaps?watch=true&timeoutSeconds=1"] {
        let answer = ask(what, "gzip")?;
        assert_eq!(answer.header("content-encoding"), None, "{}", answer.head);
        assert!(!contains_canary(answer.body.as_bytes()) && answer.status == 200);
    }
    assert!(ask("secrets/one", "gzip")?.body.contains(MASKED_DATA));
    Ok(())
}
