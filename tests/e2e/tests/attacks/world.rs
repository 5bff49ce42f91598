//! Where attacks are tried: a gate before the cluster that all share, and two namespaces with the same Secret.

mod arranged;

use std::{
    fs,
    ops::Deref,
    sync::{Arc, LazyLock, Weak},
};

use anyhow::{Context, ensure};
use e2e::{Answer, CANARY, Client, Lab, SPIKY, eventually, start};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Cluster, Options};

use crate::case::{JSON, Ways, filled};

/// The user that agents are upstream, and its groups.
pub(crate) const USER: &str = "portcullis:agent:claude";
pub(crate) const GROUPS: &[&str] = &["portcullis:agents", "portcullis:group:developers"];
/// The group that lets a call read Secrets.
pub(crate) const READER: &str = "portcullis:masked-reader";

pub(crate) struct World {
    ways: Ways,
    /// Shared, but for [`World::alone`].
    pub(crate) lab: Arc<Lab>,
}

impl World {
    /// Session and namespaces, in each the Secret `database` as `kubectl apply` leaves it, behind a gate with these options, which
    /// tests that run at the same time share.
    ///
    /// # Errors
    /// Something did not start.
    pub(crate) fn new(group: &str, options: &Options) -> anyhow::Result<Self> {
        Self::behind(shared(options)?, group)
    }

    /// As [`World::new`], behind a gate that no other test uses.
    ///
    /// # Errors
    /// As [`World::new`].
    pub(crate) fn alone(group: &str, options: &Options) -> anyhow::Result<Self> {
        Self::behind(Arc::new(gate(options)?), group)
    }

    fn behind(lab: Arc<Lab>, group: &str) -> anyhow::Result<Self> {
        let gated = Client::new(&lab.gate, &lab.gate.session(group)?)?;
        let direct = administrator()?;
        let namespaces = ["direct", "gated"].map(|way| format!("{group}-{way}"));
        for namespace in &namespaces {
            furnish(&direct, namespace)?;
        }
        Ok(Self { ways: Ways { direct, gated, namespaces }, lab })
    }

    /// Creates an object in both namespaces, as the administrator.
    ///
    /// # Errors
    /// The API server did not take it.
    pub(crate) fn make(&self, path: &str, object: &Value) -> anyhow::Result<()> {
        for namespace in &self.namespaces {
            let (line, body) =
                (filled(&format!("POST {path}"), namespace), filled(&object.to_string(), namespace));
            made(&self.direct.ask(&line, &[JSON], &body)?).with_context(|| format!("{line} {body}"))?;
        }
        Ok(())
    }

    /// The agent's own user past the gate, with the rights of a masked read.
    ///
    /// # Errors
    /// The kubeconfig has no client certificate.
    pub(crate) fn reader(&self) -> anyhow::Result<Client> {
        Ok(self.direct.clone().impersonating(USER, &[GROUPS, &[READER]].concat()))
    }

    /// The namespace in which the agent acts.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespaces[1]
    }

    /// The `data` of the Secret `database` in the agent's namespace as it is stored.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn live(&self) -> anyhow::Result<Value> {
        let answer = self.direct.ask(
            &filled("GET /api/v1/namespaces/NS/secrets/database", self.namespace()),
            &[],
            "",
        )?;
        let secret: Value = serde_json::from_str(&answer.body)?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(secret["data"].clone())
    }

    /// Asks past the gate until the answer is so.
    ///
    /// # Errors
    /// It did not become so.
    pub(crate) fn until(
        &self,
        line: &str,
        headers: &[&str],
        body: &str,
        so: impl Fn(&Answer) -> bool,
    ) -> anyhow::Result<Answer> {
        until(&self.direct, line, headers, body, so)
    }
}

/// The start configuration with these rules, and the folder that they are in.
///
/// # Errors
/// They cannot be written.
pub(crate) fn ruled(rules: &str) -> anyhow::Result<(TempDir, Options)> {
    let folder = tempfile::tempdir()?;
    // Refusals name it.
    let bundle = folder.path().join("bundle");
    fs::create_dir(&bundle)?;
    fs::write(bundle.join("rules.cedar"), rules)?;
    let bundle = bundle.to_string_lossy().into_owned();
    Ok((folder, Options { bundle, ..Options::default() }))
}

/// Asks until the answer is so.
///
/// # Errors
/// It did not become so.
pub(crate) fn until(
    client: &Client,
    line: &str,
    headers: &[&str],
    body: &str,
    so: impl Fn(&Answer) -> bool,
) -> anyhow::Result<Answer> {
    eventually(line, || {
        let answer = client.ask(line, headers, body)?;
        Ok(if so(&answer) { Ok(answer) } else { Err(answer) })
    })
}

/// The gate that running tests use with these options. It ends, and is looked through, with the last of them.
fn shared(options: &Options) -> anyhow::Result<Arc<Lab>> {
    static GATES: Mutex<Vec<(String, Weak<Lab>)>> = Mutex::new(Vec::new());
    let wanted = format!("{options:?}");
    // Held while one starts, so that there is one.
    let mut gates = GATES.lock();
    gates.retain(|(_, lab)| lab.strong_count() > 0);
    let running = gates.iter().find(|(options, _)| *options == wanted).and_then(|(_, lab)| lab.upgrade());
    if let Some(lab) = running {
        return Ok(lab);
    }
    let lab = Arc::new(gate(options)?);
    gates.push((wanted, Arc::downgrade(&lab)));
    Ok(lab)
}

/// A gate to which the canaries are known from its first call on: a Secret that holds them was there before it.
fn gate(options: &Options) -> anyhow::Result<Lab> {
    static KNOWN: LazyLock<Result<(), String>> = LazyLock::new(|| {
        let make = || furnish(&administrator()?, "known");
        make().map_err(|error| format!("{error:#}"))
    });
    KNOWN.clone().map_err(anyhow::Error::msg)?;
    // Attacks send the value itself, again and again: the trip wire is tried elsewhere.
    let extra = format!("{}sessions: {{ known_values_sent: 100000 }}\n", options.extra);
    start(&Options { extra, ..options.clone() })
}

fn administrator() -> anyhow::Result<Client> {
    static CLIENT: LazyLock<Result<Client, String>> = LazyLock::new(|| {
        let client = Cluster::shared().and_then(Client::administrator);
        client.map_err(|error| format!("{error:#}"))
    });
    CLIENT.clone().map_err(anyhow::Error::msg)
}

/// A namespace with the Secret `database`.
fn furnish(administrator: &Client, namespace: &str) -> anyhow::Result<()> {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    for (path, object) in [("/api/v1/namespaces", object), (&*secrets, secret("database"))] {
        made(&administrator.ask(&format!("POST {path}"), &[JSON], &object.to_string())?)?;
    }
    Ok(())
}

impl Deref for World {
    type Target = Ways;

    fn deref(&self) -> &Ways {
        &self.ways
    }
}

/// A Secret with the canaries, in `data` and in what `kubectl apply` keeps of it.
pub(crate) fn secret(name: &str) -> Value {
    let data = json!({"password": CANARY, "spiky": SPIKY.join("\n")});
    let mut object = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": {"app": "web"}}, "stringData": data,
    });
    let applied = object.to_string();
    object["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    object
}

fn made(answer: &Answer) -> anyhow::Result<()> {
    ensure!(answer.status == 201, "not created: {answer:?}");
    Ok(())
}
