//! Answers that no API server should give, or only to others: a stand-in gives them, and a client that reads it directly
//! finds the canary in each.

mod documents;
mod huge;
mod replies;

use anyhow::{Context, ensure};
use e2e::{Answer, AuditedGate, CANARY, Client, behind, contains_canary, gzip};
use http::{HeaderName, StatusCode, header};
use parking_lot::Mutex;
use serde_json::Value;
use testkit::{
    Options,
    stand_in::{Reply, Seen, StandIn},
};

use self::{
    documents::DOCUMENTS,
    replies::{bytewise, cbor, encoded, events, members, of, protobuf, secret, then, typed},
};
use crate::case::{
    Gated::{self, Masked, Plain, Refused},
    each, row_of,
};

pub(crate) fn rows() -> Vec<&'static str> {
    let huge = row_of("B8", huge::a_list_of_any_size_is_masked);
    all().map(|(row, ..)| row).chain([huge]).collect()
}

/// Row, path, and what the gate makes of it.
fn all() -> impl Iterator<Item = (&'static str, &'static str, Option<Gated>)> {
    let replies = TABLE.iter().map(|hostile| (hostile.row, hostile.path, hostile.gated));
    replies.chain(DOCUMENTS.iter().map(|(row, path, _, gated)| (*row, *path, *gated)))
}

/// An answer of the stand-in to a path, and what the gate makes of it.
struct Hostile {
    row: &'static str,
    path: &'static str,
    reply: fn() -> Reply,
    /// `None`: nothing but the gate's own 502, or the end of a watch that has begun.
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
    // Once the watch has begun, there is no status to tell it by.
    hostile(
        "B5",
        "?watch=true&resourceVersion=7",
        || bytewise(&then(r#"{"type":"ADDED","object":CANARY}"#)),
        None,
    ),
    hostile("B5", "?watch=true&resourceVersion=8", || bytewise(&then("CANARY")), None),
    hostile("B5", "/bytewise", || bytewise(&secret()), Some(Masked(200))),
    hostile(
        "B7",
        "/deep",
        || of(&format!("{}\"CANARY\"{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000))),
        None,
    ),
    // A2: errors that quote, in every form.
    hostile(
        "A2",
        "/invalid",
        || {
            of(r#"{"kind":"Status","message":"Invalid value: CANARY","reason":"Invalid","details":{"name":"CANARY","causes":[{"reason":"FieldValueInvalid","message":"CANARY","field":"metadata.labels[CANARY]"}]}}"#).status(StatusCode::UNPROCESSABLE_ENTITY)
        },
        Some(Refused(422, "withheld")),
    ),
    hostile(
        "A2",
        "/plain-error",
        || typed("text/plain", CANARY.as_bytes().to_vec()).status(StatusCode::BAD_REQUEST),
        Some(Refused(400, "withheld")),
    ),
    hostile(
        "A2",
        "/page-error",
        || typed("text/html", CANARY.as_bytes().to_vec()).status(StatusCode::FORBIDDEN),
        Some(Refused(403, "withheld")),
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
        Some(Plain(200, r#"{"kind":"Secret"}"#)),
    ),
    hostile(
        "A2",
        "/headers",
        || {
            of(r#"{"kind":"Secret"}"#)
                .header(HeaderName::from_static("x-value"), "canary-7c1d94e0b25f4a8e-value")
                .header(header::ETAG, "\"canary-7c1d94e0b25f4a8e-value\"")
        },
        Some(Plain(200, r#"{"kind":"Secret"}"#)),
    ),
];

fn script(request: &Seen) -> Reply {
    let target = request.uri.path_and_query().map_or("", |target| target.as_str());
    let asked = |path: &str| target.strip_prefix(SECRET) == Some(path);
    let document = DOCUMENTS.iter().find(|(_, path, ..)| asked(path));
    if let Some((_, _, text, _)) = document {
        return of(text);
    }
    match TABLE.iter().find(|hostile| asked(hostile.path)) {
        Some(hostile) => (hostile.reply)(),
        None if target.starts_with("/api/v1/namespaces/n/secrets?limit=") => huge::huge(),
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
    let agent = Client::new(&gate, &gate.session("hostile")?)?;
    let told = Mutex::new(Vec::new());
    each(&all().collect::<Vec<_>>(), |(_, path, gated)| {
        let line = format!("GET {SECRET}{path}");
        let leaked = direct.exchange(&line, &[], "")?;
        let in_pieces = || Answer::parse(&leaked).is_ok_and(|answer| answer.leaks());
        ensure!(
            contains_canary(&leaked) || in_pieces(),
            "the control: {line}: {}",
            String::from_utf8_lossy(&leaked)
        );
        let answer = agent.ask(&line, &[], "").with_context(|| line.clone())?;
        match gated {
            Some(gated) => gated.check(&answer).with_context(|| format!("{line}: {answer:?}"))?,
            None => {
                ensure!(!answer.leaks(), "it leaks: {line}: {answer:?}");
                let own = own_words(&answer).with_context(|| format!("{line}: {answer:?}"))?;
                told.lock().push(format!("{path}\n  {own}"));
            }
        }
        Ok(())
    })?;
    let mut told = told.into_inner();
    told.sort_unstable();
    insta::assert_snapshot!(told.join("\n"));
    Ok(())
}

/// What the gate says in place of an answer: a 502 and nothing else. A watch that has begun is reset.
fn own_words(answer: &Answer) -> anyhow::Result<String> {
    if answer.status == 200 {
        ensure!(!answer.whole && answer.head.contains("chunked"), "it ends as if it were whole");
        return Ok("200, broken off".to_owned());
    }
    let status: Value = serde_json::from_str(&answer.body)?;
    let message = status["message"].as_str().unwrap_or_default();
    let own = status["kind"] == "Status" && status["code"] == 502 && message.starts_with("portcullis: ");
    ensure!(own && answer.status == 502 && answer.whole, "not the gate's own words");
    Ok(format!("502 {message}"))
}
