//! People's side, in a browser.

use approval::Human;
use console::{Address, CALLBACK};
use oidc::{Provider, Settings};

use super::{
    super::{
        Files, defaults,
        position::FieldPath,
        raw,
        resolved::{Approver, Console, Oidc, Tls},
        values,
    },
    Resolver,
};

impl Resolver<'_> {
    /// Without a certificate of its own it has the gate's. Without any, browsers on this machine alone may connect: what goes
    /// over the wire signs people in.
    pub(super) fn console(
        &mut self,
        raw: raw::Console,
        gates: &Tls,
        approvers: &[Approver],
        at: &FieldPath,
    ) -> Option<Console> {
        let listen = raw.listen.unwrap_or_else(|| defaults::CONSOLE.to_owned());
        let listen = self.read(&at.key("listen"), values::address(&listen));
        let own = raw.tls.is_some();
        let tls = match raw.tls {
            None => Some(Tls { ca: None, ..gates.clone() }),
            Some(raw::ConsoleTls { certificate, key }) => {
                self.tls(raw::Tls { certificate, key, ca: None }, &at.key("tls"))
            }
        };
        let address_at = at.key("public_url");
        let address = raw.public_url.and_then(|url| self.read(&address_at, Address::parse(&url)))?;
        let oidc = match raw.oidc {
            Some(raw) => Some(self.oidc(raw, &address, approvers, &at.key("oidc"))?),
            None => None,
        };
        let listen = listen?;
        if address.is_secure() {
            return Some(Console { listen, address, tls: Some(tls?), oidc });
        }
        if own {
            return self.refuse(&address_at, "has no `https://`, but `tls` is given");
        }
        if !listen.ip().is_loopback() {
            return self.refuse(
                &at.key("listen"),
                "lets other machines in without TLS; listen on 127.0.0.1, or give `public_url` an `https://`",
            );
        }
        Some(Console { listen, address, tls: None, oidc })
    }

    fn oidc(
        &mut self,
        raw: raw::Oidc,
        console: &Address,
        approvers: &[Approver],
        at: &FieldPath,
    ) -> Option<Oidc> {
        let groups_at = at.key("groups");
        let groups = self.groups(raw.groups.unwrap_or_default(), &groups_at);
        let groups: std::collections::BTreeSet<String> = groups.iter().map(ToString::to_string).collect();
        let of_a_human =
            |group: &&String| approvers.iter().any(|approver| approver.human.is_called(group.as_str()));
        if let Some(group) = groups.iter().find(of_a_human) {
            let message = format!("the group `{group}` is also a human's name; rules could mean either");
            return self.refuse(&groups_at, message);
        }
        let names = |approver: &Approver| -> Vec<String> {
            let Human { subject, aliases, .. } = &approver.human;
            std::iter::once(subject).chain(aliases).cloned().collect()
        };
        let unknown = |approver: &&Approver| {
            approver.account.is_some() && !names(approver).iter().any(|name| name.contains(['@', '#']))
        };
        if let Some(approver) = approvers.iter().find(unknown) {
            let message = format!(
                "approver `{}` has an `account` and no address among their names, so by the provider they would count as somebody else: \
                 add their address to `aliases`",
                approver.human.subject
            );
            return self.refuse(at, message);
        }
        let secret = raw.client_secret_file.map(|file| self.path(&file, &at.key("client_secret_file")));
        let ca = raw.ca_file.map(|file| self.path(&file, &at.key("ca_file")));
        let settings = Settings {
            issuer: raw.issuer?,
            client_id: raw.client_id?,
            client_secret: secret.map_or(Some(None), |file| file.map(Some))?,
            redirect_uri: console.page(CALLBACK),
            scopes: raw.scopes.unwrap_or_else(|| defaults::SCOPES.map(str::to_owned).to_vec()),
            groups_claim: raw.groups_claim.unwrap_or_else(|| defaults::GROUPS_CLAIM.to_owned()),
            ca: ca.map_or(Some(None), |file| file.map(Some))?,
        };
        if self.context.files == Files::Check
            && let Err(problems) = Provider::new(settings.clone())
        {
            for problem in problems {
                self.report(at, problem.to_string());
            }
            return None;
        }
        let addresses_are_verified = raw.addresses_are_verified.unwrap_or(false);
        Some(Oidc { settings, groups, addresses_are_verified })
    }
}
