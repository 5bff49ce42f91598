//! Where attacks are tried: a gate of one's own before the cluster that all share, and two namespaces with the same Secret.

use std::ops::Deref;

use anyhow::{Context, ensure};
use e2e::{Answer, CANARY, Client, Lab, SPIKY, start};
use serde_json::{Value, json};
use testkit::Options;

use crate::case::{JSON, Ways, filled};

/// The user that agents are upstream, and its groups.
pub(crate) const USER: &str = "portcullis:agent:claude";
pub(crate) const GROUPS: &[&str] = &["portcullis:agents", "portcullis:group:developers"];
/// The group that lets a call read Secrets.
pub(crate) const READER: &str = "portcullis:masked-reader";

pub(crate) struct World {
    ways: Ways,
    pub(crate) lab: Lab,
}

impl World {
    /// Gate, session and namespaces; in each namespace the Secret `database`, as `kubectl apply` leaves it.
    ///
    /// # Errors
    /// Something did not start.
    pub(crate) fn new(group: &str, options: &Options) -> anyhow::Result<Self> {
        // Attacks send the value itself, again and again: the trip wire is tried elsewhere.
        let extra = format!("{}sessions: {{ known_values_sent: 100000 }}\n", options.extra);
        let lab = start(&Options { extra, ..options.clone() })?;
        let gated = Client::new(&lab.gate, &lab.gate.session(group)?)?;
        let direct = Client::administrator(lab.cluster)?;
        let namespaces = ["direct", "gated"].map(|way| format!("{group}-{way}"));
        let world = Self { ways: Ways { direct, gated, namespaces }, lab };
        for namespace in &world.ways.namespaces {
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            made(&world.direct.ask("POST /api/v1/namespaces", &[JSON], &object.to_string())?)?;
        }
        world.make("/api/v1/namespaces/NS/secrets", &secret("database"))?;
        Ok(world)
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

    /// Asks past the gate again and again until the answer is so; a watch of a second between two times is the pause.
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
        const TIMES: usize = 40;
        let pause =
            filled("GET /api/v1/namespaces/NS/events?watch=true&timeoutSeconds=1", &self.namespaces[0]);
        let mut last = Answer::default();
        for _ in 0..TIMES {
            last = self.direct.ask(line, headers, body)?;
            if so(&last) {
                return Ok(last);
            }
            self.direct.ask(&pause, &[], "")?;
        }
        anyhow::bail!("not so in time: {line}: {last:?}")
    }
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
