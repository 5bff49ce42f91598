//! What the provider is sent, by way of the browser and directly, and what the browser comes back with.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header::AUTHORIZATION;
use jiff::SignedDuration;
use oidc::Refusal;
use serde_json::json;

use crate::{
    signer::encoded,
    support::{Bench, CLIENT, CODE, DISCOVERY, NOW, RANDOM, SECRET, TOKEN, after, good, state},
};

type Form = BTreeMap<String, String>;

fn form(text: &[u8]) -> Form {
    form_urlencoded::parse(text).into_owned().collect()
}

#[tokio::test]
async fn the_browser_is_sent_with_state_nonce_and_challenge() {
    let bench = Bench::new();
    let mut told = Vec::new();
    for max_age in [None, Some(0), Some(600)] {
        let max_age = max_age.map(SignedDuration::from_secs);
        let (address, _attempt) = bench.provider.begin(RANDOM, max_age, NOW).await.unwrap();
        told.push(address.replace(&bench.server.server(), "ISSUER").replace('&', "\n  &"));
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// What the token endpoint was sent, without what is the same for every client: header and form.
async fn sent(bench: &Bench, methods: Option<&[&str]>) -> (Option<String>, Form) {
    let mut discovery = bench.discovery();
    discovery["token_endpoint_auth_methods_supported"] = json!(methods);
    bench.say(DISCOVERY, &discovery);
    bench.sign_in(&good(&bench.claims())).await.unwrap();
    let seen = bench.server.requests().into_iter().rfind(|seen| seen.uri.path() == TOKEN).unwrap();
    let mut form = form(&seen.body);
    let verifier = form.remove("code_verifier").unwrap();
    let (address, _attempt) = bench.provider.begin(RANDOM, None, NOW).await.unwrap();
    assert!(address.contains(&format!("code_challenge={}&", encoded(digest(&SHA256, verifier.as_bytes())))));
    assert_eq!(form.remove("code").unwrap(), CODE);
    assert_eq!(form.remove("grant_type").unwrap(), "authorization_code");
    assert_eq!(form.remove("redirect_uri").unwrap(), "https://gate.example.com/callback");
    let header = seen.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    (header, form)
}

#[tokio::test]
async fn a_secret_is_sent_as_the_provider_takes_it() {
    let basic = Some(format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}"))));
    for methods in [None, Some(&["private_key_jwt", "client_secret_post", "client_secret_basic"][..])] {
        assert_eq!(sent(&Bench::new(), methods).await, (basic.clone(), Form::new()));
    }
    let in_form = form(format!("client_id={CLIENT}&client_secret={SECRET}").as_bytes());
    assert_eq!(sent(&Bench::new(), Some(&["client_secret_post"])).await, (None, in_form));
    let public = Bench::with(|settings| settings.client_secret = None);
    assert_eq!(sent(&public, None).await, (None, form(format!("client_id={CLIENT}").as_bytes())));
}

#[tokio::test]
async fn answers_that_are_not_for_this_attempt_are_refused() {
    let bench = Bench::new();
    bench.grant(&good(&bench.claims()));
    let (state, issuer) = (state(), bench.server.server());
    let cases = [
        ("no state", format!("code={CODE}")),
        ("another state", format!("code={CODE}&state={}", encoded([9; 32]))),
        ("half a state", format!("code={CODE}&state={}", state.split_at(20).0)),
        ("another state with an error", "error=access_denied&state=x".to_owned()),
        ("state twice", format!("code={CODE}&state={state}&state={state}")),
        ("no code", format!("state={state}")),
        ("an empty code", format!("state={state}&code=")),
        ("another issuer", format!("code={CODE}&state={state}&iss=https://evil.example.com")),
        ("the issuer written otherwise", format!("code={CODE}&state={state}&iss={issuer}/")),
        ("an error", format!("error=access_denied&state={state}")),
        (
            "an error in words",
            format!("error=access_denied&error_description=not+%60you%60%0A%E2%80%AEtxt&state={state}"),
        ),
        ("too long", format!("state={state}&code={}", "c".repeat(20_000))),
    ];
    let mut told = Vec::new();
    for (case, query) in cases {
        told.push(format!("{case}:\n  {}", bench.told(bench.come_back(&query, NOW).await)));
    }
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(bench.asked(TOKEN), 0);
    let query = format!("code={CODE}&state={state}&iss={issuer}&session_state=1");
    assert!(bench.come_back(&query, NOW).await.is_ok());
}

#[tokio::test]
async fn a_provider_that_tells_its_issuer_must_always() {
    let bench = Bench::new();
    let mut discovery = bench.discovery();
    discovery["authorization_response_iss_parameter_supported"] = json!(true);
    bench.say(DISCOVERY, &discovery);
    let came = bench.sign_in(&good(&bench.claims())).await;
    assert_eq!(came, Err(Refusal::Callback { problem: "`iss` is missing" }));
}

#[tokio::test]
async fn attempts_end_after_ten_minutes_and_belong_to_their_provider() {
    let (bench, other) = (Bench::new(), Bench::new());
    bench.grant(&good(&bench.claims_with(json!({ "exp": after(3600).as_second() }))));
    let query = format!("code={CODE}&state={}", state());
    let finish = async |begun, finished| {
        let (_address, attempt) = bench.provider.begin(RANDOM, None, begun).await.unwrap();
        bench.provider.finish(attempt, &query, finished).await.map(drop)
    };
    assert_eq!(finish(NOW, after(599)).await, Ok(()));
    assert_eq!(finish(NOW, after(600)).await, Err(Refusal::Over));
    assert_eq!(finish(after(600), NOW).await, Err(Refusal::Over));
    let (_address, attempt) = other.provider.begin(RANDOM, None, NOW).await.unwrap();
    assert_eq!(bench.provider.finish(attempt, &query, NOW).await, Err(Refusal::State));
}
