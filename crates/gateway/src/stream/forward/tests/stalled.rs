//! A client, or a port, that takes nothing.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use policy::{Judgement, Verdict};
use streaming::{
    port_forward::FromServer,
    protocol::Transport,
    spdy::{Event, StreamId},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::timeout,
};

use super::*;
use crate::bench::With;

/// What the connections take that nobody reads.
const ROOM: usize = 64;
/// For what must happen, and does not.
const PATIENCE: Duration = Duration::from_secs(20);

const DENIED: NonZeroU16 = NonZeroU16::new(81).unwrap();
const RULES: &str = r#"
@id("ports") @reason("a test")
permit (principal, action == Action::"portforward", resource is Object);
@id("not-81") @reason("a test")
forbid (principal, action == Action::"portforward", resource is Object) when { context.port == 81 };
"#;
const BRIEFLY: &str = r#"
@id("ports") @reason("a test") @longest("1s")
permit (principal, action == Action::"portforward", resource is Object);
@id("not-81") @reason("a test")
forbid (principal, action == Action::"portforward", resource is Object) when { context.port == 81 };
"#;

/// The other ends of both connections.
struct Talk {
    client: Connection,
    io: DuplexStream,
    pod_hears: Hearing<Server>,
    pod_says: Saying<Server>,
}

impl Talk {
    async fn new(forward: &Forward) -> (Legs, Self) {
        let (ours, io) = duplex(ROOM);
        let wire = wire::split(ours, Bytes::new(), Transport::Spdy, End::Server).await;
        let (client, to_client) = leg::new(Server::streams(), wire);
        let (ours, theirs) = duplex(ROOM);
        let (guard, who) = (forward.call.upstream().guard().clone(), ("claude", "prod"));
        let (pod, to_pod) = upstream::testing::port_forward(ours, guard, who, way()).await;
        let wire = wire::split(theirs, Bytes::new(), Transport::Spdy, End::Server).await;
        let (pod_hears, pod_says) = leg::new(Server::streams(), wire);
        let talk = Self { client: Connection::new(Role::Client), io, pod_hears, pod_says };
        (Legs { client, to_client, pod, to_pod }, talk)
    }

    /// Asks for a connection; nothing of what comes is read. Its stream for data.
    async fn ask(&mut self, number: u32, port: NonZeroU16) -> StreamId {
        let [_, data] = [PortForwardKind::Error, PortForwardKind::Data].map(|kind| {
            let asked = PortForwardStream { request: RequestId::from(number), port, kind };
            self.client.open(&asked.to_headers(), false).unwrap()
        });
        self.say().await;
        data
    }

    async fn say(&mut self) {
        self.io.write_all(&self.client.take_output()).await.unwrap();
    }

    /// Opens the first connection.
    async fn open(&mut self) -> (StreamId, ConnectionId) {
        let data = self.ask(1, PORT).await;
        let Ok(Some(FromClient::Open { connection, .. })) = self.pod_hears.next().await else { panic!() };
        self.pod_says.say(&FromServer::Accepted(connection)).await.unwrap();
        loop {
            let mut piece = BytesMut::new();
            self.io.read_buf(&mut piece).await.unwrap();
            let mut piece = piece.freeze();
            while let Some(event) = self.client.receive(&mut piece).unwrap() {
                if matches!(event, Event::Replied { stream, .. } if stream == data) {
                    return (data, connection);
                }
            }
        }
    }
}

async fn tape(forward: &Forward) -> Tape {
    let call = &forward.call;
    let Judgement::Pod(look) = call.judge(way()) else { panic!() };
    let Verdict::Allow(permit) = call.policy().judge_pod(look, &forward.pod, 443) else { panic!() };
    Tape::called(call, call.id(), call.recorded().unwrap(), &permit).await.unwrap()
}

async fn bench(rules: &'static str, write_timeout: Duration) -> Bench {
    Bench::with(With { rules, write_timeout, ..With::default() }).await
}

#[tokio::test]
async fn an_end_comes_though_the_client_takes_nothing_of_what_it_is_told() {
    let bench = bench(BRIEFLY, PATIENCE).await;
    let forward = forward(&bench).await;
    let (legs, mut talk) = Talk::new(&forward).await;
    let tape = tape(&forward).await;
    let cut = async {
        let (_, permitted) = talk.open().await;
        talk.ask(2, DENIED).await;
        let heard = talk.pod_hears.next().await;
        assert!(matches!(heard, Ok(Some(FromClient::Reset(cut))) if cut == permitted), "{heard:?}");
    };
    tokio::select! {
        biased;
        () = forward.run(legs, tape) => panic!("it goes on"),
        cut = timeout(PATIENCE / 2, cut) => cut.unwrap(),
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_for_too_long_loses_the_way() {
    let bench = bench(RULES, Duration::from_millis(50)).await;
    let forward = forward(&bench).await;
    let (legs, mut talk) = Talk::new(&forward).await;
    let tape = tape(&forward).await;
    let drive = async {
        talk.ask(1, DENIED).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = timeout(PATIENCE, forward.run(legs, tape)) => ended.unwrap(),
        () = drive => {}
    }
    insta::assert_snapshot!(told(&bench).await, @r"
    refused: Policy
    Cut 101: the client took nothing for too long
    ");
}

/// The same of what comes from a port.
#[tokio::test]
async fn a_client_that_does_not_read_loses_the_way() {
    let bench = bench(RULES, Duration::from_millis(50)).await;
    let forward = forward(&bench).await;
    let (legs, mut talk) = Talk::new(&forward).await;
    let tape = tape(&forward).await;
    let drive = async {
        let (_, connection) = talk.open().await;
        let bytes = Bytes::from_static(&[b'x'; 4 * ROOM]);
        let _until_it_is_cut = talk.pod_says.say(&FromServer::Data { connection, bytes }).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = timeout(PATIENCE, forward.run(legs, tape)) => ended.unwrap(),
        () = drive => {}
    }
    insta::assert_snapshot!(told(&bench).await, @r"
    Cut 101: the client took nothing for too long
    Cut 101: the client took nothing for too long
    ");
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_though_the_port_reads_nothing() {
    let bench = bench(RULES, PATIENCE).await;
    let forward = forward(&bench).await;
    let (legs, mut talk) = Talk::new(&forward).await;
    let tape = tape(&forward).await;
    let drive = async {
        let (data, _) = talk.open().await;
        talk.client.send(data, &[b'x'; 4 * ROOM], false).unwrap();
        talk.say().await;
        drop(talk.io);
        let _reads_nothing = (talk.pod_hears, talk.pod_says);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = timeout(PATIENCE / 2, forward.run(legs, tape)) => ended.unwrap(),
        () = drive => {}
    }
    insta::assert_snapshot!(told(&bench).await, @r"
    Cut 101: the client left
    Completed 101: -
    ");
}
