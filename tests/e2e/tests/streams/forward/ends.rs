//! A port-forward ends with its session, and its recording tells what went through it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use anyhow::ensure;
use e2e::{Lab, at_once, eventually, leaves, permissive, text};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::Value;

use super::{Forward, TRANSPORTS, connections, gated, lab};

/// How a session ends.
#[derive(Debug, Clone, Copy)]
enum How {
    Expiry,
    Freeze,
    Revoke,
}

/// A session with a port-forward, on which a connection is open.
struct Ends {
    session: String,
    how: How,
    transport: &'static str,
    forward: Forward,
    open: TcpStream,
}

impl How {
    /// For how long the session is opened: long enough for what is in it to begin; the others end in the meantime.
    fn lasts(self) -> &'static str {
        match self {
            Self::Expiry => "45s",
            Self::Freeze | Self::Revoke => "1h",
        }
    }

    fn why(self) -> &'static str {
        match self {
            Self::Freeze => "the session is frozen",
            Self::Expiry | Self::Revoke => "the session has ended",
        }
    }

    fn end(self, lab: &Lab, session: &str) -> anyhow::Result<()> {
        match self {
            Self::Expiry => Ok(()),
            Self::Freeze => lab.gate.freeze(session, "look at this").map(drop),
            Self::Revoke => lab.gate.revoke(session),
        }
    }
}

impl Ends {
    /// Whoever looks at the port-forward is told why it ends.
    fn end(mut self, lab: &Lab) -> anyhow::Result<String> {
        self.how.end(lab, &self.session)?;
        let mut rest = Vec::new();
        let _reset = self.open.read_to_end(&mut rest);
        ensure!(rest.is_empty(), "{rest:?}");
        let said = self.forward.end()?;
        let told = format!("{}, so the port-forward was ended", self.how.why());
        ensure!(said.contains(&told), "{}, {:?}: {said}", self.transport, self.how);
        Ok(self.session)
    }
}

#[test]
fn a_port_forward_ends_with_its_session_and_its_recording_tells_what_it_was() -> anyhow::Result<()> {
    let namespace = "streams-forward-ends";
    let mut lab = lab(namespace, &permissive())?;
    let mut all = Vec::new();
    let hows = [How::Expiry, How::Freeze, How::Revoke];
    for (how, (transport, websockets)) in hows.into_iter().flat_map(|how| TRANSPORTS.map(|over| (how, over)))
    {
        let name = format!("forward-{how:?}-{transport}").to_lowercase();
        let session = lab.gate.session_for(&name, how.lasts())?;
        let forward = Forward::start(gated(&session, namespace, "web", 80)?, websockets)?;
        ensure!(forward.get("bytes=0-9")?.len() == 10);
        // The server answers that it is none of TLS.
        let mut greeting = forward.connect()?;
        greeting.write_all(&hello("shop.example.com")?)?;
        let mut answer = Vec::new();
        greeting.read_to_end(&mut answer)?;
        ensure!(answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
        let mut open = forward.connect()?;
        open.write_all(b"GET /")?;
        eventually_open(&lab, &session.id)?;
        all.push(Ends { session: session.id.clone(), how, transport, forward, open });
    }
    for ends in all.into_iter().rev() {
        let why = ends.how.why();
        let session = ends.end(&lab)?;
        let told = eventually_told(&lab, &session, why)?;
        ensure!(told.contains("GET /agnhost HTTP/1.1, "), "{told}");
        ensure!(!told.contains("not-told"), "{told}");
        ensure!(told.contains("TLS for shop.example.com, "), "{told}");
        let unknown = format!("an unknown protocol, 5 bytes in, 0 bytes out; {why}");
        ensure!(told.contains(&unknown), "{told}");
    }
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let ends = |leaf: &&Value| {
        ["session_revoked", "session_frozen", "session_expired"].iter().any(|kind| leaf["type"] == *kind)
    };
    let ends: Vec<&Value> = leaves.iter().filter(ends).collect();
    ensure!(ends.len() == 6, "{ends:?}");
    for end in ends {
        // The way and what went through it.
        let of = |event: &Value| event["actor"]["session"] == end["event"]["session"];
        let intents = leaves.iter().filter(|leaf| leaf["type"] == "intent" && of(&leaf["event"]));
        let calls: Vec<&Value> = intents.map(|leaf| &leaf["event"]["call"]).collect();
        let cut = leaves
            .iter()
            .filter(|leaf| leaf["event"]["stage"] == "cut" && calls.contains(&&leaf["event"]["call"]));
        let cut: Vec<&Value> = cut.collect();
        ensure!(cut.len() == 2, "{cut:?}");
        cut.into_iter().try_for_each(|cut| at_once(end, cut))?;
    }
    Ok(())
}

/// The first that a client of TLS says.
fn hello(to: &'static str) -> anyhow::Result<Vec<u8>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let mut hello = Vec::new();
    ClientConnection::new(Arc::new(config), to.try_into()?)?.write_tls(&mut hello)?;
    Ok(hello)
}

/// Three connections of the session were opened by now.
fn eventually_open(lab: &Lab, session: &str) -> anyhow::Result<()> {
    eventually("the connection is open", || {
        let leaves = leaves(&lab.gate)?;
        let of = |event: &&&Value| event["actor"]["session"] == session;
        let open = connections(&leaves, "intent").iter().filter(of).count();
        Ok(if open == 3 { Ok(()) } else { Err(open) })
    })
}

/// What its recording shows.
fn eventually_told(lab: &Lab, session: &str, why: &str) -> anyhow::Result<String> {
    eventually("the recording is whole", || {
        let output = lab.gate.portcullis(&["sessions", "show", session, "--data", &lab.gate.path("data")])?;
        let shown = text(&output);
        Ok(if shown.contains(why) { Ok(shown) } else { Err(shown) })
    })
}
