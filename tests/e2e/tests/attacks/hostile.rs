//! Answers that no API server should give, or only to others: a stand-in gives them, and a client that reads it directly
//! finds the canary in each.

use std::{
    fs,
    io::{Read, Write},
};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{Answer, AuditedGate, CANARY, Client, behind, contains_canary};
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use http::{HeaderName, StatusCode, header};
use testkit::{
    Options,
    stand_in::{Reply, Seen, StandIn},
};

use crate::case::{
    Gated::{self, Fails, Masked, Plain},
    each,
};

pub(crate) fn rows() -> Vec<&'static str> {
    TABLE.iter().map(|hostile| hostile.row).chain(["B8"]).collect()
}

/// An answer of the stand-in to a path, and what the gate makes of it.
struct Hostile {
    row: &'static str,
    path: &'static str,
    reply: fn() -> Reply,
    /// `None`: nothing but the gate's own 502.
    gated: Option<Gated>,
}

const SECRET: &str = "/api/v1/namespaces/n/secrets";

const fn hostile(
    row: &'static str,
    path: &'static str,
    reply: fn() -> Reply,
    gated: Option<Gated>,
) -> Hostile {
    Hostile { row, path, reply, gated }
}

const TABLE: &[Hostile] = &[
    hostile("B1", "/protobuf", || typed("application/vnd.kubernetes.protobuf", protobuf()), None),
    hostile("B1", "/protobuf-said-to-be-json", || Reply::json(StatusCode::OK, protobuf()), None),
    hostile(
        "B1",
        "?watch=true&resourceVersion=1",
        || typed("application/vnd.kubernetes.protobuf;stream=watch", protobuf()),
        None,
    ),
    hostile("B2", "/cbor", || typed("application/cbor", cbor()), None),
    hostile("B2", "/cbor-said-to-be-json", || Reply::json(StatusCode::OK, cbor()), None),
    hostile("B2", "?watch=true&resourceVersion=2", || typed("application/cbor-seq", cbor()), None),
    hostile("B3", "/gzip", || encoded("gzip", gzip(&secret())), None),
    hostile("B3", "/gzip-members", || encoded("gzip", members()), None),
    hostile("B3", "/gzip-unsaid", || Reply::json(StatusCode::OK, gzip(&secret())), None),
    hostile("B3", "/encoded-twice", || encoded("gzip, gzip", gzip(&secret())), None),
    hostile("B3", "/encoding-unheard-of", || encoded("rot13", secret().into_bytes()), None),
    hostile("B3", "?watch=true&resourceVersion=3", || encoded("gzip", members()), None),
    hostile("B5", "?watch=true&resourceVersion=4", || bytewise(&events()), Some(Masked(200))),
    hostile(
        "B5",
        "?watch=true&resourceVersion=5",
        || Reply::json(StatusCode::OK, events()),
        Some(Masked(200)),
    ),
    hostile("B5", "/bytewise", || bytewise(&secret()), Some(Masked(200))),
    // Keys that look like others, and documents that two readers read in two ways.
    hostile(
        "B7",
        "/escaped-key",
        || of(r#"{"kind":"Secret","apiVersion":"v1","\u0064ata":{"p":"CANARY64"}}"#),
        Some(Masked(200)),
    ),
    hostile(
        "B7",
        "/doubled-key",
        || of(r#"{"kind":"Secret","data":{"p":"CANARY64"},"data":{"q":"CANARY64"}}"#),
        Some(Masked(200)),
    ),
    hostile(
        "B7",
        "/another-case",
        || of(r#"{"kind":"Secret","Data":{"p":"CANARY64"},"STRINGDATA":{"q":"CANARY"}}"#),
        Some(Masked(200)),
    ),
    hostile(
        "B7",
        "/escaped-and-doubled",
        || of(r#"{"data":{},"\u0064\u0061ta":{"p":"CANARY64"},"dat\u0061":["CANARY"]}"#),
        Some(Masked(200)),
    ),
    hostile(
        "B7",
        "/another-type",
        || of(r#"{"kind":"Secret","data":["CANARY64",{"x":"CANARY"}],"stringData":"CANARY"}"#),
        Some(Masked(200)),
    ),
    hostile(
        "B7",
        "/lone-surrogate",
        || of(r#"{"kind":"Secret","data":{"\ud800":"CANARY64","p":"\udc00CANARY"}}"#),
        None,
    ),
    hostile("B7", "/trailing", || of(r#"{"kind":"Secret","data":{}} CANARY"#), None),
    hostile("B7", "/second-document", || of(r#"{"kind":"Secret","data":{}}{"x":"CANARY"}"#), None),
    hostile("B7", "/unquoted", || of(r#"{"kind":"Secret","x":CANARY}"#), None),
    hostile("B7", "/raw-control", || of("{\"kind\":\"Secret\",\"x\":\"a\u{1}CANARY\"}"), None),
    hostile(
        "B7",
        "/byte-order-mark",
        || of("\u{feff}{\"kind\":\"Secret\",\"stringData\":{\"p\":\"CANARY\"}}"),
        None,
    ),
    hostile(
        "B7",
        "/deep",
        || of(&format!("{}\"CANARY\"{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000))),
        None,
    ),
    hostile("B7", "/broken-off", || of(r#"{"kind":"Secret","x":[1,"CANARY"#), None),
    // E5: what an answer says it is does not choose how it is masked.
    hostile(
        "E5",
        "/said-to-be-a-configmap",
        || of(r#"{"kind":"ConfigMap","apiVersion":"v1","data":{"p":"CANARY64"}}"#),
        Some(Masked(200)),
    ),
    hostile("E5", "/said-to-be-nothing", || of(r#"{"data":{"p":"CANARY64"}}"#), Some(Masked(200))),
    hostile(
        "E5",
        "/said-to-be-a-list",
        || of(r#"{"kind":"ConfigMapList","apiVersion":"v1","items":[{"data":{"p":"CANARY64"}}]}"#),
        Some(Masked(200)),
    ),
    hostile(
        "E5",
        "/said-to-be-a-table",
        || of(r#"{"kind":"Pod","rows":[{"cells":["a"],"object":{"kind":"Pod","data":{"p":"CANARY64"}}}]}"#),
        Some(Masked(200)),
    ),
    hostile(
        "E5",
        "?watch=true&resourceVersion=6",
        || of(r#"{"type":"ADDED","object":{"kind":"Pod","data":{"p":"CANARY64"}}}"#),
        Some(Masked(200)),
    ),
    // A2: errors that quote, in every form.
    hostile(
        "A2",
        "/invalid",
        || {
            of(r#"{"kind":"Status","message":"Invalid value: CANARY","reason":"Invalid","details":{"name":"CANARY","causes":[{"reason":"FieldValueInvalid","message":"CANARY","field":"metadata.labels[CANARY]"}]}}"#).status(StatusCode::UNPROCESSABLE_ENTITY)
        },
        Some(Fails),
    ),
    hostile(
        "A2",
        "/plain-error",
        || typed("text/plain", CANARY.as_bytes().to_vec()).status(StatusCode::BAD_REQUEST),
        Some(Fails),
    ),
    hostile(
        "A2",
        "/page-error",
        || typed("text/html", CANARY.as_bytes().to_vec()).status(StatusCode::FORBIDDEN),
        Some(Fails),
    ),
    hostile(
        "A2",
        "/moved",
        || of("{}").status(StatusCode::FOUND).header(header::LOCATION, "/canary-7c1d94e0b25f4a8e-value"),
        None,
    ),
    hostile(
        "A2",
        "/warned",
        || of(r#"{"kind":"Secret"}"#).header(header::WARNING, "299 - \"canary-7c1d94e0b25f4a8e-value\""),
        Some(Plain(200)),
    ),
    hostile(
        "A2",
        "/headers",
        || {
            of(r#"{"kind":"Secret"}"#)
                .header(HeaderName::from_static("x-value"), "canary-7c1d94e0b25f4a8e-value")
                .header(header::ETAG, "\"canary-7c1d94e0b25f4a8e-value\"")
        },
        Some(Plain(200)),
    ),
];

fn filled(text: &str) -> String {
    crate::case::filled(text, "n")
}

fn of(body: &str) -> Reply {
    Reply::json(StatusCode::OK, filled(body))
}

fn typed(media: &'static str, body: Vec<u8>) -> Reply {
    Reply::json(StatusCode::OK, body).header(header::CONTENT_TYPE, media)
}

fn encoded(encoding: &'static str, body: Vec<u8>) -> Reply {
    Reply::json(StatusCode::OK, body).header(header::CONTENT_ENCODING, encoding)
}

fn secret() -> String {
    filled(
        r#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"},"data":{"password":"CANARY64"},"stringData":{"p":"CANARY"}}"#,
    )
}

/// Every type of event, with the value in each.
fn events() -> String {
    let one = |kind: &str| filled(&format!("{{\"type\":\"{kind}\",\"object\":{}}}\n", secret()));
    let failed = filled(
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"message\":\"CANARY\",\"details\":{\"causes\":[{\"message\":\"CANARY\"}]}}}\n",
    );
    ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"].map(one).concat() + &failed
}

/// `k8s\0` and a `runtime.Unknown` whose raw bytes hold the value (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
fn protobuf() -> Vec<u8> {
    [b"k8s\0\n\x0c\n\x02v1\x12\x06Secret\x12\x1d".as_slice(), CANARY.as_bytes()].concat()
}

/// The self-described tag and a map of one text (RFC 8949).
fn cbor() -> Vec<u8> {
    [b"\xd9\xd9\xf7\xa1\x64data\x78\x1d".as_slice(), CANARY.as_bytes()].concat()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Into memory: cannot fail.
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// The value is in the second member, which some readers never reach.
fn members() -> Vec<u8> {
    [gzip("{\"type\":\"BOOKMARK\",\"object\":{}}\n"), gzip(&events())].concat()
}

fn bytewise(text: &str) -> Reply {
    let bytes = text.as_bytes().to_vec();
    Reply::streamed(stream::iter(bytes.into_iter().map(|byte| vec![byte].into())))
}

fn script(request: &Seen) -> Reply {
    let target = request.uri.path_and_query().map_or("", |target| target.as_str());
    let asked = |hostile: &&Hostile| target.strip_prefix(SECRET) == Some(hostile.path);
    match TABLE.iter().find(asked) {
        Some(hostile) => (hostile.reply)(),
        None if target.starts_with("/api/v1/namespaces/n/secrets?limit=") => huge(),
        // Whoever looks for what there is finds nothing.
        None if target.contains("watch=") => Reply::endless("\n"),
        None => {
            of(r#"{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#)
        }
    }
}

/// With a client before the gate and one past it.
fn faced() -> anyhow::Result<(StandIn, AuditedGate)> {
    let server = StandIn::start(script)?;
    let gate = behind(&server, &Options::default())?;
    Ok((server, gate))
}

#[test]
fn what_cannot_be_masked_is_not_delivered() -> anyhow::Result<()> {
    let (server, gate) = faced()?;
    let direct = Client::of(&server)?;
    let gated = Client::new(&gate, &gate.session("hostile")?)?;
    each(TABLE, |hostile| {
        let line = format!("GET {SECRET}{}", hostile.path);
        let leaked = direct.exchange(&line, &[], "")?;
        let in_pieces = || Answer::parse(&leaked).is_ok_and(|answer| crate::case::leaks(&answer));
        ensure!(
            contains_canary(&leaked) || in_pieces(),
            "the control: {line}: {}",
            String::from_utf8_lossy(&leaked)
        );
        let answer = gated.ask(&line, &[], "").with_context(|| line.clone())?;
        match hostile.gated {
            Some(gated) => gated.check(&answer).with_context(|| format!("{line}: {answer:?}"))?,
            None => {
                ensure!(!crate::case::leaks(&answer), "it leaks: {line}: {answer:?}");
                let own = answer.status == 502 && answer.body.contains("portcullis");
                // A watch has begun by then, and ends with an event that says why.
                let ended = answer.status == 200 && line.contains("watch") && answer.body.contains("ERROR");
                ensure!(own || ended, "{line}: {answer:?}");
            }
        }
        Ok(())
    })
}

/// Of the list that [`huge`] gives, in items of 64 KiB.
const ITEMS: usize = 640;

/// 40 MiB of Secrets.
fn huge() -> Reply {
    let item = format!(
        r#"{{"kind":"Secret","data":{{"password":"{}"}},"x":"{}"}}"#,
        STANDARD.encode(CANARY),
        "y".repeat(64 << 10)
    );
    let pieces = (0..ITEMS)
        .map(move |number| if number == 0 { format!("{{\"items\":[{item}") } else { format!(",{item}") });
    Reply::streamed(stream::iter(pieces.chain(["]}".to_owned()]).map(Into::into)))
}

/// B8: a list that is larger than what the gate may hold is masked all the same.
#[test]
fn a_list_of_any_size_is_masked() -> anyhow::Result<()> {
    let (server, gate) = faced()?;
    let line = format!("GET {SECRET}?limit=640");
    let direct = Client::of(&server)?.exchange(&line, &[], "")?;
    ensure!(contains_canary(direct.last_chunk::<{ 128 << 10 }>().context("too short")?), "the control");
    let client = Client::new(&gate, &gate.session("huge")?)?;
    let before = peak(&gate)?;
    let mut stream = client.connect()?;
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        client.token()
    )?;
    let (value, placeholder) = (STANDARD.encode(CANARY), STANDARD.encode("masked-by-portcullis"));
    let shown = placeholder.get(..24).context("a placeholder is longer")?;
    let (mut masked, mut all, mut window, mut buffer) = (0, 0, Vec::new(), vec![0; 256 << 10]);
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        window.extend_from_slice(buffer.get(..read).unwrap_or_default());
        all += read;
        // What two windows share is looked at in the second; a chunk's frame may stand in between, rarely.
        let kept = if read == 0 { 0 } else { 64 };
        let cut = window.len().saturating_sub(kept);
        let holds = |text: &str| memchr::memmem::find(&window, text.as_bytes()).is_some();
        assert!(!holds(&value) && !holds(CANARY));
        masked += memchr::memmem::find_iter(&window, shown.as_bytes()).filter(|at| *at < cut).count();
        window.drain(..cut);
        if read == 0 {
            break;
        }
    }
    assert!(
        all > ITEMS << 16 && masked + 8 > ITEMS && masked <= ITEMS,
        "{masked} placeholders in {all} bytes"
    );
    let grown = peak(&gate)?.saturating_sub(before);
    assert!(grown < 24 << 10, "{grown} KiB more");
    Ok(())
}

/// The most memory that the gate has had, in KiB.
fn peak(gate: &AuditedGate) -> anyhow::Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{}/status", gate.pid().context("the gate does not run")?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
