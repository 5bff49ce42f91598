//! `cargo xtask screenshots`: each page of the console, at a desk and on a phone, in the light and in the dark.

mod replayed;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};
use browser::{Browser, ColourScheme, Extent, Page, Viewport};
use serde_json::Value;
use testkit::{Gate, Options, Session};

use crate::{demo::Stage, run::build_gate};

/// Where they go.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/img");

/// A phone whose pixels are as large as a desk's, so that its pictures are small.
const PHONE: Viewport = Viewport { scale: 1.0, ..Viewport::PHONE };
const LOOKS: [(&str, Viewport); 2] = [("desktop", Viewport::DESKTOP), ("phone", PHONE)];
const SCHEMES: [(&str, ColourScheme); 2] = [("light", ColourScheme::Light), ("dark", ColourScheme::Dark)];

/// Rules that ask about more than the shipped ones, so that there is something to see.
const RULES: &str = r#"
@id("anything-but-secrets") permit (principal, action, resource);
@id("others-depend-on-it") @reason("deleting takes what others depend on") @outcome("approval") @approvers("sre")
forbid (principal, action in Action::"destroy", resource is Object) unless { context.approved };
@id("web-is-production") @reason("customers use it") @outcome("approval") @approvers("sre, security") @quorum("2")
forbid (principal, action in Action::"change", resource is Object)
when { resource.type == "deployments.apps" && resource.name == "web" } unless { context.approved };
@id("releases-are-looked-at") @reason("a release is read by somebody else first") @outcome("approval") @approvers("sre")
forbid (principal, action in Action::"change", resource is Object)
when { ["api", "worker", "front"].contains(resource.name) } unless { context.approved };
@id("no-config") @reason("configuration comes from git")
forbid (principal, action in Action::"change", resource is Object) when { resource.type == "configmaps" };
"#;

/// A change for which two are asked.
const CHANGE: &str = r#"{"spec":{"replicas":5,"template":{"spec":{"containers":[{"name":"web","image":"registry.k8s.io/pause:3.11"}]}}}}"#;

