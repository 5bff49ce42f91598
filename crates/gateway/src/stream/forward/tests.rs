//! What is kept and recorded of connections, without the ends of a way.

use std::{num::NonZeroU16, sync::Arc};

use door::Slots;
use insta::assert_snapshot;
use kube_api::Head;
use ledger::{leaf::Event, testing};
use serde_json::json;
use streaming::{
    Endpoint,
    kind::{PortForwardKind, PortForwardStream, RequestId},
    port_forward::{ConnectionId, FromClient, MAX_CONNECTIONS},
    spdy::{Connection, ResetStatus, Role},
};
use tokio::sync::Semaphore;

use super::{chores::Done, *};
use crate::bench::Bench;

mod stalled;

const PORT: NonZeroU16 = NonZeroU16::new(80).unwrap();

/// Connections that a client asks for, one after the other.
fn asked(count: usize) -> Vec<ConnectionId> {
    let (mut client, mut server) = (Connection::new(Role::Client), Server::streams());
    let mut hear = |client: &mut Connection| {
        let mut piece = client.take_output();
        let mut heard = Vec::new();
        while let Some(said) = server.receive(&mut piece).unwrap() {
            heard.push(said);
        }
        heard
    };
    let mut one = |number: u32| {
        let streams = [PortForwardKind::Error, PortForwardKind::Data].map(|kind| {
            let asked = PortForwardStream { request: RequestId::from(number), port: PORT, kind };
            client.open(&asked.to_headers(), false).unwrap()
        });
        let [FromClient::Open { connection, .. }] = hear(&mut client)[..] else { panic!() };
        streams.iter().for_each(|stream| client.reset(*stream, ResetStatus::CANCEL));
        hear(&mut client);
        connection
    };
    (1..).take(count).map(&mut one).collect()
}

fn way() -> Request {
    let path = "/api/v1/namespaces/shop/pods/web/portforward";
    let (parts, ()) = http::Request::post(path).body(()).unwrap().into_parts();
    Head::parse(&parts).unwrap().with_body(b"").unwrap()
}

async fn forward(bench: &Bench) -> Forward {
    let mut call = bench.call();
    assert!(call.begin_recording().await.is_ok());
    let request = way();
    let recorded = call.recorded().unwrap();
    let permit = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
    let places = Arc::new((permit, Slots::new(1).take("one").unwrap()));
    Forward::new(call, request, Pod::of(&json!({})), recorded, places)
}

/// What the ledger has of their ends.
async fn told(bench: &Bench) -> String {
    bench.gate.ledger().close(true).await.unwrap();
    let tell = |event| match event {
        Event::Outcome(outcome) => {
            let error = outcome.error.map_or_else(|| "-".to_owned(), |error| error.to_string());
            Some(format!("{:?} {}: {error}", outcome.stage, outcome.status.unwrap_or_default()))
        }
        Event::Refusal(refusal) => Some(format!("refused: {:?}", refusal.cause)),
        _ => None,
    };
    testing::events(bench.data.path()).into_iter().filter_map(tell).collect::<Vec<_>>().join("\n")
}

/// The same, once there is nothing more to come.
async fn told_of(bench: Bench, forward: Forward) -> String {
    drop(forward);
    told(&bench).await
}

#[tokio::test]
async fn a_connection_that_is_given_up_has_the_outcome_that_is_true() {
    let bench = Bench::new().await;
    let forward = forward(&bench).await;
    let [early, unsent, open, ended, failed] = asked(5)[..] else { panic!() };
    let connections = &forward.connections;
    for connection in [early, unsent, open, ended, failed] {
        connections.asked(connection);
    }
    // While it is judged, there is nothing to take out.
    assert!(connections.given_up(early).is_none());
    assert!(matches!(forward.open(early, PORT).await, Done::Nothing));
    for connection in [unsent, open, ended, failed] {
        assert!(matches!(forward.open(connection, PORT).await, Done::Ready(..)));
    }
    for connection in [open, ended, failed] {
        assert!(connections.on(connection, |open| open.sent = true));
    }
    assert!(connections.on(ended, |open| open.finished = true));
    assert!(connections.on(failed, |open| open.told = Some("no".to_owned())));
    for connection in [unsent, open, ended, failed] {
        let over = connections.given_up(connection).unwrap();
        assert!(forward.close(*over, None).await);
        assert!(!connections.on(connection, |_| panic!("it is not there any more")));
        assert!(connections.given_up(connection).is_none());
    }
    assert!(connections.take().is_empty());
    assert_snapshot!(told_of(bench, forward).await, @"
    Cut 503: the client left
    Cut 503: the client left
    Cut 101: the client left
    Completed 101: -
    Failed 101: the connection could not be opened, or broke
    ");
}

#[tokio::test]
async fn a_connection_is_over_when_it_is_finished_and_told() {
    let bench = Bench::new().await;
    let forward = forward(&bench).await;
    let connection = asked(1)[0];
    assert!(matches!(forward.open(connection, PORT).await, Done::Ready(..)));
    assert!(forward.connections.over(connection, |open| open.told = Some(String::new())).is_none());
    assert!(forward.connections.over(connection, |open| open.finished = true).is_some());
    assert!(!forward.connections.on(connection, |_| panic!("it is not there any more")));
}

#[tokio::test]
async fn a_session_that_is_frozen_meanwhile_opens_nothing_and_the_ledger_tells() {
    let bench = Bench::new().await;
    let forward = forward(&bench).await;
    let connection = asked(1)[0];
    forward.connections.asked(connection);
    assert!(bench.call().sent_known(u32::MAX).await.is_err());
    let Done::Refused(_, text) = forward.open(connection, PORT).await else { panic!() };
    assert!(text.contains("is frozen since"), "{text}");
    assert!(forward.connections.take().is_empty());
    assert_snapshot!(told_of(bench, forward).await, @"refused: SessionFrozen");
}

/// Those that are given up count until they are judged.
#[tokio::test]
async fn there_are_not_more_than_there_may_be() {
    let bench = Bench::new().await;
    let forward = forward(&bench).await;
    let all = asked(MAX_CONNECTIONS + 1);
    for connection in &all {
        forward.connections.asked(*connection);
        assert!(forward.connections.given_up(*connection).is_none());
    }
    let Done::Refused(_, text) = forward.open(all[0], PORT).await else { panic!() };
    assert!(text.contains("too many connections"), "{text}");
    assert!(matches!(forward.open(all[1], PORT).await, Done::Nothing));
}

/// Else an undo would tell that nobody knows what they did.
#[tokio::test]
async fn a_connection_is_answered_in_the_recording() {
    let bench = Bench::new().await;
    let forward = forward(&bench).await;
    let [unsent, open] = asked(2)[..] else { panic!() };
    for connection in [unsent, open] {
        assert!(matches!(forward.open(connection, PORT).await, Done::Ready(..)));
    }
    assert!(forward.connections.on(open, |open| open.sent = true));
    for connection in [unsent, open] {
        let over = forward.connections.given_up(connection).unwrap();
        assert!(forward.close(*over, None).await);
    }
    let answers: Vec<_> = bench.answers().await.into_iter().map(|(_, status)| status).collect();
    assert_eq!(answers, [Some(crate::tape::UNSENT), Some(101)]);
}
