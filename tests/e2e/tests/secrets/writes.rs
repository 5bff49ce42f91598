//! Answers to writes hold the object that was written, and errors quote it.

use e2e::{CANARY, contains_canary, furnish, normalised, permissive, start, text};

use super::{
    Shows::{self, Data, No},
    control,
};

const SECRET: &str = "apiVersion: v1
kind: Secret
metadata: {name: made, namespace: written}
stringData: {password: CANARY}
";

/// In order: each builds on the one before.
const WRITES: &[(&str, &str, Shows)] = &[
    ("label secret database -n written seen=yes -o yaml", "", Data),
    ("annotate secret database -n written seen=yes -o json", "", Data),
    (
        r#"patch secret database -n written --type=merge -p {"metadata":{"labels":{"x":"m"}}} -o yaml"#,
        "",
        Data,
    ),
    (
        r#"patch secret database -n written --type=strategic -p {"metadata":{"labels":{"x":"s"}}} -o yaml"#,
        "",
        Data,
    ),
    (
        r#"patch secret database -n written --type=json -p [{"op":"add","path":"/metadata/labels/y","value":"j"}] -o json"#,
        "",
        Data,
    ),
    ("create -f - -o yaml", SECRET, Data),
    ("apply -f - -o yaml", SECRET, Data),
    ("apply --server-side --force-conflicts -f - -o json", SECRET, Data),
    ("replace -f - -o yaml", SECRET, Data),
    ("create secret generic other -n written --from-literal=password=CANARY -o yaml", "", Data),
    (
        "create secret generic third -n written --from-literal=password=CANARY --dry-run=server -o json",
        "",
        Data,
    ),
    ("delete secret made -n written", "", No(r#"secret "made" deleted"#)),
    ("delete secrets -n written -l seen=yes --dry-run=server", "", No(r#"secret "database" deleted"#)),
];

#[test]
fn every_way_of_writing_shows_the_placeholder() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, "written")?;
    control(&lab, "written")?;
    let session = lab.gate.session("writes")?;
    let mut wrong = Vec::new();
    for (line, input, shows) in WRITES {
        let line = line.replace("CANARY", CANARY);
        let mut command = session.command(&line.split_whitespace().collect::<Vec<_>>())?;
        let output = testkit::run_with_input(&mut command, &input.replace("CANARY", CANARY))?;
        let shown = text(&output);
        let failed = (!output.status.success()).then_some("it fails");
        if let Some(problem) = failed.or_else(|| shows.problem(&shown)) {
            wrong.push(format!("kubectl {line}: {problem}\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    // None of it has cost the value.
    control(&lab, "written")
}

/// Objects that the API server objects to in words that quote them, with the value where it would be quoted.
const QUOTED: &[(&str, &str)] = &[
    (
        "create --validate=false -f -",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: bad, namespace: quoted, labels: {x: 'CANARY!'}}\n",
    ),
    (
        "create --validate=warn -f -",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: warned, namespace: quoted}\nCANARY: x\n",
    ),
    (
        "create --validate=strict -f -",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: quoted}\nCANARY: x\n",
    ),
    (r#"patch secret database -n quoted --type=merge -p {"type":"CANARY"}"#, ""),
];

#[test]
fn errors_and_warnings_that_quote_a_secret_are_told_anew() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, "quoted")?;
    let session = lab.gate.session("quoted")?;
    let mut told = Vec::new();
    for (line, input) in QUOTED {
        let (sent, input) = (line.replace("CANARY", CANARY), input.replace("CANARY", CANARY));
        let arguments: Vec<&str> = sent.split_whitespace().collect();
        let mut command = session.command(&arguments)?;
        let output = testkit::run_with_input(&mut command, &input)?;
        assert!(!contains_canary(text(&output).as_bytes()), "{}", text(&output));
        told.push(format!(
            "$ kubectl {line}\nexit {:?}\n{}",
            output.status.code(),
            normalised(text(&output).trim())?
        ));
        // The control: directly, it is quoted.
        lab.cluster.kubectl(&["delete", "secret", "warned", "-n", "quoted", "--ignore-not-found"])?;
        let direct = lab.cluster.kubectl_with_input(&arguments, &input)?;
        assert!(contains_canary(text(&direct).as_bytes()), "{line}: {}", text(&direct));
    }
    insta::assert_snapshot!(told.join("\n\n"));
    Ok(())
}
