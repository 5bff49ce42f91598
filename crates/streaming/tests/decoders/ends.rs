//! Both ends of exec, attach and port-forward: what comes to them damaged, in any pieces, ends them or is passed over.

use std::{collections::BTreeSet, num::NonZeroU16};

use bytes::Bytes;
use streaming::{
    Endpoint,
    channel::{Closed, FromClient, FromServer},
    kind::{Asked, PortForwardKind, PortForwardStream, RequestId},
    port_forward::{self, ConnectionId, Ports},
    protocol::{RemoteCommand, Transport, Version},
    remote_command,
    resize::TerminalSize,
    spdy::{Connection, ResetStatus, Role, StreamId},
};

use crate::{
    damaged, pieces,
    rng::{Rng, cases},
    some_bytes,
};

/// Gives an end what it may never have been said; how much it heard, if it went on. That is no more than so much at a time.
fn hears<E: Endpoint>(rng: &mut Rng, end: &mut E, said: &[u8], whole: bool) -> Option<usize> {
    let mut all_heard = 0;
    let all = if whole { vec![said] } else { pieces(rng, said) };
    for piece in all {
        let mut input = Bytes::copy_from_slice(piece);
        let mut heard = 0_usize;
        loop {
            match end.receive(&mut input) {
                Ok(Some(_)) => heard += 1,
                Ok(None) => break,
                Err(_) => return None,
            }
            assert!(heard <= 2 * piece.len() + 512, "it hears without end");
        }
        assert!(input.is_empty(), "a piece is read whole");
        all_heard += heard;
    }
    Some(all_heard)
}

/// What each says to the other, some of it damaged on its way, until one has enough; how much was heard.
fn talk<C: Endpoint, S: Endpoint>(
    rng: &mut Rng,
    (client, server): (&mut C, &mut S),
    messages: bool,
    mut says: impl FnMut(&mut Rng, &mut C, &mut S),
) -> usize {
    let mut all_heard = 0;
    for _ in 0..rng.below(40) {
        says(rng, client, server);
        let clean = rng.below(8) > 0;
        while let Some(output) = client.take_output() {
            let output = if clean { output.to_vec() } else { damaged(rng, &output) };
            let Some(heard) = hears(rng, server, &output, messages) else { return all_heard };
            all_heard += heard;
        }
        while let Some(output) = server.take_output() {
            let output = if clean { output.to_vec() } else { damaged(rng, &output) };
            let Some(heard) = hears(rng, client, &output, messages) else { return all_heard };
            all_heard += heard;
        }
    }
    all_heard
}

#[test]
fn nothing_that_comes_harms_exec_and_attach() {
    let protocols =
        [RemoteCommand::WebSocket(Version::V5), RemoteCommand::WebSocket(Version::V4), RemoteCommand::Spdy];
    let mut heard = 0;
    for seed in cases(500) {
        let mut rng = Rng(seed);
        let protocol = protocols[rng.below(3)];
        let mut one = || rng.below(3) > 0;
        let asked = Asked { stdin: one(), stdout: true, stderr: one(), tty: one() };
        let mut client = remote_command::Client::new(protocol, asked).unwrap();
        let mut server = remote_command::Server::new(protocol, asked);
        let messages = protocol.transport() == Transport::WebSocket;
        heard += talk(&mut rng, (&mut client, &mut server), messages, |rng, client, server| {
            let bytes = some_bytes(rng, 200);
            // What cannot be said, or not yet, is refused.
            let _said = match rng.below(6) {
                0 => client.send(&FromClient::Resize(TerminalSize { width: 80, height: 24 })),
                1 if rng.below(8) == 0 => client.send(&FromClient::Close(Closed::Stdin)),
                2 => return drop(server.send(&FromServer::Stderr(bytes))),
                3 if rng.below(8) == 0 => return drop(server.send(&FromServer::Error(bytes))),
                4 => return drop(server.send(&FromServer::Stdout(bytes))),
                _ => client.send(&FromClient::Stdin(bytes)),
            };
        });
    }
    assert!(heard > 1_000, "too little was heard: {heard}");
}

