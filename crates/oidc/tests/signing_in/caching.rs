//! How often the provider is asked for what changes rarely.

use http::StatusCode;
use oidc::{Fault, Refusal};
use serde_json::json;

use crate::{
    signer::{ED, Signer, ed},
    support::{Bench, DISCOVERY, KEYS, NOW, RANDOM, after, good},
};

#[tokio::test]
async fn discovery_and_keys_are_kept_for_an_hour() {
    let bench = Bench::new();
    let token = good(&bench.claims_with(json!({ "exp": after(9999).as_second() })));
    for (seconds, asked) in [(0, 1), (3599, 1), (3600, 2)] {
        bench.sign_in_at(&token, after(seconds)).await.unwrap();
        assert_eq!((bench.asked(DISCOVERY), bench.asked(KEYS)), (asked, asked), "after {seconds} s");
    }
}

#[tokio::test]
async fn a_provider_that_was_away_is_asked_again_soon() {
    let bench = Bench::new();
    bench.answer(DISCOVERY, StatusCode::SERVICE_UNAVAILABLE, "");
    for _attempt in 0..2 {
        assert!(bench.provider.begin(RANDOM, None, NOW).await.is_err());
    }
    assert_eq!(bench.asked(DISCOVERY), 1);
    bench.say(DISCOVERY, &bench.discovery());
    assert!(bench.provider.begin(RANDOM, None, after(4)).await.is_err());
    assert!(bench.provider.begin(RANDOM, None, after(5)).await.is_ok());
}

#[tokio::test]
async fn whoever_comes_while_the_provider_is_asked_waits_for_the_same_answer() {
    let bench = Bench::new();
    let begin = || bench.provider.begin(RANDOM, None, NOW);
    let (one, another, third) = tokio::join!(begin(), begin(), begin());
    assert!(one.is_ok() && another.is_ok() && third.is_ok());
    assert_eq!(bench.asked(DISCOVERY), 1);
}

#[tokio::test]
async fn a_new_key_is_asked_for_and_unknown_ones_do_not_flood_the_provider() {
    let bench = Bench::new();
    let by = |signer: &Signer| signer.token(&json!({ "alg": "EdDSA", "kid": signer.id }), &bench.claims());
    bench.sign_in(&by(&ED)).await.unwrap();
    let new = ed("new", 9);
    bench.publish(&[&ED, &new]);
    let unknown = |id: &str| Err(Refusal::Token(Fault::UnknownKey { id: Some(id.to_owned()) }));
    assert_eq!(bench.sign_in_at(&by(&new), after(9)).await, unknown("new"));
    assert_eq!(bench.asked(KEYS), 1);
    bench.sign_in_at(&by(&new), after(10)).await.unwrap();
    assert_eq!(bench.asked(KEYS), 2);
    for _attempt in 0..3 {
        assert_eq!(bench.sign_in_at(&by(&ed("odd", 10)), after(12)).await, unknown("odd"));
    }
    assert_eq!(bench.asked(KEYS), 2);
    // The old one is gone.
    bench.publish(&[&new]);
    assert_eq!(bench.sign_in_at(&by(&ed("odd", 10)), after(20)).await, unknown("odd"));
    assert_eq!(bench.sign_in_at(&by(&ED), after(21)).await, unknown("ed"));
}

#[tokio::test]
async fn a_token_need_not_name_its_key_where_it_can_be_but_one() {
    let bench = Bench::new();
    let unnamed = ED.token(&json!({ "alg": "EdDSA" }), &bench.claims());
    bench.sign_in(&unnamed).await.unwrap();
    let bench = Bench::new();
    bench.publish(&[&ED, &ed("new", 9)]);
    let unnamed = ED.token(&json!({ "alg": "EdDSA" }), &bench.claims());
    assert_eq!(bench.sign_in(&unnamed).await, Err(Refusal::Token(Fault::UnknownKey { id: None })));
}
