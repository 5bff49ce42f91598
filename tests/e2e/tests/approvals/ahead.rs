//! Asked ahead of calls: several changes at once, access for a time, and broken glass.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use e2e::{
    Going, Lab, Waiting, asking, at_once, counting, decided, eventually, exists, leaf, leaves, shown, state,
    text,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use testkit::Session;

/// `portcullis` as the agent runs it, with nothing but its session's kubeconfig.
fn agents(lab: &Lab, session: &Session<'_>, arguments: &[&str]) -> Command {
    let mut command = Command::new(lab.gate.program());
    command.args(arguments).arg("--kubeconfig").arg(&session.kubeconfig).env_clear();
    command
}

fn asks(lab: &Lab, session: &Session<'_>, arguments: &[&str]) -> anyhow::Result<String> {
    Ok(text(&agents(lab, session, arguments).output()?))
}

/// Nine ConfigMaps, of which one is there already, a Secret, a ReplicaSet, and a Deployment that nobody has to be asked about.
fn manifests(folder: &Path, colour: &str) -> anyhow::Result<()> {
    let put = |name: &str, text: String| fs::write(folder.join(format!("{name}.yaml")), text);
    let map = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name} }}\ndata: {{ colour: {colour} }}\n"
        )
    };
    for name in ["asked", "a", "b", "c", "d", "e", "f", "g"] {
        put(name, map(name))?;
    }
    put(
        "secret",
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{ name: made }}\nstringData: {{ word: {colour}-7f3a9c51e6 }}\n"
        ),
    )?;
    let pods = "selector: { matchLabels: { app: set } }, template: { metadata: { labels: { app: set } }, spec: { containers: [{ name: c, image: 'pause:1' }] } }";
    put(
        "set",
        format!(
            "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{ name: set }}\nspec: {{ replicas: 0, {pods} }}\n"
        ),
    )?;
    put(
        "free",
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: free }}\nspec: {{ replicas: 0, {pods} }}\n"
        ),
    )?;
    Ok(())
}

#[test]
fn ten_manifests_are_decided_at_once_and_applied_by_kubectl() -> anyhow::Result<()> {
    let (lab, _rules) = asking("proposed", "500ms", "")?;
    let folder = tempfile::tempdir()?;
    manifests(folder.path(), "red")?;
    let from = folder.path().display().to_string();
    let session = lab.gate.session("proposed")?;
    let line = ["propose", "-f", &from, "-n", "proposed", "--reason", "the season's colours"];
    let proposing = Waiting::of(agents(&lab, &session, &line))?;
    let id = lab.gate.waiting()?;
    let page = shown(&decided(&lab.gate, &["show", &id])?)?;
    ensure!(!page.contains("7f3a9c51e6"), "{page}");
    insta::assert_snapshot!("ten_changes", page);
    // Until humans agreed, each is asked about by itself.
    let apply = ["apply", "-f", &from, "-n", "proposed"];
    let early = text(&session.kubectl(&["apply", "-f", &format!("{from}/a.yaml"), "-n", "proposed"])?);
    ensure!(early.contains("waits as approval a-"), "{early}");
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let proposed = text(&proposing.end()?).replace(&from, "DIR");
    let proposed = proposed.replace(&session.kubeconfig.display().to_string(), "KUBECONFIG");
    insta::assert_snapshot!("proposed", shown(&proposed)?);
    let applied = text(&session.kubectl(&apply)?);
    insta::assert_snapshot!("applied", applied);
    assert_eq!(state(&lab.gate, &id)?, "consumed");
    // What was not proposed is asked about by itself.
    manifests(folder.path(), "green")?;
    let other = text(&session.kubectl(&["apply", "-f", &format!("{from}/a.yaml"), "-n", "proposed"])?);
    ensure!(other.contains("waits as approval a-") && !other.contains(&id), "{other}");
    Ok(())
}

