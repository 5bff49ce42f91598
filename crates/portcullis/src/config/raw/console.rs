//! The section `console`, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::defaults;

/// People's side of the gate, in a browser.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Console {
    /// Address and port on which browsers connect.
    #[schemars(extend("default" = defaults::CONSOLE))]
    pub(in crate::config) listen: Option<String>,
    /// Where browsers reach it: `https://console.example.com`, or `http://localhost:8444` on a single machine. Any other name is
    /// refused.
    #[schemars(required)]
    pub(in crate::config) public_url: Option<String>,
    /// Its certificate and key, if `public_url` has `https`; the gate's own where none are named.
    pub(in crate::config) tls: Option<ConsoleTls>,
    /// Who vouches for people beside the accounts of this machine: an OpenID provider.
    pub(in crate::config) oidc: Option<Oidc>,
}

/// An OpenID provider, with which the gate is registered as a client. It is to send people back to `/sign-in/oidc/callback` of the
/// console's `public_url`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Oidc {
    /// Its issuer identifier, exactly as it writes it, as `https://login.example.com`.
    #[schemars(required)]
    pub(in crate::config) issuer: Option<String>,
    /// What it knows the gate by.
    #[schemars(required)]
    pub(in crate::config) client_id: Option<String>,
    /// The file with the client's secret. Without it, the gate is a public client.
    pub(in crate::config) client_secret_file: Option<String>,
    /// What is asked for beside `openid`.
    #[schemars(extend("default" = defaults::SCOPES))]
    pub(in crate::config) scopes: Option<Vec<String>>,
    /// The claim of the ID token that holds somebody's groups.
    #[schemars(extend("default" = defaults::GROUPS_CLAIM))]
    pub(in crate::config) groups_claim: Option<String>,
    /// Groups whose members may sign in, and which rules may name in `@approvers`. Of others, only people under `approvers` may sign in;
    /// no other group of the provider counts.
    pub(in crate::config) groups: Option<Vec<String>>,
    /// Whether each address that the provider tells of is one that it has verified, though it does not say so by
    /// `email_verified`: only of providers where people cannot choose their address.
    #[schemars(extend("default" = false))]
    pub(in crate::config) addresses_are_verified: Option<bool>,
    /// The file with the only authorities (PEM) that may vouch for the provider's certificate; without it, the system's.
    pub(in crate::config) ca_file: Option<String>,
}

/// The console's certificate and key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ConsoleTls {
    /// PEM file: the certificate, then its intermediates.
    #[schemars(required)]
    pub(in crate::config) certificate: Option<String>,
    /// PEM file: the private key. Only its owner may read it.
    #[schemars(required)]
    pub(in crate::config) key: Option<String>,
}
