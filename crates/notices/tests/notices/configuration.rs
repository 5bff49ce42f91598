//! What is refused at the start.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use insta::assert_snapshot;
use notices::{Channel, Mail, MailServer, MailTls, Part, Target, Targets};

use crate::support::{SECRET, file, target, trusting};

fn webhook(name: &str, secret_file: PathBuf) -> Target {
    target(name, Channel::Webhook { address: "https://hooks.example/".parse().unwrap(), secret_file })
}

fn mail(name: &str, password: PathBuf, to: &[&str]) -> Target {
    let server = MailServer::new("mail.example", None, MailTls::Implicit).unwrap();
    let to = to.iter().map(|to| to.parse().unwrap()).collect();
    let from = "gate@example.com".parse().unwrap();
    target(name, Channel::Mail(Mail { server, user: Some(("gate".into(), password)), from, to }))
}

/// Our files have names of their own each time.
fn without_files(refusal: &str) -> String {
    let parts = refusal.split_inclusive(['`', ' ']);
    parts
        .map(|part| part.split_once(".secret").map_or_else(|| part.into(), |(_, end)| format!("FILE{end}")))
        .collect()
}

#[test]
fn everything_that_is_wrong_is_told() {
    let missing = PathBuf::from("/nowhere/secret");
    let exposed = file(SECRET);
    set_permissions(&exposed, Permissions::from_mode(0o640)).unwrap();
    let slack = |name, text: &str| target(name, Channel::Slack { address_file: file(text) });
    let to = &["sre@example.com"][..];
    let targets = vec![
        webhook("good", file(SECRET)),
        webhook("good", file(SECRET)),
        webhook("exposed", exposed),
        webhook("unsigned", file("whsec_c2hvcnQ=")),
        trusting(&missing, webhook("both", missing.clone())),
        trusting(&file("none"), webhook("bad-ca", file(SECRET))),
        target("missing", Channel::Teams { address_file: missing.clone() }),
        slack("empty", " \n"),
        slack("large", &"x".repeat(9_000)),
        slack("words", "T0SECRET"),
        slack("plain", "http://hooks.example/T0SECRET"),
        trusting(&file("none"), mail("bad-mail-ca", file("p"), to)),
        mail("nobody", file("p"), &[]),
        mail("no-password", missing.clone(), to),
    ];
    let refused = Targets::open(targets).unwrap_err();
    let refused =
        refused.iter().map(|error| without_files(&error.to_string())).collect::<Vec<_>>().join("\n");
    assert!(!refused.contains("T0SECRET"));
    let both = vec![trusting(&missing, webhook("both", missing.clone()))];
    let parts: Vec<_> = Targets::open(both).unwrap_err().iter().map(|error| error.part).collect();
    assert_eq!(parts, [Part::Secret, Part::Ca]);
    assert_snapshot!(refused);
}