#[test]
fn what_changed_since_it_was_proposed_is_asked_about_by_itself() -> anyhow::Result<()> {
    let (lab, _rules) = asking("moved", "500ms", "")?;
    let folder = tempfile::tempdir()?;
    manifests(folder.path(), "red")?;
    let from = folder.path().display().to_string();
    let session = lab.gate.session("moved")?;
    let line = [
        "propose",
        "-f",
        &from,
        "-n",
        "moved",
        "--reason",
        "colours",
        "--no-wait",
        "--server-side",
        "--force-conflicts",
    ];
    let told = asks(&lab, &session, &line)?;
    ensure!(told.contains("is pending"), "{told}");
    let first = lab.gate.waiting()?;
    // The same again is the same.
    asks(&lab, &session, &line)?;
    assert_eq!(lab.gate.asked(false)?.len(), 1);
    lab.cluster.must(&["annotate", "configmap", "asked", "note=meanwhile", "-n", "moved"])?;
    let again = asks(&lab, &session, &line)?;
    assert_eq!(state(&lab.gate, &first)?, "superseded", "{again}");
    let second = lab.gate.waiting()?;
    decided(&lab.gate, &["approve", &second, "--yes"])?;
    lab.cluster.must(&["annotate", "configmap", "asked", "note=later", "-n", "moved", "--overwrite"])?;
    let one = |name: &str| format!("{from}/{name}.yaml");
    let apply = |name: &str| {
        anyhow::Ok(text(&session.kubectl(&[
            "apply",
            "--server-side",
            "--force-conflicts",
            "-f",
            &one(name),
            "-n",
            "moved",
        ])?))
    };
    let moved = apply("asked")?;
    ensure!(moved.contains("waits as approval a-"), "{moved}");
    let still = apply("a")?;
    ensure!(still.contains("serverside-applied"), "{still}");
    // What is as it is to be is no change that anybody approved.
    ensure!(apply("b")?.contains("serverside-applied"));
    let twice = apply("b")?;
    ensure!(twice.contains("waits as approval a-"), "{twice}");
    // Another change of an object of which one was approved.
    fs::write(one("c"), fs::read_to_string(one("c"))?.replace("red", "green"))?;
    let other = apply("c")?;
    ensure!(other.contains("waits as approval a-"), "{other}");
    decided(&lab.gate, &["end", &second, "--why", "enough"])?;
    let ended = apply("d")?;
    ensure!(ended.contains("waits as approval a-"), "{ended}");
    Ok(())
}

#[test]
fn access_covers_its_scope_until_it_is_over() -> anyhow::Result<()> {
    let (lab, _rules) = asking("given", "500ms", ", access: { approvers: [sre], longest: 10m }")?;
    let session = lab.gate.session("given")?;
    let make = |name: &str| lab.cluster.must(&["create", "configmap", name, "-n", "given"]);
    for name in ["one", "two", "other"] {
        make(name)?;
    }
    lab.cluster.must(&["create", "service", "clusterip", "front", "--tcp=80", "-n", "given"])?;
    let delete =
        |kind: &str, name: &str| anyhow::Ok(text(&session.kubectl(&["delete", kind, name, "-n", "given"])?));
    let scope = "delete configmaps named one,two,three in given";
    let services = "delete services in given";
    let line =
        ["request-access", "--scope", scope, "--scope", services, "--for", "10m", "--reason", "tidy up"];
    let asking = Waiting::of(agents(&lab, &session, &line))?;
    let id = lab.gate.waiting()?;
    insta::assert_snapshot!("access", shown(&decided(&lab.gate, &["show", &id])?)?);
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    for name in ["one", "two"] {
        let done = delete("configmap", name)?;
        ensure!(done.contains("deleted"), "{done}");
    }
    let told = text(&asking.end()?);
    insta::assert_snapshot!("access_given", shown(&told)?);
    // Outside its scope, and where a rule asks for more than those who gave it.
    for (kind, name) in [("configmap", "other"), ("service", "front")] {
        let refused = delete(kind, name)?;
        ensure!(refused.contains("waits as approval a-"), "{refused}");
        assert!(exists(&lab, "given", kind, name)?);
    }
    decided(&lab.gate, &["end", &id, "--why", "tidied"])?;
    // Another, whose time runs out.
    let scope = "delete configmaps named three in given";
    asks(
        &lab,
        &session,
        &["request-access", "--scope", scope, "--for", "1s", "--reason", "tidy up", "--no-wait"],
    )?;
    let waiting = lab.gate.asked(false)?;
    let short = waiting.iter().find(|asked| asked["act"].as_str().is_some_and(|act| act.starts_with("have")));
    let short = short.and_then(|asked| asked["id"].as_str()).context("nobody was asked")?.to_owned();
    decided(&lab.gate, &["approve", &short, "--yes"])?;
    eventually("its time is over", || {
        let stands = state(&lab.gate, &short)?;
        Ok(if stands == "expired" { Ok(()) } else { Err(stands) })
    })?;
    make("three")?;
    let late = delete("configmap", "three")?;
    ensure!(late.contains("waits as approval a-"), "{late}");
    assert!(exists(&lab, "given", "configmap", "three")?);
    Ok(())
}

