//! The section `notices`, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::defaults;
use super::DurationText;

/// A place where people are told: by one of `webhook`, `slack`, `teams` and `mail`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Target {
    /// What the log calls it: lower-case letters, digits and `-`. Under another name it is another target, which is owed nothing yet.
    #[schemars(required)]
    pub(in crate::config) name: Option<String>,
    /// A webhook of yours, which gets JSON, signed as Standard Webhooks says.
    pub(in crate::config) webhook: Option<Webhook>,
    /// An incoming webhook of Slack.
    pub(in crate::config) slack: Option<Chat>,
    /// A Workflows webhook of Microsoft Teams.
    pub(in crate::config) teams: Option<Chat>,
    /// Mail, by SMTP.
    pub(in crate::config) mail: Option<Mail>,
    /// Only notices of these kinds: `approval_asked`, `approval_decided`, `break_glass`, `review_due`, `session_frozen`.
    #[schemars(length(min = 1))]
    pub(in crate::config) kinds: Option<Vec<String>>,
    /// Only notices about rules that ask one of these people or groups, and those that are about no rule.
    #[schemars(length(min = 1))]
    pub(in crate::config) approvers: Option<Vec<String>>,
    /// PEM file: the authorities to trust for it, in place of the system's.
    pub(in crate::config) ca_file: Option<String>,
    /// How long one try may take; at most `5m`.
    #[schemars(extend("default" = defaults::NOTICE_TIMEOUT))]
    pub(in crate::config) timeout: Option<DurationText>,
}

/// A webhook of one's own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Webhook {
    /// Where to: `https://…`, or `http` to a loopback address such as 127.0.0.1.
    #[schemars(required)]
    pub(in crate::config) url: Option<String>,
    /// File of what it is signed with: `whsec_` and 24 to 64 bytes in base64. Only its owner may read it.
    #[schemars(required)]
    pub(in crate::config) secret_file: Option<String>,
}

/// A webhook of a chat, whose address is a secret.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Chat {
    /// File of the webhook's address. Only its owner may read it.
    #[schemars(required)]
    pub(in crate::config) url_file: Option<String>,
}

/// Mail, by SMTP.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Mail {
    /// The server: a name or an address.
    #[schemars(required)]
    pub(in crate::config) host: Option<String>,
    /// Its port: 587 with `starttls`, 465 with `implicit`, 25 with `none`, where none is given.
    #[schemars(range(min = 1, max = 65_535))]
    pub(in crate::config) port: Option<u16>,
    /// What protects the connection: `starttls`, `implicit` (TLS from the first byte), or `none`, to a loopback address only.
    #[schemars(extend("default" = defaults::MAIL_TLS, "enum" = ["starttls", "implicit", "none"]))]
    pub(in crate::config) tls: Option<String>,
    /// As whom to sign in; with `password_file`.
    pub(in crate::config) user: Option<String>,
    /// File of the password. Only its owner may read it.
    pub(in crate::config) password_file: Option<String>,
    /// Who writes, as `gate@example.com`.
    #[schemars(required)]
    pub(in crate::config) from: Option<String>,
    /// Who gets it: one mail to all.
    #[schemars(required, length(min = 1))]
    pub(in crate::config) to: Option<Vec<String>>,
}
