//! Rules that ask humans whom the configuration does not know: their calls would wait in vain.

use approval::Demand;

use super::{Approver, Config};

impl Config {
    /// Rules of this bundle that nobody can meet, each with what is missing. Of groups that an OpenID provider tells of, nobody
    /// knows how many there are.
    #[must_use]
    pub fn unmet(&self, bundle: &policy::Bundle) -> Vec<String> {
        let rules = bundle.demands().filter_map(|demand| {
            let Demand { rule, approvers, quorum, .. } = &demand;
            let found = self.found_for(&demand)?;
            Some(format!(
                "rule `{rule}` asks {quorum} of {}, and {found} of `approvers` can decide: name them there, with a way in, or calls \
                 that it asks about wait in vain",
                approvers.join(", ")
            ))
        });
        let own = self.own_demands().filter_map(|demand| {
            let Demand { rule, approvers, quorum, .. } = &demand;
            let found = self.found_for(&demand)?;
            Some(format!(
                "`{rule}` names {quorum} of {}, and {found} of `approvers` can decide: name them there, with a way in, or nobody can",
                approvers.join(", ")
            ))
        });
        rules.chain(own).chain(self.own_review()).collect()
    }

    /// Whoever breaks the glass does not sign it off: for each there has to be another.
    fn own_review(&self) -> Option<String> {
        let glass = self.approvals.break_glass.as_ref()?;
        let among = |names: &[String]| -> Vec<&Approver> {
            self.approvers.iter().filter(|approver| approver.human.is_among(names)).collect()
        };
        let reviewers = among(&glass.reviewers);
        let oidc = self.console.as_ref().and_then(|console| console.oidc.as_ref());
        if oidc.is_some_and(|oidc| glass.reviewers.iter().any(|name| oidc.groups.contains(name))) {
            return None;
        }
        let breakers = among(&glass.access.demand.approvers);
        let alone =
            breakers.into_iter().find(|who| reviewers.iter().all(|other| other.human.is(&who.human)))?;
        let who = &alone.human.subject;
        Some(format!(
            "what `{who}` does by breaking the glass can be signed off by nobody else: name another among `approvals.break_glass.reviewers`"
        ))
    }

    /// What the configuration itself demands of humans.
    fn own_demands(&self) -> impl Iterator<Item = Demand> {
        let access = self.approvals.access.iter().map(|access| access.demand.clone());
        let glass = self.approvals.break_glass.iter().flat_map(|glass| {
            let demand = glass.access.demand.clone();
            let rule = "approvals.break_glass.reviewers".to_owned();
            let reviewers = Demand { rule, approvers: glass.reviewers.clone(), ..demand.clone() };
            [demand, reviewers]
        });
        access.chain(glass)
    }

    /// How many can meet it, if those are too few.
    fn found_for(&self, demand: &Demand) -> Option<usize> {
        let oidc = self.console.as_ref().and_then(|console| console.oidc.as_ref());
        if oidc.is_some_and(|oidc| demand.approvers.iter().any(|name| oidc.groups.contains(name))) {
            return None;
        }
        let author =
            |approver: &Approver| demand.authors.iter().any(|author| approver.human.may_be_called(author));
        let can_decide = |approver: &&Approver| {
            let has_a_way_in = approver.account.is_some() || oidc.is_some();
            has_a_way_in && approver.human.is_among(&demand.approvers) && !author(approver)
        };
        let found = self.approvers.iter().filter(can_decide).count();
        (found < usize::try_from(demand.quorum).unwrap_or(usize::MAX)).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Files;

    #[test]
    fn rules_that_nobody_can_meet_are_told() {
        let rules = r#"
            @id("all") permit (principal, action, resource);
            @id("one") @reason("r") @outcome("approval") @approvers("sre") forbid (principal, action, resource) unless { context.approved };
            @id("two") @reason("r") @outcome("approval") @approvers("sre, dba") @quorum("2") forbid (principal, action, resource) unless { context.approved };
            @id("own") @reason("r") @outcome("approval") @approvers("sre") @author("grace") forbid (principal, action, resource) unless { context.approved };
            @id("sec") @reason("r") @outcome("approval") @approvers("security") forbid (principal, action, resource) unless { context.approved };
        "#;
        let source = policy::Source { name: "rules.cedar".to_owned(), text: rules.to_owned() };
        let bundle = policy::Bundle::compile(&[source]).unwrap();
        let least = "
public_url: https://gate.example.com
tls: { certificate: tls.crt, key: tls.key }
policy: { bundle: builtin:developer }
clusters: [{ name: prod, in_cluster: true }]
agents: [{ name: claude }]
approvers: [{ name: grace@example.com, aliases: [grace], groups: [sre], account: 1000 }, { name: alan, groups: [sre] }]
";
        let unmet = |text: &str| {
            let config = Config::parse(text, Path::new("portcullis.yaml"), Files::Ignore).unwrap();
            config.unmet(&bundle).join("\n")
        };
        insta::assert_snapshot!(unmet(least));
        let oidc = "console: { public_url: https://c.example.com, oidc: { issuer: https://i.example.com, client_id: p, groups: [security] } }";
        assert_eq!(unmet(&format!("{least}{oidc}\n")), "");
        let access = "approvals: { access: { approvers: [dba] }, break_glass: { approvers: [grace], reviewers: [leads] } }";
        insta::assert_snapshot!("unmet_access", unmet(&format!("{least}{oidc}\n{access}\n")));
        let glass = "approvals: { break_glass: { approvers: [grace], reviewers: [grace] } }";
        insta::assert_snapshot!(unmet(&format!("{least}{oidc}\n{glass}\n")), @"what `grace@example.com` does by breaking the glass can be signed off by nobody else: name another among `approvals.break_glass.reviewers`");
    }
}
