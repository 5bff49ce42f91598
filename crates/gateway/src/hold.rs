//! What policy asks humans about is held until they decide, or until its client is told to come back.
//!
//! ```text
//! ask ─ look, bind, dry run ─ asked before? ─┬─ no ── request ─┐
//!                                            └─ yes ───────────┴─ wait ─┬─ approved ─ used ─ permit
//!                                                                       └─ refused, over, come back later
//! ```
//!
//! The bytes that were asked about are the bytes that are sent. While its client waits, the request itself is held, in
//! memory. When the client comes back, it sends the same bytes again: they are found by a keyed digest, so that no body, which
//! may be secret, has to be kept meanwhile. What approvers are shown is kept, masked.
//!
//! A deletion of a collection is listed when it asks, and becomes the deletes of what is in that list.
//!
//! What humans approved ahead is used before anybody is asked: access that covers the request, and changes of which it makes one (`approved`).

mod approved;
mod beside;
mod change;
mod listing;
mod request;
mod stream;
mod wait;

pub(crate) use wait::Over;

use approval::{Beside, Change, Container, Shown, Target, Why};
use http::StatusCode;
use kube_api::{Request, Status, Upgrade, Verb};
use ledger::leaf::{Cause, Purpose};
use mask::Live;
use policy::{Ask, Permit, RuleRef};
use serde_json::Value;

use self::{beside::Wanted, change::Looked, listing::Covered};
use crate::{
    call::Call,
    judged::Judged,
    look::{Seen, Stop},
    refuse::{Refused, Unseen},
};

/// The most that is kept to be shown, in bytes of JSON: humans do not read more, and each request is kept.
const MOST_SHOWN: usize = 256 << 10;

/// A request as far as it came, and why it came no further.
pub(crate) type Stopped = Box<(Request, Stop)>;

/// What may be sent.
pub(crate) enum Granted {
    /// The request.
    One(Box<Permit>),
    /// The deletes of which this request consists.
    Each(Box<Request>, Vec<Permit>),
    /// Nothing yet: another policy is in force than the one that asks, and has to say what it makes of this request.
    Outdated(Box<Request>),
}

/// What is asked, ready to be shown and sent.
pub(crate) struct Prepared {
    pub(crate) ask: Ask,
    /// What a request is found by that is sent again.
    key: String,
    target: Option<Target>,
    /// Of exec and attach, the container that it reaches.
    container: Option<Container>,
    /// Keyed digest of what the API server answered the dry run.
    result: Option<String>,
    /// What becomes of the object, if it is made or changed.
    pub(crate) change: Option<Change>,
    /// What approvers are shown, but for what there is to see beside the object.
    pub(crate) shown: Shown,
    /// What that is.
    wanted: Wanted,
}

impl Call {
    /// The permit for what is asked, once humans said yes. `asked` is the request as its client sent it.
    pub(crate) async fn hold(&self, asked: Request, ask: Ask) -> Result<Granted, Stopped> {
        let request = ask.request().clone();
        match self.held(self.key_of(&asked), ask).await {
            Ok(Some(granted)) => Ok(granted),
            Ok(None) => {
                tracing::info!(call = %self.id(), "another policy is in force than the one that asks");
                Ok(Granted::Outdated(Box::new(asked)))
            }
            Err(stop) => Err(Box::new((request, stop))),
        }
    }

    /// `None`: another policy is in force.
    async fn held(&self, key: String, ask: Ask) -> Result<Option<Granted>, Stop> {
        if self.policy_has_changed(&ask) {
            return Ok(None);
        }
        let ahead = self.approved_ahead().await?;
        let ask = match self.by_access(ask, &ahead) {
            Ok(permit) => return Ok(Some(Granted::One(Box::new(permit)))),
            Err(ask) => *ask,
        };
        let prepared = self.prepare(key, ask).await?;
        let prepared = match self.by_change(prepared, &ahead).await? {
            Ok(permit) => return Ok(Some(Granted::One(Box::new(permit)))),
            Err(prepared) => *prepared,
        };
        if prepared.shown.listing.as_ref().is_some_and(|listing| listing.objects.is_empty()) {
            let request = prepared.ask.request().clone();
            return Ok(Some(Granted::Each(Box::new(request), Vec::new())));
        }
        let approval = self.asked(&prepared).await?;
        self.wait(prepared, approval).await
    }

    /// What a request is found by when it is sent again: a digest under the gate's own key.
    pub(crate) fn key_of(&self, request: &Request) -> String {
        let outgoing = request.to_http();
        let content = request.body().map(|body| body.content().header_value());
        let content = content.as_ref().map_or(&b""[..], |value| value.as_bytes());
        // What is put back is not in the body.
        let restores =
            request.restores().map(|restores| format!("restores {restores}\n")).unwrap_or_default();
        let head = format!("{} {}\n{restores}", outgoing.method(), outgoing.uri());
        let parts = [head.as_bytes(), content, b"\n", outgoing.body()].concat();
        self.gate().ledger().keyed_digest(Purpose::Asked, &parts)
    }

