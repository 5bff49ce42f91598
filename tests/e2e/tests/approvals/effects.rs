//! What goes beside the object that is asked about: told as the API server says it, or told not to be known.

use anyhow::Context;
use e2e::{Lab, RULES, asking, decided, leaf, leaves, shown, text};

/// What approvers are told that it does.
fn effects(lab: &Lab, id: &str) -> anyhow::Result<String> {
    let told = shown(&decided(&lab.gate, &["show", id])?)?;
    let effects = told.lines().filter_map(|line| line.strip_prefix("effect")).map(str::trim);
    Ok(effects.collect::<Vec<_>>().join("\n"))
}

const BUDGET: &str = "
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web-pdb, namespace: NAMESPACE}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: other-pdb, namespace: NAMESPACE}
spec: {minAvailable: 1, selector: {matchLabels: {app: other}}}
";

#[test]
fn a_namespace_that_would_go_is_counted() -> anyhow::Result<()> {
    let (mut lab, _rules) = asking("counted", "200ms", "")?;
    let many: Vec<String> = (0..12).map(|at| config_map(at, "counted")).collect();
    lab.cluster.apply(&many.join("---\n"))?;
    let session = lab.gate.session("counted")?;
    session.kubectl(&["delete", "namespace", "counted", "--wait=false"])?;
    let id = lab.gate.waiting()?;
    insta::assert_snapshot!(effects(&lab, &id)?);
    // The same is not looked at again for the same question.
    session.kubectl(&["delete", "namespace", "counted", "--wait=false"])?;
    drop(session);
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let is_count = |event: &serde_json::Value| {
        event["looks_for"].is_string()
            && event["request"]["path"].as_str().is_some_and(|it| it.ends_with("?limit=1"))
    };
    let counts = leaves.iter().filter(|leaf| leaf["type"] == "intent" && is_count(&leaf["event"])).count();
    assert_eq!(counts, 10);
    leaf(&leaves, "intent", |event| is_count(event) && event["request"]["resource"] == "secrets")?;
    Ok(())
}

#[test]
fn what_the_agent_may_not_read_could_not_be_told() -> anyhow::Result<()> {
    let (lab, rules) = asking("uncounted", "200ms", "")?;
    let blind = r#"
@id("blind") @reason("not for agents")
forbid (principal, action == Action::"list", resource is Object)
when { ["pods", "secrets", "poddisruptionbudgets.policy"].contains(resource.type) };
"#;
    std::fs::write(rules.path().join("rules/asks.cedar"), format!("{RULES}{blind}"))?;
    let pid = lab.gate.pid().map(|pid| pid.to_string()).unwrap_or_default();
    std::process::Command::new("kill").args(["-HUP", &pid]).status()?;
    e2e::eventually("another policy", || {
        let log = lab.gate.log();
        Ok(if log.contains("another policy is in force") { Ok(()) } else { Err(log) })
    })?;
    let session = lab.gate.session("uncounted")?;
    session.kubectl(&["delete", "namespace", "uncounted", "--wait=false"])?;
    let namespace = lab.gate.waiting()?;
    insta::assert_snapshot!(effects(&lab, &namespace)?);
    decided(&lab.gate, &["refuse", &namespace, "--why", "enough"])?;
    let pod =
        lab.cluster.must(&["get", "pods", "-n", "uncounted", "-o", "jsonpath={.items[0].metadata.name}"])?;
    session.kubectl(&["delete", "pod", &pod, "-n", "uncounted", "--wait=false"])?;
    let told = effects(&lab, &lab.gate.waiting()?)?;
    assert!(told.contains("which disruption budgets its pods have could not be told"), "{told}");
    Ok(())
}

#[test]
fn the_disruption_budgets_of_pods_that_would_go_are_told() -> anyhow::Result<()> {
    let (lab, _rules) = asking("disrupted", "200ms", "")?;
    lab.cluster.apply(&BUDGET.replace("NAMESPACE", "disrupted"))?;
    lab.cluster.must(&["rollout", "status", "deployment/web", "-n", "disrupted", "--timeout=120s"])?;
    let allowed = ["get", "pdb", "web-pdb", "-n", "disrupted", "-o", "jsonpath={.status.currentHealthy}"];
    e2e::eventually("the budget's controller", || {
        let healthy = lab.cluster.must(&allowed)?;
        Ok(if healthy == "1" { Ok(()) } else { Err(healthy) })
    })?;
    let session = lab.gate.session("disrupted")?;
    let ask = |line: &[&str]| -> anyhow::Result<String> {
        let refused = text(&session.kubectl(line)?);
        let id = regex::Regex::new("a-[a-z2-7]{12}")?.find(&refused).context("no approval")?;
        let told = effects(&lab, id.as_str())?;
        let budgets: Vec<&str> = told.lines().filter(|line| line.contains("Budget")).collect();
        Ok(format!("{}: {}", line.first().copied().unwrap_or_default(), budgets.join("; ")))
    };
    let of = |format: &str, kind: &str| lab.cluster.must(&["get", kind, "-n", "disrupted", "-o", format]);
    let first = "jsonpath={.items[0].metadata.name}";
    let (pod, set) = (of(first, "pods")?, of(first, "replicasets")?);
    let pods = "/api/v1/namespaces/disrupted/pods?labelSelector=app%3Dweb";
    let table = [
        ask(&["delete", "pod", &pod, "-n", "disrupted", "--wait=false"])?,
        ask(&["delete", "--raw", pods])?,
        ask(&["delete", "replicaset", &set, "-n", "disrupted", "--wait=false"])?,
        ask(&["patch", "replicaset", &set, "-n", "disrupted", "-p", r#"{"spec":{"replicas":0}}"#])?,
        ask(&["scale", "replicaset", &set, "-n", "disrupted", "--replicas=0"])?,
    ];
    insta::assert_snapshot!(table.join("\n"));
    Ok(())
}

fn config_map(at: usize, namespace: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: many-{at}, namespace: {namespace}}}\n")
}