#[test]
fn nothing_that_comes_harms_port_forward_and_only_what_is_open_is_heard() {
    let mut heard = 0;
    for seed in cases(500) {
        let mut rng = Rng(seed);
        let ports = Ports::new([80, 81, 82].map(|port| NonZeroU16::new(port).unwrap())).unwrap();
        if rng.below(3) == 0 {
            heard += forwards(
                seed,
                port_forward::Server::messages(&ports),
                |rng| some_bytes(rng, 200).to_vec(),
                true,
            );
        } else {
            let mut client = Connection::new(Role::Client);
            let said = move |rng: &mut Rng| {
                said_by(rng, &mut client);
                let output = client.take_output();
                if rng.below(8) > 0 { output.to_vec() } else { damaged(rng, &output) }
            };
            heard += forwards(seed, port_forward::Server::streams(), said, false);
        }
    }
    assert!(heard > 1_000, "too little was heard: {heard}");
}

/// Something that a client of SPDY says of some connection.
fn said_by(rng: &mut Rng, client: &mut Connection) {
    let streams: Vec<StreamId> = client.streams().collect();
    let stream = streams.get(rng.below(streams.len().max(1))).copied();
    match (rng.below(5), stream) {
        (0 | 1, _) | (_, None) => {
            let request = RequestId::from(u32::try_from(rng.below(6)).unwrap());
            let port = NonZeroU16::new(80 + u16::from(rng.byte() / 200)).unwrap();
            for kind in [PortForwardKind::Error, PortForwardKind::Data] {
                if rng.below(8) > 0 {
                    let asked = PortForwardStream { request: request.clone(), port, kind };
                    client.open(&asked.to_headers(), kind == PortForwardKind::Error).unwrap();
                }
            }
        }
        (2, Some(stream)) => client.reset(stream, ResetStatus::CANCEL),
        (_, Some(stream)) => {
            let finished = rng.below(4) == 0;
            // It may have been finished already.
            let _said = client.send(stream, &some_bytes(rng, 100), finished);
        }
    }
}

/// What a server hears of a client, and says to it; how much that was.
fn forwards(
    seed: u64,
    mut server: port_forward::Server,
    mut said: impl FnMut(&mut Rng) -> Vec<u8>,
    messages: bool,
) -> usize {
    let mut all_heard = 0;
    let mut rng = Rng(!seed);
    let mut open: BTreeSet<ConnectionId> = BTreeSet::new();
    let mut ever: Vec<ConnectionId> = Vec::new();
    for _ in 0..rng.below(60) {
        let said = said(&mut rng);
        for piece in if messages { vec![&*said] } else { pieces(&mut rng, &said) } {
            let mut input = Bytes::copy_from_slice(piece);
            loop {
                let heard = match server.receive(&mut input) {
                    Ok(Some(heard)) => heard,
                    Ok(None) => break,
                    Err(_) => return all_heard,
                };
                all_heard += 1;
                let connection = heard.connection();
                match heard {
                    port_forward::FromClient::Open { .. } => {
                        assert!(open.insert(connection), "seed {seed}: {connection} is opened twice");
                        ever.push(connection);
                    }
                    port_forward::FromClient::Data { bytes, .. } => {
                        assert!(open.contains(&connection) && !bytes.is_empty(), "seed {seed}: {connection}");
                    }
                    port_forward::FromClient::Finished(_) => {
                        assert!(open.contains(&connection), "seed {seed}: {connection}");
                    }
                    port_forward::FromClient::Reset(_) => {
                        assert!(open.remove(&connection), "seed {seed}: {connection}");
                    }
                }
            }
            assert!(input.is_empty(), "seed {seed}: a piece is read whole");
        }
        if let Some(connection) = ever.get(rng.below(ever.len().max(1))).copied() {
            let bytes = some_bytes(&mut rng, 100);
            let answer = match rng.below(5) {
                0 => port_forward::FromServer::Accepted(connection),
                1 => port_forward::FromServer::Finished(connection),
                2 => port_forward::FromServer::Told { connection, text: bytes },
                3 if rng.below(4) == 0 => port_forward::FromServer::Reset(connection),
                _ => port_forward::FromServer::Data { connection, bytes },
            };
            if matches!(answer, port_forward::FromServer::Reset(_)) {
                open.remove(&connection);
            }
            // What it was not accepted for is refused.
            let _said = server.send(&answer);
        }
        while server.take_output().is_some() {}
    }
    all_heard
}
