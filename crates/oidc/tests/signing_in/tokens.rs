//! ID tokens that are not taken, each for its own reason.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::{
    signer::{ED, FORGED, P256, RSA, Signer, ed, encoded, token},
    support::{ACCESS_TOKEN, Bench, NOW, after, good},
};

fn header(alg: &str, kid: &str) -> Value {
    json!({ "alg": alg, "kid": kid })
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let bench = Bench::new();
    let claims = bench.claims();
    let public = RSA.jwk().to_string();
    let hmac = |message: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), message).as_ref().to_vec()
    };
    let with = |signer: &Signer, extra: Value| {
        let mut header = header("EdDSA", "ed");
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        signer.token(&header, &claims)
    };
    let valid = good(&claims);
    let (message, signature) = valid.rsplit_once('.').unwrap();
    let (head, _payload) = message.split_once('.').unwrap();
    let other = encoded(bench.claims_with(json!({ "sub": "root" })).to_string());
    let elsewhere = json!({ "jku": format!("{}/elsewhere", bench.server.server()), "jwk": FORGED.jwk() });
    let cases = [
        ("not signed", token(&header("none", "rsa"), &claims, |_message| Vec::new())),
        ("not signed, in other letters", token(&header("nOnE", "rsa"), &claims, |_message| Vec::new())),
        ("HS256 with the public key", token(&header("HS256", "rsa"), &claims, hmac)),
        ("an algorithm too weak", RSA.token(&header("RS1", "rsa"), &claims)),
        ("another key's id", ED.token(&header("EdDSA", "p256"), &claims)),
        ("a key for something else", P256.token(&header("RS256", "p256"), &claims)),
        ("an unknown key", ed("new", 9).token(&header("EdDSA", "n`\n"), &claims)),
        ("another key under the same id", FORGED.token(&header("EdDSA", "ed"), &claims)),
        ("a key that it brings along", with(&FORGED, elsewhere)),
        ("an extension", with(&ED, json!({ "crit": ["b64"], "b64": false }))),
        ("another payload", format!("{head}.{other}.{signature}")),
        ("no signature", format!("{message}.")),
        ("two parts", message.to_owned()),
        ("four parts", format!("{valid}.x")),
        ("nothing", String::new()),
        ("no base64url", format!("={valid}")),
        ("a header twice", token_of(r#"{"alg":"EdDSA","alg":"none","kid":"ed"}"#, &claims)),
    ];
    let mut told = Vec::new();
    for (case, token) in cases {
        told.push(format!("{case}:\n  {}", bench.told(bench.sign_in(&token).await)));
    }
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(bench.asked("/elsewhere"), 0);
    assert!(bench.sign_in(&valid).await.is_ok());
}

/// A token with a header that is no value.
fn token_of(header: &str, claims: &Value) -> String {
    format!("{}.{}.", encoded(header), encoded(claims.to_string()))
}

#[tokio::test]
async fn tokens_for_others_and_for_other_times_are_refused() {
    let bench = Bench::new();
    let issuer = bench.server.server();
    let cases = [
        ("no issuer", json!({ "iss": null })),
        ("another issuer", json!({ "iss": "https://evil.example.com" })),
        ("an issuer written otherwise", json!({ "iss": format!("{issuer}/") })),
        ("no audience", json!({ "aud": null })),
        ("an empty audience", json!({ "aud": [] })),
        ("another audience", json!({ "aud": "other" })),
        ("another audience that begins so", json!({ "aud": ["console-2"] })),
        ("several, and nobody said for whom", json!({ "aud": ["console", "other"] })),
        ("several, for another", json!({ "aud": ["console", "other"], "azp": "other" })),
        ("for another", json!({ "azp": "other" })),
        ("no expiry", json!({ "exp": null })),
        ("expired", json!({ "exp": after(-60).as_second() })),
        ("no time", json!({ "iat": null })),
        ("from the future", json!({ "iat": after(61).as_second() })),
        ("not yet", json!({ "nbf": after(61).as_second() })),
        ("a time that is none", json!({ "exp": 1e300 })),
        ("a time in words", json!({ "exp": "2099-01-01" })),
        ("no nonce", json!({ "nonce": null })),
        ("a nonce of another attempt", json!({ "nonce": encoded([9; 32]) })),
        ("another access token's hash", json!({ "at_hash": encoded([0; 32]) })),
        ("no subject", json!({ "sub": null })),
        ("a subject too long", json!({ "sub": "s".repeat(256) })),
        ("a subject that is no ASCII", json!({ "sub": "älice" })),
        ("groups as a string", json!({ "groups": "sre" })),
        ("groups that are none", json!({ "groups": ["sre", 1] })),
        ("a group without a name", json!({ "groups": [""] })),
        ("a group too long", json!({ "groups": ["g".repeat(257)] })),
        ("too many groups", json!({ "groups": vec!["g"; 513] })),
        ("groups elsewhere", json!({ "groups": null, "_claim_names": { "groups": "src1" } })),
    ];
    let mut told = Vec::new();
    for (case, others) in cases {
        let came = bench.sign_in(&good(&bench.claims_with(others))).await;
        told.push(format!("{case}:\n  {}", bench.told(came)));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn clocks_may_be_a_minute_apart_and_no_more() {
    let bench = Bench::new();
    let claims = |name: &str, time: Value| bench.claims_with(json!({ name: time }));
    for (name, latest) in [("exp", -59), ("iat", 60), ("nbf", 60)] {
        let came = bench.sign_in(&good(&claims(name, json!(after(latest).as_second())))).await;
        assert!(came.is_ok(), "{name}: {came:?}");
    }
    // Not every provider sends whole seconds.
    #[expect(clippy::cast_precision_loss, reason = "seconds of our time are far below 2^53")]
    let time = NOW.as_second() as f64 - 59.5;
    assert!(bench.sign_in(&good(&claims("exp", json!(time)))).await.is_ok());
}

#[tokio::test]
async fn several_audiences_and_the_hash_of_the_access_token_are_checked_and_taken() {
    let bench = Bench::new();
    let half = |algorithm, bytes| {
        encoded(&aws_lc_rs::digest::digest(algorithm, ACCESS_TOKEN.as_bytes()).as_ref()[..bytes])
    };
    let sha512 = half(&aws_lc_rs::digest::SHA512, 32);
    let sha256 = half(&aws_lc_rs::digest::SHA256, 16);
    let several = json!({ "aud": ["other", "console"], "azp": "console", "at_hash": sha512 });
    assert!(bench.sign_in(&good(&bench.claims_with(several))).await.is_ok());
    let claims = bench.claims_with(json!({ "at_hash": sha256 }));
    assert!(bench.sign_in(&P256.token(&header("ES256", "p256"), &claims)).await.is_ok());
    assert!(bench.sign_in(&good(&claims)).await.is_err());
}