    /// Looks at the object, binds the request to it, and asks the API server what would come of it.
    pub(crate) async fn prepare(&self, key: String, ask: Ask) -> Result<Prepared, Stop> {
        can_be_asked(&ask)?;
        if ask.request().verb() == Verb::DeleteCollection {
            return self.prepare_each(key, ask).await;
        }
        if ask.request().upgrade().is_some() {
            return self.prepare_stream(key, ask).await;
        }
        let live = if is_by_name(ask.request()) { Some(self.look(ask.request()).await?) } else { None };
        let target = live.as_ref().map(|live| target(live, ask.request())).transpose()?;
        let ask = match &target {
            Some(target) => ask.bind(target).map_err(|refusal| Stop::Refused {
                refused: Refused::Unparsed(Box::new(refusal.status())),
                cause: Cause::Malformed,
                decision: None,
            })?,
            None => ask,
        };
        let after = match ask.dry_run() {
            Some(permit) => match self.send_look(permit).await? {
                Seen::Object(live) => Some(live),
                Seen::Error(error, _) => return Err(Stop::unseen(Refused::Answered(error))),
            },
            None => None,
        };
        let result = after.as_ref().map(|live| live.ask(|object| self.keyed(object)));
        let shown = self.shown(&ask, live.as_ref(), after.as_deref());
        if shown.size() > MOST_SHOWN {
            let how = "it is about an object too large to be shown to humans";
            return Err(Stop::asked(&ask, ask.ended(how, None, false)));
        }
        let (before, after) = (live.as_ref(), after.as_deref());
        let change = self.change(&Looked { ask: &ask, key: &key, target: target.as_ref(), before, after });
        let wanted = Wanted::of(ask.request(), before, after);
        Ok(Prepared { ask, key, target, container: None, result, change, shown, wanted })
    }

    /// Lists what a deletion of a collection covers, and binds it to that.
    async fn prepare_each(&self, key: String, ask: Ask) -> Result<Prepared, Stop> {
        let Covered { members, labels, listing } = self.list(&ask).await?;
        let wanted = Wanted::of_each(ask.request(), labels);
        let ask = ask.of_each(&members).map_err(|refusal| Stop::Refused {
            refused: Refused::Unparsed(Box::new(refusal.status())),
            cause: Cause::Malformed,
            decision: None,
        })?;
        let shown = Shown { listing: Some(listing), ..self.shown(&ask, None, None) };
        Ok(Prepared { ask, key, target: None, container: None, result: None, change: None, shown, wanted })
    }

    /// What approvers are shown, masked: what is asked, why, and the object `before` and `after`.
    fn shown(&self, ask: &Ask, before: Option<&Live>, after: Option<&Live>) -> Shown {
        let masked = |live: Option<&Live>| live.map_or(Value::Null, |live| live.shown().clone());
        let why = |rule: &RuleRef| Why { rule: rule.id().to_owned(), reason: rule.reason().to_owned() };
        let hidden = before.zip(after).map(|(before, after)| before.hidden_changes(after));
        Shown {
            verb: ask.request().verb().as_str().to_owned(),
            dry_run: ask.request().dry_run(),
            act: upstream::text::<512>(ask.act(), &self.known()).to_string(),
            reason: upstream::text::<512>(self.caller().reason().as_str(), &self.known()).to_string(),
            rules: ask.decision().rules().iter().map(why).collect(),
            options: options(ask.request()),
            restores: ask
                .request()
                .restores()
                .map(|of| format!("call {} of session {}", of.call(), of.session())),
            hidden: hidden.unwrap_or_default(),
            before: masked(before),
            after: masked(after),
            listing: None,
            runs: None,
            beside: Beside::default(),
        }
    }
}

/// Whether what it would do can be shown to humans: else it is over before anybody is asked.
fn can_be_asked(ask: &Ask) -> Result<(), Stop> {
    let request = ask.request();
    let on_subresource = request.resource().is_some_and(|resource| resource.subresource().is_some());
    let streams = matches!(request.upgrade(), Some(Upgrade::Exec | Upgrade::Attach));
    if request.verb() != Verb::Create || !on_subresource || request.is_eviction() || streams {
        return Ok(());
    }
    let how = "what it would do cannot be shown to humans";
    let next = "do it in another way, or ask the owner of the policy";
    Err(Stop::asked(ask, ask.ended(how, Some(next), false)))
}

/// Whether there is an object that it changes.
fn is_by_name(request: &Request) -> bool {
    matches!(request.verb(), Verb::Delete | Verb::Update | Verb::Patch) || request.is_eviction()
}

/// The object that a write by its name is about. What is deleted must be there; of what may yet be made, there is no version.
fn target(live: &Live, request: &Request) -> Result<Target, Stop> {
    match live.uid_and_version() {
        Some((uid, version)) => Ok(Target { uid: uid.to_owned(), resource_version: version.to_owned() }),
        None if request.verb() == Verb::Delete || request.is_eviction() => {
            Err(Stop::unseen(Refused::Unseen(Unseen::Answered(StatusCode::NOT_FOUND))))
        }
        None => Ok(Target { uid: String::new(), resource_version: String::new() }),
    }
}

/// How something is to be deleted, as it will be sent (`DeleteOptions` in k8s.io/apimachinery/pkg/apis/meta/v1): what is not said
/// is as the API server likes it.
fn options(request: &Request) -> Vec<String> {
    let options = match request.verb() {
        Verb::Delete | Verb::DeleteCollection => request.delete_options(),
        _ if request.is_eviction() => {
            let body = request.body().and_then(|body| body.value().get("deleteOptions"));
            body.and_then(Value::as_object).cloned().unwrap_or_default()
        }
        _ => return Vec::new(),
    };
    let told = |name: &str| !["kind", "apiVersion", "preconditions"].contains(&name);
    options.iter().filter(|(name, _)| told(name)).map(|(name, value)| format!("{name}: {value}")).collect()
}

impl Stop {
    /// Humans were asked, and this is what the client is told.
    fn asked(ask: &Ask, status: Status) -> Self {
        Judged { status: Box::new(status), ..Judged::from(ask) }.into()
    }
}
