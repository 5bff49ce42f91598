use super::*;

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

fn websocket(protocols: &'static str) -> HeaderMap {
    headers(&[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-protocol", protocols)])
}

fn spdy(protocols: &'static str) -> HeaderMap {
    headers(&[("connection", "Upgrade"), ("upgrade", "SPDY/3.1"), ("x-stream-protocol-version", protocols)])
}

#[test]
fn what_clients_offer_is_read() {
    let only = RemoteCommandOffer::Only;
    let v5 = only(RemoteCommand::WebSocket(Version::V5));
    let v4 = only(RemoteCommand::WebSocket(Version::V4));
    let spdy_only = only(RemoteCommand::Spdy);
    for (offered, read) in [
        (websocket("v5.channel.k8s.io"), v5),
        (websocket("v4.channel.k8s.io,channel.k8s.io, v5.channel.k8s.io"), RemoteCommandOffer::EitherVersion),
        (websocket("v4.channel.k8s.io"), v4),
        (websocket("v4.base64.channel.k8s.io, v4.channel.k8s.io"), v4),
        (spdy("v5.channel.k8s.io, v4.channel.k8s.io, v3.channel.k8s.io"), spdy_only),
    ] {
        assert_eq!(RemoteCommandOffer::read(&offered), Ok(read));
    }
    // As kubectl has them: a header for each.
    let kubectl = headers(&[
        ("connection", "Upgrade"),
        ("upgrade", "SPDY/3.1"),
        ("x-stream-protocol-version", "v5.channel.k8s.io"),
        ("x-stream-protocol-version", "v4.channel.k8s.io"),
        ("x-stream-protocol-version", "v3.channel.k8s.io"),
    ]);
    assert_eq!(RemoteCommandOffer::read(&kubectl), Ok(spdy_only));
    let browser = headers(&[
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-protocol", "v5.channel.k8s.io"),
    ]);
    assert_eq!(RemoteCommandOffer::read(&browser), Ok(v5));
    let tunnel = PortForward::Spdy(Transport::WebSocket);
    for (offered, agreed) in [
        (websocket("SPDY/3.1+portforward.k8s.io"), tunnel),
        (websocket("v4.channel.k8s.io, SPDY/3.1+portforward.k8s.io"), tunnel),
        // As client libraries have them.
        (websocket("v5.channel.k8s.io,v4.channel.k8s.io"), PortForward::Messages),
        (spdy("portforward.k8s.io"), PortForward::Spdy(Transport::Spdy)),
    ] {
        assert_eq!(PortForward::negotiate(&offered), Ok(agreed));
    }
}

#[test]
fn what_was_asked_for_is_what_is_agreed_to() {
    let [v5, v4] = [Version::V5, Version::V4].map(RemoteCommand::WebSocket);
    let spdy = RemoteCommand::Spdy;
    let (only, either) = (RemoteCommandOffer::Only, RemoteCommandOffer::EitherVersion);
    for asked in [only(v5), only(v4), only(spdy), either] {
        assert_eq!(RemoteCommandOffer::read(&asked.to_headers()), Ok(asked));
    }
    for (asked, answered, agreed) in [
        (only(v5), v5, true),
        (only(v4), v4, true),
        (only(v5), v4, false),
        (only(v4), v5, false),
        (either, v5, true),
        (either, v4, true),
        (either, spdy, false),
        (only(spdy), spdy, true),
        (only(spdy), v4, false),
    ] {
        let confirmed = RemoteCommandOffer::confirm(asked, &answered.to_headers());
        let name = asked.as_str();
        assert_eq!(confirmed, if agreed { Ok(answered) } else { Err(Refusal::NotConfirmed(name)) });
    }
    for asked in [either, only(v5)] {
        assert!(asked.confirm(&either.to_headers()).is_err(), "two at once");
        assert!(asked.confirm(&HeaderMap::new()).is_err());
    }
    let ways =
        [PortForward::Spdy(Transport::Spdy), PortForward::Spdy(Transport::WebSocket), PortForward::Messages];
    for (asked, answered) in ways.iter().flat_map(|asked| ways.map(|answered| (*asked, answered))) {
        assert_eq!(asked.confirm(&answered.to_headers()).is_ok(), asked == answered);
    }
}

#[test]
fn a_client_that_takes_either_version_gets_what_the_api_server_chose() {
    let [v5, v4] = [Version::V5, Version::V4].map(RemoteCommand::WebSocket);
    let either = RemoteCommandOffer::EitherVersion;
    assert_eq!([v5, v4].map(|chosen| either.beside(chosen)), [v5, v4]);
    assert_eq!(either.beside(RemoteCommand::Spdy), v5, "the gate speaks for both sides");
    assert_eq!(RemoteCommandOffer::Only(v4).beside(v5), v4);
}

#[test]
fn what_is_not_spoken_is_refused_by_naming_what_is() {
    let secret = "base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io";
    let remote = [
        headers(&[]),
        headers(&[("connection", "Upgrade"), ("upgrade", "h2c")]),
        headers(&[("connection", "Upgrade"), ("upgrade", "websocket, SPDY/3.1")]),
        headers(&[("connection", "Upgrade"), ("upgrade", "websocket"), ("upgrade", "SPDY/3.1")]),
        headers(&[("upgrade", "websocket"), ("sec-websocket-protocol", "v5.channel.k8s.io")]),
        headers(&[("connection", "Upgrade, X-Secret"), ("upgrade", "websocket")]),
        headers(&[("connection", "Upgrade"), ("upgrade", "websocket")]),
        headers(&[("connection", "Upgrade"), ("upgrade", "SPDY/3.1")]),
        websocket("channel.k8s.io"),
        websocket("v3.channel.k8s.io, v2.channel.k8s.io"),
        websocket("v4.base64.channel.k8s.io"),
        websocket("V5.channel.k8s.io"),
        websocket("SPDY/3.1+portforward.k8s.io"),
        websocket(secret),
        spdy("v5.channel.k8s.io"),
        spdy("v3.channel.k8s.io"),
    ]
    .map(|headers| RemoteCommandOffer::read(&headers).unwrap_err().to_string());
    let forward = [
        websocket("v4.base64.channel.k8s.io, channel.k8s.io"),
        websocket("portforward.k8s.io"),
        spdy("SPDY/3.1+portforward.k8s.io"),
        websocket(secret),
    ]
    .map(|headers| PortForward::negotiate(&headers).unwrap_err().to_string());
    let told = [&remote[..], &forward].concat().join("\n");
    assert!(!told.contains("c2VjcmV0"));
    insta::assert_snapshot!(told);
}