/// A release, to be decided at once.
const RELEASE: &str = r#"
apiVersion: v1
kind: Service
metadata: { name: front, namespace: shop }
spec: { selector: { app: api }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, namespace: shop, labels: { release: "1.3" } }
spec:
  replicas: 3
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec: { containers: [{ name: api, image: "registry.k8s.io/pause:3.11", resources: { limits: { memory: 256Mi } } }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: worker, namespace: shop, labels: { release: "1.3" } }
spec:
  replicas: 2
  selector: { matchLabels: { app: worker } }
  template:
    metadata: { labels: { app: worker } }
    spec: { containers: [{ name: worker, image: "registry.k8s.io/pause:3.11" }] }
"#;

/// Who gives access, and who breaks the glass.
const AHEAD: &str =
    "access: { approvers: [sre] }, break_glass: { approvers: [sre], reviewers: [sre, security] }";

/// Makes them all.
pub(crate) fn run() -> anyhow::Result<()> {
    testkit::tools()?;
    build_gate("dev")?;
    let browser = Browser::start()?;
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    fs::create_dir(&rules)?;
    fs::write(rules.join("shop.cedar"), RULES)?;
    let bundle = rules.display().to_string();
    let stage =
        Stage::set(folder.path(), &Options { bundle, hold: format!("10m, {AHEAD}"), ..Options::default() })?;
    let over = stage.gate.session("over")?;
    replayed::act(&stage, &over)?;
    let session = stage.gate.session("agent")?;
    let _waiting = act(&stage.gate, &session)?;
    fs::create_dir_all(FOLDER)?;

    let page = browser.page()?;
    page.goto(&stage.gate.console("/sign-in"))?;
    take(&page, "sign-in")?;
    page.goto(&stage.gate.console_login()?)?;
    page.click("main button")?;
    page.wait_for("document.querySelectorAll('[data-row]').length === 4")?;
    for (name, path) in pages(&page)? {
        page.goto(&stage.gate.console(&path))?;
        page.wait_for("!document.querySelector('time:not([data-local])')")?;
        take(&page, name)?;
    }
    replayed::look(&page, &stage.gate, &over.id)?;
    eprintln!("==> Written to docs/img");
    Ok(())
}

/// Does what an agent does on a day: what it may, what it may not, and what humans are asked about.
fn act(gate: &Gate, session: &Session<'_>) -> anyhow::Result<Vec<Hanging>> {
    for line in [
        "get pods -n shop",
        "get deployment web -n shop -o yaml",
        "get secret database -n shop",
        "create configmap motd -n shop --from-literal=text=hello",
        "create clusterrolebinding mine --clusterrole cluster-admin --user me",
        "get nodes",
    ] {
        session.kubectl(&line.split_whitespace().collect::<Vec<_>>())?;
    }
    let hang = |arguments: &[&str]| -> anyhow::Result<Hanging> {
        let mut command = session.command(arguments)?;
        Ok(Hanging(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    };
    let change = hang(&["patch", "deployment", "web", "-n", "shop", "-p", CHANGE])?;
    gate.waiting()?;
    let delete = hang(&["delete", "namespace", "shop"])?;
    ask_ahead(gate, session)?;
    Ok(vec![change, delete])
}

/// What an agent asks ahead of its calls, and an emergency that is over.
fn ask_ahead(gate: &Gate, session: &Session<'_>) -> anyhow::Result<()> {
    let release = gate.path("release.yaml");
    fs::write(&release, RELEASE)?;
    let ask = |arguments: &[&str]| -> anyhow::Result<()> {
        let mut command = Command::new(gate.program());
        command.args(arguments).args(["--no-wait", "--kubeconfig"]).arg(&session.kubeconfig);
        let asked = command.output()?;
        ensure!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        Ok(())
    };
    let scope = "delete pods in shop";
    let glass = ["--break-glass", "--incident", "INC-4711", "--reason", "checkout is down"];
    ask(&[&["request-access", "--scope", scope, "--for", "15m"][..], &glass].concat())?;
    let asked = gate.asked(false)?;
    let breaks = |asked: &&Value| asked["act"].as_str().is_some_and(|act| act.starts_with("break"));
    let broken = asked.iter().find(breaks).and_then(|asked| asked["id"].as_str());
    let broken = broken.context("nobody was asked to break the glass")?.to_owned();
    gate.approvals(&["approve", &broken, "--yes"])?;
    session.kubectl(&["delete", "pod", "stuck", "-n", "shop", "--ignore-not-found"])?;
    gate.approvals(&["end", &broken, "--why", "checkout is up again"])?;
    ask(&["propose", "-f", &release, "--reason", "release 1.3: more memory for checkout"])?;
    ask(&["request-access", "--scope", scope, "--for", "30m", "--reason", "restart what is stuck"])
}

/// kubectl that waits; ended when dropped.
struct Hanging(Child);

impl Drop for Hanging {
    fn drop(&mut self) {
        let _it_may_have_ended = self.0.kill();
        let _so_that_nothing_stays = self.0.wait();
    }
}

/// The pages, of which some are found by the links to them.
fn pages(inbox: &Page) -> anyhow::Result<Vec<(&'static str, String)>> {
    let link = |script: &str| -> anyhow::Result<String> {
        inbox.eval(script)?.as_str().map(str::to_owned).context("no such link")
    };
    let change = link("document.querySelectorAll('[data-row] a')[0].getAttribute('href')")?;
    let delete = link("document.querySelectorAll('[data-row] a')[1].getAttribute('href')")?;
    let titled = |title: &str| {
        link(&format!(
            "[...document.querySelectorAll('[data-row] a')].find(a => a.textContent.startsWith('{title}')).getAttribute('href')"
        ))
    };
    let (changes, access) = (titled("make")?, titled("have")?);
    let session = link(&format!(
        "fetch('{change}').then(r => r.text()).then(t => t.match(/\\/sessions\\/s-[a-z2-7]+/)[0])"
    ))?;
    let mut pages = vec![
        ("inbox", "/".to_owned()),
        ("change", change),
        ("delete", delete),
        ("changes", changes),
        ("access", access),
        ("session", session),
        ("passkeys", "/passkeys".to_owned()),
    ];
    for name in ["reviews", "approvals", "sessions", "refusals", "policy", "ledger"] {
        pages.push((name, format!("/{name}")));
    }
    Ok(pages)
}

fn take(page: &Page, name: &str) -> anyhow::Result<()> {
    for (look, viewport) in LOOKS {
        page.viewport(viewport)?;
        for (scheme, colours) in SCHEMES {
            page.colour_scheme(colours)?;
            let file = Path::new(FOLDER).join(format!("{name}-{look}-{scheme}.png"));
            page.screenshot(&file, Extent::Window)?;
        }
    }
    Ok(())
}
