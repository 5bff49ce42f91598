use std::{fs, path::PathBuf};

use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use kube_api::{Head, RESTORE_HEADER};
use mask::{Live, Sealed, View};
use recording::kept::{Keeper, Values};
use serde_json::{Value, json};

use super::*;
use crate::bench::Bench;

const ONE: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
const OTHER: &str = "AGE-SECRET-KEY-143WN7DCXU4G8R5AXQSSYD9AEPYDNT3HXSLWSPK36CDU6E8M59SSSAGZ3KG";
const SECRET: &str = "/api/v1/namespaces/shop/secrets/db";
const SECRETS: &str = "/api/v1/namespaces/shop/secrets";

fn keeper(identity: &str) -> Keeper {
    Keeper::parse(identity).unwrap()
}

fn request(method: &str, target: &str, restores: &str, name: &str) -> Request {
    let builder = http::Request::builder().method(method).uri(target);
    let builder = builder.header(RESTORE_HEADER, restores).header(CONTENT_TYPE, "application/json");
    let parts = builder.body(()).unwrap().into_parts().0;
    let body = json!({ "metadata": { "name": name } }).to_string();
    Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap()
}

/// The Secret, as the call's session is shown it.
async fn live(call: &Call, data: &Value) -> Live {
    let object = json!({
        "kind": "Secret", "apiVersion": "v1", "data": data,
        "metadata": { "name": "db", "namespace": "shop", "uid": "6e0a", "resourceVersion": "41" },
    });
    let read = Head::parse(&http::Request::get(SECRET).body(()).unwrap().into_parts().0).unwrap();
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let view = View { session: call.caller().session().to_string(), ..View::default() };
    let body = Full::new(object.to_string().into());
    let guard = call.upstream().guard();
    let read = read.with_body(&[]).unwrap();
    Sealed::new(guard, view, &read, StatusCode::OK, &headers, body).keep().await.unwrap()
}

struct Kept {
    bench: Bench,
    call: Call,
    session: String,
    file: PathBuf,
}

/// A call that changed the Secret, and what was kept of it; its session is over.
async fn kept() -> Kept {
    let mut kept = kept_by_live().await;
    kept.end().await;
    kept.call = kept.bench.other_call();
    kept
}

/// The same of a session that goes on, and calls itself.
async fn kept_by_live() -> Kept {
    let bench = Bench::keeping(Some(keeper(ONE))).await;
    let mut call = bench.call();
    assert!(call.begin_recording().await.is_ok());
    let recorded = call.recorded().unwrap();
    let before =
        Before { live: live(&call, &json!({ "password": "Q0FOQVJZ" })).await, path: SECRET.to_owned() };
    assert!(call.keep(&recorded, "c-1", &before).await.unwrap().is_some());
    let plain = Before {
        live: Live::absent(call.upstream().guard(), &request("PUT", SECRET, "s/c", "db")),
        ..before
    };
    assert_eq!(call.keep(&recorded, "c-2", &plain).await.unwrap(), None, "nothing of it is masked");
    let session = recorded.tap().session().to_string();
    let file = bench.data.path().join("recordings").join(&session).join("c-1.kept");
    Kept { bench, call, session, file }
}

impl Kept {
    async fn end(&self) {
        let (by, why) = ("grace".parse().unwrap(), "done".parse().unwrap());
        let session = self.bench.caller.session();
        self.bench.gate.sessions().revoke(session, &by, &why).await.unwrap();
    }

    async fn told(&self, method: &str, target: &str, restores: &str, name: &str) -> String {
        let request = request(method, target, restores, name);
        let restores = request.restores().unwrap();
        match self.call.kept(&request, restores).await {
            Ok(_) => "kept".to_owned(),
            Err(Stop::Refused { refused, .. }) => {
                let status = refused.status();
                format!("{} {}", status.code().as_u16(), status.message())
            }
            Err(Stop::Unrecorded) => "unrecorded".to_owned(),
        }
    }
}

#[tokio::test]
async fn what_is_kept_is_put_back_into_the_object_that_it_is_of_and_no_other() {
    let kept = kept().await;
    let of = |call: &str| format!("{}/{call}", kept.session);
    let stored = fs::read(&kept.file).unwrap();
    assert!(!stored.windows(8).any(|part| part == b"Q0FOQVJZ"));
    assert_eq!(kept.told("PUT", SECRET, &of("c-1"), "db").await, "kept");
    assert_eq!(kept.told("POST", SECRETS, &of("c-1"), "db").await, "kept");
    let other = "/api/v1/namespaces/other/secrets/db";
    let told = [
        kept.told("PUT", other, &of("c-1"), "db").await,
        kept.told("POST", SECRETS, &of("c-1"), "other").await,
        kept.told("POST", SECRETS, &of("c-1"), "").await,
        kept.told("PUT", "/api/v1/namespaces/shop/configmaps/db", &of("c-1"), "db").await,
    ];
    assert!(told.iter().all(|told| *told == told_of(Unrestorable::Another)), "{told:?}");
    let told = [
        kept.told("PUT", SECRET, &of("c-2"), "db").await,
        kept.told("PUT", SECRET, "s-unheard-of/c-1", "db").await,
    ];
    assert!(told.iter().all(|told| *told == told_of(Unrestorable::Nothing)), "{told:?}");
}

