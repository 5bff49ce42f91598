//! Who decides, and for how long.

use schemars::JsonSchema;
use serde::Deserialize;

use super::DurationText;
use crate::config::defaults;

/// A human who may decide what policy asks about.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Approver {
    /// What tells this human from any other, for good, such as an address. Rules name it, or a group.
    #[schemars(required)]
    pub(in crate::config) name: Option<String>,
    /// Other names of the same human, by which sessions may name them: whoever an agent works for does not approve.
    pub(in crate::config) aliases: Option<Vec<String>>,
    /// Groups that rules may name in `@approvers`.
    pub(in crate::config) groups: Option<Vec<String>>,
    /// The number of their account on the gate's own machine (`id -u`), by which they use `portcullis approvals`.
    #[schemars(range(min = 0, max = 4_294_967_294_u32))]
    pub(in crate::config) account: Option<u32>,
}

/// How what waits for humans is treated.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Approvals {
    /// How long a call waits for humans before its client is told to come back; at most `10m`.
    #[schemars(extend("default" = defaults::HOLD))]
    pub(in crate::config) hold: Option<DurationText>,
    /// How long a request can be decided.
    #[schemars(extend("default" = defaults::DECIDE_WITHIN))]
    pub(in crate::config) decide_within: Option<DurationText>,
    /// How long a yes can be used: once; of several changes, each once.
    #[schemars(extend("default" = defaults::USE_WITHIN))]
    pub(in crate::config) use_within: Option<DurationText>,
    /// Requests of one session that may be pending.
    #[schemars(range(min = 1, max = 1_000), extend("default" = defaults::PENDING))]
    pub(in crate::config) pending: Option<u32>,
    /// Requests that one session may make in all. Each is kept, with what approvers were shown: up to 256 KiB, of several changes up to 1 MiB.
    #[schemars(range(min = 1, max = 100_000), extend("default" = defaults::ASKED))]
    pub(in crate::config) asked: Option<u32>,
    /// Whether a request is withdrawn when its client hangs up; otherwise it stays, and the client can come back.
    #[schemars(extend("default" = false))]
    pub(in crate::config) withdraw_when_client_leaves: Option<bool>,
    /// Who gives agents access to a scope for a time, before they need it. Nobody does where this is not written.
    pub(in crate::config) access: Option<Access>,
    /// Who may break the glass in an emergency. Nobody may where this is not written.
    pub(in crate::config) break_glass: Option<BreakGlass>,
}

/// Who gives agents access to a scope for a time. It answers rules that ask, if those whom they ask are among who gave it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Access {
    /// People or groups, as `approvers` has them.
    #[schemars(required, length(min = 1))]
    pub(in crate::config) approvers: Option<Vec<String>>,
    /// How many of them must agree.
    #[schemars(range(min = 1, max = 10), extend("default" = 1))]
    pub(in crate::config) quorum: Option<u32>,
    /// How sure it must be who decides: `account`, `provider` or `passkey`, as `@assurance` has it.
    pub(in crate::config) assurance: Option<String>,
    /// The longest that it may last.
    #[schemars(extend("default" = defaults::ACCESS_LONGEST))]
    pub(in crate::config) longest: Option<DurationText>,
}

/// Who may break the glass: one of them gives access in an emergency, which answers every rule that asks, and another signs it off later.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct BreakGlass {
    /// People or groups, as `approvers` has them.
    #[schemars(required, length(min = 1))]
    pub(in crate::config) approvers: Option<Vec<String>>,
    /// How sure it must be who decides: `account`, `provider` or `passkey`, as `@assurance` has it.
    pub(in crate::config) assurance: Option<String>,
    /// The longest that it may last.
    #[schemars(extend("default" = defaults::BREAK_GLASS_LONGEST))]
    pub(in crate::config) longest: Option<DurationText>,
    /// People or groups who sign off what was done. Nobody signs off what they broke themselves.
    #[schemars(required, length(min = 1))]
    pub(in crate::config) reviewers: Option<Vec<String>>,
}
