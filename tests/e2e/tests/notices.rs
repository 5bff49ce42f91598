//! People are told of what waits for them and of frozen sessions, by a webhook of theirs, whatever happens to it and to the gate.
#![expect(clippy::indexing_slicing, reason = "of JSON, where it gives null")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, ensure};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use e2e::{CANARY, Lab, RULES, Waiting, contains_canary, decided, eventually, furnish, start, text};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{APPROVER, Options};

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A webhook that people made, which verifies what it is told.
struct Receiver {
    address: SocketAddr,
    up: Arc<AtomicBool>,
    told: Arc<Mutex<Vec<Told>>>,
}

/// What it was told: a request as it came.
#[derive(Debug, Clone)]
struct Told {
    head: String,
    body: String,
}

impl Receiver {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (up, told) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let receiver = Self { address, up: up.clone(), told: told.clone() };
        // Ends with the program.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten().filter(|_| up.load(Ordering::SeqCst)) {
                match hear(stream) {
                    Ok(heard) => told.lock().push(heard),
                    Err(error) => eprintln!("a request that is none: {error:#}"),
                }
            }
        });
        Ok(receiver)
    }

    /// A lab whose gate asks `sre` and tells this receiver, and what is to be kept as long.
    fn lab(&self, namespace: &str, hold: &str, extra: &str) -> anyhow::Result<(Lab, TempDir)> {
        let folder = tempfile::tempdir()?;
        let (rules, secret) = (folder.path().join("rules"), folder.path().join("audit.secret"));
        fs::create_dir(&rules)?;
        fs::write(rules.join("asks.cedar"), RULES)?;
        fs::write(&secret, format!("whsec_{SECRET}\n"))?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
        let (address, secret) = (self.address, secret.display());
        let notices = format!(
            "notices:\n  - {{ name: audit, webhook: {{ url: \"http://{address}/told\", secret_file: {secret} }} }}\n"
        );
        let (bundle, hold) = (rules.display().to_string(), hold.to_owned());
        let lab = start(&Options { bundle, hold, extra: notices + extra, ..Options::default() })?;
        furnish(lab.cluster, namespace)?;
        // The second one's name is a secret value.
        for name in ["asked", CANARY] {
            lab.cluster.must(&["create", "configmap", name, "-n", namespace])?;
        }
        Ok((lab, folder))
    }

    /// The notice of this id, as soon as it was told.
    fn notice(&self, id: &str) -> anyhow::Result<Value> {
        eventually(id, || {
            let told = self.told.lock().clone();
            match told.iter().find(|told| told.header("webhook-id").is_ok_and(|of| of == id)) {
                Some(told) => told.verified().map(Ok),
                None => Ok(Err(told)),
            }
        })
    }

    /// The ids of all that was told, each once, in their order.
    fn ids(&self) -> anyhow::Result<Vec<String>> {
        let told = self.told.lock().clone();
        let mut ids = told
            .iter()
            .map(|told| told.header("webhook-id").map(str::to_owned))
            .collect::<Result<Vec<_>, _>>()?;
        ids.dedup();
        Ok(ids)
    }

    /// Nothing secret was told, in head or body.
    fn is_clean(&self) -> anyhow::Result<()> {
        for Told { head, body } in &*self.told.lock() {
            ensure!(!contains_canary(head.as_bytes()) && !contains_canary(body.as_bytes()), "{head}{body}");
        }
        Ok(())
    }
}

impl Told {
    fn header(&self, name: &str) -> anyhow::Result<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.next().with_context(|| format!("no {name}: {}", self.head))
    }

    /// As docs/notices.md tells a receiver to.
    fn verified(&self) -> anyhow::Result<Value> {
        let (id, sent) = (self.header("webhook-id")?, self.header("webhook-timestamp")?);
        let age = jiff::Timestamp::now().as_second() - sent.parse::<i64>()?;
        ensure!(age.abs() <= 300, "sent {age} seconds ago");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(SECRET)?);
        let given = self.header("webhook-signature")?.strip_prefix("v1,").context("another version")?;
        let signed = format!("{id}.{sent}.{}", self.body);
        hmac::verify(&key, signed.as_bytes(), &BASE64_STANDARD.decode(given)?).context("forged")?;
        let notice: Value = serde_json::from_str(&self.body)?;
        ensure!(notice["id"] == id, "{notice} is called {id}");
        Ok(notice)
    }
}

/// One request, which gets 204.
fn hear(mut stream: TcpStream) -> anyhow::Result<Told> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(reader.read_line(&mut head)? > 0, "half a head: {head}");
    }
    let mut told = Told { head, body: String::new() };
    let length = told.header("content-length")?.parse()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    told.body = String::from_utf8(body)?;
    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")?;
    Ok(told)
}

