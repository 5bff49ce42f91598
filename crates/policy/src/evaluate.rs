//! One evaluation by Cedar: entities and context from a call, the answer back as rules.

use std::collections::{BTreeSet, HashSet};

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
    RestrictedExpression as Expr,
};

use crate::action::Action;
use crate::bundle::Bundle;
use crate::call::{Call, Object, Subject};
use crate::judge::Principal;
use crate::rule::Rule;
use crate::vocabulary::{Vocabulary, namespace_id, uid};

/// What Cedar said.
#[derive(Debug)]
pub(crate) enum Answer<'a> {
    /// The permits that apply; no forbid does.
    Allow(Vec<&'a Rule>),
    /// The forbids that apply; none if no permit does either.
    Deny(Vec<&'a Rule>),
    /// Rules that could not be evaluated, by which the call is denied: Cedar itself would skip them.
    Error(Vec<&'a Rule>),
}

/// One call by one principal, ready to be evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evaluation<'b, 'c> {
    pub(crate) bundle: &'b Bundle,
    pub(crate) who: &'c Principal<'c>,
    pub(crate) cluster: &'c str,
    pub(crate) call: &'c Call<'c>,
    pub(crate) action: Action,
    /// The call's subject, or a single place that a call on a collection covers.
    pub(crate) subject: Subject<'c>,
}

impl<'b> Evaluation<'b, '_> {
    /// Evaluates `policies`, with `context.approved` as told.
    pub(crate) fn run(&self, policies: &PolicySet, approved: bool) -> Answer<'b> {
        let Some((request, entities)) = self.question(approved) else { return Answer::Error(Vec::new()) };
        let response = Authorizer::new().is_authorized(&request, policies, &entities);
        let diagnostics = response.diagnostics();
        let erred: Vec<&Rule> = diagnostics
            .errors()
            .filter_map(|AuthorizationError::PolicyEvaluationError(e)| self.bundle.rule(e.policy_id()))
            .collect();
        if diagnostics.errors().next().is_some() {
            return Answer::Error(erred);
        }
        let mut rules: Vec<&Rule> = diagnostics.reason().filter_map(|id| self.bundle.rule(id)).collect();
        rules.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        match response.decision() {
            Decision::Allow => Answer::Allow(rules),
            Decision::Deny => Answer::Deny(rules),
        }
    }

    /// Cedar's request and the entities it needs. `None` if Cedar refuses to build them.
    pub(crate) fn question(&self, approved: bool) -> Option<(Request, Entities)> {
        let words = self.bundle.vocabulary();
        let action = words.action(self.action)?;
        let cluster = uid(&words.cluster, self.cluster);
        let agent = uid(&words.agent, self.who.agent);
        let groups = self.who.groups.iter().map(|group| uid(&words.group, group)).collect();
        let resource = match self.subject {
            Subject::Object(_) => words.object.clone(),
            Subject::Endpoint(_) => words.endpoint.clone(),
        };
        let mut entities = vec![action.clone(), Entity::new_no_attrs(agent.clone(), groups)];
        match self.subject {
            Subject::Object(object) => self.object(words, object, cluster, &mut entities)?,
            Subject::Endpoint(path) => {
                let attributes = [text("cluster", self.cluster), text("path", path)];
                let parents = HashSet::from([cluster]);
                entities.push(Entity::new(resource.clone(), attributes.into(), parents).ok()?);
            }
        }
        let context = self.context(approved)?;
        let request = Request::new(agent, action.uid(), resource, context, None).ok()?;
        Some((request, Entities::from_entities(entities, None).ok()?))
    }

    fn object(
        &self,
        words: &Vocabulary,
        object: Object<'_>,
        cluster: EntityUid,
        entities: &mut Vec<Entity>,
    ) -> Option<()> {
        let attributes = [
            text("cluster", self.cluster),
            ("type".to_owned(), Expr::new_string(object.kind())),
            text("group", object.group),
            text("resource", object.resource),
            text("subresource", object.subresource),
            text("namespace", object.namespace),
            text("name", object.name),
        ];
        let mut parents = HashSet::from([cluster.clone()]);
        if !object.namespace.is_empty() {
            let namespace = uid(&words.namespace, &namespace_id(self.cluster, object.namespace));
            entities.push(Entity::new_no_attrs(namespace.clone(), HashSet::from([cluster])));
            parents.insert(namespace);
        }
        entities.push(Entity::new(words.object.clone(), attributes.into(), parents).ok()?);
        Some(())
    }

    fn context(&self, approved: bool) -> Option<Context> {
        let facts = &self.call.facts;
        let set = |name: &str, items: &BTreeSet<String>| {
            let items = items.iter().map(|item| Expr::new_string(item.clone()));
            (name.to_owned(), Expr::new_set(items))
        };
        let boolean = |name: &str, value| (name.to_owned(), Expr::new_bool(value));
        let mut pairs = vec![
            boolean("approved", approved),
            boolean("dryRun", self.call.dry_run),
            boolean("restores", self.call.restores.is_some()),
            boolean("bodyComplete", facts.body_complete),
            boolean("privileged", facts.privileged),
            boolean("hostNamespaces", facts.host_namespaces),
            boolean("tokenProjections", facts.token_projections),
            boolean("touchesProcess", facts.touches_process),
            boolean("deputyKind", self.call.deputy_kind),
            set("images", &facts.images),
            set("secretRefs", &facts.secrets.names),
            set("serviceAccounts", &facts.service_accounts),
            set("hostPaths", &facts.host_paths),
            set("externalAddresses", &facts.external_addresses),
            set("deputyAnnotations", &facts.deputy_annotations),
            set("targetContainers", &facts.target_containers),
            text("key", self.call.key.unwrap_or_default()),
            text("program", &facts.run.program),
            set("arguments", &facts.run.arguments),
            text("commandLine", &facts.run.command_line),
            text("container", &facts.run.container),
            boolean("stdin", facts.run.stdin),
            boolean("tty", facts.run.tty),
            text("path", facts.run.path()),
            ("port".to_owned(), Expr::new_long(facts.forward.port().map_or(0, i64::from))),
            set("labels", &facts.forward.pod.labels),
        ];
        pairs.extend(facts.replicas.first().map(|n| ("replicas".to_owned(), Expr::new_long(*n))));
        Context::from_pairs(pairs).ok()
    }
}

fn text(name: &str, value: &str) -> (String, Expr) {
    (name.to_owned(), Expr::new_string(value.to_owned()))
}
