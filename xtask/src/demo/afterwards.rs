//! The scenes after the agent is done: what it did is read from its recording, and what it changed is put back.

use testkit::{DELEGATOR, Gate, Session};

use super::{
    scene::leaks,
    stage::{KEPT_KEY, Stage, shown, typed},
};

/// Plays them; answers how many did not go as told. A viewer who did not approve (they may, unless it is `once`) has less to see.
pub(super) fn play(stage: &Stage, session: &Session<'_>, once: bool) -> anyhow::Result<usize> {
    let as_told = [replay(&stage.gate, &session.id, once)?, undo(stage, &session.id)?];
    Ok(as_told.iter().filter(|as_told| !**as_told).count())
}

/// The recording, held against the ledger.
fn replay(gate: &Gate, session: &str, once: bool) -> anyhow::Result<bool> {
    println!("\n--- What the agent did and was shown is on record; each piece is held against the ledger");
    let mut as_told = true;
    for (words, expected) in [
        (&["show", session][..], "exec `printenv DATABASE_URL` in checkout-"),
        (&["replay", session, "--stream", "1"], "postgres://shop:masked-by-portcullis-"),
    ] {
        let text = sessions(gate, words)?;
        if leaks(&text) || once && !text.contains(expected) {
            println!("!!! not as told: the recording does not have `{expected}`");
            as_told = false;
        }
    }
    Ok(as_told)
}

/// `portcullis sessions`, with the key that the auditor kept.
fn sessions(gate: &Gate, words: &[&str]) -> anyhow::Result<String> {
    let (config, key) = (gate.path("portcullis.yaml"), gate.path(KEPT_KEY));
    let files = ["--config", &config, "--key", &key];
    let text = shown(&gate.portcullis(&[&["sessions"], words, &files].concat())?);
    typed(&format!("portcullis sessions {} --key {KEPT_KEY}", words.join(" ")), "", &text);
    Ok(text)
}

/// What the agent changed is put back, as far as it can be.
fn undo(stage: &Stage, session: &str) -> anyhow::Result<bool> {
    println!(
        "\n--- The change was a mistake. The session is frozen, and what it changed is put back; what cannot be is told"
    );
    let frozen = stage.gate.freeze(session, "three replicas are too many")?;
    typed(
        &format!("portcullis session freeze {session} --reason 'three replicas are too many'"),
        "",
        &frozen,
    );
    let words = ["undo", session, "--for", DELEGATOR, "--partly", "--yes"];
    let config = stage.gate.path("portcullis.yaml");
    let text = shown(&stage.gate.portcullis(&[&words[..], &["--config", &config]].concat())?);
    typed(&format!("portcullis {}", words.join(" ")), "", &text);
    let done = text.contains("change back deployments.apps \"web\" in namespace \"shop\": done");
    let replicas = stage.administrator("kubectl get deployment web -n shop -o jsonpath={.spec.replicas}")?;
    println!();
    let as_told = done && replicas == "2" && !leaks(&text);
    if !as_told {
        println!("!!! not as told: the change is not undone");
    }
    Ok(as_told)
}
