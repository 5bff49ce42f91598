//! Where people are told.

use std::path::PathBuf;
use std::time::Duration;

use notices::{
    Channel, Endpoint, Filter, Kind, Mail, MailServer, MailTls, Mailbox, Part, Target, TargetName, Targets,
};

use super::{
    super::{Files, defaults, position::FieldPath, raw, suggest::suggestion},
    Resolver,
};

const LONGEST_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// A channel, and where the file of its secret is named.
type Named = (Channel, FieldPath);

impl Resolver<'_> {
    pub(super) fn notices(&mut self, raw: Vec<raw::Target>, at: &FieldPath) -> Vec<Target> {
        let (mut targets, mut names) = (Vec::new(), Vec::new());
        for (index, raw) in raw.into_iter().enumerate() {
            targets.extend(self.target(raw, &mut names, &at.index(index)));
        }
        targets
    }

    fn target(&mut self, raw: raw::Target, names: &mut Vec<TargetName>, at: &FieldPath) -> Option<Target> {
        let name = raw.name.as_ref().and_then(|name| self.target_name(name, names, &at.key("name")));
        let kinds = self.kinds(raw.kinds.as_deref().unwrap_or_default(), &at.key("kinds"));
        let approvers = raw.approvers.clone().unwrap_or_default();
        let ca_file = raw.ca_file.as_ref().map(|file| self.path(file, &at.key("ca_file")));
        let channel = self.channel(&raw, at);
        let timeout =
            self.duration(raw.timeout, defaults::NOTICE_TIMEOUT, LONGEST_TIMEOUT, &at.key("timeout"));
        let (channel, secret_at) = channel?;
        let ca_file = ca_file.map_or(Some(None), |file| file.map(Some))?;
        // What is wrong with the name or the kinds hides nothing that is wrong with the files.
        let called = name.clone().or_else(|| "unnamed".parse().ok())?;
        let filter = Filter { kinds: kinds.clone().unwrap_or_default(), approvers };
        let target = Target { name: called, filter, channel, ca_file, timeout: timeout? };
        if self.context.files == Files::Check {
            self.openable(&target, &secret_at, at)?;
        }
        name.and(kinds).map(|_| target)
    }

    /// Looks at its files.
    fn openable(&mut self, target: &Target, secret_at: &FieldPath, at: &FieldPath) -> Option<()> {
        let Err(problems) = Targets::open(vec![target.clone()]) else { return Some(()) };
        for problem in problems {
            match problem.part {
                Part::Whole => self.report(at, problem.problem.to_string()),
                Part::Secret => self.report(secret_at, problem.problem.to_string()),
                Part::Ca => self.report(&at.key("ca_file"), problem.problem.to_string()),
            }
        }
        None
    }

    fn target_name(
        &mut self,
        written: &str,
        taken: &mut Vec<TargetName>,
        at: &FieldPath,
    ) -> Option<TargetName> {
        let name = written.parse::<TargetName>().map_err(|error| format!("`{written}` is no name: {error}"));
        let name = self.read(at, name)?;
        if taken.contains(&name) {
            return self.refuse(at, format!("a second target `{written}`; names must differ"));
        }
        taken.push(name.clone());
        Some(name)
    }

    fn kinds(&mut self, written: &[String], at: &FieldPath) -> Option<Vec<Kind>> {
        let mut kinds = Some(Vec::new());
        for (index, name) in written.iter().enumerate() {
            match (Kind::ALL.into_iter().find(|kind| kind.as_str() == name), &mut kinds) {
                (Some(kind), Some(kinds)) => kinds.push(kind),
                (Some(_), None) => {}
                (None, _) => {
                    let hint = suggestion(name, Kind::ALL.into_iter().map(Kind::as_str));
                    kinds = self.refuse(&at.index(index), format!("there is no kind `{name}`; {hint}"));
                }
            }
        }
        kinds
    }

    fn channel(&mut self, raw: &raw::Target, at: &FieldPath) -> Option<Named> {
        match (&raw.webhook, &raw.slack, &raw.teams, &raw.mail) {
            (Some(webhook), None, None, None) => self.webhook(webhook, &at.key("webhook")),
            (None, Some(slack), None, None) => {
                let (address_file, at) = self.chat(slack, &at.key("slack"))?;
                Some((Channel::Slack { address_file }, at))
            }
            (None, None, Some(teams), None) => {
                let (address_file, at) = self.chat(teams, &at.key("teams"))?;
                Some((Channel::Teams { address_file }, at))
            }
            (None, None, None, Some(mail)) => self.mail(mail, &at.key("mail")),
            // A field that is misspelt or of the wrong type was most likely meant to be one of them.
            (None, None, None, None) if self.problems.has_below(at) => None,
            (None, None, None, None) => {
                self.refuse(at, "say how people are told: one of `webhook`, `slack`, `teams` and `mail`")
            }
            _ => self.refuse(
                at,
                "give only one of `webhook`, `slack`, `teams` and `mail`; another is a target of its own",
            ),
        }
    }

    fn webhook(&mut self, raw: &raw::Webhook, at: &FieldPath) -> Option<Named> {
        let (url_at, secret_at) = (at.key("url"), at.key("secret_file"));
        // Its address may hold a token, so it is not repeated.
        let address = raw
            .url
            .as_ref()
            .and_then(|url| self.read(&url_at, url.parse::<Endpoint>().map_err(|error| error.to_string())));
        let secret_file = raw.secret_file.as_ref().and_then(|file| self.path(file, &secret_at));
        Some((Channel::Webhook { address: address?, secret_file: secret_file? }, secret_at))
    }

    fn chat(&mut self, raw: &raw::Chat, at: &FieldPath) -> Option<(PathBuf, FieldPath)> {
        let at = at.key("url_file");
        let file = raw.url_file.as_ref().and_then(|file| self.path(file, &at))?;
        Some((file, at))
    }

    fn mail(&mut self, raw: &raw::Mail, at: &FieldPath) -> Option<Named> {
        let server = self.mail_server(raw, at);
        let password_at = at.key("password_file");
        let user = match (&raw.user, &raw.password_file) {
            (None, None) => Some(None),
            (Some(user), Some(file)) => self.path(file, &password_at).map(|file| Some((user.clone(), file))),
            (Some(_), None) => self.refuse(&at.key("user"), "has no password; give `password_file` too"),
            (None, Some(_)) => self.refuse(&password_at, "is of nobody; give `user` too"),
        };
        let from = raw.from.as_ref().and_then(|from| self.mailbox(from, &at.key("from")));
        let to_at = at.key("to");
        let to = raw.to.iter().flatten().enumerate();
        let to: Vec<_> = to.map(|(index, to)| self.mailbox(to, &to_at.index(index))).collect();
        // With none, that has been told.
        let to = to.into_iter().collect::<Option<Vec<_>>>().filter(|to| !to.is_empty());
        let mail = Mail { server: server?, user: user?, from: from?, to: to? };
        Some((Channel::Mail(mail), password_at))
    }

    fn mail_server(&mut self, raw: &raw::Mail, at: &FieldPath) -> Option<MailServer> {
        let tls = match raw.tls.as_deref().unwrap_or(defaults::MAIL_TLS) {
            "starttls" => MailTls::StartTls,
            "implicit" => MailTls::Implicit,
            "none" => MailTls::Plain,
            other => {
                let hint = suggestion(other, ["starttls", "implicit", "none"].into_iter());
                return self.refuse(&at.key("tls"), format!("`{other}` protects no connection; {hint}"));
            }
        };
        let server = MailServer::new(raw.host.as_ref()?, raw.port, tls);
        self.read(&at.key("host"), server.map_err(|error| error.to_string()))
    }

    fn mailbox(&mut self, written: &str, at: &FieldPath) -> Option<Mailbox> {
        self.read(at, written.parse::<Mailbox>().map_err(|error| error.to_string()))
    }
}
