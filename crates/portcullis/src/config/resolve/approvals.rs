//! The humans who decide, and how long they may take.

use std::time::Duration;

use approval::{Demand, Human, Level};
use gateway::{AccessRules, GlassRules};
use identity::{Delegator, GroupName};

use super::{
    super::{
        defaults,
        position::FieldPath,
        raw,
        resolved::{Agent, Approvals, Approver},
    },
    Resolver,
};

/// A client that waits longer is taken for hung by those who wait for it.
const LONGEST_HOLD: Duration = Duration::from_secs(10 * 60);
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Resolver<'_> {
    pub(super) fn approvers(
        &mut self,
        raw: Vec<raw::Approver>,
        agents: &[Agent],
        at: &FieldPath,
    ) -> Vec<Approver> {
        let mut approvers: Vec<Approver> = Vec::new();
        for (index, raw) in raw.into_iter().enumerate() {
            let at = at.index(index);
            approvers.extend(self.approver(raw, &approvers, agents, &at));
        }
        approvers
    }

    fn approver(
        &mut self,
        raw: raw::Approver,
        others: &[Approver],
        agents: &[Agent],
        at: &FieldPath,
    ) -> Option<Approver> {
        let subject = raw.name.and_then(|name| self.human(&name, agents, &at.key("name")));
        let aliases_at = at.key("aliases");
        let mut aliases = Vec::new();
        for (index, alias) in raw.aliases.unwrap_or_default().iter().enumerate() {
            aliases.extend(self.human(alias, agents, &aliases_at.index(index)));
        }
        let groups = self.groups(raw.groups.unwrap_or_default(), &at.key("groups"));
        let groups = groups.iter().map(GroupName::to_string).collect();
        let human = Human { aliases, groups, ..Human::called(subject?) };
        if let Some(other) = others.iter().find(|other| other.human.is(&human)) {
            let message = format!("shares a name with `{}`; nobody may count as two", other.human.subject);
            return self.refuse(at, message);
        }
        let named = |group: &String| {
            others.iter().any(|other| other.human.is_called(group)) || human.is_called(group)
        };
        let groups_of_others = others.iter().flat_map(|other| &other.human.groups);
        if let Some(group) = human.groups.iter().find(|group| named(group)) {
            return self
                .refuse(at, format!("the group `{group}` is also a human's name; rules could mean either"));
        }
        if let Some(group) = groups_of_others.into_iter().find(|group| human.is_called(group)) {
            return self.refuse(at, format!("`{group}` is also a group; rules could mean either"));
        }
        if let Some(other) = others.iter().find(|other| raw.account.is_some() && other.account == raw.account)
        {
            let message =
                format!("`{}` has this account; who shares one cannot be told apart", other.human.subject);
            return self.refuse(&at.key("account"), message);
        }
        Some(Approver { human, account: raw.account })
    }

    fn human(&mut self, written: &str, agents: &[Agent], at: &FieldPath) -> Option<String> {
        let name = self.read(at, written.parse::<Delegator>().map_err(|error| error.to_string()))?;
        let human = Human::called(name.as_str());
        if agents.iter().any(|agent| human.is_called(agent.name.as_str())) {
            return self.refuse(at, format!("`{written}` is an agent; only humans approve"));
        }
        Some(name.as_str().to_owned())
    }

    pub(super) fn approvals(&mut self, raw: raw::Approvals, at: &FieldPath) -> Option<Approvals> {
        let hold = self.duration(raw.hold, defaults::HOLD, LONGEST_HOLD, &at.key("hold"));
        let mut long = |raw, default, key| {
            let seconds = self.seconds(raw, default, &at.key(key))?;
            Some(Duration::from_secs(seconds.into()))
        };
        let decide_within = long(raw.decide_within, defaults::DECIDE_WITHIN, "decide_within");
        let use_within = long(raw.use_within, defaults::USE_WITHIN, "use_within");
        Some(Approvals {
            hold: hold?,
            decide_within: decide_within?,
            use_within: use_within?,
            pending: raw.pending.unwrap_or(defaults::PENDING),
            asked: raw.asked.unwrap_or(defaults::ASKED),
            withdraw_when_client_leaves: raw.withdraw_when_client_leaves.unwrap_or(false),
            access: raw.access.and_then(|access| self.access(access, &at.key("access"))),
            break_glass: raw.break_glass.and_then(|glass| self.break_glass(glass, &at.key("break_glass"))),
        })
    }

    fn access(&mut self, raw: raw::Access, at: &FieldPath) -> Option<AccessRules> {
        let raw::Access { approvers, quorum, assurance, longest } = raw;
        let most_seconds = self.seconds(longest, defaults::ACCESS_LONGEST, &at.key("longest"));
        let demand = self.own_demand("approvals.access", approvers, quorum, assurance, at);
        Some(AccessRules { demand: demand?, most_seconds: most_seconds? })
    }

    fn break_glass(&mut self, raw: raw::BreakGlass, at: &FieldPath) -> Option<GlassRules> {
        let raw::BreakGlass { approvers, assurance, longest, reviewers } = raw;
        let reviewers = self.names(reviewers, &at.key("reviewers"));
        let most_seconds = self.seconds(longest, defaults::BREAK_GLASS_LONGEST, &at.key("longest"));
        let demand = self.own_demand("approvals.break_glass", approvers, None, assurance, at);
        let access = AccessRules { demand: demand?, most_seconds: most_seconds? };
        Some(GlassRules { access, reviewers: reviewers? })
    }

    /// What this section demands of humans, as a rule would.
    fn own_demand(
        &mut self,
        section: &str,
        approvers: Option<Vec<String>>,
        quorum: Option<u32>,
        assurance: Option<String>,
        at: &FieldPath,
    ) -> Option<Demand> {
        let approvers = self.names(approvers, &at.key("approvers"));
        let assurance = self.assurance(assurance, &at.key("assurance"));
        let (rule, quorum) = (section.to_owned(), quorum.unwrap_or(1));
        let (approvers, assurance) = (approvers?, assurance?);
        Some(Demand { rule, approvers, quorum, assurance, no_access: false, authors: Vec::new() })
    }

    /// People or groups: at least one.
    fn names(&mut self, raw: Option<Vec<String>>, at: &FieldPath) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for (index, name) in raw?.iter().enumerate() {
            let name = name.parse::<Delegator>().map_err(|error| error.to_string());
            names.push(self.read(&at.index(index), name)?.as_str().to_owned());
        }
        (!names.is_empty()).then_some(names)
    }

    /// `Some(None)`: no more than any.
    fn assurance(&mut self, raw: Option<String>, at: &FieldPath) -> Option<Option<Level>> {
        let Some(text) = raw else { return Some(None) };
        match Level::of_rule(&text) {
            Some(level) => Some(Some(level)),
            None => self.refuse(at, format!("`{text}` is neither `account`, `provider` nor `passkey`")),
        }
    }

    fn seconds(&mut self, raw: Option<raw::DurationText>, default: &str, at: &FieldPath) -> Option<u32> {
        let span = self.duration(raw, default, LONGEST, at)?;
        if span.subsec_nanos() > 0 {
            return self.refuse(at, "is counted in whole seconds; give at least 1s");
        }
        u32::try_from(span.as_secs()).ok()
    }
}
