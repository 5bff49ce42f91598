//! Sending mail by SMTP, protected.

use std::fmt;
use std::time::Duration;

use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use crate::failure::{Failure, cause};
use crate::secret::Secret;
use crate::target::Mail;
use crate::targets::{Ca, Problem};
use crate::{MailTls, Notice, format};

/// A mail server, and who gets mail from whom. `Debug` does not show how to sign in.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Mailboxes,
    /// For all of a mail: those of the transport are for one step.
    timeout: Duration,
}

impl Mailer {
    pub(crate) fn new(
        mail: Mail,
        user: Option<(String, Secret)>,
        ca: Option<&Ca>,
        timeout: Duration,
    ) -> Result<Self, Problem> {
        let Mail { server, from, to, .. } = mail;
        let tls = match server.tls() {
            MailTls::StartTls => Tls::Required(parameters(server.host(), ca)?),
            MailTls::Implicit => Tls::Wrapper(parameters(server.host(), ca)?),
            MailTls::Plain => Tls::None,
        };
        let to = to.into_iter().map(|to| to.0).collect::<Vec<_>>().into();
        let from = from.0;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host())
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .port(server.port())
            .timeout(Some(timeout))
            .tls(tls);
        if let Some((user, password)) = user {
            transport = transport.credentials(Credentials::new(user, password.expose().to_owned()));
        }
        Ok(Self { transport: transport.build(), from, to, timeout })
    }

    pub(crate) async fn send(&self, notice: &Notice) -> Result<(), Failure> {
        let message = format::mail::message(notice, &self.from, &self.to)
            .map_err(|error| Failure::never(format!("no mail can be made of it: {error}")))?;
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judged(&error)),
            Err(_) => Err(Failure::later("it did not take the mail in time")),
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

/// TLS to `host`, which is to show a certificate of the system's authorities, or of `ca` alone.
fn parameters(host: &str, ca: Option<&Ca>) -> Result<TlsParameters, Problem> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(Ca { path, pem }) = ca {
        // One that holds none is taken by the parser.
        let holds_some = pem.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----");
        let certificate = Certificate::from_pem(pem).ok().filter(|_| holds_some);
        let certificate = certificate.ok_or_else(|| Problem::Certificates(path.clone()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| Problem::Tls(error.to_string()))
}

fn judged(error: &Error) -> Failure {
    match error.status() {
        Some(code) if error.is_permanent() => Failure::never(format!(
            "it answered {code}: look at who signs in, who writes and who is to get it"
        )),
        Some(code) => Failure::later(format!("it answered {code}")),
        None => {
            let what = if error.is_tls() { "TLS failed" } else { "it did not take the mail" };
            Failure::later(cause(error).map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}")))
        }
    }
}
