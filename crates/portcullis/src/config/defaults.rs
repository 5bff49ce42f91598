//! What holds where the file says nothing. Written as the file would write it, and read the same way.

pub(super) const LISTEN: &str = "127.0.0.1:8443";
pub(super) const OPERATIONS: &str = "127.0.0.1:9090";
pub(super) const CONSOLE: &str = "127.0.0.1:8444";
pub(super) const SCOPES: [&str; 3] = ["email", "profile", "groups"];
pub(super) const GROUPS_CLAIM: &str = "groups";
pub(super) const DATA: &str = "data";
pub(super) const NOTICE_TIMEOUT: &str = "10s";
pub(super) const MAIL_TLS: &str = "starttls";
pub(super) const MAX_TTL: &str = "8h";
pub(super) const CALLS_AT_ONCE: u32 = 50;
pub(super) const KNOWN_VALUES_SENT: u32 = 20;
pub(super) const HOLD: &str = "60s";
pub(super) const DECIDE_WITHIN: &str = "1h";
pub(super) const USE_WITHIN: &str = "10m";
pub(super) const ACCESS_LONGEST: &str = "1h";
pub(super) const BREAK_GLASS_LONGEST: &str = "15m";
pub(super) const PENDING: u32 = 20;
pub(super) const ASKED: u32 = 200;
pub(super) const CONNECTIONS: u32 = 10_000;
pub(super) const CONNECTIONS_PER_ADDRESS: u32 = 1_000;
pub(super) const HEADER_BYTES: &str = "64KiB";
pub(super) const HEADER_TIMEOUT: &str = "10s";
pub(super) const IDLE_TIMEOUT: &str = "90s";
pub(super) const BODY_BYTES: &str = "3MiB";
pub(super) const BODY_TIMEOUT: &str = "30s";
pub(super) const WRITE_TIMEOUT: &str = "5m";
pub(super) const KEEP_ALIVE: &str = "30s";
pub(super) const DRAIN: &str = "30s";
pub(super) const LEDGER_RESERVE: &str = "64MiB";
pub(super) const RECORDINGS_RESERVE: &str = "256MiB";
pub(super) const RECORDINGS_QUOTA: &str = "4GiB";
pub(super) const RECORDINGS_QUEUE: &str = "64MiB";
pub(super) const CONNECT_TIMEOUT: &str = "5s";
pub(super) const RESPONSE_TIMEOUT: &str = "60s";
pub(super) const NAMESPACE: &str = "portcullis";
pub(super) const NAMESPACES: [&str; 1] = ["*"];
pub(super) const EXCEPT_TYPES: [&str; 1] = ["helm.sh/release.v1"];
pub(super) const KEEP_DELETED: &str = "24h";
pub(super) const STALE_AFTER: &str = "5m";
/// What finds so many values takes a gigabyte of memory at most, whatever shape they have (`mask`, `known::index`, has a test of
/// that).
pub(super) const KNOWN_BYTES: &str = "8MiB";
