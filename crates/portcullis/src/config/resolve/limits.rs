//! How much and how long: of sessions, connections, bodies and the API server.

use std::time::Duration;

use super::{
    super::{
        defaults,
        position::FieldPath,
        raw,
        resolved::{Limits, Sessions, Upstream},
    },
    Resolver,
};

const SMALLEST_HEADER: usize = 8 << 10;
const LARGEST_HEADER: usize = 1 << 20;
const SMALLEST_BODY: usize = 1 << 10;
/// `MaxRequestBodyBytes` of k8s.io/apiserver.
const LARGEST_BODY: usize = 3 << 20;
/// The outcomes of some thousands of calls.
const SMALLEST_RESERVE: usize = 1 << 20;
const LARGEST_RESERVE: usize = 1 << 40;
const LONGEST_SESSION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

impl Resolver<'_> {
    pub(super) fn sessions(&mut self, raw: raw::Sessions, at: &FieldPath) -> Option<Sessions> {
        let max_ttl = self.duration(raw.max_ttl, defaults::MAX_TTL, LONGEST_SESSION, &at.key("max_ttl"));
        let calls_at_once = count(raw.calls_at_once.unwrap_or(defaults::CALLS_AT_ONCE));
        let known_values_sent = raw.known_values_sent.unwrap_or(defaults::KNOWN_VALUES_SENT);
        Some(Sessions { max_ttl: max_ttl?, calls_at_once, known_values_sent })
    }

    pub(super) fn limits(&mut self, raw: raw::Limits, at: &FieldPath) -> Option<Limits> {
        let header_bytes = self.size(
            raw.header_bytes,
            defaults::HEADER_BYTES,
            SMALLEST_HEADER..=LARGEST_HEADER,
            &at.key("header_bytes"),
        );
        let body_bytes = self.size(
            raw.body_bytes,
            defaults::BODY_BYTES,
            SMALLEST_BODY..=LARGEST_BODY,
            &at.key("body_bytes"),
        );
        let ledger_reserve = self.size(
            raw.ledger_reserve,
            defaults::LEDGER_RESERVE,
            SMALLEST_RESERVE..=LARGEST_RESERVE,
            &at.key("ledger_reserve"),
        );
        let mut wait = |raw, default, key| self.duration(raw, default, LONGEST_WAIT, &at.key(key));
        let header_timeout = wait(raw.header_timeout, defaults::HEADER_TIMEOUT, "header_timeout");
        let idle_timeout = wait(raw.idle_timeout, defaults::IDLE_TIMEOUT, "idle_timeout");
        let body_timeout = wait(raw.body_timeout, defaults::BODY_TIMEOUT, "body_timeout");
        let write_timeout = wait(raw.write_timeout, defaults::WRITE_TIMEOUT, "write_timeout");
        let keep_alive = wait(raw.keep_alive, defaults::KEEP_ALIVE, "keep_alive");
        let drain = wait(raw.drain, defaults::DRAIN, "drain");
        Some(Limits {
            connections: count(raw.connections.unwrap_or(defaults::CONNECTIONS)),
            connections_per_address: count(
                raw.connections_per_address.unwrap_or(defaults::CONNECTIONS_PER_ADDRESS),
            ),
            header_bytes: header_bytes?,
            header_timeout: header_timeout?,
            idle_timeout: idle_timeout?,
            body_bytes: body_bytes?,
            body_timeout: body_timeout?,
            write_timeout: write_timeout?,
            keep_alive: keep_alive?,
            drain: drain?,
            ledger_reserve: ledger_reserve?,
        })
    }

    pub(super) fn upstream(&mut self, raw: raw::Upstream, at: &FieldPath) -> Option<Upstream> {
        let mut wait = |raw, default, key| self.duration(raw, default, LONGEST_WAIT, &at.key(key));
        let connect_timeout = wait(raw.connect_timeout, defaults::CONNECT_TIMEOUT, "connect_timeout");
        let response_timeout = wait(raw.response_timeout, defaults::RESPONSE_TIMEOUT, "response_timeout");
        Some(Upstream { connect_timeout: connect_timeout?, response_timeout: response_timeout? })
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
