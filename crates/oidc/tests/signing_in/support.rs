//! A provider that answers as a test tells it to, and a relying party of it.

use std::{collections::BTreeMap, fs, sync::Arc};

use http::{StatusCode, header::LOCATION};
use jiff::{SignedDuration, Timestamp};
use oidc::{Identity, Provider, Random, Refusal, Settings};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::stand_in::{Habits, Reply, Seen, StandIn};

use crate::signer::{ED, P256, P384, RSA, Signer, encoded};

pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/keys";
pub(crate) const TOKEN: &str = "/token";

pub(crate) const CLIENT: &str = "console";
pub(crate) const SECRET: &str = "CANARY-client-secret";
pub(crate) const CODE: &str = "CANARY-code";
pub(crate) const ACCESS_TOKEN: &str = "CANARY-access-token";
pub(crate) const RANDOM: Random = [[1; 32], [2; 32], [3; 32]];

/// 2026-07-01T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_782_907_200, 0);

pub(crate) fn after(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

type Answers = BTreeMap<&'static str, (StatusCode, String)>;

pub(crate) struct Bench {
    pub(crate) server: StandIn,
    pub(crate) provider: Provider,
    answers: Arc<Mutex<Answers>>,
    _folder: TempDir,
}

impl Bench {
    /// A provider with a key of each kind, and a relying party with a secret.
    pub(crate) fn new() -> Self {
        Self::with(|_settings| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let answers = Arc::new(Mutex::new(Answers::new()));
        let habits = Habits { protocols: vec![b"http/1.1".to_vec()], ..Habits::default() };
        let script = Arc::clone(&answers);
        let server = StandIn::with(habits, move |seen| answer(&script.lock(), seen)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (ca, secret) = (folder.path().join("ca.pem"), folder.path().join("secret"));
        fs::write(&ca, server.authority()).unwrap();
        fs::write(&secret, format!("{SECRET}\n")).unwrap();
        let mut settings = Settings {
            issuer: server.server(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(secret),
            redirect_uri: "https://gate.example.com/callback".to_owned(),
            scopes: ["email", "profile", "groups", "email"].map(str::to_owned).to_vec(),
            groups_claim: "groups".to_owned(),
            ca: Some(ca),
        };
        change(&mut settings);
        let provider = Provider::new(settings).unwrap();
        let bench = Self { server, provider, answers, _folder: folder };
        bench.say(DISCOVERY, &bench.discovery());
        bench.publish(&[&ED, &RSA, &P256, &P384]);
        bench
    }

    pub(crate) fn discovery(&self) -> Value {
        let issuer = self.server.server();
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize?tenant=t"),
            "token_endpoint": format!("{issuer}{TOKEN}"),
            "jwks_uri": format!("{issuer}{KEYS}"),
        })
    }

    /// Answers with 200 and this document from now on.
    pub(crate) fn say(&self, path: &'static str, document: &Value) {
        self.answer(path, StatusCode::OK, document.to_string());
    }

    pub(crate) fn answer(&self, path: &'static str, status: StatusCode, body: impl Into<String>) {
        self.answers.lock().insert(path, (status, body.into()));
    }

    pub(crate) fn publish(&self, keys: &[&Signer]) {
        self.say(KEYS, &json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }));
    }

    /// Gives this ID token for the code from now on.
    pub(crate) fn grant(&self, id_token: &str) {
        let tokens = json!({ "token_type": "bearer", "id_token": id_token, "access_token": ACCESS_TOKEN });
        self.say(TOKEN, &tokens);
    }

    /// The claims of somebody who is signed in.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.server.server(), "sub": "u-1", "aud": CLIENT, "nonce": nonce(),
            "iat": NOW.as_second(), "exp": after(300).as_second(), "auth_time": after(-30).as_second(),
            "email": "alice@example.com", "email_verified": true, "name": "Alice Example",
            "groups": ["sre", "payments/oncall"], "acr": "aal2", "amr": ["pwd", "hwk"],
        })
    }

    /// Those claims with others beside them or in their place; `null` takes one out.
    pub(crate) fn claims_with(&self, others: Value) -> Value {
        let mut claims = self.claims();
        for (name, value) in others.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_name, value| !value.is_null());
        claims
    }

    /// Begins, and comes back with a code for which there is this ID token.
    pub(crate) async fn sign_in(&self, id_token: &str) -> Result<Identity, Refusal> {
        self.sign_in_at(id_token, NOW).await
    }

    pub(crate) async fn sign_in_at(&self, id_token: &str, now: Timestamp) -> Result<Identity, Refusal> {
        self.grant(id_token);
        self.come_back(&format!("code={CODE}&state={}", state()), now).await
    }

    pub(crate) async fn come_back(&self, query: &str, now: Timestamp) -> Result<Identity, Refusal> {
        let (_address, attempt) = sendable(self.provider.begin(RANDOM, None, now)).await?;
        sendable(self.provider.finish(attempt, query, now)).await
    }

    /// Why nobody is signed in, in words that tell no secret, with the provider's address as `ISSUER`.
    pub(crate) fn told(&self, came: Result<Identity, Refusal>) -> String {
        let told = came.unwrap_err().to_string();
        for secret in ["CANARY", &state(), &nonce(), &encoded(RANDOM[2])] {
            assert!(!told.contains(secret), "{told}");
        }
        told.replace(&self.server.server(), "ISSUER")
    }

    /// How often this was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.server.requests().iter().filter(|seen| seen.uri.path() == path).count()
    }
}

/// Handlers of a web server may run on any thread.
fn sendable<T: Future + Send>(future: T) -> T {
    future
}

pub(crate) fn state() -> String {
    encoded(RANDOM[0])
}

pub(crate) fn nonce() -> String {
    encoded(RANDOM[1])
}

/// A token that is right if the claims are.
pub(crate) fn good(claims: &Value) -> String {
    ED.token(&json!({ "alg": "EdDSA", "kid": "ed" }), claims)
}

fn answer(answers: &Answers, seen: &Seen) -> Reply {
    let Some((status, body)) = answers.get(seen.uri.path()) else {
        return Reply::json(StatusCode::NOT_FOUND, "{}");
    };
    let reply = Reply::json(*status, body.clone());
    if status.is_redirection() { reply.header(LOCATION, "/elsewhere") } else { reply }
}