#[test]
fn what_goes_on_by_access_ends_with_it() -> anyhow::Result<()> {
    // Somebody ends it, or its time is over, which is long enough for all to begin.
    for (namespace, seconds, ended) in [("watched", 600, true), ("watched-on", 45, false)] {
        let (mut lab, _rules) = asking(namespace, "500ms", ", access: { approvers: [sre] }")?;
        let id = watched(&lab, namespace, &format!("{seconds}s"), ended)?;
        lab.gate.stop()?;
        let leaves = leaves(&lab.gate)?;
        let is_over =
            |event: &&Value| event["event"]["error"] == "the access by which it was permitted is over";
        let over: Vec<&Value> = leaves.iter().filter(is_over).collect();
        ensure!(over.len() == 2, "{over:?}");
        let step = |number: u64| {
            leaf(&leaves, "approval_step", |event| {
                event["approval"] == *id && event["step"]["number"] == number
            })
        };
        if ended {
            let end = step(2)?;
            over.into_iter().try_for_each(|over| at_once(end, over))?;
        } else {
            // As if there were a leaf when its time is over.
            let approved = &step(1)?["event"]["step"]["at"];
            let approved: Timestamp = approved.as_str().context("no time")?.parse()?;
            let until = approved.checked_add(SignedDuration::from_secs(seconds))?.to_string();
            let end = serde_json::json!({ "time": until });
            over.into_iter().try_for_each(|over| at_once(&end, over))?;
        }
    }
    Ok(())
}

/// Watches, and follows a log, by access that was given for so long, to its end; gives the approval.
fn watched(lab: &Lab, namespace: &str, time: &str, ended: bool) -> anyhow::Result<String> {
    let session = lab.gate.session("watched")?;
    lab.cluster.apply(&counting(namespace))?;
    lab.cluster.ready(namespace, "counts")?;
    let (watching, following) =
        (format!("watch resourcequotas in {namespace}"), format!("get pods/log in {namespace}"));
    let scopes = ["--scope", &watching, "--scope", &following];
    let line = [&["request-access", "--for", time, "--reason", "look", "--no-wait"][..], &scopes].concat();
    asks(lab, &session, &line)?;
    let id = lab.gate.waiting()?;
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    lab.cluster.must(&["create", "quota", "small", "--hard=pods=1", "-n", namespace])?;
    let watch = ["get", "resourcequotas", "-n", namespace, "--watch", "--no-headers"];
    let mut watch = session.command(&watch)?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut seen = BufReader::new(watch.stdout.take().context("a pipe")?);
    let mut lines = String::new();
    // What is listed, and what comes over the watch.
    seen.read_line(&mut lines)?;
    lab.cluster.must(&["label", "quota", "small", "seen=yes", "-n", namespace])?;
    seen.read_line(&mut lines)?;
    ensure!(lines.lines().count() == 2 && lines.lines().all(|line| line.starts_with("small")), "{lines}");
    let mut log = Going::start(
        session.command(&["logs", "-n", namespace, "--follow", "--tail=1", "counts"])?,
        "tick ",
    )?;
    if ended {
        decided(&lab.gate, &["end", &id, "--why", "enough"])?;
    }
    // Half an answer must not look like a whole one: it is broken off.
    log.end()?;
    // It ends by itself, and says why.
    let mut rest = String::new();
    seen.read_to_string(&mut rest)?;
    watch.wait()?;
    ensure!(rest.contains("the access by which it was permitted is over"), "{rest}");
    Ok(id)
}

