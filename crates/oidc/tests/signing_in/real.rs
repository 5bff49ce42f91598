//! The whole way, with a real provider and a browser's part played by a plain HTTP client.

use std::{fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use oidc::{Identity, Provider, Random, Refusal, Settings};
use reqwest::{Client, Response, Url, header::LOCATION, redirect::Policy};
use testkit::{IdentityProvider, Person};

const ALICE: Person = Person {
    subject: "u-alice",
    email: "alice@example.com",
    email_verified: true,
    name: "Alice Example",
    groups: &["sre", "payments/oncall"],
    password: "correct horse",
};
const BOB: Person = Person {
    subject: "u-bob",
    email: "bob@example.com",
    email_verified: false,
    name: "Bob",
    groups: &[],
    password: "battery staple",
};

const ONCE: Random = [[1; 32], [2; 32], [3; 32]];

fn settings(idp: &IdentityProvider, folder: &Path, secret: &str) -> Settings {
    let file = folder.join("secret");
    fs::write(&file, secret).unwrap();
    Settings {
        issuer: idp.issuer().to_owned(),
        client_id: idp.client().to_owned(),
        client_secret: Some(file),
        redirect_uri: "http://127.0.0.1:1/signed-in".to_owned(),
        scopes: ["email", "profile", "groups"].map(str::to_owned).to_vec(),
        groups_claim: "groups".to_owned(),
        ca: None,
    }
}

/// What a person does at the provider: the query that the browser comes back with.
async fn log_in(address: &str, person: &Person) -> String {
    let browser = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let page = next(&browser.get(address).send().await.unwrap());
    let html = browser.get(page.clone()).send().await.unwrap().text().await.unwrap();
    let id = html.split_once("name=\"id\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("id", id)
        .append_pair("username", person.email)
        .append_pair("password", person.password)
        .finish();
    let posted = browser.post(page.join("/login").unwrap()).body(form);
    let posted = posted.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    let back = next(&browser.get(next(&posted)).send().await.unwrap());
    assert!(back.as_str().starts_with("http://127.0.0.1:1/signed-in?"), "{back}");
    back.query().unwrap().to_owned()
}

fn next(answer: &Response) -> Url {
    let target = answer.headers().get(LOCATION).unwrap_or_else(|| panic!("no redirect: {answer:?}"));
    answer.url().join(target.to_str().unwrap()).unwrap()
}

async fn sign_in(settings: Settings, person: &Person) -> Result<Identity, Refusal> {
    let provider = Provider::new(settings).unwrap();
    // Proves that `auth_time` is what it should be, too.
    let anew = Some(SignedDuration::ZERO);
    let (address, attempt) = provider.begin(ONCE, anew, Timestamp::now()).await?;
    let query = log_in(&address, person).await;
    provider.finish(attempt, &query, Timestamp::now()).await
}

#[tokio::test]
async fn people_sign_in_with_a_real_provider() {
    let idp = IdentityProvider::start(&[ALICE, BOB]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let right = settings(&idp, folder.path(), idp.client_secret());

    let alice = sign_in(right.clone(), &ALICE).await.unwrap();
    assert_eq!((alice.issuer.as_str(), alice.subject.as_str()), (idp.issuer(), "u-alice"));
    assert_eq!(alice.email.as_deref(), Some("alice@example.com"));
    assert_eq!(alice.name.as_deref(), Some("Alice Example"));
    assert_eq!(alice.groups, ["sre", "payments/oncall"]);
    assert_eq!(alice.amr, ["pwd"]);

    // Without a secret, PKCE alone ties the code to who began.
    let public = Settings { client_id: idp.public_client().to_owned(), client_secret: None, ..right.clone() };
    let bob = sign_in(public, &BOB).await.unwrap();
    assert_eq!((bob.subject.as_str(), bob.email), ("u-bob", None));
    assert!(bob.groups.is_empty());

    // A code is good once, and with the verifier that it was asked for with.
    let provider = Provider::new(right.clone()).unwrap();
    let begin = async |random| provider.begin(random, None, Timestamp::now()).await.unwrap();
    let (address, attempt) = begin(ONCE).await;
    let query = log_in(&address, &ALICE).await;
    provider.finish(attempt, &query, Timestamp::now()).await.unwrap();
    let (_address, again) = begin(ONCE).await;
    let used = provider.finish(again, &query, Timestamp::now()).await;
    assert!(matches!(used, Err(Refusal::Code { .. })), "{used:?}");
    let (address, _attempt) = begin(ONCE).await;
    let query = log_in(&address, &ALICE).await;
    let (_address, other) = begin([ONCE[0], ONCE[1], [4; 32]]).await;
    let stolen = provider.finish(other, &query, Timestamp::now()).await;
    assert!(matches!(stolen, Err(Refusal::Code { .. })), "{stolen:?}");

    let wrong = settings(&idp, folder.path(), "wrong");
    let refused = sign_in(wrong, &ALICE).await;
    assert!(matches!(refused, Err(Refusal::Client { .. })), "{refused:?}");
}