#[test]
fn what_waits_what_became_of_it_and_a_freeze_are_told_signed_and_masked() -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let (lab, _folder) = receiver.lab("told", "60s", "")?;
    let session = lab.gate.session("told")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "configmap", "asked", "-n", "told"])?;
    let id = lab.gate.waiting()?;
    let asked = receiver.notice(&format!("{id}-asked"))?;
    let (kind, data) = (&asked["type"], &asked["data"]);
    assert_eq!(kind, "approval_asked");
    assert_eq!(data["console"], lab.gate.console(&format!("/approvals/{id}")));
    assert_eq!((&data["rules"], &data["approvers"]), (&json!(["changes-ask"]), &json!(["sre"])));
    assert_eq!((&data["session"], &data["approval"]), (&json!(session.id), &json!(id)));
    assert_eq!(data["what"], r#"delete configmaps "asked" in namespace "told" of cluster "demo""#);
    data["decide_by"].as_str().context("no time limit")?.parse::<jiff::Timestamp>()?;

    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let approved = receiver.notice(&format!("{id}-1"))?;
    let data = &approved["data"];
    assert_eq!((&approved["type"], &data["decision"]), (&json!("approval_decided"), &json!("approved")));
    assert_eq!((&data["by"], &data["what"]), (&json!([APPROVER]), &asked["data"]["what"]));
    let done = kubectl.end()?;
    ensure!(done.status.success(), "{}", text(&done));

    lab.gate.freeze(&session.id, "why does it delete that?")?;
    let told = eventually("the freeze", || {
        let ids = receiver.ids()?;
        Ok(if ids.len() > 2 { Ok(ids) } else { Err(ids) })
    })?;
    // That it was used, nobody waits for.
    assert_eq!(told[..2], [format!("{id}-asked"), format!("{id}-1")]);
    ensure!(told.len() == 3 && told[2].starts_with(&format!("{}-frozen-", session.id)), "{told:?}");
    let frozen = receiver.notice(&told[2])?;
    assert_eq!(frozen["type"], "session_frozen");
    let data = &frozen["data"];
    assert_eq!(data["what"], "why does it delete that?");
    assert_eq!(data["console"], lab.gate.console(&format!("/sessions/{}", session.id)));
    let by = data["by"][0].as_str().unwrap_or_default();
    ensure!(by.starts_with("local user "), "{data}");
    receiver.is_clean()
}

#[test]
fn a_receiver_that_is_down_holds_nothing_up_and_hears_of_it_after_the_gate_was_killed() -> anyhow::Result<()>
{
    let receiver = Receiver::start()?;
    receiver.up.store(false, Ordering::SeqCst);
    let (mut lab, _folder) = receiver.lab("deaf", "200ms", "")?;
    let first = {
        let session = lab.gate.session("deaf")?;
        let waits = text(&session.kubectl(&["delete", "configmap", CANARY, "-n", "deaf"])?);
        let first = lab.gate.waiting()?;
        ensure!(waits.contains(&format!("waits as approval {first}")), "{waits}");
        eventually("a try", || {
            let log = lab.gate.log();
            let tried = log.lines().any(|line| line.contains("tried again later") && line.contains(&first));
            Ok(if tried { Ok(()) } else { Err(log) })
        })?;
        ensure!(session.kubectl(&["get", "pods", "-n", "deaf"])?.status.success());
        decided(&lab.gate, &["refuse", &first, "--why", "not today"])?;
        first
    };
    // Nobody may have looked at that yet.
    lab.gate.kill()?;
    assert!(receiver.ids()?.is_empty());
    receiver.up.store(true, Ordering::SeqCst);
    lab.gate.serve()?;
    let refused = receiver.notice(&format!("{first}-1"))?;
    assert_eq!(refused["data"]["decision"], "refused");
    let asked = receiver.notice(&format!("{first}-asked"))?;
    assert_eq!(asked["data"]["what"], "*", "masked as approvers see it");
    receiver.is_clean()
}

#[test]
fn a_session_that_the_gate_itself_freezes_is_told_of() -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let (lab, _folder) = receiver.lab("tripped", "200ms", "sessions: { known_values_sent: 0 }\n")?;
    let session = lab.gate.session("tripped")?;
    let refused = text(&session.kubectl(&["get", "configmap", CANARY, "-n", "tripped"])?);
    ensure!(
        refused.contains("this session is frozen") || refused.contains("more known secret values"),
        "{refused}"
    );
    let id = eventually("the freeze", || Ok(receiver.ids()?.pop().ok_or(())))?;
    let frozen = receiver.notice(&id)?;
    assert_eq!((&frozen["type"], &frozen["data"]["by"]), (&json!("session_frozen"), &json!(["portcullis"])));
    let what = frozen["data"]["what"].as_str().unwrap_or_default();
    ensure!(what.starts_with("it sent more known secret values"), "{what}");
    assert_eq!(frozen["data"]["reason"], "find out why checkout is slow");
    receiver.is_clean()
}
