//! Who somebody is, by a token that is taken.

use jiff::SignedDuration;
use oidc::{Fault, Refusal};
use serde_json::json;

use crate::{
    signer::{ED, P256, P384, RSA},
    support::{Bench, CODE, NOW, RANDOM, after, good, state},
};

#[tokio::test]
async fn every_algorithm_that_is_allowed_proves_who_somebody_is() {
    let bench = Bench::new();
    let mut found = Vec::new();
    for (alg, signer) in
        [("RS256", &RSA), ("PS256", &RSA), ("ES256", &P256), ("ES384", &P384), ("EdDSA", &ED)]
    {
        let token = signer.token(&json!({ "alg": alg, "kid": signer.id }), &bench.claims());
        found.push(bench.sign_in(&token).await.unwrap_or_else(|refusal| panic!("{alg}: {refusal}")));
    }
    found.dedup();
    let found = format!("{found:#?}").replace(&bench.server.server(), "ISSUER");
    insta::assert_snapshot!(found);
}

#[tokio::test]
async fn only_what_the_provider_vouches_for_is_told() {
    let bench = Bench::new();
    for others in [
        json!({ "email_verified": false }),
        json!({ "email_verified": null }),
        json!({ "email_verified": "true" }),
        json!({ "email": "a\r\nb@example.com" }),
        json!({ "email": format!("{}@example.com", "a".repeat(254)) }),
        json!({ "email": ["alice@example.com"] }),
    ] {
        let identity = bench.sign_in(&good(&bench.claims_with(others.clone()))).await.unwrap();
        assert_eq!(identity.email, None, "{others}");
    }
    let bare = json!({ "groups": null, "name": "", "acr": 1, "amr": "pwd", "auth_time": null });
    let identity = bench.sign_in(&good(&bench.claims_with(bare))).await.unwrap();
    assert!(identity.groups.is_empty() && identity.amr.is_empty());
    assert_eq!((identity.name, identity.acr, identity.auth_time), (None, None, None));
}

#[tokio::test]
async fn groups_are_read_from_the_claim_that_is_configured() {
    let bench = Bench::with(|settings| settings.groups_claim = "https://example.com/roles".to_owned());
    let claims = bench.claims_with(json!({ "https://example.com/roles": ["lead"] }));
    assert_eq!(bench.sign_in(&good(&claims)).await.unwrap().groups, ["lead"]);
    assert!(bench.sign_in(&good(&bench.claims())).await.unwrap().groups.is_empty());
}

#[tokio::test]
async fn whoever_must_prove_anew_who_they_are_has_done_so_since() {
    let bench = Bench::new();
    let query = format!("code={CODE}&state={}", state());
    let sign_in = async |max_age, auth_time| {
        bench.grant(&good(&bench.claims_with(json!({ "auth_time": auth_time }))));
        let max_age = Some(SignedDuration::from_secs(max_age));
        let (_address, attempt) = bench.provider.begin(RANDOM, max_age, NOW).await.unwrap();
        // However long the person then takes.
        bench.provider.finish(attempt, &query, after(300)).await.map(drop)
    };
    let ago = |seconds: i64| Some(after(-seconds).as_second());
    assert_eq!(sign_in(0, ago(-100)).await, Ok(()));
    assert_eq!(sign_in(0, ago(60)).await, Ok(()));
    let too_long = |seconds: i64| Err(Refusal::Token(Fault::TooLongAgo { at: after(-seconds) }));
    assert_eq!(sign_in(0, ago(61)).await, too_long(61));
    assert_eq!(sign_in(600, ago(660)).await, Ok(()));
    assert_eq!(sign_in(600, ago(661)).await, too_long(661));
    let missing = Refusal::Token(Fault::Missing { claim: "auth_time" });
    assert_eq!(sign_in(600, None::<i64>).await, Err(missing));
}
