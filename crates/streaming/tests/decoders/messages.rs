//! The messages of exec and attach, v4 and v5.

use bytes::Bytes;
use streaming::{
    channel::{Closed, FromClient, FromServer},
    protocol::Version,
    resize::TerminalSize,
};

use crate::{
    damaged,
    rng::{Rng, cases},
    some_bytes,
};

const VERSIONS: [Version; 2] = [Version::V4, Version::V5];

#[test]
fn messages_are_heard_as_they_are_said_and_damaged_ones_are_of_one_side_at_most() {
    for seed in cases(2_000) {
        let mut rng = Rng(seed);
        let version = VERSIONS[rng.below(2)];
        let side = |rng: &mut Rng| u16::try_from(rng.below(65_536)).unwrap();
        let by_client = match rng.below(4) {
            0 => FromClient::Resize(TerminalSize { width: side(&mut rng), height: side(&mut rng) }),
            1 if version == Version::V5 => FromClient::Close(Closed::Stdin),
            _ => FromClient::Stdin(some_bytes(&mut rng, 300)),
        };
        let bytes = some_bytes(&mut rng, 300);
        let by_server = match rng.below(3) {
            0 => FromServer::Stdout(bytes),
            1 => FromServer::Stderr(bytes),
            _ => FromServer::Error(bytes),
        };
        let said = [by_client.encode(version).unwrap(), by_server.encode()];
        assert_eq!(FromClient::decode(said[0].clone(), version), Ok(by_client), "seed {seed}");
        assert_eq!(FromServer::decode(said[1].clone()), Ok(by_server), "seed {seed}");
        for said in said {
            let other = Bytes::from(damaged(&mut rng, &said));
            for version in VERSIONS {
                let client = FromClient::decode(other.clone(), version);
                let server = FromServer::decode(other.clone());
                assert!(client.is_err() || server.is_err(), "seed {seed}: {client:?} and {server:?}");
                // What was heard can be said again: the next leg hears the same.
                if let Ok(heard) = client {
                    let again = heard.encode(version).unwrap();
                    assert_eq!(FromClient::decode(again, version), Ok(heard), "seed {seed}");
                }
                if let Ok(heard) = server {
                    assert_eq!(FromServer::decode(heard.encode()), Ok(heard), "seed {seed}");
                }
            }
        }
    }
}
