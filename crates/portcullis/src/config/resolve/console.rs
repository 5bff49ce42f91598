//! People's side, in a browser.

use console::Address;

use super::{
    super::{
        defaults,
        position::FieldPath,
        raw,
        resolved::{Console, Tls},
        values,
    },
    Resolver,
};

impl Resolver<'_> {
    /// Without a certificate of its own it has the gate's. Without any, browsers on this machine alone may connect: what goes
    /// over the wire signs people in.
    pub(super) fn console(&mut self, raw: raw::Console, gates: &Tls, at: &FieldPath) -> Option<Console> {
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
        let listen = listen?;
        if address.is_secure() {
            return Some(Console { listen, address, tls: Some(tls?) });
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
        Some(Console { listen, address, tls: None })
    }
}
