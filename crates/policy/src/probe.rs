//! Questions without a request: what `kubectl auth can-i` asks.

use kube_api::Resource;

use crate::action::Action;
use crate::call::{Call, Object, Subject};
use crate::catalogue::REVIEWED;
use crate::decision::Outcome;
use crate::judge::{Judge, Principal};
use crate::request::object_of;
use crate::wording::Refused;

/// The verbs that the rules of an agent are listed for.
const VERBS: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// What exec is asked about beside.
const COPIES: &[&str] = &["copyfrom", "copyto"];

/// Most evaluations that one listing of rules takes: a few hundred, unless the rules single out many names.
const MAX_EVALUATIONS: usize = 2_000;

/// The answer to a question, as far as it can be given without a body: rules about the body's contents are
/// judged as if it were empty, so that *allowed* means that some such call is allowed.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Such a call goes through.
    Allowed {
        /// The rules that permit it.
        reason: String,
    },
    /// Such a call waits for approval.
    Asks {
        /// The refusal it would get without.
        reason: String,
    },
    /// Such a call is refused.
    Denied {
        /// The refusal it would get.
        reason: String,
    },
}

/// What an agent may do with some resources, as a SelfSubjectRulesReview lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRule {
    /// Kubernetes' verbs.
    pub verbs: Vec<String>,
    /// One API group.
    pub api_groups: Vec<String>,
    /// Resources and subresources (`pods/log`) of that group.
    pub resources: Vec<String>,
}

impl Judge {
    /// What would be decided about `verb` on `resource`: as in a SelfSubjectAccessReview, a verb that no
    /// request has is denied, and what is left out (name, namespace) means all of them.
    pub fn probe(&self, who: &Principal<'_>, cluster: &str, verb: &str, resource: &Resource) -> Probe {
        self.probe_call(who, cluster, &asked(verb, object_of(resource)))
    }

    /// What would be decided about `verb` on a `path` that is no resource; only `get` can be allowed.
    pub fn probe_path(&self, who: &Principal<'_>, cluster: &str, verb: &str, path: &str) -> Probe {
        self.probe_call(who, cluster, &Call::on_endpoint(verb, path))
    }

    fn probe_call(&self, who: &Principal<'_>, cluster: &str, call: &Call<'_>) -> Probe {
        let finding = self.decide(who, cluster, call);
        let refusal = || Refused::new(who.agent, cluster, call, &finding).message().to_owned();
        match finding.outcome {
            Outcome::Allow => {
                let ids: Vec<&str> = finding.rules.iter().map(|rule| rule.id.as_str()).collect();
                Probe::Allowed { reason: format!("permitted by {}", ids.join(", ")) }
            }
            Outcome::Ask => Probe::Asks { reason: refusal() },
            Outcome::Deny => Probe::Denied { reason: refusal() },
        }
    }

    /// What `who` may do in `namespace` of `cluster` without asking, over Kubernetes' built-in resources. It is
    /// never complete: custom resources, and rules about names and bodies, are not listed. Where the rules single out so
    /// many names that it would take too long, the list ends early.
    #[must_use]
    pub fn rules_for(&self, who: &Principal<'_>, cluster: &str, namespace: &str) -> Vec<ResourceRule> {
        let mut rules: Vec<ResourceRule> = Vec::new();
        let mut left = MAX_EVALUATIONS;
        for (group, resources) in REVIEWED {
            for entry in *resources {
                let (resource, subresource) = entry.split_once('/').unwrap_or((entry, ""));
                let verbs = self.verbs_for(
                    who,
                    cluster,
                    Object { group, resource, subresource, namespace, name: "" },
                    &mut left,
                );
                if verbs.is_empty() {
                    continue;
                }
                let alike = rules.iter_mut().find(|rule| rule.verbs == verbs && rule.api_groups == [*group]);
                match alike {
                    Some(rule) => rule.resources.push((*entry).to_owned()),
                    None => rules.push(ResourceRule {
                        verbs,
                        api_groups: vec![(*group).to_owned()],
                        resources: vec![(*entry).to_owned()],
                    }),
                }
            }
        }
        rules
    }

    /// The verbs that are allowed on `object`; takes what it evaluates off `left`.
    fn verbs_for(
        &self,
        who: &Principal<'_>,
        cluster: &str,
        object: Object<'_>,
        left: &mut usize,
    ) -> Vec<String> {
        let scoped = if object.is_cluster_scoped() { Object { namespace: "", ..object } } else { object };
        let meaningful = |verb: &str| match object.subresource {
            "" => !COPIES.contains(&verb),
            "log" => verb == "get",
            "exec" => verb == "create" || COPIES.contains(&verb),
            "attach" | "portforward" | "eviction" | "token" => verb == "create",
            _ => matches!(verb, "get" | "update" | "patch"),
        };
        let mut allowed = |verb: &str| {
            let call = asked(verb, scoped);
            let Some(rest) = left.checked_sub(self.evaluations(who, &call)) else {
                *left = 0;
                return false;
            };
            *left = rest;
            self.decide(who, cluster, &call).outcome == Outcome::Allow
        };
        VERBS
            .iter()
            .chain(COPIES)
            .filter(|verb| meaningful(verb) && allowed(verb))
            .map(|verb| (*verb).to_owned())
            .collect()
    }
}

impl Probe {
    /// Allow, ask or deny.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Allowed { .. } => Outcome::Allow,
            Self::Asks { .. } => Outcome::Ask,
            Self::Denied { .. } => Outcome::Deny,
        }
    }

    /// Why, in one line.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Allowed { reason } | Self::Asks { reason } | Self::Denied { reason } => reason,
        }
    }
}

/// A call as it is asked about: what it leaves out means all.
pub(crate) fn asked<'a>(verb: &'a str, object: Object<'a>) -> Call<'a> {
    let mut call = Call::on_object(verb, object, None, false);
    if let Subject::Object(object) = &mut call.subject
        && call.action.is_some_and(Action::copies)
    {
        // Asked about pods, and done by their exec.
        object.subresource = "exec";
    }
    call.covers_all = call.action != Some(Action::Create) || object.namespace.is_empty();
    call
}
