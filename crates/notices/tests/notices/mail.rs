//! Mail, by a scripted SMTP server.

use std::net::SocketAddr;

use insta::assert_snapshot;
use notices::{Channel, Mail, MailServer, MailTls, Target};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::http::tls;
use crate::support::{Gate, file, target, trusting};

/// What the server does.
#[derive(Clone)]
struct Script {
    /// Whether TLS comes first, by STARTTLS, or not at all.
    tls: MailTls,
    acceptor: TlsAcceptor,
    /// What it says to `RCPT`, one connection after the other, and then 250.
    recipients: Vec<&'static str>,
}

/// A server, and what was said to it.
struct Server {
    address: SocketAddr,
    said: mpsc::UnboundedReceiver<String>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Server {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, said) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut recipients = script.recipients.clone().into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                let recipient = recipients.next().unwrap_or("250 ok");
                let mut stream: Box<dyn Stream> = Box::new(stream);
                if script.tls == MailTls::Implicit {
                    let Ok(protected) = script.acceptor.accept(stream).await else { continue };
                    stream = Box::new(protected);
                }
                converse(stream, &script, recipient, &tell).await;
            }
        });
        Self { address, said }
    }

    fn said(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.said.try_recv().ok()).collect()
    }

    fn target(&self, tls: MailTls) -> Target {
        let mail = Mail {
            server: MailServer::new(&self.address.ip().to_string(), Some(self.address.port()), tls).unwrap(),
            user: Some(("gate".into(), file("p4ssw0rd\n"))),
            from: "Portcullis <gate@example.com>".parse().unwrap(),
            to: ["sre@example.com", "Grace <grace@example.com>"].map(|to| to.parse().unwrap()).into(),
        };
        target("mail", Channel::Mail(mail))
    }
}

/// One connection. `None`: the client went away.
async fn converse(
    stream: Box<dyn Stream>,
    script: &Script,
    recipient: &str,
    tell: &mpsc::UnboundedSender<String>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 mail.example").await?;
    let mut protected = script.tls == MailTls::Implicit;
    loop {
        let line = hear(&mut stream).await?;
        let _test_ended = tell.send(line.clone());
        let reply = match line.split_once(' ').map_or(&*line, |(verb, _)| verb) {
            "EHLO" if script.tls == MailTls::StartTls && !protected => "250-mail.example\r\n250 STARTTLS",
            "EHLO" => "250-mail.example\r\n250 AUTH PLAIN",
            "STARTTLS" => {
                say(&mut stream, "220 go ahead").await?;
                let accepted = script.acceptor.accept(stream.into_inner()).await.ok()?;
                let accepted: Box<dyn Stream> = Box::new(accepted);
                (stream, protected) = (BufReader::new(accepted), true);
                continue;
            }
            "AUTH" => "235 welcome",
            "RCPT" => recipient,
            "DATA" => {
                say(&mut stream, "354 go ahead").await?;
                let mut mail = String::new();
                loop {
                    match &*hear(&mut stream).await? {
                        "." => break,
                        line => mail = format!("{mail}{line}\n"),
                    }
                }
                let _test_ended = tell.send(mail);
                "250 taken"
            }
            "QUIT" => {
                say(&mut stream, "221 bye").await?;
                return None;
            }
            _ => "250 ok",
        };
        say(&mut stream, reply).await?;
    }
}

async fn say(stream: &mut BufReader<Box<dyn Stream>>, line: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
    stream.get_mut().flush().await.ok()
}

async fn hear(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
    let mut line = String::new();
    (stream.read_line(&mut line).await.ok()? > 0).then(|| line.trim_end().to_owned())
}

#[tokio::test]
async fn mail_is_sent_once_to_all_whatever_protects_it() {
    for kind in [MailTls::Plain, MailTls::StartTls, MailTls::Implicit] {
        let (acceptor, ca) = tls();
        let mut server = Server::start(Script { tls: kind, acceptor, recipients: Vec::new() }).await;
        let gate = Gate::start(vec![trusting(&ca, server.target(kind))]).await;
        gate.tell("n-1").await;
        gate.settled("mail").await;
        assert_snapshot!(format!("sent_{kind:?}"), server.said().join("\n"));
    }
}

#[tokio::test]
async fn without_the_tls_that_is_required_nothing_is_said() {
    let (acceptor, ca) = tls();
    let (_, stranger) = tls();
    // Offers none; is somebody else.
    for (offered, trusted) in [(MailTls::Plain, ca), (MailTls::StartTls, stranger)] {
        let script = Script { tls: offered, acceptor: acceptor.clone(), recipients: Vec::new() };
        let mut server = Server::start(script).await;
        let gate = Gate::start(vec![trusting(&trusted, server.target(MailTls::StartTls))]).await;
        gate.tell("n-1").await;
        gate.settled("mail").await;
        let mut said = server.said();
        assert!(said.len() > 100, "it was tried for a day");
        said.retain(|line| !["EHLO example.com", "STARTTLS", "QUIT"].contains(&line.as_str()));
        assert!(said.is_empty(), "{said:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let (acceptor, _) = tls();
    let recipients = vec!["451 greylisted", "250 ok", "550 no such user"];
    let mut server = Server::start(Script { tls: MailTls::Plain, acceptor, recipients }).await;
    let gate = Gate::start(vec![server.target(MailTls::Plain)]).await;
    gate.tell("n-1").await;
    gate.settled("mail").await;
    gate.tell("n-2").await;
    gate.settled("mail").await;
    gate.tell("n-3").await;
    gate.settled("mail").await;
    let said = server.said();
    let mails: Vec<_> = said.iter().filter_map(|mail| mail.split_once("Message-ID: ")).collect();
    let ids: Vec<_> = mails.iter().filter_map(|(_, rest)| rest.lines().next()).collect();
    assert_eq!(ids, ["<n-1@example.com>", "<n-3@example.com>"]);
    assert_eq!(said.iter().filter(|line| line.starts_with("MAIL FROM")).count(), 4);
}
