//! The scenes in which a human decides while kubectl waits.

use std::process::{Output, Stdio};

use anyhow::{Context, ensure};
use testkit::{Gate, Session};

use super::{
    scene::leaks,
    stage::{say, shown, typed},
};

/// Prints an address with the password in it.
const COMMAND: &str = "kubectl exec -n shop deploy/checkout -- printenv DATABASE_URL";
/// What the agent is shown of that.
const PRINTED: &str = "postgres://shop:masked-by-portcullis--not-the-real-value@database/shop\n";

/// What a human says in the viewer's stead.
enum Answer {
    Yes,
    No,
}

/// Plays them; answers how many did not go as told. Unless it is to go on by itself (`once`), the viewer is the approver of
/// all but the first.
pub(super) fn play(gate: &Gate, session: &Session<'_>, once: bool) -> anyhow::Result<usize> {
    println!("\n--- Deleting a namespace asks a human, and kubectl waits; this human says no");
    let refused = decide(gate, session, "kubectl delete namespace shop", Some(&Answer::No))?;
    let no =
        refused.status.code() == Some(1) && shown(&refused).contains("grace@example.com refused approval");
    println!(
        "\n--- It may be right, all the same: the approver sees what would be deleted, for whom and why, and says yes"
    );
    let stand_in = once.then_some(&Answer::Yes);
    let approved = decide(gate, session, "kubectl delete namespace sandbox --wait=false", stand_in)?;
    let yes = shown(&approved) == "namespace \"sandbox\" deleted\n";
    println!(
        "\n--- A command in a pod asks, too. It runs, but the password in what it prints does not come back"
    );
    let ran = shown(&decide(gate, session, COMMAND, stand_in)?);
    // A viewer may say what they like.
    let as_told = [no, yes || !once, (ran == PRINTED || !once) && !leaks(&ran)];
    let surprises = as_told.iter().filter(|as_told| !**as_told).count();
    if surprises > 0 {
        println!("!!! not as told: what the human said is not what came of it");
    }
    Ok(surprises)
}

/// Runs `line`, which asks; an answer of `None` is the viewer's own.
fn decide(gate: &Gate, session: &Session<'_>, line: &str, answer: Option<&Answer>) -> anyhow::Result<Output> {
    let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
    let mut command = session.command(&arguments)?;
    let waiting = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let waiting = waiting.with_context(|| line.to_owned())?;
    let id = gate.waiting()?;
    let show = ["show", &id];
    typed(&format!("portcullis approvals show {id}"), "", &shown(&gate.approvals(&show)?));
    match answer {
        Some(Answer::No) => {
            let refuse = ["refuse", &id, "--why", "the shop is open"];
            said(gate, &refuse, &format!("portcullis approvals refuse {id} --why 'the shop is open'"))?;
        }
        Some(Answer::Yes) => {
            said(gate, &["approve", &id, "--yes"], &format!("portcullis approvals approve {id} --yes"))?;
        }
        None => {
            println!(
                "\nkubectl waits for a minute. You are the approver. In a browser, sign in by this link, which is good once:\n"
            );
            println!("  {}\n", gate.console_login()?);
            println!("or in another terminal:\n");
            let config = gate.path("portcullis.yaml");
            println!("  {} approvals approve {id} --config {config}\n", gate.program().display());
            say("Waiting for you");
        }
    }
    let output = waiting.wait_with_output()?;
    typed(line, "", &shown(&output));
    Ok(output)
}

fn said(gate: &Gate, arguments: &[&str], line: &str) -> anyhow::Result<()> {
    let output = gate.approvals(arguments)?;
    typed(line, "", &shown(&output));
    ensure!(output.status.success(), "the approver could not decide");
    Ok(())
}
