//! What is refused at the start.

use std::path::PathBuf;

use insta::assert_snapshot;
use notices::{Channel, Mail, MailTls, Target, Targets};

use crate::support::{SECRET, file, target, trusting};

fn webhook(name: &str, address: &str) -> Target {
    target(name, Channel::Webhook { address: address.to_owned(), secret_file: file(SECRET) })
}

fn mail(name: &str, host: &str, tls: MailTls, from: &str, to: &[&str]) -> Target {
    let to = to.iter().map(|&to| to.to_owned()).collect();
    target(
        name,
        Channel::Mail(Mail { host: host.into(), port: None, tls, user: None, from: from.into(), to }),
    )
}

/// Our files have names of their own each time.
fn without_files(refusal: &str) -> String {
    let parts = refusal.split('`').map(|part| if part.ends_with(".secret") { "FILE" } else { part });
    parts.collect::<Vec<_>>().join("`")
}

#[test]
fn everything_that_is_wrong_is_told() {
    let missing = PathBuf::from("/nowhere/secret");
    let no_secret = file("whsec_c2hvcnQ=");
    let slack = |address: &str| Channel::Slack { address_file: file(address) };
    let (from, to) = ("gate@example.com", &["sre@example.com"][..]);
    let targets = vec![
        webhook("plain", "http://hooks.example/T0SECRET"),
        webhook("by-name", "http://localhost/"),
        webhook("ftp", "ftp://127.0.0.1/"),
        webhook("plain", "https://hooks.example/"),
        webhook("No Name", "https://hooks.example/"),
        target("missing", Channel::Slack { address_file: missing.clone() }),
        target("empty", slack(" \n")),
        target("large", slack(&"x".repeat(9_000))),
        target("words", slack("T0SECRET")),
        target(
            "unsigned",
            Channel::Webhook { address: "https://hooks.example/".into(), secret_file: no_secret },
        ),
        trusting(&missing, webhook("no-ca", "https://hooks.example/")),
        trusting(&file("none"), webhook("bad-ca", "https://hooks.example/")),
        trusting(&file("none"), mail("bad-mail-ca", "mail.example", MailTls::Implicit, from, to)),
        mail("plain-mail", "mail.example", MailTls::Plain, from, to),
        mail("plain-by-name", "localhost", MailTls::Plain, from, to),
        mail("nobody", "mail.example", MailTls::StartTls, from, &[]),
        mail("two-lines", "mail.example", MailTls::StartTls, "gate@example.com\r\nBcc: eve@example.com", to),
        mail("good", "127.0.0.1", MailTls::Plain, from, to),
    ];
    let refused = Targets::open(targets).unwrap_err();
    let refused =
        refused.iter().map(|error| without_files(&error.to_string())).collect::<Vec<_>>().join("\n");
    assert!(!refused.contains("T0SECRET"));
    assert_snapshot!(refused);
}
