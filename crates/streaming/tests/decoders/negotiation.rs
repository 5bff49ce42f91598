//! What is agreed on, from headers of any kind.

use http::{HeaderMap, HeaderName, HeaderValue};
use streaming::{
    kind::{PortForwardStream, RemoteCommandStream},
    protocol::{PortForward, RemoteCommand, RemoteCommandOffer, Transport, Version},
};

use crate::{
    damaged,
    rng::{Rng, cases},
};

const COMMANDS: [RemoteCommandOffer; 4] = [
    RemoteCommandOffer::EitherVersion,
    RemoteCommandOffer::Only(RemoteCommand::WebSocket(Version::V5)),
    RemoteCommandOffer::Only(RemoteCommand::WebSocket(Version::V4)),
    RemoteCommandOffer::Only(RemoteCommand::Spdy),
];
const FORWARDS: [PortForward; 3] =
    [PortForward::Messages, PortForward::Spdy(Transport::WebSocket), PortForward::Spdy(Transport::Spdy)];

/// Some of these headers, some of them damaged, doubled or left out.
fn some_of(rng: &mut Rng, headers: &HeaderMap) -> HeaderMap {
    let mut some = HeaderMap::new();
    for (name, value) in headers {
        for _ in 0..[0, 1, 1, 1, 2][rng.below(5)] {
            let bytes =
                if rng.below(3) == 0 { damaged(rng, value.as_bytes()) } else { value.as_bytes().to_vec() };
            some.extend(HeaderValue::from_bytes(&bytes).ok().map(|value| (name.clone(), value)));
        }
    }
    some
}

#[test]
fn what_is_agreed_on_was_offered_and_nothing_else_is_confirmed() {
    for seed in cases(2_000) {
        let mut rng = Rng(seed);
        let (command, forward) = (COMMANDS[rng.below(4)], FORWARDS[rng.below(3)]);
        assert_eq!(RemoteCommandOffer::read(&command.to_headers()), Ok(command));
        assert_eq!(PortForward::negotiate(&forward.to_headers()), Ok(forward));
        let offered = some_of(&mut rng, &command.to_headers());
        if let Ok(agreed) = RemoteCommandOffer::read(&offered).map(RemoteCommandOffer::best) {
            assert!(names(&offered, agreed.as_str()), "seed {seed}: {agreed:?} of {offered:?}");
        }
        // Who confirms one protocol confirms no other.
        for asked in COMMANDS {
            if let Ok(agreed) = asked.confirm(&offered) {
                let only = RemoteCommandOffer::Only(agreed);
                assert_eq!(RemoteCommandOffer::read(&offered), Ok(only), "seed {seed}: {offered:?}");
                assert_eq!(asked.beside(agreed), agreed, "seed {seed}: {offered:?} was not offered");
            }
        }
        let offered = some_of(&mut rng, &forward.to_headers());
        if let Ok(agreed) = PortForward::negotiate(&offered) {
            assert!(names(&offered, agreed.as_str()), "seed {seed}: {agreed:?} of {offered:?}");
        }
        for asked in FORWARDS {
            if asked.confirm(&offered).is_ok() {
                assert_eq!(PortForward::negotiate(&offered), Ok(asked), "seed {seed}: {offered:?}");
            }
        }
    }
}

/// Whether a protocol is among those that a header offers.
fn names(headers: &HeaderMap, protocol: &str) -> bool {
    let values = headers.iter().filter(|(name, _)| name.as_str() != "upgrade");
    let offered = values.flat_map(|(_, value)| value.as_bytes().split(|byte| *byte == b','));
    offered.into_iter().any(|name| name.trim_ascii() == protocol.as_bytes())
}

#[test]
fn streams_are_what_their_headers_say_or_nothing() {
    const NAMES: [&str; 4] = ["streamtype", "port", "requestid", "other"];
    const VALUES: [&str; 11] =
        ["error", "stdin", "stdout", "stderr", "resize", "data", "80", "65535", "0", "00001", "7"];
    for seed in cases(2_000) {
        let mut rng = Rng(seed);
        let mut headers = HeaderMap::new();
        for _ in 0..rng.below(6) {
            let value = VALUES[rng.below(VALUES.len())].as_bytes();
            let value = if rng.below(4) == 0 { damaged(&mut rng, value) } else { value.to_vec() };
            let name = HeaderName::from_static(NAMES[rng.below(NAMES.len())]);
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        if let Ok(stream) = RemoteCommandStream::from_headers(&headers) {
            assert_eq!(RemoteCommandStream::from_headers(&stream.to_headers()), Ok(stream), "seed {seed}");
            assert_eq!(headers["streamtype"], stream.as_str(), "seed {seed}");
        }
        if let Ok(stream) = PortForwardStream::from_headers(&headers) {
            let again = PortForwardStream::from_headers(&stream.to_headers());
            assert_eq!(again, Ok(stream), "seed {seed}: {headers:?}");
        }
    }
}
