//! Targets that can be told: their configuration checked, their secrets read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, io};

use jiff::Timestamp;

use crate::failure::Failure;
use crate::http::Http;
use crate::mail::Mailer;
use crate::secret::Secret;
use crate::target::{Channel, Filter, Mail, Target};
use crate::{Endpoint, Notice, SigningSecret, TargetName, format};

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
    pub target: TargetName,
    /// What of it is wrong.
    pub part: Part,
    /// What is wrong with that.
    pub problem: Problem,
}

/// What of a target can be wrong once it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The file of what is secret: what signs, an address, a password.
    Secret,
    /// The file of certificates.
    Ca,
}

/// What can be wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Another target is called so.
    #[error("another target has this name")]
    Twice,
    /// A file of a secret cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of certificates cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read a secret.
    #[error("`{path}` can be read by others (mode {mode:03o}); run `chmod 600 {path}`", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode's last nine bits.
        mode: u32,
    },
    /// It is empty or larger than any secret.
    #[error("`{}` is empty, or larger than 8 KiB", .0.display())]
    Size(PathBuf),
    /// It does not say where a notice may be sent.
    #[error("`{}` does not hold an address with `https://…`, or `http` to a loopback address", .0.display())]
    Address(PathBuf),
    /// It is no secret of Standard Webhooks.
    #[error("`{path}` does not hold `whsec_` and 24 to 64 bytes in base64; run `echo \"whsec_$(openssl rand -base64 32)\" > {path}`", path = .0.display())]
    SigningSecret(PathBuf),
    /// It has no certificates.
    #[error("`{}` does not hold certificates in PEM", .0.display())]
    Certificates(PathBuf),
    /// There is nobody to write to.
    #[error("it has nobody to write to")]
    Nobody,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// A channel whose secrets were read.
enum Read {
    Webhook(Endpoint, Box<SigningSecret>),
    Slack(Endpoint),
    Teams(Endpoint),
    Mail(Mail, Option<(String, Secret)>),
}

impl Targets {
    /// Reads the files of all targets. For the start: it blocks.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn open(targets: Vec<Target>) -> Result<Self, Vec<ConfigError>> {
        let (mut opened, mut errors, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
        for target in targets {
            let name = target.name.clone();
            let one =
                if names.insert(name.clone()) { Opened::new(target) } else { Err(vec![Problem::Twice]) };
            match one {
                Ok(one) => opened.push(one),
                Err(problems) => errors.extend(problems.into_iter().map(|problem| {
                    let part = problem.part();
                    ConfigError { target: name.clone(), part, problem }
                })),
            }
        }
        if errors.is_empty() { Ok(Self(opened)) } else { Err(errors) }
    }
}

impl Opened {
    fn new(target: Target) -> Result<Self, Vec<Problem>> {
        let Target { name, filter, channel, ca_file, timeout } = target;
        match (channel.read(), ca_file.map(Ca::read).transpose()) {
            (Ok(read), Ok(ca)) => {
                let to = read.connect(ca.as_ref(), timeout).map_err(|problem| vec![problem])?;
                Ok(Self { name: name.to_string(), filter, to })
            }
            (read, ca) => Err(read.err().into_iter().chain(ca.err()).collect()),
        }
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

impl Channel {
    fn read(self) -> Result<Read, Problem> {
        let address = |file: &Path| {
            Secret::read(file)?.expose().parse::<Endpoint>().map_err(|_| Problem::Address(file.to_owned()))
        };
        Ok(match self {
            Self::Webhook { address, secret_file } => {
                let secret = SigningSecret::parse(Secret::read(&secret_file)?.expose());
                let secret = secret.ok_or(Problem::SigningSecret(secret_file))?;
                Read::Webhook(address, Box::new(secret))
            }
            Self::Slack { address_file } => Read::Slack(address(&address_file)?),
            Self::Teams { address_file } => Read::Teams(address(&address_file)?),
            Self::Mail(Mail { to, .. }) if to.is_empty() => return Err(Problem::Nobody),
            Self::Mail(mut mail) => {
                let user = mail.user.take();
                let user = user.map(|(name, file)| Secret::read(&file).map(|password| (name, password)));
                Read::Mail(mail, user.transpose()?)
            }
        })
    }
}

impl Read {
    fn connect(self, ca: Option<&Ca>, timeout: Duration) -> Result<To, Problem> {
        let http = |Endpoint(url)| Http::new(url, ca, timeout);
        Ok(match self {
            Self::Webhook(address, secret) => To::Webhook(http(address)?, secret),
            Self::Slack(address) => To::Slack(http(address)?),
            Self::Teams(address) => To::Teams(http(address)?),
            Self::Mail(mail, user) => To::Mail(Box::new(Mailer::new(mail, user, ca, timeout)?)),
        })
    }
}

impl Problem {
    /// What of a target it is with.
    fn part(&self) -> Part {
        match self {
            Self::Twice | Self::Nobody | Self::Tls(_) => Part::Whole,
            Self::File { .. }
            | Self::Exposed { .. }
            | Self::Size(_)
            | Self::Address(_)
            | Self::SigningSecret(_) => Part::Secret,
            Self::Certificates(_) | Self::CaFile { .. } => Part::Ca,
        }
    }
}

/// Certificates to trust, and the file they are from.
pub(crate) struct Ca {
    pub(crate) path: PathBuf,
    pub(crate) pem: Vec<u8>,
}

impl Ca {
    fn read(path: PathBuf) -> Result<Self, Problem> {
        match fs::read(&path) {
            Ok(pem) => Ok(Self { path, pem }),
            Err(source) => Err(Problem::CaFile { path, source }),
        }
    }
}

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ca").field(&self.path).finish()
    }
}
