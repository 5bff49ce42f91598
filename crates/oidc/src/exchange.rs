//! A code for tokens (RFC 6749, section 4.1.3; OpenID Connect Core 1.0, section 3.1.3).

use form_urlencoded::Serializer;
use reqwest::{StatusCode, header::HeaderValue};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    Attempt, Failure, Part, Refusal, discovery::Metadata, http::Answer, settings::Resolved, text::shown,
};

/// What came for a code. The access token is of use for its hash alone, and goes nowhere.
pub(crate) struct Tokens {
    pub(crate) id_token: Zeroizing<String>,
    pub(crate) access_token: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Granted {
    token_type: String,
    id_token: Option<String>,
    access_token: Option<String>,
}

/// RFC 6749, section 5.2.
#[derive(Deserialize)]
struct Refused {
    error: String,
    error_description: Option<String>,
}

/// Gives the provider the code, once.
pub(crate) async fn exchange(
    settings: &Resolved,
    metadata: &Metadata,
    attempt: &Attempt,
    code: &str,
) -> Result<Tokens, Refusal> {
    let (authorization, form) = request(settings, metadata, attempt, code)?;
    let answer = settings.http.post(Part::Token, &metadata.token, authorization, form).await?;
    let Answer { status, body } = answer;
    let body = Zeroizing::new(body);
    match status {
        StatusCode::OK => granted(&body),
        status => {
            let secrets =
                [Some(code), Some(&*attempt.verifier), settings.client.secret.as_ref().map(|s| s.as_str())];
            Err(refused(status, &body, &secrets))
        }
    }
}

/// Header and form.
fn request(
    settings: &Resolved,
    metadata: &Metadata,
    attempt: &Attempt,
    code: &str,
) -> Result<(Option<HeaderValue>, String), Failure> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &settings.redirect_uri)
        .append_pair("code_verifier", &attempt.verifier);
    let authorization = settings.client.authenticate(metadata, &mut form)?;
    Ok((authorization, form.finish()))
}

fn granted(body: &[u8]) -> Result<Tokens, Refusal> {
    // What the parser would say of it may quote a token.
    let malformed = |why: &str| Failure::Malformed { part: Part::Token, why: why.to_owned() };
    let Ok(granted) = serde_json::from_slice::<Granted>(body) else {
        return Err(malformed("its answer is no token response").into());
    };
    let access_token = granted.access_token.map(Zeroizing::new);
    let id_token = granted.id_token.map(Zeroizing::new);
    if !granted.token_type.eq_ignore_ascii_case("bearer") {
        return Err(malformed("its tokens are not of type `Bearer`").into());
    }
    let id_token = id_token.ok_or_else(|| malformed("its answer has no `id_token`"))?;
    Ok(Tokens { id_token, access_token })
}

/// What the provider has against it; a description that quotes what it was sent is not told.
fn refused(status: StatusCode, body: &[u8], secrets: &[Option<&str>]) -> Refusal {
    let Ok(refused) = serde_json::from_slice::<Refused>(body) else {
        return Failure::Status { part: Part::Token, status }.into();
    };
    let quotes = |text: &String| secrets.iter().flatten().any(|secret| text.contains(secret));
    let description = refused.error_description.filter(|text| !quotes(text)).map(|text| shown(&text));
    match refused.error.as_str() {
        "invalid_client" | "unauthorized_client" => Refusal::Client { description },
        "invalid_grant" => Refusal::Code { description },
        error if quotes(&refused.error) || error.is_empty() => {
            Failure::Status { part: Part::Token, status }.into()
        }
        error => Refusal::Exchange { error: shown(error), description },
    }
}
