//! `cargo xtask screenshots`: each page of the console, at a desk and on a phone, in the light and in the dark.

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
};

use anyhow::Context;
use browser::{Browser, ColourScheme, Extent, Page, Viewport};
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
@id("no-config") @reason("configuration comes from git")
forbid (principal, action in Action::"change", resource is Object) when { resource.type == "configmaps" };
"#;

/// A change for which two are asked.
const CHANGE: &str = r#"{"spec":{"replicas":5,"template":{"spec":{"containers":[{"name":"web","image":"registry.k8s.io/pause:3.11"}]}}}}"#;

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
    let stage = Stage::set(folder.path(), &Options { bundle, hold: "10m".to_owned(), ..Options::default() })?;
    let session = stage.gate.session("agent")?;
    let _waiting = act(&stage.gate, &session)?;
    fs::create_dir_all(FOLDER)?;

    let page = browser.page()?;
    page.goto(&stage.gate.console("/sign-in"))?;
    take(&page, "sign-in")?;
    page.goto(&stage.gate.console_login()?)?;
    page.click("main button")?;
    page.wait_for("document.querySelectorAll('[data-row]').length === 2")?;
    for (name, path) in pages(&page)? {
        page.goto(&stage.gate.console(&path))?;
        page.wait_for("!document.querySelector('time:not([data-local])')")?;
        take(&page, name)?;
    }
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
    Ok(vec![change, delete])
}

/// kubectl that waits; ended when dropped.
struct Hanging(Child);

impl Drop for Hanging {
    fn drop(&mut self) {
        let _it_may_have_ended = self.0.kill();
        let _so_that_nothing_stays = self.0.wait();
    }
}

/// The pages, of which two are found by the links to them.
fn pages(inbox: &Page) -> anyhow::Result<Vec<(&'static str, String)>> {
    let link = |script: &str| -> anyhow::Result<String> {
        inbox.eval(script)?.as_str().map(str::to_owned).context("no such link")
    };
    let change = link("document.querySelectorAll('[data-row] a')[0].getAttribute('href')")?;
    let delete = link("document.querySelectorAll('[data-row] a')[1].getAttribute('href')")?;
    let session = link(&format!(
        "fetch('{change}').then(r => r.text()).then(t => t.match(/\\/sessions\\/s-[a-z2-7]+/)[0])"
    ))?;
    let mut pages = vec![
        ("inbox", "/".to_owned()),
        ("change", change),
        ("delete", delete),
        ("session", session),
        ("passkeys", "/passkeys".to_owned()),
    ];
    for name in ["approvals", "sessions", "refusals", "policy", "ledger"] {
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
