//! Policy may let one key of one Secret be shown, and nothing else is.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{CANARY, Client, MASKED_DATA, SHOWN, contains_canary, leaves, start};
use testkit::Options;

const RULES: &str = r#"
@id("everything")
@reason("the tests look at what the gate does once policy has said yes")
permit (principal, action, resource);

@id("one-key")
@reason("it is for this agent")
permit (principal, action == Action::"reveal", resource is Object)
when { resource.type == "secrets" && resource.name == "two" && context.key == "shown" };
"#;

#[test]
fn one_key_is_shown_by_name_and_nowhere_else_and_the_ledger_says_so() -> anyhow::Result<()> {
    let bundle = tempfile::tempdir()?;
    fs::write(bundle.path().join("rules.cedar"), RULES)?;
    let options = Options { bundle: bundle.path().display().to_string(), ..Options::default() };
    let lab = start(&options)?;
    lab.cluster.apply(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: revealed}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: two, \
         namespace: revealed}}\nstringData: {{shown: {SHOWN}, password: {CANARY}}}\n"
    ))?;
    let session = lab.gate.session("reveal")?;
    let client = Client::new(&lab.gate, &session)?;
    let shown = STANDARD.encode(SHOWN);
    let one = client.ask("GET /api/v1/namespaces/revealed/secrets/two", &[], "")?;
    assert!(one.status == 200 && one.body.contains(&shown) && one.body.contains(MASKED_DATA), "{}", one.body);
    // Nothing but that value.
    assert!(!contains_canary(one.body.replace(&shown, "").as_bytes()), "{}", one.body);
    assert!(!contains_canary(one.head.as_bytes()), "{}", one.head);
    // kubectl asks by name, too.
    let printed =
        session.kubectl(&["get", "secret", "two", "-n", "revealed", "-o", "jsonpath={.data.shown}"])?;
    assert_eq!(String::from_utf8_lossy(&printed.stdout), shown);
    for other in
        ["secrets", "secrets?watch=true&timeoutSeconds=1", "secrets?fieldSelector=metadata.name%3Dtwo"]
    {
        let answer = client.ask(&format!("GET /api/v1/namespaces/revealed/{other}"), &[], "")?;
        let masked = answer.status == 200 && answer.body.contains(MASKED_DATA);
        assert!(masked && !answer.leaks(), "{other}: {}", answer.body);
    }
    // Nor is it kept. That the key itself is told of shows that a search finds what is there.
    let (told, log) = (leaves(&lab.gate)?, lab.gate.log());
    let told_of = format!("{told:?}");
    assert!(told_of.contains("shown") && !contains_canary(told_of.as_bytes()), "{told_of}");
    assert!(!log.is_empty() && !contains_canary(log.as_bytes()), "{log}");
    let told: Vec<String> = told
        .iter()
        .filter_map(|leaf| leaf.pointer("/event/decision/reveal").map(ToString::to_string))
        .collect();
    // The two reads by name.
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().all(|reveal| reveal.contains("shown") && reveal.contains("\"others\":false")),
        "{told:?}"
    );
    Ok(())
}