/// Else it could try a value, see what comes of it, and have the real one back to try the next.
#[tokio::test]
async fn nothing_is_put_back_of_a_session_that_goes_on_nor_by_itself() {
    let mut kept = kept_by_live().await;
    let of = format!("{}/c-1", kept.session);
    let goes_on = told_of(Unrestorable::GoesOn);
    assert_eq!(kept.told("PUT", SECRET, &of, "db").await, goes_on, "its own");
    kept.call = kept.bench.other_call();
    assert_eq!(kept.told("PUT", SECRET, &of, "db").await, goes_on, "it goes on");
    let unknown = kept.told("PUT", SECRET, "s-2g4kq7nd5wvx3jhc/c-1", "db").await;
    assert_eq!(unknown, goes_on, "nobody knows");
    kept.end().await;
    assert_eq!(kept.told("PUT", SECRET, &of, "db").await, "kept");
    kept.call = kept.bench.call();
    assert_eq!(kept.told("PUT", SECRET, &of, "db").await, goes_on, "its own, over as it is");
}

#[tokio::test]
async fn what_the_gate_did_not_write_is_not_put_back() {
    let kept = kept().await;
    let of = format!("{}/c-1", kept.session);
    let plain = keeper(ONE).open(&fs::read(&kept.file).unwrap()).unwrap();
    // By somebody who knows the public key, and how such a file is made.
    let text = String::from_utf8(plain.as_bytes().to_vec()).unwrap();
    let forged = text.replace("Q0FOQVJZ", "Rk9SR0VE");
    assert_ne!(text, forged);
    let moved = kept.file.with_file_name("c-9.kept");
    fs::copy(&kept.file, moved).unwrap();
    assert_eq!(
        kept.told("PUT", SECRET, &format!("{}/c-9", kept.session), "db").await,
        told_of(Unrestorable::Changed)
    );
    for (stored, why) in [
        (keeper(ONE).close(&Values::of(&[forged.as_bytes()])).unwrap(), Unrestorable::Changed),
        (keeper(ONE).close(&Values::of(&[])).unwrap(), Unrestorable::Changed),
        (b"portcullis kept values 1\n".to_vec(), Unrestorable::Changed),
        (keeper(OTHER).close(&plain).unwrap(), Unrestorable::Key),
        (keeper(ONE).close(&plain).unwrap(), Unrestorable::Another),
    ] {
        fs::write(&kept.file, stored).unwrap();
        // The last is as it was: then it is the name that is another.
        let name = if why == Unrestorable::Another { "other" } else { "db" };
        assert_eq!(kept.told("POST", SECRETS, &of, name).await, told_of(why));
    }
    assert!(kept.bench.gate.recordings().keeper().is_some());
}

/// The ledger tells digests of what callers chose, such as an exec's command.
#[tokio::test]
async fn what_the_ledger_tells_a_digest_of_is_not_taken_for_what_was_kept() {
    let kept = kept().await;
    let plain = keeper(ONE).open(&fs::read(&kept.file).unwrap()).unwrap();
    let text = String::from_utf8(plain.as_bytes().to_vec()).unwrap();
    let forged = text.split_once('\n').unwrap().1.replace("Q0FOQVJZ", "Rk9SR0VE");
    for (purpose, why) in [(Purpose::Told, false), (Purpose::Asked, false), (Purpose::Kept, true)] {
        let digest = kept.bench.gate.ledger().keyed_digest(purpose, forged.as_bytes());
        let values = Values::of(&[digest.as_bytes(), b"\n", forged.as_bytes()]);
        fs::write(&kept.file, keeper(ONE).close(&values).unwrap()).unwrap();
        let told = kept.told("PUT", SECRET, &format!("{}/c-1", kept.session), "db").await;
        assert_eq!(told == "kept", why, "{purpose:?}: {told}");
    }
}

#[tokio::test]
async fn nothing_is_kept_or_put_back_unless_it_is_configured() {
    let bench = Bench::new().await;
    let mut call = bench.call();
    assert!(call.begin_recording().await.is_ok());
    let recorded = call.recorded().unwrap();
    let before =
        Before { live: live(&call, &json!({ "password": "Q0FOQVJZ" })).await, path: SECRET.to_owned() };
    assert_eq!(call.keep(&recorded, "c-1", &before).await.unwrap(), None);
    let request = request("PUT", SECRET, "s/c-1", "db");
    let Err(Stop::Refused { refused, .. }) = call.kept(&request, request.restores().unwrap()).await else {
        panic!("put back");
    };
    assert!(refused.status().message().contains("recordings.values"));
}

fn told_of(why: Unrestorable) -> String {
    format!("422 portcullis: {why}")
}

#[test]
fn the_header_is_the_one_that_clients_send() {
    assert_eq!(RESTORE_HEADER, approval::RESTORE_HEADER);
}