/// Whether a write would make what was approved must not tell what a masked value is.
#[test]
fn a_change_beside_a_masked_value_is_made_by_the_proposed_call_alone() -> anyhow::Result<()> {
    let (lab, rules) = asking("oracle", "500ms", "")?;
    let session = lab.gate.session("oracle")?;
    lab.cluster.must(&[
        "create",
        "secret",
        "generic",
        "s",
        "--from-literal=word=7f3a9c51e6d2",
        "-n",
        "oracle",
    ])?;
    let guess = |word: &str| format!(r#"{{"data":{{"colour":"red","word":"{word}"}}}}"#);
    lab.cluster.must(&[
        "patch",
        "configmap",
        "asked",
        "-n",
        "oracle",
        "--type=merge",
        "-p",
        &guess("7f3a9c51e6d2"),
    ])?;
    eventually("the value is known", || {
        let seen = text(&session.kubectl(&["get", "configmap", "asked", "-n", "oracle", "-o", "yaml"])?);
        Ok(if seen.contains("7f3a9c51e6d2") { Err(seen) } else { Ok(()) })
    })?;
    let plain = r#"{"metadata":{"labels":{"season":"autumn"}}}"#;
    let path = "/api/v1/namespaces/oracle/configmaps/asked?fieldManager=kubectl-patch";
    let call = serde_json::json!({"method": "PATCH", "path": path, "content_type": "application/merge-patch+json", "body": plain});
    let file = rules.path().join("body.json");
    fs::write(&file, serde_json::json!({"reason": "seasons", "calls": [call]}).to_string())?;
    session.kubectl(&["create", "--raw", "/portcullis/v1/changes", "-f", &file.display().to_string()])?;
    let id = lab.gate.waiting()?;
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let patch = |body: &str| {
        anyhow::Ok(text(&session.kubectl(&[
            "patch",
            "configmap",
            "asked",
            "-n",
            "oracle",
            "--type=merge",
            "-p",
            body,
        ])?))
    };
    for word in ["7f3a9c51e6d2", "7f3a9c51e6d3"] {
        let labelled =
            format!(r#"{{"metadata":{{"labels":{{"season":"autumn"}}}},"data":{{"word":"{word}"}}}}"#);
        let refused = patch(&labelled)?;
        ensure!(refused.contains("waits as approval a-"), "{refused}");
    }
    let done = patch(plain)?;
    ensure!(done.contains("patched"), "{done}");
    Ok(())
}

#[test]
fn one_human_breaks_the_glass_and_does_not_sign_it_off() -> anyhow::Result<()> {
    let approvals = ", break_glass: { approvers: [sre], reviewers: [sre, security] }";
    let (lab, _rules) = asking("broken", "500ms", approvals)?;
    let session = lab.gate.session("broken")?;
    lab.cluster.must(&["create", "service", "clusterip", "front", "--tcp=80", "-n", "broken"])?;
    let scope =
        ["request-access", "--scope", "delete services in broken", "--for", "10m", "--reason", "it is down"];
    let off = asks(&lab, &session, &scope)?;
    insta::assert_snapshot!("access_is_off", off);
    let glass = [&scope[..], &["--break-glass", "--incident", "INC-7", "--no-wait"]].concat();
    asks(&lab, &session, &glass)?;
    let id = lab.gate.waiting()?;
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    // A rule asks for two.
    let done = text(&session.kubectl(&["delete", "service", "front", "-n", "broken"])?);
    ensure!(done.contains("deleted"), "{done}");
    let open = decided(&lab.gate, &["list", "--unreviewed"])?;
    ensure!(open.contains(&id), "{open}");
    let mut told = vec![text(&lab.gate.approvals(&["review", &id, "--found", "fine"])?)];
    decided(&lab.gate, &["end", &id, "--why", "it is up again"])?;
    told.push(text(&lab.gate.approvals(&["review", &id, "--found", "fine"])?));
    told.push(decided(&lab.gate, &["show", &id])?);
    insta::assert_snapshot!("glass", shown(&told.join("\n"))?);
    Ok(())
}

/// Who gives access sees no command, and neither does who breaks the glass.
#[test]
fn a_command_is_asked_about_whatever_access_there_is() -> anyhow::Result<()> {
    let approvals =
        ", access: { approvers: [sre] }, break_glass: { approvers: [sre], reviewers: [security] }";
    let (lab, _rules) = asking("commands", "500ms", approvals)?;
    let session = lab.gate.session("commands")?;
    let access = |scope: &str, more: &[&str]| {
        let line = ["request-access", "--scope", scope, "--for", "10m", "--reason", "look", "--no-wait"];
        asks(&lab, &session, &[&line[..], more].concat())
    };
    for more in [&[][..], &["--break-glass", "--incident", "INC-7"]] {
        let refused = access("create pods/exec in commands", more)?;
        ensure!(refused.contains("`pods/exec` cannot be had ahead"), "{refused}");
        access("create,get,list,patch pods in commands", more)?;
        let id = lab.gate.waiting()?;
        decided(&lab.gate, &["approve", &id, "--yes"])?;
    }
    let asked = text(&session.kubectl(&["exec", "deploy/web", "-n", "commands", "--", "id"])?);
    ensure!(asked.contains("waits as approval a-"), "{asked}");
    Ok(())
}

#[test]
fn what_cannot_be_asked_ahead_is_refused_in_words() -> anyhow::Result<()> {
    let (lab, rules) = asking("unasked", "500ms", ", access: { approvers: [sre], longest: 10m }")?;
    let session = lab.gate.session("unasked")?;
    let other = lab.gate.session("other")?;
    let access = |scope: &str, time: &str| {
        let line = ["request-access", "--scope", scope, "--for", time, "--reason", "tidy up", "--no-wait"];
        asks(&lab, &session, &line)
    };
    let post = |path: &str, body: &str| {
        let file = rules.path().join("body.json");
        fs::write(&file, body)?;
        let line = ["create", "--raw", path, "-f", &file.display().to_string()];
        anyhow::Ok(text(&session.kubectl(&line)?))
    };
    let get = |path: &str| anyhow::Ok(text(&session.kubectl(&["get", "--raw", path])?));
    let change = |method: &str, path: &str, body: &str| {
        let call = serde_json::json!({"method": method, "path": path, "content_type": "application/json", "body": body});
        post("/portcullis/v1/changes", &serde_json::json!({"reason": "r", "calls": [call]}).to_string())
    };
    asks(
        &lab,
        &other,
        &["request-access", "--scope", "get pods in unasked", "--for", "1m", "--reason", "x", "--no-wait"],
    )?;
    let of_another = format!("/portcullis/v1/approvals/{}", lab.gate.waiting()?);
    let maps = "/api/v1/namespaces/unasked/configmaps";
    let mut told = vec![
        access("delete Everything", "1m")?,
        access("delete * in unasked", "1m")?,
        access("delete pods in unasked", "11m")?,
        post("/portcullis/v1/access", r#"{"reason": "s3cret-in-a-typo", "scope": "x"}"#)?,
        post("/portcullis/v1/access", r#"{"reason": "x", "scopes": [], "seconds": 1}"#)?,
        post(
            "/portcullis/v1/access",
            r#"{"reason": "x", "scopes": ["get pods"], "seconds": 1, "incident": "INC"}"#,
        )?,
        post("/portcullis/v1/nothing", "{}")?,
        post("/portcullis", "{}")?,
        get("/portcullis/v1/approvals/a-nothing")?,
        get(&of_another)?,
        post("/portcullis/v1/changes", r#"{"reason": "x", "calls": []}"#)?,
        change("DELETE", maps, "")?,
        change("POST", &format!("{maps}?dryRun=All"), r#"{"metadata": {"name": "x"}}"#)?,
        change("POST", maps, r#"{"metadata": {"generateName": "x-"}}"#)?,
        change("POST", "/api/v1/namespaces/../configmaps", r#"{"metadata": {"name": "x"}}"#)?,
        change("POST", "/api/v1/namespaces/nowhere/configmaps", r#"{"metadata": {"name": "x"}}"#)?,
        change("BREW", maps, "{}")?,
    ];
    told.iter_mut().for_each(|text| *text = text.trim().to_owned());
    ensure!(told.iter().all(|text| !text.contains("s3cret")), "{told:?}");
    insta::assert_snapshot!("refused_ahead", shown(&told.join("\n"))?);
    assert_eq!(lab.gate.asked(true)?.len(), 1, "nobody was asked");
    Ok(())
}
