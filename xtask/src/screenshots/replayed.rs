//! A session that is over, with a terminal and a change in it: replayed, found, and undone.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, ensure};
use browser::Page;
use testkit::{Gate, Session};

use super::{Stage, take};

/// What the agent types, each line after so many seconds. The last pause is long enough to be looked at while it is played.
const TYPED: &[(u64, &str)] = &[
    (1, "ps -o pid,etime,args"),
    (1, "grep --color=always ^Mem /proc/meminfo"),
    (1, "printenv DATABASE_URL"),
    (4, "exit"),
];

const CHANGE: &str = r#"{"spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"pause","image":"registry.k8s.io/pause:3.11","resources":{"limits":{"memory":"256Mi"}}}]}}}}"#;

/// Does it, and ends the session.
pub(super) fn act(stage: &Stage, session: &Session<'_>) -> anyhow::Result<()> {
    let cart = "-n shop create deployment cart --image=registry.k8s.io/pause:3.10";
    stage.cluster.must(&cart.split_whitespace().collect::<Vec<_>>())?;
    let kubectl = |arguments: &[&str]| {
        let done = session.kubectl(&[&["-n", "shop"], arguments].concat())?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        anyhow::Ok(())
    };
    kubectl(&["get", "pods"])?;
    kubectl(&["label", "deployment", "cart", "looked-at=yes"])?;
    kubectl(&["patch", "deployment", "cart", "-p", CHANGE])?;
    terminal(session)?;
    session.revoke()
}

/// A shell in a pod, with a terminal, which `script` (util-linux) makes.
fn terminal(session: &Session<'_>) -> anyhow::Result<()> {
    let kubectl = session.command(&[])?;
    let line = format!(
        "stty cols 90 rows 14; exec {} exec -it -n shop deploy/checkout -- sh +m",
        kubectl.get_program().display()
    );
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    script.envs(kubectl.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("`script`")?;
    let mut keys = script.stdin.take().context("no keys")?;
    for (pause, line) in TYPED {
        thread::sleep(Duration::from_secs(*pause));
        writeln!(keys, "{line}")?;
    }
    let ended = script.wait_with_output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    Ok(())
}

/// Looks at it in each way that there is, and undoes it in the end.
pub(super) fn look(page: &Page, gate: &Gate, session: &str) -> anyhow::Result<()> {
    let open = |path: &str| {
        page.goto(&gate.console(path))?;
        page.wait_for("!document.querySelector('time:not([data-local])')")
    };
    let (timeline, stream) = (format!("/sessions/{session}"), format!("/sessions/{session}/streams/1"));
    open(&timeline)?;
    page.wait_for("document.querySelector(\"a[href$='/streams/1']\")")?;
    take(page, "timeline")?;
    let call = page.eval(
        "[...document.querySelectorAll('tr')].find(row => /patch deployments/.test(row.textContent)).querySelector(\"a[href*='/calls/']\").getAttribute('href')",
    )?;
    open(call.as_str().context("the patch is not in the timeline")?)?;
    take(page, "call")?;
    open("/search?text=postgres&verb=patch&object=deployments")?;
    take(page, "search")?;

    open(&stream)?;
    page.wait_for("document.querySelector('#replay').dataset.ready === ''")?;
    page.click("[data-speed='0.5']")?;
    page.eval("location.hash = 't=3.5'")?;
    page.click(".ap-overlay-start")?;
    page.wait_for("document.querySelector('.ap-term-text')?.textContent.includes('postgres')")?;
    take(page, "stream")?;

    let undo = format!("/sessions/{session}/undo");
    open(&undo)?;
    take(page, "undo")?;
    page.click("input[name=partly]")?;
    page.click("section.buttons button")?;
    page.wait_for("document.querySelector('#progress .badge.partly')")?;
    take(page, "undone")
}
