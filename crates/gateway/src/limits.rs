//! What one client may use up before others suffer.

use std::time::Duration;

use approval::Demand;

/// Bounds of the data path; the configuration has a default for each that suits a team of agents.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections, all clients together.
    pub connections: usize,
    /// Open connections from one address, or one IPv6 network of 64 bits.
    pub connections_per_address: usize,
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// For the TLS handshake, and again for a request's head.
    pub header_timeout: Duration,
    /// How long a connection may be open without a call.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of an answer that is there before its connection is ended.
    pub write_timeout: Duration,
    /// For a request's body to arrive.
    pub body_timeout: Duration,
    /// Bytes of a request's body; never above what the API server takes (3 MiB).
    pub body_bytes: usize,
    /// Calls that one session may have open at once, streams included.
    pub calls_a_session: usize,
    /// Known secret values, and guesses at them, that one session may send before it is frozen.
    pub known_values_a_session: u32,
    /// How often a silent connection is asked whether it is still there, by HTTP/2 and by TCP.
    pub keep_alive: Duration,
    /// How long open calls may go on once the gate is told to stop.
    pub drain: Duration,
}

/// How long what waits for humans may take.
#[derive(Debug, Clone)]
pub struct Holding {
    /// For how long a call waits for humans before its client is told to come back.
    pub hold: Duration,
    /// For how many seconds a request can be decided.
    pub decide_seconds: u32,
    /// For how many seconds a yes can be used.
    pub use_seconds: u32,
    /// Whether a request is withdrawn when its client hangs up; otherwise it stays, and its client can come back.
    pub withdraw_when_left: bool,
    /// Where humans decide in a browser, if there is such a place: for clients to tell them.
    pub console: Option<String>,
    /// Who gives access for a time; `None`: nobody does.
    pub access: Option<AccessRules>,
    /// Who may break the glass; `None`: nobody may.
    pub break_glass: Option<GlassRules>,
}

/// Who gives access for a time.
#[derive(Debug, Clone)]
pub struct AccessRules {
    /// Who must agree.
    pub demand: Demand,
    /// For how many seconds at most.
    pub most_seconds: u32,
}

/// Who may break the glass.
#[derive(Debug, Clone)]
pub struct GlassRules {
    /// One of these does.
    pub access: AccessRules,
    /// One of these signs it off.
    pub reviewers: Vec<String>,
}
