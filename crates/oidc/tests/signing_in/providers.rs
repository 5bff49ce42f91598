//! Providers that are not as they should be.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    signer::ED,
    support::{Bench, CODE, DISCOVERY, KEYS, NOW, SECRET, TOKEN, good, state},
};

/// What is told when the provider does so, of which each case has one of its own.
async fn told(case: &str, change: impl FnOnce(&Bench)) -> String {
    let bench = Bench::new();
    bench.grant(&good(&bench.claims()));
    change(&bench);
    let query = format!("code={CODE}&state={}", state());
    let came = bench.come_back(&query, NOW).await;
    assert_eq!(bench.asked("/elsewhere"), 0);
    format!("{case}:\n  {}", bench.told(came))
}

#[tokio::test]
async fn discovery_leads_nowhere_else() {
    let discovers = async |case, name: &'static str, value: Value| {
        told(case, |bench| {
            let mut discovery = bench.discovery();
            discovery[name] = value;
            bench.say(DISCOVERY, &discovery);
        })
        .await
    };
    let redirects = |bench: &Bench| bench.answer(DISCOVERY, StatusCode::FOUND, "");
    let huge = |bench: &Bench| bench.answer(DISCOVERY, StatusCode::OK, " ".repeat(300_000));
    let told = [
        told("a redirect", redirects).await,
        told("no document", |bench| bench.answer(DISCOVERY, StatusCode::NOT_FOUND, "")).await,
        told("a page", |bench| bench.answer(DISCOVERY, StatusCode::OK, "<!DOCTYPE html>")).await,
        told("huge", huge).await,
        discovers("another issuer", "issuer", json!("https://evil.example.com")).await,
        discovers("no issuer", "issuer", json!(null)).await,
        discovers("a login page for all to read", "authorization_endpoint", json!("http://idp.example.com"))
            .await,
        discovers("no URL", "token_endpoint", json!("/token")).await,
        discovers("a fragment", "jwks_uri", json!("https://idp.example.com/#keys")).await,
        discovers("PKCE without S256", "code_challenge_methods_supported", json!(["plain"])).await,
        discovers("no way for a secret", "token_endpoint_auth_methods_supported", json!(["tls_client_auth"]))
            .await,
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn key_sets_are_bounded_and_what_they_hold_is_looked_at() {
    let keys = async |case, keys: Value| told(case, |bench| bench.say(KEYS, &json!({ "keys": keys }))).await;
    let with = |name: &str, value: Value| {
        let mut jwk = ED.jwk();
        jwk[name] = value;
        jwk
    };
    let told = [
        told("a redirect", |bench| bench.answer(KEYS, StatusCode::FOUND, "")).await,
        told("huge", |bench| bench.answer(KEYS, StatusCode::OK, " ".repeat(300_000))).await,
        keys("too many", json!(vec![ED.jwk(); 65])).await,
        keys("none", json!([])).await,
        keys("no set", json!("x")).await,
        keys("for encryption", json!([with("use", json!("enc"))])).await,
        keys("for signing alone", json!([with("key_ops", json!(["sign"]))])).await,
        keys("for another algorithm", json!([with("alg", json!("ES256"))])).await,
        keys("a shared secret", json!([{ "kid": "ed", "kty": "oct", "k": "c2VjcmV0" }])).await,
        keys("a curve that is unknown", json!([{ "kid": "ed", "kty": "OKP", "crv": "Ed448", "x": "eA" }]))
            .await,
        keys("two of one name", json!([ED.jwk(), ED.jwk()])).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn codes_that_are_not_taken_are_told_without_what_was_sent() {
    let answers =
        async |case, status, body: &str| told(case, |bench| bench.answer(TOKEN, status, body)).await;
    let refuses = async |case, error: Value| answers(case, StatusCode::BAD_REQUEST, &error.to_string()).await;
    let quoting = format!("the secret {SECRET} and the code {CODE} do not match");
    let ok = StatusCode::OK;
    let told = [
        refuses("a wrong secret", json!({ "error": "invalid_client", "error_description": "who?" })).await,
        refuses("a used code", json!({ "error": "invalid_grant" })).await,
        refuses("a quotation", json!({ "error": "invalid_grant", "error_description": quoting })).await,
        refuses("a quotation as an error", json!({ "error": CODE })).await,
        refuses("something else", json!({ "error": "x`\n", "error_description": "y".repeat(300) })).await,
        answers("a crash", StatusCode::INTERNAL_SERVER_ERROR, "oh").await,
        answers("a redirect", StatusCode::TEMPORARY_REDIRECT, "").await,
        answers("huge", ok, &" ".repeat(300_000)).await,
        answers("a page", ok, "<html>").await,
        answers("no ID token", ok, r#"{"token_type":"Bearer","access_token":"CANARY"}"#).await,
        answers("other tokens", ok, r#"{"token_type":"DPoP","id_token":"CANARY"}"#).await,
        answers("a token twice", ok, r#"{"token_type":"Bearer","id_token":"CANARY","id_token":"CANARY"}"#)
            .await,
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn only_the_authorities_that_are_configured_vouch_for_it() {
    let other = Bench::new();
    let bench = Bench::with(|settings| settings.issuer = other.server.server());
    let told = bench.told(bench.come_back("", NOW).await);
    let expected = "the provider's discovery document cannot be reached: ";
    assert!(told.starts_with(expected) && told.contains("certificate"), "{told}");
    assert!(other.server.requests().is_empty());
}
