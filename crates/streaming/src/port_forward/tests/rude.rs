//! Clients frame by frame: what ours never does, and what kubectl does.

use super::*;

/// A client that does what it should not.
struct Rude {
    connection: Connection,
    server: Streams,
}

impl Rude {
    fn new() -> Self {
        Self { connection: Connection::new(Role::Client), server: Streams::default() }
    }

    fn pass(&mut self) -> Result<(), Error> {
        let mut piece = self.connection.take_output();
        while self.server.receive(&mut piece)?.is_some() {}
        let mut answer = self.server.take_output().unwrap_or_default();
        while let Some(event) = self.connection.receive(&mut answer).unwrap() {
            assert!(matches!(event, Event::Replied { .. }));
        }
        Ok(())
    }

    fn open(&mut self, request: u32, port: u16, kind: PortForwardKind) -> Result<spdy::StreamId, Error> {
        let port = NonZeroU16::new(port).unwrap();
        let headers = PortForwardStream { request: RequestId::from(request), port, kind }.to_headers();
        let stream = self.connection.open(&headers, false).unwrap();
        self.pass().map(|()| stream)
    }
}

/// A client that has nothing to say may end its side at once. The other side cannot be told before it is there.
#[test]
fn what_is_finished_early_is_told_once_it_is_accepted() {
    let (errors, data) = (PortForwardKind::Error, PortForwardKind::Data);
    let connection = ConnectionId(1);
    let open = |request: u32| {
        let mut rude = Rude::new();
        rude.open(request, PORT.get(), errors).unwrap();
        let headers =
            PortForwardStream { request: RequestId::from(request), port: PORT, kind: data }.to_headers();
        let stream = rude.connection.open(&headers, true).unwrap();
        (rude, stream)
    };
    let (mut rude, _) = open(7);
    let mut piece = rude.connection.take_output();
    let opened = rude.server.receive(&mut piece).unwrap();
    assert_eq!(opened, Some(FromClient::Open { connection, port: PORT }));
    assert_eq!(rude.server.receive(&mut piece).unwrap(), None);
    rude.server.send(&FromServer::Accepted(connection)).unwrap();
    assert!(rude.server.has_said());
    assert_eq!(rude.server.receive(&mut piece).unwrap(), Some(FromClient::Finished(connection)));
    assert!(!rude.server.has_said());
    // Given up meanwhile, it is not finished any more.
    let (mut rude, stream) = open(7);
    rude.connection.reset(stream, ResetStatus::CANCEL);
    let mut piece = rude.connection.take_output();
    while rude.server.receive(&mut piece).unwrap().is_some() {}
    rude.server.send(&FromServer::Accepted(connection)).unwrap();
    assert!(!rude.server.has_said());
}

/// kubectl resets the data of a connection as soon as the other side has nothing more, and waits for how it went: a port where nobody listens is told
/// after that.
#[test]
fn how_it_went_is_told_though_its_data_was_reset() {
    let connection = ConnectionId(1);
    let mut rude = Rude::new();
    let errors = rude.open(7, PORT.get(), PortForwardKind::Error).unwrap();
    let data = rude.open(7, PORT.get(), PortForwardKind::Data).unwrap();
    rude.server.send(&FromServer::Accepted(connection)).unwrap();
    rude.server.send(&FromServer::Finished(connection)).unwrap();
    let mut answer = rude.server.take_output().unwrap();
    while rude.connection.receive(&mut answer).unwrap().is_some() {}
    rude.connection.reset(data, ResetStatus::CANCEL);
    let mut piece = rude.connection.take_output();
    assert_eq!(rude.server.receive(&mut piece).unwrap(), Some(FromClient::Finished(connection)));
    assert_eq!(rude.server.receive(&mut piece).unwrap(), None);
    assert!(rude.server.take_output().is_none(), "nothing is told before it is known");
    let text = Bytes::from_static(b"connection refused");
    rude.server.send(&FromServer::Told { connection, text: text.clone() }).unwrap();
    let mut answer = rude.server.take_output().unwrap();
    let told = rude.connection.receive(&mut answer).unwrap();
    assert_eq!(told, Some(Event::Data { stream: errors, bytes: text, finished: true }));
    assert!(rude.server.open.is_empty() && rude.server.streams.is_empty());
}

#[test]
fn what_no_client_does_is_refused() {
    use PortForwardKind::{Data, Error as Errors};
    let told = |rude: fn(&mut Rude) -> Result<(), Error>| rude(&mut Rude::new()).unwrap_err().to_string();
    let told = [
        told(|rude| {
            rude.connection.open(&HeaderMap::new(), false).unwrap();
            rude.pass()
        }),
        told(|rude| rude.open(7, 80, Data).map(drop)),
        told(|rude| {
            rude.open(7, 80, Errors)?;
            rude.open(7, 80, Errors).map(drop)
        }),
        told(|rude| {
            rude.open(7, 80, Errors)?;
            rude.open(7, 80, Data)?;
            rude.open(7, 80, Data).map(drop)
        }),
        told(|rude| {
            rude.open(7, 80, Errors)?;
            rude.open(7, 81, Data).map(drop)
        }),
        told(|rude| {
            let errors = rude.open(7, 80, Errors)?;
            rude.connection.send(errors, b"x", false).unwrap();
            rude.pass()
        }),
    ];
    let early = {
        let mut talk = Talk::new(usize::MAX);
        let connection = ConnectionId(1);
        talk.client_says(&FromClient::Open { connection, port: PORT });
        let bytes = Bytes::from_static(b"x");
        let client = talk.client.send(&FromClient::Data { connection, bytes: bytes.clone() }).unwrap_err();
        let server = talk.server.send(&FromServer::Data { connection, bytes }).unwrap_err();
        let twice = talk.client.send(&FromClient::Open { connection, port: PORT }).unwrap_err();
        [client, server, twice].map(|error| error.to_string())
    };
    insta::assert_snapshot!([&told[..], &early].concat().join("\n"), @"
    a stream has one header `streamType`
    open the stream for errors of connection `7` before the one for data
    connection `7` has such a stream already
    connection `7` has such a stream already
    the streams of connection `7` are for different ports
    nothing may be sent where errors are told in this direction
    nothing may be sent on a connection before it is accepted
    nothing may be sent on a connection before it is accepted
    connection `1` has such a stream already
    ");
}
