//! Port-forward: a way to a pod, through which connections to its ports are opened, each of them a call of its own.
//!
//! ```text
//!  way         permit ─ intent ─ switch ─ 101 ─ is it still that pod? ─ 101 to the client ─ pass ─ close
//!  connection  open ─ judge by its port ─┬─ recorded as opened ─ intent ─ connect ─ accepted ─ bytes ─ over ─ close
//!                                        └─ refusal, on the stream that tells errors
//! ```
//!
//! Bytes pass as they come and are not recorded, but counted; what they begin with tells what they are (`fingerprint`). The two
//! directions (`pass`) do not wait for each other; within one, a connection that is not read from stops all, as in Kubernetes. What
//! waits for the disk (`chores`) stops neither. Whatever ends the way ends all its connections (`closing`); a client that speaks in
//! messages opens none later, so that the end of the last one ends the way.

mod chores;
mod closing;
mod connections;
mod fingerprint;
mod pass;

use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use kube_api::{Request, Target};
use ledger::leaf::Id;
use policy::Pod;
use streaming::{
    port_forward::{Ports, Server},
    protocol::PortForward as Spoken,
};
use tokio::{sync::Mutex, time::Instant};
use upstream::{Forwarded, PortForward, Tunnel};
use wire::{
    End,
    leg::{self, Hearing, Saying},
};

use self::{chores::Chores, connections::Connections};
use super::client_of;
use crate::{
    call::{Call, Reached},
    connection::Places,
    interrupt::{self, Nature},
    look::Stop,
    outcome::Ending,
    recordings::Recorded,
    refuse::Refused,
    tape::Tape,
};

const OTHER_POD: Ending = Ending::Failed("the pod is another than the one that was looked at");
const UNSEEN: Ending = Ending::Failed("the pod could not be looked at once more");

/// For so long a pod is taken to be as it was looked at; after that it is looked at before another connection is judged.
const FRESH: Duration = Duration::from_secs(5);

/// A way that is open upstream.
pub(super) struct Forward {
    call: Call,
    /// As it was permitted.
    opened: Request,
    target: Target,
    pod: Pod,
    /// When the pod was looked at last.
    looked: Mutex<Instant>,
    connections: Connections,
    recorded: Recorded,
    /// The client's connection counts as one until the stream has ended.
    _places: Places,
}

/// The four ends of the two connections.
struct Legs {
    client: Hearing<Server>,
    to_client: Saying<Server>,
    pod: Forwarded,
    to_pod: PortForward,
}

impl Call {
    /// The pod that a port-forward reaches, if it is still the one by which it was judged.
    pub(super) async fn still_reached(&self, opened: &Request) -> Result<Pod, (Ending, Refused)> {
        match self.still_reaches(opened).await {
            Ok(Some(Reached { pod, .. })) => Ok(pod),
            Ok(None) => Err((OTHER_POD, Refused::Cut(OTHER_POD))),
            Err(Stop::Refused { refused, .. }) => Err((UNSEEN, refused)),
            Err(Stop::Unrecorded) => Err((Ending::Unrecordable, Refused::Unrecorded)),
        }
    }
}

/// `None`: what was opened names no ports, though it had to.
fn server(spoken: Spoken, opened: &Request) -> Option<Server> {
    match spoken {
        Spoken::Messages => Ports::new(opened.forwarded_ports()).ok().as_ref().map(Server::messages),
        Spoken::Spdy(_) => Some(Server::streams()),
    }
}

impl Forward {
    /// A way to `pod`, which was just looked at.
    pub(super) fn new(call: Call, opened: Request, pod: Pod, recorded: Recorded, places: Places) -> Self {
        let target = opened.target().clone();
        let (looked, connections) = (Mutex::new(Instant::now()), Connections::default());
        // It is looked for when the client has its answer, too.
        let call = call.beyond_its_answer();
        Self { call, opened, target, pod, looked, connections, recorded, _places: places }
    }

    /// Until its end, from the client's 101 on.
    pub(super) async fn begin(self, tunnel: Tunnel, on: OnUpgrade, spoken: Spoken, tape: Tape) {
        let (io, ahead) = match client_of(on, &self.call, &self.target).await {
            Ok(client) => client,
            Err(ending) => {
                drop(tunnel);
                return self.end(tape, ending).await;
            }
        };
        let (Some(server), Some((pod, to_pod))) = (server(spoken, &self.opened), tunnel.port_forward().await)
        else {
            return self.end(tape, Ending::Failed("the gate could not begin the stream")).await;
        };
        let wire = wire::split(io, ahead, spoken.transport(), End::Server).await;
        let (client, to_client) = leg::new(server, wire);
        self.run(Legs { client, to_client, pod, to_pod }, tape).await;
    }

    /// Until either side, or what ends it, has ended it.
    async fn run(self, legs: Legs, tape: Tape) {
        let Legs { mut client, to_client, mut pod, to_pod } = legs;
        let (chores, mut work) = Chores::new(&self);
        let ending = tokio::select! {
            biased;
            ending = interrupt::interrupted(&self.call, Nature::Tunnel, &self.target) => ending,
            ending = self.to_the_client(&mut pod, &to_client, &chores) => ending,
            ending = self.to_the_pod(&mut client, &to_pod, &chores) => ending,
            ending = work.run(&to_client, &to_pod) => ending,
        };
        self.call.interrupts().left.cancel();
        // The API server is let go first: recording and ledger may take their time.
        closing::let_go(pod, to_pod).await;
        drop(chores);
        work.finish().await;
        let told = self.close_all(ending).await;
        closing::farewell(client, &to_client, told).await;
        self.end(tape, ending).await;
    }

    /// Makes sure that the pod is as it was when it was looked at, if that was long ago.
    async fn is_that_pod(&self) -> Result<(), Ending> {
        let mut looked = self.looked.lock().await;
        if looked.elapsed() >= FRESH {
            self.call.still_reached(&self.opened).await.map_err(|(ending, _refused)| ending)?;
            *looked = Instant::now();
        }
        Ok(())
    }

    fn id(&self) -> &Id {
        self.call.id()
    }
}

#[cfg(test)]
mod tests;
