//! Targets that can be told: their configuration checked, their secrets read.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{fmt, fs, io};

use jiff::Timestamp;
use reqwest::Url;

use crate::failure::Failure;
use crate::http::Http;
use crate::mail::Mailer;
use crate::notice::is_protected;
use crate::secret::Secret;
use crate::target::{Channel, Filter, Target};
use crate::{Name, Notice, SigningSecret, format};

/// Targets that can be told. `Debug` shows no secret.
#[derive(Debug)]
pub struct Targets(pub(crate) Vec<Opened>);

/// A target that can be told.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) name: String,
    pub(crate) filter: Filter,
    to: To,
}

#[derive(Debug)]
enum To {
    Webhook(Http, Box<SigningSecret>),
    Slack(Http),
    Teams(Http),
    Mail(Box<Mailer>),
}

/// What is wrong with a target. Names no secret.
#[derive(Debug, thiserror::Error)]
#[error("target `{target}` for notices: {problem}")]
pub struct ConfigError {
    /// The target's name.
    pub target: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a target.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It is no name.
    #[error("its name is not 1 to 63 lower-case letters, digits and `-`")]
    Name,
    /// Another target is called so.
    #[error("another target has this name")]
    Twice,
    /// A file cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not where a notice may be sent.
    #[error("its address is not `https://…`, or `http` to a loopback address such as 127.0.0.1")]
    Address,
    /// It is no secret of Standard Webhooks.
    #[error("`{}` does not hold `whsec_` and 24 to 64 bytes in base64", .0.display())]
    SigningSecret(PathBuf),
    /// It has no certificates.
    #[error("`{}` does not hold certificates in PEM", .0.display())]
    Certificates(PathBuf),
    /// It is no mailbox.
    #[error("`{0}` is no mail address")]
    Mailbox(Name),
    /// There is nobody to write to.
    #[error("it has nobody to write to")]
    Nobody,
    /// Others could read along.
    #[error("mail without TLS goes to a loopback address only, not to `{0}`: use STARTTLS or implicit TLS")]
    Plain(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl Targets {
    /// Checks all targets and reads their files. For the start: it blocks.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn open(targets: Vec<Target>) -> Result<Self, Vec<ConfigError>> {
        let (mut opened, mut errors, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
        for target in targets {
            let name = target.name.clone();
            let one = if names.insert(name.clone()) { Opened::new(target) } else { Err(Problem::Twice) };
            match one {
                Ok(one) => opened.push(one),
                Err(problem) => errors.push(ConfigError { target: name, problem }),
            }
        }
        if errors.is_empty() { Ok(Self(opened)) } else { Err(errors) }
    }
}

impl Opened {
    fn new(target: Target) -> Result<Self, Problem> {
        let Target { name, filter, channel, ca_file, timeout } = target;
        let may = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if !(1..=63).contains(&name.len()) || !name.bytes().all(may) {
            return Err(Problem::Name);
        }
        let ca = ca_file.map(read_ca).transpose()?;
        let http = |address: &str| {
            let url = Url::parse(address).ok().filter(is_protected).ok_or(Problem::Address)?;
            Http::new(url, ca.as_ref(), timeout)
        };
        let to = match channel {
            Channel::Webhook { address, secret_file } => {
                let secret = SigningSecret::parse(read(&secret_file)?.expose());
                let secret = secret.ok_or(Problem::SigningSecret(secret_file))?;
                To::Webhook(http(&address)?, Box::new(secret))
            }
            Channel::Slack { address_file } => To::Slack(http(read(&address_file)?.expose())?),
            Channel::Teams { address_file } => To::Teams(http(read(&address_file)?.expose())?),
            Channel::Mail(mail) => To::Mail(Box::new(Mailer::new(mail, ca.as_ref(), timeout)?)),
        };
        Ok(Self { name, filter, to })
    }

    /// Tells it once, at `now`.
    pub(crate) async fn tell(&self, notice: &Notice, now: Timestamp) -> Result<(), Failure> {
        match &self.to {
            To::Webhook(http, secret) => {
                let body = format::webhook::body(notice)
                    .map_err(|_| Failure::never("the notice cannot be written as JSON"))?;
                let headers = [
                    ("webhook-id", notice.id.to_string()),
                    ("webhook-timestamp", now.as_second().to_string()),
                    ("webhook-signature", secret.sign(&notice.id, now, &body)),
                ];
                http.post(body, &headers, now).await
            }
            To::Slack(http) => http.post(format::slack::body(notice), &[], now).await,
            To::Teams(http) => http.post(format::teams::body(notice), &[], now).await,
            To::Mail(mailer) => mailer.send(notice).await,
        }
    }
}

/// Certificates to trust, and the file they are from.
pub(crate) struct Ca {
    pub(crate) path: PathBuf,
    pub(crate) pem: Vec<u8>,
}

fn read_ca(path: PathBuf) -> Result<Ca, Problem> {
    match fs::read(&path) {
        Ok(pem) => Ok(Ca { path, pem }),
        Err(source) => Err(Problem::File { path, source }),
    }
}

pub(crate) fn read(path: &std::path::Path) -> Result<Secret, Problem> {
    Secret::read(path).map_err(|source| Problem::File { path: path.to_owned(), source })
}

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ca").field(&self.path).finish()
    }
}
